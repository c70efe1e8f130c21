// Package measure is what governance asks of the metric registry: how a measure
// stands, and what it was over some days. The registry answers through internal/app.
package measure

import (
	"context"
	"time"

	"omote/internal/platform/approval"
)

// Level of the intervals of readings.
const Level = 0.95

// Reading is a figure of the registry.
type Reading struct {
	Metric    string
	Version   int
	Name      approval.Text
	Unit      string // unit of the registry: share, points, minutes, …
	Direction string // higher, lower, target, context
	Owner     string // role that answers for it
	Journey   string
	// Known is false where the figure may not be shown: too few, or nothing to count.
	Known            bool
	Value, Low, High float64
	N                int64
	// State judges the trend: better, worse, noise, few, stale.
	State  string
	Weekly []float64 // the last weeks, NaN for gaps
	Latest time.Time // of the facts behind it
}

// Lower reports whether less is better.
func (r Reading) Lower() bool { return r.Direction == "lower" }

// Window is local days from From up to, not including, To; Unit narrows to the
// facts of units with these codes, none for all.
type Window struct {
	From, To time.Time
	Units    []string
	// Except turns Units around: all but them.
	Except bool
}

// Registry is the part of the metric registry that governance reads.
type Registry interface {
	// Has reports whether the registry has a live metric.
	Has(ctx context.Context, metric string) (bool, error)
	// Now gives the readings of all live metrics, as fresh as the board of measures.
	Now(ctx context.Context) (map[string]Reading, error)
	// Over computes a metric over a window. A metric that does not exist is
	// errs.KindNotFound.
	Over(ctx context.Context, metric string, w Window) (Reading, error)
}
