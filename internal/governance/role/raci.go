package role

import (
	"slices"
	"strings"

	"omote/internal/governance/packs"
	"omote/internal/governance/record"
	"omote/internal/platform/errs"
)

// Duty is what a role does at a step.
type Duty string

// The duties. A role may be accountable and responsible at once ("AR").
const (
	Responsible Duty = "R" // does it
	Accountable Duty = "A" // answers for it; exactly one
	Both        Duty = "AR"
	Consulted   Duty = "C" // is asked before
	Informed    Duty = "I" // is told after
)

var dutiesKnown = []Duty{Responsible, Accountable, Both, Consulted, Informed}

// Does reports whether the duty includes doing the step.
func (d Duty) Does() bool { return d == Responsible || d == Both }

// Answers reports whether the duty includes answering for the step.
func (d Duty) Answers() bool { return d == Accountable || d == Both }

// Cells are the duties by step and role.
type Cells map[string]map[string]Duty

// Matrix is the RACI of a journey, whose id is the document's. What Live holds was
// approved; Draft is being worked on.
type Matrix struct {
	Draft Cells `json:"draft"`
	Live  Cells `json:"live,omitempty"`
	// Published counts the approved versions.
	Published int `json:"published"`
}

// Accountable gives the role that answers for a step, "" for none or several.
func (c Cells) Accountable(step string) (role string) {
	for r, d := range c[step] {
		if d.Answers() {
			if role != "" {
				return ""
			}
			role = r
		}
	}
	return role
}

// Validate refuses what no draft may hold: unknown roles and duties, and two
// accountable roles at one step.
func (c Cells) Validate(pack *packs.Governance) error {
	for step, row := range c {
		answers := []string{}
		for r, d := range row {
			if pack.Role(r).ID == "" {
				return errs.Invalid("governance.error.role", "cells", "there is no role %q", r).With("role", r)
			}
			if !slices.Contains(dutiesKnown, d) {
				return errs.Invalid("governance.raci.error.duty", "cells", "%q is no duty: R, A, AR, C or I", d).With("duty", string(d))
			}
			if d.Answers() {
				answers = append(answers, r)
			}
		}
		if len(answers) > 1 {
			slices.Sort(answers)
			return errs.Invalid("governance.raci.error.two_accountable", "cells", "two roles answer for the step %s: %s", step, strings.Join(answers, ", ")).
				With("step", step).With("roles", strings.Join(answers, ", "))
		}
	}
	return nil
}

// Problem is something that is not right with a matrix.
type Problem struct {
	// Kind is no_accountable, no_responsible, same_hand (who does a step of control
	// answers for it too), no_holder (nobody holds the accountable role) or
	// unknown_step.
	Kind string
	Step string
	Role string
	// Blocks tells that the matrix cannot be published with it.
	Blocks bool
}

// Check finds what is wrong with the duties of a journey, step by step.
func Check(pack *packs.Governance, j Journey, c Cells, held []record.Doc[Assignment]) (out []Problem) {
	known := map[string]bool{}
	for _, s := range j.Steps {
		known[s.ID] = true
		row := c[s.ID]
		answers, does := "", []string{}
		for r, d := range row {
			if d.Answers() {
				answers = r
			}
			if d.Does() {
				does = append(does, r)
			}
		}
		if answers == "" {
			out = append(out, Problem{Kind: "no_accountable", Step: s.ID, Blocks: true})
		}
		if len(does) == 0 {
			out = append(out, Problem{Kind: "no_responsible", Step: s.ID, Blocks: true})
		}
		if answers != "" && slices.Contains(pack.Duties.ControlEvents, s.ID) && len(does) == 1 && does[0] == answers {
			out = append(out, Problem{Kind: "same_hand", Step: s.ID, Role: answers, Blocks: true})
		}
		if answers != "" && !slices.ContainsFunc(held, func(a record.Doc[Assignment]) bool {
			return a.Body.Role == answers && (a.Body.Journey == "" || a.Body.Journey == j.ID)
		}) {
			out = append(out, Problem{Kind: "no_holder", Step: s.ID, Role: answers})
		}
	}
	for step := range c {
		if !known[step] {
			out = append(out, Problem{Kind: "unknown_step", Step: step})
		}
	}
	slices.SortStableFunc(out, func(a, b Problem) int {
		if a.Blocks != b.Blocks {
			if a.Blocks {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Step+a.Kind, b.Step+b.Kind)
	})
	return out
}

// Load is how much a person answers for.
type Load struct {
	Holder   string
	Roles    []string
	Journeys int // in which they answer for at least one step
	Steps    int // that they answer for
	// Over tells that it is more than the pack allows.
	Over bool
}

// Loads counts what each holder answers for over all journeys, the heaviest first.
// A role that several people hold, as in different units, counts for each.
func Loads(pack *packs.Governance, matrices map[string]Cells, held []record.Doc[Assignment]) (out []Load) {
	byHolder := map[string]*Load{}
	for _, a := range held {
		l := byHolder[a.Body.Holder]
		if l == nil {
			l = &Load{Holder: a.Body.Holder}
			byHolder[a.Body.Holder] = l
		}
		if !slices.Contains(l.Roles, a.Body.Role) {
			l.Roles = append(l.Roles, a.Body.Role)
		}
	}
	for journey, cells := range matrices {
		for holder, l := range byHolder {
			steps := 0
			for step := range cells {
				answers := cells.Accountable(step)
				if answers != "" && slices.ContainsFunc(held, func(a record.Doc[Assignment]) bool {
					return a.Body.Holder == holder && a.Body.Role == answers && (a.Body.Journey == "" || a.Body.Journey == journey)
				}) {
					steps++
				}
			}
			if steps > 0 {
				l.Journeys++
				l.Steps += steps
			}
		}
	}
	for _, l := range byHolder {
		l.Over = pack.Duties.OverloadSteps > 0 && l.Steps > pack.Duties.OverloadSteps ||
			pack.Duties.OverloadJourney > 0 && l.Journeys > pack.Duties.OverloadJourney
		slices.Sort(l.Roles)
		out = append(out, *l)
	}
	slices.SortFunc(out, func(a, b Load) int {
		if a.Steps != b.Steps {
			return b.Steps - a.Steps
		}
		return strings.Compare(a.Holder, b.Holder)
	})
	return out
}
