// Package council is the room in which the bank decides for its customers.
//
// The agenda is made from the data and ranked by what is at stake times how strong
// the evidence is. A meeting decides only with its quorum. A Decision states the
// alternatives, doing nothing among them, the grade of its evidence, and a
// Forecast: which measure, by how much, by when, how sure. One person proposes it,
// a member of the council who is not that person puts it into force. After its day
// the forecast is scored against what the registry says happened (analytics/
// forecast), and the council sees how well it foresees. Deciding against the rank
// of the evidence needs a reason and is compared later. A refusal has a reason, a
// text for the customer, and a day on which it is looked at again.
//
// Files: council.go and decision.go (types), agenda.go and record.go (pure),
// meeting.go, decide.go, score.go (services). Tables: governance_meeting,
// governance_decision.
package council

import (
	"slices"
	"time"

	"omote/internal/governance/packs"
	"omote/internal/governance/record"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
)

// Permissions of the council. Editing is the secretary's; deciding the members'.
const (
	PermRead   auth.Permission = "governance.council.read"
	PermEdit   auth.Permission = "governance.council.edit"
	PermDecide auth.Permission = "governance.council.decide"
)

// States of a meeting.
const (
	Planned = "planned"
	Sitting = "sitting"
	Closed  = "closed"
)

// Kinds of meetings.
var Kinds = []string{"ordinary", "quarterly", "extraordinary"}

// Seat is a place in the meeting.
type Seat struct {
	Role    string `json:"role"`
	Person  string `json:"person"` // actor
	Seat    string `json:"seat"`   // chair, secretary, member, adviser
	Vote    bool   `json:"vote"`
	Deputy  bool   `json:"deputy,omitempty"`
	Present bool   `json:"present"`
}

// Meeting is the body of a meeting.
type Meeting struct {
	Day    time.Time `json:"day"`
	Kind   string    `json:"kind"`
	Seats  []Seat    `json:"seats"`
	Agenda []Item    `json:"agenda"`
	// Left are items that found no room, or were sent back, with why.
	Left   []Item    `json:"left,omitempty"`
	Opened time.Time `json:"opened,omitzero"`
	Closed time.Time `json:"closed,omitzero"`
}

// MeetingDoc is a meeting with its head.
type MeetingDoc = record.Doc[Meeting]

// MinVotes is how many members with a vote must be present.
const MinVotes = 5

// Quorum tells what keeps the council from deciding; nil when it may.
func (m Meeting) Quorum() error {
	votes, chair, finance := 0, false, false
	for _, s := range m.Seats {
		if !s.Present {
			continue
		}
		if s.Vote {
			votes++
		}
		chair = chair || s.Seat == "chair"
		finance = finance || s.Role == "finance_partner"
	}
	switch {
	case votes < MinVotes:
		return errs.Conflict("governance.council.error.votes", "%d members with a vote are present, %d are needed", votes, MinVotes).With("present", votes).With("need", MinVotes)
	case !chair:
		return errs.Conflict("governance.council.error.chair", "neither the chair nor a deputy is present")
	case !finance:
		return errs.Conflict("governance.council.error.finance", "the finance partner is not present")
	}
	return nil
}

// Votes counts the members with a vote who are present.
func (m Meeting) Votes() (n int) {
	for _, s := range m.Seats {
		if s.Present && s.Vote {
			n++
		}
	}
	return n
}

// Item is something the council should speak about.
type Item struct {
	Kind  string        `json:"kind"` // gate, stalled, forecast, refusal, returned, signal, paper
	Ref   string        `json:"ref"`
	Href  string        `json:"href"`
	Title approval.Text `json:"title"`
	// Low and High bound what is at stake in a year, minor units; both 0 when unknown.
	Low  int64 `json:"low"`
	High int64 `json:"high"`
	// Strength of the evidence, 0 to 1; Options that are on paper; Grade of evidence.
	Strength float64 `json:"strength"`
	Options  int     `json:"options"`
	Grade    int     `json:"grade"`
	// Clock: a legal clock or a guardrail is open. Deferred counts earlier deferrals.
	Clock    bool    `json:"clock,omitempty"`
	Deferred int     `json:"deferred,omitempty"`
	Decides  bool    `json:"decides"` // asks for a decision; else it informs
	Minutes  int     `json:"minutes"`
	Score    float64 `json:"score"`
	Why      string  `json:"why,omitempty"` // why it found no room: no_room, no_option, no_grade, information
}

// seatOf gives the seat that the charter knows for a role.
func seatOf(pack *packs.Governance, role string) (packs.Seat, bool) {
	i := slices.IndexFunc(pack.Council.Members, func(s packs.Seat) bool { return s.Role == role })
	if i < 0 {
		return packs.Seat{}, false
	}
	return pack.Council.Members[i], true
}
