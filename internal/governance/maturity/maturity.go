// Package maturity says how far the bank's management of customer experience has
// come, so that it cannot flatter itself.
//
// An Assessment is opened by one person, rated by many, and published by two. What
// somebody answers goes to the group that their role in the program puts them in;
// people without an account answer on paper sheets, which are entered by group. A
// group below its minimum has no result. While an assessment is open nobody sees a
// result, so that nobody follows the others.
//
// Each indicator carries the best evidence that was handed in, which caps what is
// claimed; where the platform can see for itself (Sights), its own level stands
// beside the claim. Closing freezes answers, evidence and what the platform saw, so a
// published assessment stays as it was; the next one is compared with it, and a change
// is told only where the intervals do not overlap.
//
// Scores are those of package analytics/assess over the instrument in
// governance/packs/maturity.yaml.
//
// Files: maturity.go (types), service.go, sights.go (what governance itself sees).
// Tables: governance_assessment, governance_rating.
package maturity

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"omote/analytics/assess"
	"omote/internal/governance/packs"
	"omote/internal/governance/record"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
)

// Permissions of assessments.
const (
	PermRead    auth.Permission = "governance.maturity.read"
	PermEdit    auth.Permission = "governance.maturity.edit"
	PermRate    auth.Permission = "governance.maturity.rate"
	PermApprove auth.Permission = "governance.maturity.approve"
)

// States of an assessment.
const (
	Open      = "open"      // being rated
	Waiting   = "waiting"   // closed, for a second person to publish
	Published = "published" // stays as it is
)

// Proof is evidence for an indicator.
type Proof struct {
	Grade int    `json:"grade"` // 0 assertion, 1 document, 2 record of operation
	Note  string `json:"note"`  // what it is and where it lies
	By    string `json:"by"`
}

// Assessment is one round.
type Assessment struct {
	Title      approval.Text      `json:"title"`
	Instrument int                `json:"instrument"` // version of the pack
	Until      time.Time          `json:"until"`      // when rating should be done
	Proofs     map[string]Proof   `json:"proofs"`
	Targets    map[string]float64 `json:"targets,omitempty"` // level aimed at, by indicator; else 4

	// Frozen when it is closed.
	Closed  time.Time               `json:"closed,omitzero"`
	Checks  map[string]assess.Check `json:"checks,omitempty"` // by indicator
	Outcome *assess.Outcome         `json:"outcome,omitempty"`
	Reason  string                  `json:"reason,omitempty"` // why it was sent back
}

// Doc is an assessment with its head.
type Doc = record.Doc[Assessment]

// Rating is what one person answered; its head's Ref is the assessment. Sheet is a
// paper sheet that somebody else entered.
type Rating struct {
	Group   string         `json:"group"`
	Answers map[string]int `json:"answers"`
	Sheet   bool           `json:"sheet,omitempty"`
}

// MaxNote bounds a note of evidence, in characters.
const MaxNote = 1000

// MaxSheets is how many paper sheets are entered at once.
const MaxSheets = 500

func badText(s string, max int) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(s))
	return n == 0 || n > max || !utf8.ValidString(s) || strings.ContainsRune(s, 0)
}

// checkAnswers refuses what is no answer.
func checkAnswers(m *packs.Maturity, answers map[string]int) error {
	if len(answers) == 0 {
		return errs.Invalid("governance.maturity.error.empty", "answers", "nothing was answered")
	}
	for id, a := range answers {
		if _, ok := m.Question(id); !ok || a == assess.None || a < assess.NotHere || a > assess.Top {
			return errs.Invalid("governance.maturity.error.answer", id, "%d is no answer to %s", a, id)
		}
	}
	return nil
}

// groupsOf are the groups of raters by role in the program: nobody chooses the group
// in which they answer.
var groupsOf = []struct {
	role  auth.Role
	group string
}{
	{auth.Council, "council"}, {auth.Auditor, "assessor"}, {auth.CXLead, "cx_lead"}, {auth.Analyst, "cx_lead"}, {auth.Champion, "champion"},
	{auth.Agent, "frontline"}, {auth.CaseOwner, "frontline"}, {auth.Steward, "support_functions"}, {auth.DPO, "support_functions"}, {auth.Admin, "support_functions"},
	{auth.FinancePart, "support_functions"}, {auth.RiskValidator, "support_functions"},
}

// GroupOf is the group that an actor answers in; "" for none.
func GroupOf(a auth.Actor) string {
	if a.Kind != auth.Person {
		return ""
	}
	for _, g := range groupsOf {
		if a.Has(g.role) {
			return g.group
		}
	}
	return ""
}

// Sights are what the platform sees by itself, by the measure that the instrument
// names. What it cannot see is left out.
type Sights interface {
	See(ctx context.Context) (map[string]assess.Check, error)
}
