package chart

import (
	"context"
	"math"
	"time"

	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// timeIsland is what assets/charts needs to draw a time chart again at the exact
// width of its place. Values that are not known are null. Times are milliseconds.
type timeIsland struct {
	Points []islandPoint  `json:"points"`
	Ticks  []islandTick   `json:"ticks"`
	Times  []islandTick   `json:"times"`
	From   int64          `json:"from"`
	Until  int64          `json:"until"`
	End    string         `json:"end"`
	Band   string         `json:"band"`
	Target *islandTick    `json:"target,omitempty"`
	Change []islandChange `json:"changes,omitempty"`
	Notes  []islandNote   `json:"notes,omitempty"`
	Stale  int64          `json:"stale,omitempty"`
	Label  string         `json:"label"`
}

type islandPoint struct {
	At       int64    `json:"t"`
	Value    *float64 `json:"v"`
	Low      *float64 `json:"l,omitempty"`
	High     *float64 `json:"h,omitempty"`
	BandLow  *float64 `json:"bl,omitempty"`
	BandHigh *float64 `json:"bh,omitempty"`
	State    string   `json:"s,omitempty"`
	Say      string   `json:"say"`
	When     string   `json:"w"`
}

type islandTick struct {
	At    float64 `json:"at"`
	Label string  `json:"label"`
}

type islandChange struct {
	At     int64    `json:"at"`
	From   int64    `json:"from,omitempty"`
	To     int64    `json:"to,omitempty"`
	Label  string   `json:"label"`
	Before *float64 `json:"before,omitempty"`
	After  *float64 `json:"after,omitempty"`
}

type islandNote struct {
	At    int64  `json:"at"`
	Label string `json:"label"`
	Kind  string `json:"kind"`
}

func (p *TimeProps) island(ctx context.Context) any {
	out := timeIsland{
		From: p.Points[0].At.UnixMilli(), Until: p.Until.UnixMilli(),
		End: p.EndLabel, Band: p.BandLabel, Label: p.Label,
	}
	for _, t := range p.ticks(5) {
		out.Ticks = append(out.Ticks, islandTick{t, p.Tick(t)})
	}
	for _, t := range timeTicks(i18n.Fmt(ctx), p.Points[0].At, p.Until, deskWidth(p.Cols)-120) {
		out.Times = append(out.Times, islandTick{float64(t.at.UnixMilli()), t.label})
	}
	for i, q := range p.Points {
		ip := islandPoint{At: q.At.UnixMilli(), Value: known(q.Value), BandLow: known(q.BandLow), BandHigh: known(q.BandHigh), Say: p.say(ctx, i), When: p.When(q.At)}
		if q.Low < q.High {
			ip.Low, ip.High = known(q.Low), known(q.High)
		}
		if q.State != ui.Noise {
			ip.State = q.State.String()
		}
		out.Points = append(out.Points, ip)
	}
	if p.Target != nil {
		out.Target = &islandTick{p.Target.Value, p.Target.Label}
	}
	for _, c := range p.Changes {
		ic := islandChange{At: c.At.UnixMilli(), From: milli(c.From), To: milli(c.To), Label: c.Label}
		if c.Before != c.After {
			ic.Before, ic.After = known(c.Before), known(c.After)
		}
		out.Change = append(out.Change, ic)
	}
	for _, n := range p.Notes {
		out.Notes = append(out.Notes, islandNote{n.At.UnixMilli(), n.Label, [...]string{"holiday", "release", "decision"}[min(n.Kind, NoteDecision)]})
	}
	out.Stale = milli(p.StaleFrom)
	return out
}

func known(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
