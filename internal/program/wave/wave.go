package wave

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"omote/analytics/rollout"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/program/packs"
)

// Permissions of campaigns.
const (
	PermRead    auth.Permission = "program.wave.read"
	PermEdit    auth.Permission = "program.wave.edit"
	PermApprove auth.Permission = "program.wave.approve"
	PermCheckIn auth.Permission = "program.wave.checkin" // check in, and observe
)

// State is how a wave stands.
type State string

// The states.
const (
	Draft   State = "draft"
	Waiting State = "waiting" // for a second person
	Drawn   State = "drawn"   // the order is drawn; it begins, runs or is over by its days
	Stopped State = "stopped"
)

// Limits of a wave.
const (
	MaxBehaviours = 2   // at once: more are none
	MinDays       = 28  // of the campaign in a branch
	MaxDays       = 90  //
	MaxFollow     = 365 // days
	MaxPerWeek    = 10  // observations of a branch in a week
	MaxTitle      = 200 // characters
	MaxWhy        = 2000
	// Baseline is for how many weeks before the campaign a branch is looked at.
	Baseline = 10
	// BeforeDays is for how many days before its beginning a branch is observed too.
	BeforeDays = 14
	// Window is how many days around the end and the follow-up make up what is
	// compared for retention.
	Window = 14
)

// Place is a branch of the campaign.
type Place struct {
	Unit     string  `json:"unit"` // path
	Code     string  `json:"code"` // as feeds call it
	Name     string  `json:"name"`
	Stratum  string  `json:"stratum"`
	Baseline float64 `json:"baseline,omitempty"` // of the measure before; 0 while it is not known
	N        int64   `json:"n,omitempty"`        // answers behind it
	// Cohort is when it begins, from 0; rollout.HeldOut waits.
	Cohort int       `json:"cohort"`
	Out    time.Time `json:"out,omitzero"` // since when it takes no part
	Why    string    `json:"why,omitempty"`
}

// Wave is a campaign.
type Wave struct {
	Title      approval.Text `json:"title"`
	Why        string        `json:"why"`
	Behaviours []string      `json:"behaviours"`
	// Metric is what customers should feel of it.
	Metric string `json:"metric"`
	// Initiative is the change that it is part of; may be empty.
	Initiative string `json:"initiative,omitempty"`
	// Start is the Monday, at midnight of the bank's zone, on which the first cohort begins.
	Start  time.Time      `json:"start"`
	Design rollout.Design `json:"design"`
	Days   int            `json:"days"`   // of the campaign in a branch, 60
	Follow int            `json:"follow"` // days after a beginning at which it is seen what remained, 120
	// PerWeek is how many interactions of a branch are observed in a week.
	PerWeek  int     `json:"per_week"`
	Cost     int64   `json:"cost"` // minor units
	Currency string  `json:"currency"`
	Places   []Place `json:"places"`

	Drawn  time.Time `json:"drawn,omitzero"`
	Reason string    `json:"reason,omitempty"` // why it was stopped, or sent back
	// Line is the line of the value ledger, once entered.
	Line string `json:"line,omitempty"`
}

// Head is what a wave has beside what it says.
type Head struct {
	ID        string
	Unit      string // path of the unit it belongs to
	State     State
	Version   int
	Created   time.Time
	CreatedBy string
	Changed   time.Time
	ChangedBy string
}

// Doc is a wave with its head.
type Doc struct {
	Head
	Wave
}

// Validate tells what is wrong with it.
func (w Wave) Validate(pack *packs.Behaviours) error {
	switch {
	case badText(w.Title.VI, MaxTitle) || badText(w.Title.EN, MaxTitle):
		return errs.Invalid("program.wave.error.title", "title", "a title of at most %d characters is needed in both languages", MaxTitle).With("max", MaxTitle)
	case utf8.RuneCountInString(w.Why) > MaxWhy || !utf8.ValidString(w.Why):
		return errs.Invalid("program.wave.error.why", "why", "the reason is longer than %d characters", MaxWhy).With("max", MaxWhy)
	case len(w.Behaviours) < 1 || len(w.Behaviours) > MaxBehaviours:
		return errs.Invalid("program.wave.error.behaviours", "behaviours", "a campaign has one or two behaviours, not %d", len(w.Behaviours)).With("max", MaxBehaviours)
	case w.Metric == "":
		return errs.Invalid("program.wave.error.metric", "metric", "a measure of customers' experience is needed")
	case w.Start.IsZero() || w.Start.Weekday() != time.Monday || w.Start.Hour() != 0:
		return errs.Invalid("program.wave.error.start", "start", "a campaign begins on a Monday")
	case w.Days < MinDays || w.Days > MaxDays:
		return errs.Invalid("program.wave.error.days", "days", "a campaign lasts %d to %d days", MinDays, MaxDays).With("min", MinDays).With("max", MaxDays)
	case w.Follow < w.Days+BeforeDays || w.Follow > MaxFollow:
		return errs.Invalid("program.wave.error.follow", "follow", "what remained is seen at least %d days after the campaign", BeforeDays).With("min", w.Days+BeforeDays).With("max", MaxFollow)
	case w.PerWeek < 1 || w.PerWeek > MaxPerWeek:
		return errs.Invalid("program.wave.error.per_week", "per_week", "1 to %d observations a week", MaxPerWeek).With("max", MaxPerWeek)
	case w.Cost < 0 || w.Currency == "":
		return errs.Invalid("program.wave.error.cost", "cost", "a cost that is not negative, with its currency, is needed")
	}
	for i, b := range w.Behaviours {
		if _, ok := pack.Get(b); !ok || slices.Contains(w.Behaviours[:i], b) {
			return errs.Invalid("program.wave.error.behaviours", "behaviours", "there is no behaviour %q, or it is named twice", b).With("max", MaxBehaviours)
		}
	}
	if err := w.Design.Validate(); err != nil {
		return errs.Invalid("program.wave.error.design", "cohorts", "the design does not hold: %v", err)
	}
	if _, err := rollout.Assign(w.units(), w.Design); err != nil {
		return errs.Invalid("program.wave.error.places", "places", "these branches cannot be dealt into the cohorts: %v", err)
	}
	return nil
}

func badText(s string, max int) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(s))
	return n == 0 || n > max || !utf8.ValidString(s) || strings.ContainsRune(s, 0)
}

// units are the places as package rollout deals them. The code stands for a branch:
// it never changes, while its path and name may.
func (w Wave) units() []rollout.Unit {
	out := make([]rollout.Unit, len(w.Places))
	for i, p := range w.Places {
		out[i] = rollout.Unit{ID: p.Code, Stratum: p.Stratum, Baseline: math.NaN()}
		if p.N > 0 {
			out[i].Baseline = p.Baseline
		}
	}
	return out
}

func (w Wave) cohorts() []int {
	out := make([]int, len(w.Places))
	for i, p := range w.Places {
		out[i] = p.Cohort
	}
	return out
}

// Place finds the branch at a path.
func (w Wave) Place(unit string) (Place, bool) {
	for _, p := range w.Places {
		if p.Unit == unit {
			return p, true
		}
	}
	return Place{}, false
}

// Begins is when a cohort begins: its Monday. The held-out begin after the follow-up
// of the last cohort.
func (w Wave) Begins(cohort int) time.Time {
	if cohort == rollout.HeldOut {
		return monday(w.Begins(w.Design.Cohorts-1).AddDate(0, 0, w.Follow+6))
	}
	return w.Start.AddDate(0, 0, 7*w.Design.Starts(cohort))
}

func monday(t time.Time) time.Time { return t.AddDate(0, 0, -(int(t.Weekday())+6)%7) }

// Ends is when the campaign of a cohort is over.
func (w Wave) Ends(cohort int) time.Time { return w.Begins(cohort).AddDate(0, 0, w.Days) }

// Look is the day whose reading is final: the end of the last cohort's campaign
// where some are held out, else the day on which the last cohort begins and nobody
// is left to compare with.
func (w Wave) Look() time.Time {
	last := w.Design.Cohorts - 1
	if w.Design.HoldOut > 0 {
		return w.Ends(last)
	}
	return w.Begins(last)
}

// Over is when nothing more is asked of anybody.
func (w Wave) Over() time.Time {
	return w.Begins(w.Design.Cohorts-1).AddDate(0, 0, w.Follow+Window/2)
}

// Weeks is for how many weeks begun and waiting branches can be compared.
func (w Wave) Weeks() int { return int(w.Look().Sub(w.Start).Hours()/24) / 7 }

// Phase is how far a drawn wave is on a day.
type Phase string

// The phases.
const (
	Ahead     Phase = "ahead"     // the order is drawn, nobody has begun
	Running   Phase = "running"   // some have begun, the final reading lies ahead
	Following Phase = "following" // read; it is watched what remains
	Finished  Phase = "finished"
)

// Phase tells how far it is.
func (w Wave) Phase(now time.Time) Phase {
	switch {
	case now.Before(w.Start):
		return Ahead
	case now.Before(w.Look()):
		return Running
	case now.Before(w.Over()):
		return Following
	}
	return Finished
}

// Active reports whether a branch of the cohort checks in on the day.
func (w Wave) Active(p Place, day time.Time) bool {
	return p.Cohort != rollout.HeldOut && !day.Before(w.Begins(p.Cohort)) && day.Before(w.Ends(p.Cohort)) &&
		(p.Out.IsZero() || day.Before(w.Local(dayOf(p.Out, w.Start.Location()))))
}

// Dropped counts branches that take no part any more.
func (w Wave) Dropped() (n int) {
	for _, p := range w.Places {
		if !p.Out.IsZero() {
			n++
		}
	}
	return n
}

// Branch is a unit that a campaign may come to.
type Branch struct {
	Unit, Code, Name, Region string
}

// Places gives the open branches of the caller's place.
type Places interface {
	Branches(ctx context.Context) ([]Branch, error)
}

// Cell is what one branch showed in one week: a sum, of N answers.
type Cell struct {
	Code string
	Week time.Time // its Monday
	Sum  float64
	N    int64
}

// Outcome is what customers of all branches showed, week by week.
type Outcome struct {
	Metric  string
	Version int
	Name    approval.Text
	Unit    string // share, points, minutes, …
	Lower   bool   // less is better
	Cells   []Cell
	Latest  time.Time // of the facts behind it
}

// Outcomes reads the metric registry.
type Outcomes interface {
	// Measures are the metrics whose figures of branches add up, by id.
	Measures(ctx context.Context) ([]Measure, error)
	// Outcome gives a metric by branch and whole week: from ≤ Monday < to.
	Outcome(ctx context.Context, metric string, from, to time.Time) (Outcome, error)
}

// Measure is a metric that a wave may be judged by.
type Measure struct {
	ID   string
	Name approval.Text
	Unit string
}

// Draw gives the seed of a draw.
type Draw func() uint64

// Verify reports whether the branches begin in the order that was drawn.
func (w Wave) Verify() error { return rollout.Verify(w.units(), w.Design, w.cohorts()) }
