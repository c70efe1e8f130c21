package moments_test

import (
	"math"
	"testing"
	"time"

	"omote/analytics/mining"
	"omote/analytics/moments"
)

// tale builds a history of one customer from events: journey, case, name, hours.
type tale struct {
	journey, id, name string
	hour              float64
}

func historyOf(t *testing.T, tales ...[]tale) (*moments.History, func(string) int32) {
	t.Helper()
	b := mining.NewBuilder(moments.ColumnJourney, moments.ColumnCase)
	for _, name := range []string{"asked", "checked", "done", "broken", "complained", "gone"} {
		b.Activity(name)
	}
	for c, list := range tales {
		id := b.Case(string(rune('a' + c)))
		for _, x := range list {
			journey, of := mining.None, mining.None
			if x.journey != "" {
				journey, of = b.Value(0, x.journey), b.Value(1, x.id)
			}
			b.Add(id, b.Activity(x.name), int64(x.hour*3.6e9), journey, of)
		}
	}
	l, err := b.Build(mining.TimeOrder)
	if err != nil {
		t.Fatal(err)
	}
	id := func(name string) int32 { n, _ := l.Activities().Lookup(name); return n }
	return &moments.History{Log: l}, id
}

// Each way in which a step can go is told apart.
func TestRuns(t *testing.T) {
	t.Parallel()
	h, id := historyOf(t, []tale{
		{"loan", "1", "asked", 0}, {"loan", "1", "checked", 1}, {"loan", "1", "broken", 2}, {"loan", "1", "done", 3}, // trouble on the way to done
		{"loan", "2", "asked", 10}, {"loan", "2", "checked", 60}, {"loan", "2", "checked", 61}, // late, and again
		{"other", "3", "asked", 20}, {"", "", "broken", 21}, // another journey, and no case
		{"loan", "4", "asked", 30}, {"loan", "4", "broken", 31}, // trouble was the end of it
		{"loan", "5", "checked", 40}, // begins in the middle: no wait is known
	})
	journeys, _ := h.Log.Column(moments.ColumnJourney)
	loan, _ := journeys.Lookup("loan")
	j := moments.Journey{ID: loan, Trouble: []int32{id("broken")}, Steps: []moments.Step{{Event: id("asked")}, {Event: id("checked"), Standard: 8 * time.Hour}, {Event: id("done")}}}
	cases, _ := h.Log.Column(moments.ColumnCase)
	type want struct {
		level   moments.Level
		cause   moments.Cause
		reached bool
		wait    time.Duration
	}
	wants := map[[2]string]want{
		{"1", "asked"}: {moments.Ordinary, 0, true, -1}, {"1", "checked"}: {moments.Good, 0, true, time.Hour}, {"1", "done"}: {moments.Bad, moments.Failed, true, 2 * time.Hour},
		{"2", "asked"}: {moments.Ordinary, 0, true, -1}, {"2", "checked"}: {moments.Bad, moments.Waited | moments.Repeated, true, 50 * time.Hour},
		{"4", "asked"}: {moments.Ordinary, 0, true, -1}, {"4", "checked"}: {moments.Bad, moments.Failed, false, -1}, {"5", "checked"}: {moments.Ordinary, 0, true, -1},
	}
	runs := moments.Runs(h, j)
	if len(runs) != len(wants) {
		t.Errorf("%d runs, want %d", len(runs), len(wants))
	}
	last := int64(math.MinInt64)
	for _, r := range runs {
		key := [2]string{cases.Name(r.Case), h.Log.Activities().Name(j.Steps[r.Step].Event)}
		if got := (want{r.Level, r.Cause, r.Reached, r.Wait}); got != wants[key] {
			t.Errorf("%v: %+v, want %+v", key, got, wants[key])
		}
		if r.At < last {
			t.Errorf("%v is not in the order of time", key)
		}
		last = r.At
	}
}

// A score belongs to the run that was asked about; the curve has a point only
// where somebody was asked.
func TestCurveHasNoInventedPoints(t *testing.T) {
	t.Parallel()
	one := []tale{{"loan", "1", "asked", 0}, {"loan", "1", "checked", 1}, {"loan", "1", "done", 2}}
	two := []tale{{"loan", "2", "asked", 0}, {"loan", "2", "checked", 1}, {"loan", "2", "done", 2}}
	h, id := historyOf(t, one, two)
	journeys, _ := h.Log.Column(moments.ColumnJourney)
	loan, _ := journeys.Lookup("loan")
	cases, _ := h.Log.Column(moments.ColumnCase)
	first, _ := cases.Lookup("1")
	hour := int64(3.6e9)
	h.Answers = []moments.Answer{
		{Customer: 0, At: 5 * hour, Case: first, Trigger: id("done"), Score: 0.2},
		{Customer: 1, At: 6 * hour, Case: mining.None, Trigger: id("done"), Score: 0.6, Comment: "slow", Polarity: -1},
		{Customer: 1, At: 7 * hour, Case: mining.None, Trigger: id("complained"), Score: 0.9},
		{Customer: 1, At: hour / 2, Case: mining.None, Trigger: id("checked"), Score: 0.9}, // before it happened
	}
	points := moments.Curve(h, moments.Journey{ID: loan, Steps: []moments.Step{{Event: id("asked")}, {Event: id("checked")}, {Event: id("done")}}}, 0.9)
	for i, p := range points[:2] {
		if p.Score.N != 0 || !math.IsNaN(p.Score.Value) || p.Runs != 2 {
			t.Errorf("step %d has a score: %+v", i, p)
		}
	}
	if p := points[2]; p.Score.N != 2 || math.Abs(p.Score.Value-0.4) > 1e-12 || p.Negative.Value != 1 || p.Negative.N != 1 || !math.IsNaN(p.Change.Value) {
		t.Errorf("done: %+v", p)
	}
}
