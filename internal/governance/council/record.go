package council

import (
	"math"

	"omote/analytics/forecast"
	"omote/analytics/stats"
)

// Record is how well the council foresaw.
type Record struct {
	forecast.Record
	// Skill is against "it stays as it was": 0 no better, 1 perfect; NaN when unknown.
	Skill float64
	// Events are the forecasts of events with their mean Brier score; one half always
	// scores 0.25.
	Events int
	Brier  float64
	// Waiting are forecasts whose day has not come; Unknown such that the registry
	// could not tell.
	Waiting, Unknown int
}

// Calibration judges all scored forecasts together: per council, never per person.
func Calibration(all []Doc) (r Record) {
	var levels []float64
	var held []bool
	loss, reference := 0.0, 0.0
	for _, d := range all {
		f, o := d.Body.Forecast, d.Body.Outcome
		switch {
		case f == nil || d.State != Decided && d.State != Scored:
		case o == nil:
			r.Waiting++
		case !o.Known:
			r.Unknown++
		case f.Chance != nil:
			r.Events++
			r.Brier += o.Brier
		default:
			levels, held = append(levels, f.Level), append(held, o.Held)
			// Losses are comparable over metrics once each is measured in the spread of
			// its own reference.
			if o.Reference > 0 {
				loss += o.CRPS / o.Reference
				reference++
			}
		}
	}
	r.Record = forecast.Calibrate(levels, held)
	r.Skill = math.NaN()
	if reference > 0 {
		r.Skill = forecast.Skill(loss, reference)
	}
	if r.Events > 0 {
		r.Brier /= float64(r.Events)
	}
	return r
}

// Mirror compares decisions against the rank of the evidence with those that
// followed it.
type Mirror struct {
	Decisions, Overrides int
	// Share of overrides with its interval.
	Share stats.Estimate
	// HeldOver and HeldWith count forecasts that came true, of ScoredOver and
	// ScoredWith.
	HeldOver, ScoredOver int
	HeldWith, ScoredWith int
}

// Mirror looks at every decision that had alternatives.
func MirrorOf(all []Doc) (m Mirror) {
	for _, d := range all {
		if d.State != Decided && d.State != Scored || len(d.Body.Alternatives) == 0 {
			continue
		}
		m.Decisions++
		known := d.Body.Outcome != nil && d.Body.Outcome.Known
		held := known && d.Body.Outcome.Held
		if d.Body.Overrode {
			m.Overrides++
			if known {
				m.ScoredOver++
			}
			if held {
				m.HeldOver++
			}
			continue
		}
		if known {
			m.ScoredWith++
		}
		if held {
			m.HeldWith++
		}
	}
	m.Share = stats.Proportion(int64(m.Overrides), int64(m.Decisions), 0.9)
	return m
}

// score compares a forecast with what the registry says: value is the metric over
// the window that ended on the review day.
func (f Forecast) score(value float64, higherIsBetter bool) (o Outcome) {
	o.Value, o.Known = value, true
	if f.Chance != nil {
		o.Held = value >= f.Reach
		if !higherIsBetter {
			o.Held = value <= f.Reach
		}
		o.Brier = forecast.Brier(*f.Chance, o.Held)
		return o
	}
	i := f.interval()
	o.Held, o.Interval, o.CRPS = i.Holds(value), i.Score(value), i.CRPS(value)
	if b := f.Baseline; b != nil && b.Low < b.High {
		o.Reference = forecast.Interval{Low: b.Low, Mid: min(max(b.Value, b.Low), b.High), High: b.High, Level: 0.95}.CRPS(value)
	}
	return o
}
