package blueprint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"omote/internal/platform/errs"
)

var (
	journeyForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,63}$`)
	idForm      = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	propForm    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)
)

// ValidID reports whether text may be the id of a stage, step or group.
func ValidID(id string) bool { return idForm.MatchString(id) }

// ValidJourney reports whether text may be the id of a journey.
func ValidJourney(id string) bool { return journeyForm.MatchString(id) }

// Validate tells what makes the document unusable. A draft must obey it too;
// what may be missing until the review is told by [Check].
func (d *Document) Validate() error {
	if !journeyForm.MatchString(d.Journey) {
		return errs.Invalid("blueprint.error.journey", "journey", "the id of a journey has 1 to 64 lower-case letters, digits, points, hyphens and underscores; %q is none", d.Journey).With("value", d.Journey)
	}
	if strings.TrimSpace(d.Name.EN) == "" && strings.TrimSpace(d.Name.VI) == "" {
		return errs.Invalid("blueprint.error.name", "name", "a journey needs a name")
	}
	if t := time.Duration(d.Timeout); t != 0 && (t < MinTimeout || t > MaxTimeout) {
		return errs.Invalid("blueprint.error.timeout", "timeout", "the silence lies between a minute and five years")
	}
	if d.Parent == d.Journey {
		return errs.Invalid("blueprint.error.parent", "parent", "a journey cannot be a part of itself")
	}
	if d.Cost != "" && !propForm.MatchString(d.Cost) {
		return errs.Invalid("blueprint.error.cost", "cost", "%q cannot be a property of events: its name has letters, digits, hyphens and underscores", d.Cost).With("value", d.Cost)
	}
	if err := d.validateSize(); err != nil {
		return err
	}
	for _, e := range d.Failure {
		if slices.Contains(d.Success, e) {
			return errs.Invalid("blueprint.error.both", "failure", "%q cannot be both a success and a failure", e).With("name", e)
		}
	}
	if err := d.validateSteps(); err != nil {
		return err
	}
	return d.validateGroups()
}

func (d *Document) validateSize() error {
	n := 0
	for _, s := range d.Stages {
		n += len(s.Steps)
	}
	if n > MaxSteps {
		return errs.TooLarge("blueprint.error.steps", "a map has at most %d steps, not %d; make parts of it journeys of their own", MaxSteps, n).With("max", MaxSteps).With("count", n)
	}
	if len(d.Stages) > MaxStages {
		return errs.TooLarge("blueprint.error.stages", "a map has at most %d stages, not %d", MaxStages, len(d.Stages)).With("max", MaxStages).With("count", len(d.Stages))
	}
	lists := map[string]int{"personas": len(d.Personas), "segments": len(d.Segments), "metrics": len(d.Metrics), "start": len(d.Start),
		"success": len(d.Success), "failure": len(d.Failure), "exceptions": len(d.Exceptions), "groups": len(d.Groups) / 4}
	for name, n := range lists {
		if n > MaxList {
			return errs.TooLarge("blueprint.error.list", "the list %s has at most %d entries", name, MaxList).With("name", name).With("max", MaxList)
		}
	}
	texts := []struct {
		text string
		max  int
	}{{d.Name.EN, MaxName}, {d.Name.VI, MaxName}, {d.Promise.EN, MaxText}, {d.Promise.VI, MaxText}, {d.Owner, MaxName}, {d.Parent, MaxName}}
	for _, list := range [][]string{d.Segments, d.Metrics, d.Start, d.Success, d.Failure, d.Exceptions} {
		for _, t := range list {
			texts = append(texts, struct {
				text string
				max  int
			}{t, MaxName})
		}
	}
	for _, p := range d.Personas {
		texts = append(texts, struct {
			text string
			max  int
		}{p.Name, MaxName}, struct {
			text string
			max  int
		}{p.Story, MaxText})
	}
	for _, t := range texts {
		if err := validText(t.text, t.max); err != nil {
			return err
		}
	}
	return nil
}

// validText refuses what no store or page can hold.
func validText(text string, max int) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return errs.Invalid("blueprint.error.text", "", "a text is not valid UTF-8")
	}
	if utf8.RuneCountInString(text) > max {
		return errs.TooLarge("blueprint.error.long", "a text has at most %d characters", max).With("max", max)
	}
	return nil
}

func (d *Document) validateSteps() error {
	stages, steps := map[string]bool{}, map[string]bool{}
	for i := range d.Stages {
		st := &d.Stages[i]
		if !idForm.MatchString(st.ID) || stages[st.ID] {
			return errs.Invalid("blueprint.error.stage_id", "stages", "stage %d: the id %q is not a unique id", i+1, st.ID).With("value", st.ID)
		}
		stages[st.ID] = true
		if err := validText(st.Name.EN+st.Name.VI, 2*MaxName); err != nil {
			return err
		}
		for j := range st.Steps {
			s := &st.Steps[j]
			if !idForm.MatchString(s.ID) || steps[s.ID] {
				return errs.Invalid("blueprint.error.step_id", "stages", "step %d of stage %s: the id %q is not a unique id", j+1, st.ID, s.ID).With("value", s.ID)
			}
			steps[s.ID] = true
			if err := s.validate(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Step) validate() error {
	if s.Actor != "" && !slices.Contains(Actors, s.Actor) {
		return errs.Invalid("blueprint.error.actor", "actor", "step %s: %q is no actor", s.ID, s.Actor).With("value", string(s.Actor)).With("step", s.ID)
	}
	if s.Kind != "" && s.Kind != Action && s.Kind != Communication {
		return errs.Invalid("blueprint.error.kind", "kind", "step %s: %q is neither action nor communication", s.ID, s.Kind).With("value", string(s.Kind)).With("step", s.ID)
	}
	if s.MaxWait < 0 || time.Duration(s.MaxWait) > MaxTimeout {
		return errs.Invalid("blueprint.error.wait", "max_wait", "step %s: a standard lies between zero and five years", s.ID).With("step", s.ID)
	}
	for layer, c := range s.Layers {
		if !slices.Contains(Layers, layer) {
			return errs.Invalid("blueprint.error.layer", "layers", "step %s: %q is no layer", s.ID, layer).With("value", string(layer)).With("step", s.ID)
		}
		if c.None && c.Text != "" {
			return errs.Invalid("blueprint.error.none", "layers", "step %s: the cell %s says both something and nothing", s.ID, layer).With("step", s.ID)
		}
		if err := validText(c.Text, MaxText); err != nil {
			return err
		}
	}
	for _, list := range [][]string{s.Channels, s.Events, s.RACI.Responsible, s.RACI.Accountable, s.RACI.Consulted, s.RACI.Informed} {
		if len(list) > MaxList {
			return errs.TooLarge("blueprint.error.list", "a list of step %s has more than %d entries", s.ID, MaxList).With("name", s.ID).With("max", MaxList)
		}
		for _, t := range list {
			if t == "" {
				return errs.Invalid("blueprint.error.blank", "stages", "step %s: a list holds an empty entry", s.ID).With("step", s.ID)
			}
			if err := validText(t, MaxName); err != nil {
				return err
			}
		}
	}
	if len(s.Handoffs) > MaxList {
		return errs.TooLarge("blueprint.error.list", "step %s has more than %d hand-off rules", s.ID, MaxList).With("name", s.ID).With("max", MaxList)
	}
	for _, h := range s.Handoffs {
		if h.Within < 0 || time.Duration(h.Within) > MaxTimeout {
			return errs.Invalid("blueprint.error.wait", "handoffs", "step %s: a promise lies between zero and five years", s.ID).With("step", s.ID)
		}
		if err := validText(h.When+h.To+h.Event, MaxText); err != nil {
			return err
		}
	}
	for _, t := range []string{s.Name.EN, s.Name.VI, s.Owner, s.Shared, s.Group, s.Branch} {
		if err := validText(t, MaxName); err != nil {
			return err
		}
	}
	return validText(s.Intent+s.Expectation, 2*MaxText)
}

// validateGroups checks that a group lies in one stage, side by side.
func (d *Document) validateGroups() error {
	modes := map[string]Mode{}
	for _, g := range d.Groups {
		if _, twice := modes[g.ID]; twice || !idForm.MatchString(g.ID) {
			return errs.Invalid("blueprint.error.group_id", "groups", "the group id %q is not a unique id", g.ID).With("value", g.ID)
		}
		if !slices.Contains(Modes, g.Mode) {
			return errs.Invalid("blueprint.error.mode", "groups", "group %s: %q is no mode", g.ID, g.Mode).With("value", string(g.Mode))
		}
		modes[g.ID] = g.Mode
	}
	seen := map[string]bool{}
	for i := range d.Stages {
		before := ""
		for j := range d.Stages[i].Steps {
			s := &d.Stages[i].Steps[j]
			if s.Group != "" && s.Group != before {
				if seen[s.Group] {
					return errs.Invalid("blueprint.error.group_apart", "stages", "the steps of group %s do not stand side by side in one stage", s.Group).With("value", s.Group)
				}
				if _, known := modes[s.Group]; !known {
					return errs.Invalid("blueprint.error.group_unknown", "stages", "step %s is in the group %q, which the map does not have", s.ID, s.Group).With("value", s.Group).With("step", s.ID)
				}
				seen[s.Group] = true
			}
			before = s.Group
		}
	}
	for _, g := range d.Groups {
		if n := d.branches(g.ID); g.Mode == Parallel && n > maxParallel {
			return errs.TooLarge("blueprint.error.parallel", "group %s: at most %d branches can run side by side, not %d", g.ID, maxParallel, n).With("max", maxParallel).With("count", n)
		}
	}
	return nil
}

// branches counts the branches of a group.
func (d *Document) branches(group string) int {
	names := map[string]bool{}
	for _, s := range d.Steps() {
		if s.Group == group {
			names[branchOf(s)] = true
		}
	}
	return len(names)
}

// branchOf names the branch of a step: its own id where none is given.
func branchOf(s *Step) string {
	if s.Branch != "" {
		return s.Branch
	}
	return fmt.Sprintf("\x00%s", s.ID)
}
