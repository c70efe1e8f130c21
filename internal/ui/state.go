package ui

import (
	"context"

	"github.com/a-h/templ"

	"omote/internal/platform/i18n"
	"omote/internal/platform/money"
)

// MetricState is what a measure can say about its newest value.
type MetricState uint8

// The states. Only Better and Worse are changes; they stand for values outside
// the noise band after false-discovery control.
const (
	Noise  MetricState = iota // within noise
	Better                    // beyond noise on the good side
	Worse                     // beyond noise on the bad side
	Few                       // fewer answers than the smallest n
	Stale                     // older than its freshness promise
)

var stateWords = [...]string{"noise", "better", "worse", "few", "stale"}

// String is the machine name: noise, better, worse, few, stale.
func (s MetricState) String() string {
	if int(s) < len(stateWords) {
		return stateWords[s]
	}
	return "noise"
}

// Word names the state in the language of the context.
func (s MetricState) Word(ctx context.Context) string { return i18n.T(ctx, "ui.state."+s.String()) }

func (s MetricState) icon() IconName {
	return [...]IconName{IconNoise, IconBetter, IconWorse, IconFew, IconStale}[min(s, Stale)]
}

// EvidenceGrade says how well a claim is supported, from opinion to experiment.
type EvidenceGrade uint8

// The grades of evidence.
const (
	Opinion    EvidenceGrade = 1 + iota
	Pattern                  // a correlation in the data
	Adjusted                 // with other causes held equal
	Experiment               // a randomised comparison
)

var gradeWords = [...]string{"opinion", "pattern", "adjusted", "experiment"}

// Word names the grade in the language of the context.
func (g EvidenceGrade) Word(ctx context.Context) string {
	if g < Opinion || g > Experiment {
		return ""
	}
	return i18n.T(ctx, "ui.grade."+gradeWords[g-1])
}

// SealKind is the proof of a moment of truth.
type SealKind uint8

// The seals.
const (
	SealUnproven SealKind = iota
	SealProven
	SealProbable
	SealFew
)

var sealWords = [...]string{"unproven", "proven", "probable", "few"}

func (s SealKind) word() string { return sealWords[min(s, SealFew)] }

func (s SealKind) icon() IconName {
	return [...]IconName{IconSealUnproven, IconSealProven, IconSealProbable, IconSealFew}[min(s, SealFew)]
}

// ClockState is how a promise of time stands.
type ClockState uint8

// The states of a clock.
const (
	ClockRunning ClockState = iota
	ClockSoon               // 75% or more of the time is used
	ClockLate               // broken
	ClockPaused             // waiting for somebody else
	ClockMet                // kept
)

var clockWords = [...]string{"run", "soon", "late", "paused", "met"}

// ClockProps is one promise of time.
type ClockProps struct {
	Label string  // "6 h 20 left"
	Used  float64 // share of the promised time, 0 to 1
	State ClockState
}

// WorthProps is a value of money as a range; Booked is the bound the ledger may
// book: the low end of a gain, the smaller loss.
type WorthProps struct {
	Booked, Other money.Amount
	After         string // "a year if left alone"
}

// MetricRowProps is one measure in a list: name, state, line, value.
type MetricRowProps struct {
	Name      string
	Href      string
	State     MetricState
	StateWord string          // instead of the state's own word
	Spark     templ.Component // from chart.Spark
	Value     string          // rich, already formatted
	Interval  string          // "63,9 – 65,7" or what is missing
}

// FigureProps is the one large number of a page.
type FigureProps struct {
	Value    string // "78.4"
	Unit     string // "%"
	State    *MetricState
	Interval string // "90% interval 77.7 – 79.1"
	Note     string // rich: "promise ≥ 80%, missed by at least 0.9 points"
	Act      *ButtonProps
}
