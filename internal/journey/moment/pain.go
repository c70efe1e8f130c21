package moment

import (
	"slices"
	"time"

	"omote/analytics/moments"
	"omote/internal/platform/errs"
)

// Pain is one trouble at one step and what it costs.
type Pain struct {
	ID      string `json:"id"` // journey, step, kind and event, joined by dots
	Journey string `json:"journey"`
	Step    string `json:"step"`
	Place   int    `json:"place"` // of the step in the design, from 1
	Kind    string `json:"kind"`  // failed, waited or repeated
	Event   string `json:"event,omitempty"`
	Rank    int    `json:"rank"`
	// Runs and Customers met it in the whole history; Reach is a quarter.
	Runs      int      `json:"runs"`
	Customers int      `json:"customers"`
	Reach     Interval `json:"reach"`
	Harm      []Harm   `json:"harm"`
	// Cost is for one run, Money for a quarter of a year, in minor units; Expected
	// is Money after borrowing strength from other pains, which the rank goes by.
	Cost     Interval `json:"cost"`
	Money    Interval `json:"money"`
	Expected Interval `json:"expected"`
	Felt     Interval `json:"felt"` // score with it minus score without, 0 to 1
	Quotes   []string `json:"quotes,omitempty"`
	Sound    bool     `json:"sound"`
}

// Harm is the effect on one outcome.
type Harm struct {
	Outcome Outcome  `json:"outcome"`
	Effect  Interval `json:"effect"`
}

// Quote is what a customer said, masked.
type Quote struct {
	ID       string
	At       time.Time
	Words    string
	Language string
	Channel  string
	Score    *float64
}

// FeelingPoint is how a step feels.
type FeelingPoint struct {
	Step     string   `json:"step"`
	Score    Interval `json:"score"`  // 0 worst, 1 best
	Change   Interval `json:"change"` // against the step before that has a score
	Negative Interval `json:"negative"`
	Runs     int      `json:"runs"`
}

// Worth is what one unit of each loss costs the bank, in minor units of its
// currency, each as a range.
type Worth struct {
	Complaint Range `json:"complaint"`
	Left      Range `json:"left"`
	Contact   Range `json:"contact"`
	// Handling is what it costs to deal with one event in a channel, by channel.
	Handling map[string]Range `json:"handling,omitempty"`
	// Assumed tells that nobody has stated it yet.
	Assumed bool `json:"-"`
}

// Range is a value from low to high.
type Range struct {
	Low  int64 `json:"low"`
	Mid  int64 `json:"mid"`
	High int64 `json:"high"`
}

// AssumedWorth holds until the bank states its own: a complaint takes some hours
// of work, a departure the margin of about two years, a contact some minutes of an
// agent. The ranges are wide because they are assumptions.
func AssumedWorth() Worth {
	return Worth{Complaint: Range{150_000, 400_000, 1_000_000}, Left: Range{1_500_000, 3_500_000, 8_000_000}, Contact: Range{15_000, 35_000, 70_000}, Handling: assumedHandling(), Assumed: true}
}

// Channels are those whose cost of handling a bank states; an event in any other
// costs nothing.
var Channels = []string{"branch", "contact_centre", "call", "back_office", "courier", "atm", "pos", "post", "mobile_app", "web", "sms", "email", "push"}

// assumedHandling holds until the bank states its own: minutes of people where
// people act, a fee where a machine or a network does.
func assumedHandling() map[string]Range {
	people, machine, message := Range{20_000, 45_000, 90_000}, Range{500, 1_500, 4_000}, Range{100, 400, 900}
	return map[string]Range{"branch": people, "contact_centre": {15_000, 35_000, 70_000}, "call": {15_000, 35_000, 70_000}, "back_office": {10_000, 30_000, 60_000},
		"courier": {20_000, 30_000, 50_000}, "post": {8_000, 15_000, 30_000}, "atm": {2_000, 5_000, 9_000}, "pos": {500, 2_000, 5_000}, "mobile_app": machine, "web": machine,
		"sms": message, "email": {10, 50, 200}, "push": {1, 10, 50}}
}

// maxWorth bounds a value: a billion đồng for one customer is a slip of the pen.
const maxWorth = 1_000_000_000_000

// Validate checks the ranges.
func (w *Worth) Validate() error {
	for _, f := range []struct {
		field string
		r     Range
	}{{"complaint", w.Complaint}, {"left", w.Left}, {"contact", w.Contact}} {
		if f.r.Low < 0 || f.r.Low > f.r.Mid || f.r.Mid > f.r.High || f.r.High > maxWorth {
			return errs.Invalid("moment.error.range", f.field, "a range rises from low over expected to high")
		}
	}
	for channel, r := range w.Handling {
		if !slices.Contains(Channels, channel) {
			return errs.Invalid("moment.error.channel", "handling", "there is no channel %q", channel).With("channel", channel)
		}
		if r.Low < 0 || r.Low > r.Mid || r.Mid > r.High || r.High > maxWorth {
			return errs.Invalid("moment.error.range", "handling."+channel, "a range rises from low over expected to high")
		}
	}
	return nil
}

func (w *Worth) values() []moments.Range {
	out := make([]moments.Range, 0, 3)
	for _, r := range []Range{w.Complaint, w.Left, w.Contact} {
		out = append(out, moments.Range{Low: float64(r.Low), Mid: float64(r.Mid), High: float64(r.High)})
	}
	return out
}

// of is the middle worth of an outcome; a score has none.
func (w *Worth) of(o Outcome) float64 {
	switch o {
	case Complaint:
		return float64(w.Complaint.Mid)
	case Left:
		return float64(w.Left.Mid)
	case Contact:
		return float64(w.Contact.Mid)
	}
	return 0
}

func kindOf(c moments.Cause) string {
	switch c {
	case moments.Waited:
		return "waited"
	case moments.Repeated:
		return "repeated"
	}
	return "failed"
}
