package signal

import (
	"math"
	"strings"
	"time"

	"omote/internal/insight/metric"
	"omote/internal/platform/auth"
)

// Permissions of signals. Approve is for rules.
const (
	PermRead    auth.Permission = "insight.signal.read"
	PermEdit    auth.Permission = "insight.signal.edit"
	PermApprove auth.Permission = "insight.signal.approve"
)

// State is what people, or time, did with a signal.
type State string

// The states.
const (
	Open   State = "open"         // nobody has taken it up
	Taken  State = "acknowledged" // somebody looks at it
	Noise  State = "noise"        // explained as noise: a false alarm
	Work   State = "work"         // an initiative carries it
	Closed State = "closed"       // ended by itself
)

// States lists them in the order of a signal's life.
var States = []State{Open, Taken, Work, Noise, Closed}

// Waits reports whether somebody should still do something.
func (s State) Waits() bool { return s == Open || s == Taken }

// Dim is what a place is a value of.
type Dim string

// The dimensions that are watched. Whole is the measure itself.
const (
	Whole   Dim = ""
	Region  Dim = "region"
	Unit    Dim = "unit"
	Channel Dim = "channel"
	Product Dim = "product"
	Step    Dim = "trigger_event"
)

// Dims are the dimensions that facts carry; Region follows from Unit.
var Dims = []Dim{Unit, Channel, Product, Step}

// Place is where a measure changed.
type Place struct {
	Dim   Dim    `json:"dim"`
	Value string `json:"value"`
	// Unit is the path of the unit it belongs to, "/" where it is everybody's.
	Unit string `json:"unit"`
	// Codes are the units of a region.
	Codes []string `json:"codes,omitempty"`
}

// Where is the filter that keeps the facts of the place, nil for all.
func (p Place) Where() *metric.Expr {
	switch p.Dim {
	case Whole:
		return nil
	case Region:
		in := make([]any, len(p.Codes))
		for i, c := range p.Codes {
			in[i] = c
		}
		return &metric.Expr{Field: string(Unit), In: in}
	}
	return &metric.Expr{Field: string(p.Dim), Eq: p.Value}
}

// Same reports whether two places are one.
func (p Place) Same(o Place) bool { return p.Dim == o.Dim && p.Value == o.Value }

// Point is one period of the watched series. Value is hidden (nil) where there
// were fewer than the measure's minimum.
type Point struct {
	At    time.Time `json:"at"`
	Value *float64  `json:"value"`
	Low   *float64  `json:"low"` // of the noise band
	High  *float64  `json:"high"`
	N     float64   `json:"n"`
	State string    `json:"state"` // noise, better, worse, moved, few, stale
}

// Outcomes of the series since, as package spc names them.
const (
	StillOpen  = "open"       // still at the new level
	Returned   = "returned"   // back at the old one
	Settled    = "settled"    // the new level has become the normal one
	Superseded = "superseded" // followed by another change
)

// Finding is a change beyond noise in one series.
type Finding struct {
	Metric  string `json:"metric"`
	Version int    `json:"version"`
	Place   Place  `json:"place"`
	// Step is the length of the series' periods: day or week.
	Step string `json:"step"`
	// Slow is the time beyond which a case is slow, for durations; see metric.Tallies.
	Slow float64 `json:"slow,omitempty"`

	Onset     time.Time `json:"onset"` // first period at the new level
	OnsetLow  time.Time `json:"onset_low"`
	OnsetHigh time.Time `json:"onset_high"`
	Detected  time.Time `json:"detected"` // period whose figures raised it
	Ended     time.Time `json:"ended,omitzero"`
	Shape     string    `json:"shape"` // spike, shift, drift
	State     string    `json:"way"`   // better, worse, moved
	Outcome   string    `json:"outcome"`

	Before float64 `json:"before"` // level before, season and calendar taken out
	After  float64 `json:"after"`  // mean of the periods since the onset
	Sigmas float64 `json:"sigmas"` // size in standard deviations of one period
	// FalseOnce is in how many periods noise alone would show as much once, when it
	// was found.
	FalseOnce float64 `json:"false_once"`
	Persisted int     `json:"persisted"` // periods with data since the onset
	N         float64 `json:"n"`         // facts since the onset
	Points    []Point `json:"points,omitempty"`

	level float64 // Before as it is watched, not in the unit of the measure
}

// Weight is by how many standard errors the level has moved, by what is known today.
func (f *Finding) Weight() float64 { return f.Sigmas * math.Sqrt(float64(f.Persisted)) }

// Change is how much the level moved.
func (f *Finding) Change() float64 { return f.After - f.Before }

// Last is the end of the episode so far: the day after its last period.
func (f *Finding) Last(now time.Time) time.Time {
	if !f.Ended.IsZero() {
		return f.Ended
	}
	return now
}

// Signal is an episode that somebody should know of.
type Signal struct {
	ID      string
	Unit    string // whose it is
	State   State
	Worth   int64 // middle of the yearly cost in minor units, 0 where it is unknown
	Opened  time.Time
	Changed time.Time
	Version int
	Body    Body
}

// Body is what a signal says.
type Body struct {
	Finding
	Name      metric.Text      `json:"name"`
	Unit      metric.Unit      `json:"unit_of"` // of the figures
	Kind      metric.Kind      `json:"kind"`
	Better    metric.Direction `json:"direction"`
	Owner     string           `json:"owner"`
	Journey   string           `json:"journey,omitempty"`
	Also      []Also           `json:"also,omitempty"` // other places with the same change
	Customers int64            `json:"customers"`      // distinct ones since the onset
	Rule      int              `json:"rule"`           // version of the rule that opened it
	Tree      Tree             `json:"tree"`
	Value     *Worth           `json:"worth,omitempty"`
	Fresh     time.Time        `json:"fresh"` // when it was last computed
	// What people said.
	Reason     string `json:"reason,omitempty"`
	Initiative string `json:"initiative,omitempty"`
	Href       string `json:"href,omitempty"` // of the initiative
	By         string `json:"by,omitempty"`   // who took it up
}

// Also is another place, or another series, of the same change.
type Also struct {
	Place  Place   `json:"place"`
	Before float64 `json:"before"`
	After  float64 `json:"after"`
}

// Event is a line of a signal's trail.
type Event struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	What string    `json:"what"` // open, acknowledge, noise, work, close, settle, note
	Note string    `json:"note,omitempty"`
}

// unitOf gives the path of the unit a place belongs to.
func (p Place) unitOf() string {
	if p.Unit == "" || !strings.HasPrefix(p.Unit, "/") {
		return "/"
	}
	return p.Unit
}
