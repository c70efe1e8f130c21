package scorecard

import (
	"testing"
	"time"

	"omote/internal/governance/council"
	"omote/internal/governance/initiative"
	"omote/internal/governance/packs"
)

func line(t *testing.T, lines []Line, id string) Line {
	t.Helper()
	for _, l := range lines {
		if l.ID == id {
			return l
		}
	}
	t.Fatalf("no line %s", id)
	return Line{}
}

func view(state string, change func(*initiative.View)) initiative.View {
	v := initiative.View{}
	v.State = state
	if change != nil {
		change(&v)
	}
	return v
}

// The KPIs of the lead by hand: shares, a median, and what is too few to say.
func TestLead(t *testing.T) {
	t.Parallel()
	kpis, err := packs.LoadKPIs()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f := &Facts{Now: start.AddDate(0, 6, 0), Signals: Signals{Judged: 4, Noise: 1, Days: []float64{1, 2, 3, 4, 30}}}
	for i := range 10 {
		f.Initiatives = append(f.Initiatives, view(initiative.Running, func(v *initiative.View) { v.Stalled = i < 8 }))
	}
	for i := range 5 {
		f.Initiatives = append(f.Initiatives, view(initiative.Finished, func(v *initiative.View) {
			v.Body.Lane, v.Body.Start, v.Body.Ended = initiative.QuickWin, start, start.AddDate(0, 0, 20+i)
			v.Body.Method = "before_after"
		}))
	}
	lines := Of("cx_lead", kpis, f)
	if l := line(t, lines, "lead_stalled"); !l.Known || l.Est.Value != 0.8 || l.State != "missed" || l.Est.N != 10 {
		t.Errorf("eight of ten stand still: %+v", l)
	}
	if l := line(t, lines, "lead_effect_proven"); !l.Known || l.Est.Value != 0 || l.State != "missed" {
		t.Errorf("none proven: %+v", l)
	}
	if l := line(t, lines, "lead_quick_win_cycle"); !l.Known || l.Est.Value != 22 || l.State != "met" {
		t.Errorf("the median of 20 to 24 days: %+v", l)
	}
	if l := line(t, lines, "lead_signal_to_review"); !l.Known || l.Est.Value != 3 || l.State != "unsure" {
		t.Errorf("the median of five, of which one took a month: %+v", l)
	}
	if l := line(t, lines, "lead_false_review"); l.Known || l.State != "few" {
		t.Errorf("four decisions are too few: %+v", l)
	}
}

// A decision hits when its measure moved the way it foresaw, by half at least.
func TestDecisions(t *testing.T) {
	t.Parallel()
	base := &council.Baseline{Value: 70}
	decision := func(mid, seen float64) council.Decision {
		return council.Decision{Forecast: &council.Forecast{Mid: mid, Baseline: base}, Outcome: &council.Outcome{Known: true, Value: seen}}
	}
	for _, c := range []struct {
		mid, seen float64
		want      bool
	}{{80, 80, true}, {80, 75, true}, {80, 74, false}, {80, 60, false}, {60, 64, true}, {60, 71, false}} {
		if got := hit(decision(c.mid, c.seen)); got != c.want {
			t.Errorf("foreseen 70 → %v, seen %v: %t", c.mid, c.seen, got)
		}
	}
	if hit(council.Decision{}) {
		t.Error("a decision without a forecast hits")
	}
}
