package mining_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"omote/analytics/mining"

	"omote/internal/testkit/shared"
)

func TestOutcomesOracle(t *testing.T) {
	t.Parallel()
	orders(t, func(t *rapid.T, order mining.Order) {
		plain, l := drawLog(t, order)
		e := mining.Ending{Success: []int32{1}, Failure: []int32{2}, Timeout: time.Duration(rapid.IntRange(0, 9).Draw(t, "timeout")) * time.Second}
		if rapid.Bool().Draw(t, "later") {
			e.End = 20e6
		}
		_, end, _ := l.TimeRange()
		if e.End != 0 {
			end = e.End
		}
		of, counts := mining.Outcomes(l, e)
		var sums [4]int
		for c, events := range plain {
			want, latest := mining.Open, int64(0)
			for _, ev := range events {
				latest = max(latest, ev.micros)
				switch ev.activity {
				case 1:
					want = mining.Succeeded
				case 2:
					want = mining.Failed
				}
			}
			if want == mining.Open && e.Timeout > 0 && end-latest > e.Timeout.Microseconds() {
				want = mining.Abandoned
			}
			if of[c] != want {
				t.Fatalf("%v is %v, want %v", events, of[c], want)
			}
			sums[want]++
		}
		if sums != counts {
			t.Fatalf("counts %v, want %v", counts, sums)
		}
	})
}

func TestOutcomesOfBPIC2012(t *testing.T) {
	t.Parallel()
	l := bpic2012(t, mining.XESOptions{})
	id := func(name string) int32 { v, _ := l.Activities().Lookup(name); return v }
	with := func(names ...string) int {
		var ids []int32
		for _, n := range names {
			ids = append(ids, id(n))
		}
		part, _ := l.Filter(mining.CasesWith(ids...))
		return part.Cases()
	}
	_, counts := mining.Outcomes(l, mining.Ending{
		Success: []int32{id("A_APPROVED")}, Failure: []int32{id("A_DECLINED"), id("A_CANCELLED")},
	})
	want := facts(t)["outcome_cases"].(map[string]any)
	if float64(with("A_APPROVED")) != want["approved"] || float64(with("A_DECLINED")) != want["declined"] ||
		float64(with("A_CANCELLED")) != want["cancelled"] || float64(counts[mining.Open]) != want["open"] ||
		float64(counts[mining.Succeeded]) != want["approved"] {
		t.Errorf("outcomes %v, want %v", counts, want)
	}
}

// TestSilenceByHand checks the curve of six silences after one activity:
// 1, 2, 2+, 3, 5+, 8+ (+ is censored). Beyond 2 only the end at 3 remains, with
// three at risk: S(∞)/S(2) = 1 - 1/3.
func TestSilenceByHand(t *testing.T) {
	t.Parallel()
	const end = 100
	b := mining.NewBuilder()
	a, z := b.Activity("a"), b.Activity("z")
	for i, s := range []struct {
		length int64
		ended  bool
	}{{1, true}, {2, true}, {2, false}, {3, true}, {5, false}, {8, false}} {
		id := b.Case(string(rune('A' + i)))
		b.Add(id, a, end-s.length)
		if s.ended {
			b.Add(id, z, end)
		}
	}
	l, err := b.Build(mining.TimeOrder)
	if err != nil {
		t.Fatal(err)
	}
	m := mining.FitSilence(l, mining.Ending{Success: []int32{z}, End: end})
	for _, c := range []struct {
		silence int64
		p       float64
		atRisk  int
	}{
		{0, 5.0 / 6 * 4 / 5 * 2 / 3, 6},
		{1, 4.0 / 5 * 2 / 3, 5},
		{2, 2.0 / 3, 3},
		{3, 1, 2},
		{7, 1, 1},
	} {
		got := m.Abandoned(a, c.silence)
		if math.Abs(got.P-c.p) > 1e-12 || got.AtRisk != c.atRisk || got.Low > got.P || got.High < got.P {
			t.Errorf("after %d: %+v, want %v of %d", c.silence, got, c.p, c.atRisk)
		}
	}
	// Greenwood on the complementary log-log scale, by hand: at silence 2 the
	// variance is 1/(3·2), so the factor is exp(1.96·√(1/6)/ln 1.5).
	got := m.Abandoned(a, 2)
	factor := math.Exp(1.959963984540054 * math.Sqrt(1.0/6) / math.Log(1.5))
	if math.Abs(got.Low-math.Pow(2.0/3, factor)) > 1e-12 || math.Abs(got.High-math.Pow(2.0/3, 1/factor)) > 1e-12 {
		t.Errorf("interval %v to %v", got.Low, got.High)
	}
	if got := m.Abandoned(a, 8); !math.IsNaN(got.P) || got.Low != 0 || got.High != 1 {
		t.Errorf("beyond all: %+v", got)
	}
	if got := m.Abandoned(mining.None, 1); got.AtRisk != 5 {
		t.Errorf("unknown activity: %+v", got)
	}
}

// abandonLog simulates cases that are given up with chance quit after each of
// three steps and otherwise go on after an exponential wait. It returns the log
// as seen at the end, and for each case whether it was really given up.
func abandonLog(t *testing.T, cases int, quit float64, seed uint64) (l *mining.Log, gaveUp []bool, done int32) {
	t.Helper()
	const end, meanWait = 200.0, 5.0 // days
	random := rand.New(rand.NewPCG(seed, 7))
	b := mining.NewBuilder()
	steps := []int32{b.Activity("begin"), b.Activity("papers"), b.Activity("check"), b.Activity("done")}
	day := func(d float64) int64 { return int64(d * 86_400e6) }
	for range cases {
		c, at, left := b.NewCase(""), random.Float64()*end, false
		for i, step := range steps {
			if at > end {
				break
			}
			b.Add(c, step, day(at))
			if i < 3 && random.Float64() < quit {
				left = true
				break
			}
			at += random.ExpFloat64() * meanWait
		}
		gaveUp = append(gaveUp, left)
	}
	l, err := b.Build(mining.TimeOrder)
	if err != nil {
		t.Fatal(err)
	}
	return l, gaveUp, steps[3]
}

// TestSilenceIsCalibrated compares predicted chances with what became of the
// cases: in each band of chances the mean prediction must match the share that
// was given up, and the known chance at a given silence must lie in its
// interval about as often as the interval says.
func TestSilenceIsCalibrated(t *testing.T) {
	t.Parallel()
	const quit = 0.2
	runs := 40
	if shared.Verify() {
		runs = 1000
	}
	end := int64(200 * 86_400e6)
	var predicted, happened, count [5]float64
	covered, asked := 0, 0
	for run := range runs {
		l, gaveUp, done := abandonLog(t, 1500, quit, uint64(run))
		ending := mining.Ending{Success: []int32{done}, End: end}
		m := mining.FitSilence(l, ending)
		of, _ := mining.Outcomes(l, ending)
		for c := range l.Cases() {
			if of[c] != mining.Open {
				continue
			}
			path, times := l.Path(c), l.Times(c)
			last := len(path) - 1
			chance := m.Abandoned(path[last], end-times[last])
			if chance.AtRisk == 0 {
				continue
			}
			band := min(4, int(chance.P*5))
			predicted[band] += chance.P
			count[band]++
			if gaveUp[c] {
				happened[band]++
			}
		}
		for _, days := range []float64{0, 3, 10} {
			truth := quit / (quit + (1-quit)*math.Exp(-days/5))
			got := m.Abandoned(0, int64(days*86_400e6))
			asked++
			if got.Low <= truth && truth <= got.High {
				covered++
			}
		}
	}
	for band := range count {
		if count[band] < 200 {
			continue
		}
		p, h := predicted[band]/count[band], happened[band]/count[band]
		if allowed := 0.02 + 4*math.Sqrt(h*(1-h)/count[band]); math.Abs(p-h) > allowed {
			t.Errorf("band %d: predicted %.3f, happened %.3f of %.0f cases", band, p, h, count[band])
		}
	}
	// The three questions of a run resemble each other, so runs are what counts.
	allowed := 4 * math.Sqrt(0.95*0.05/float64(runs))
	if share := float64(covered) / float64(asked); math.Abs(share-0.95) > allowed {
		t.Errorf("95%% intervals hold the truth in %.1f%% of %d", 100*share, asked)
	}
}

func TestJourneysByHand(t *testing.T) {
	t.Parallel()
	b := mining.NewBuilder("channel")
	names := "qsxef" // quote, start, anything, end, follow-up
	add := func(customer string, second int64, activity string) {
		b.Add(b.Case(customer), b.Activity(activity), second*1e6, b.Value(0, activity))
	}
	for i := range names {
		b.Activity(names[i : i+1])
	}
	for _, e := range []struct {
		at int64
		a  string
	}{
		{0, "q"}, {5, "q"}, {9, "x"}, {10, "s"}, {11, "x"}, {12, "s"}, {13, "e"}, {14, "f"}, {30, "f"}, // first journey
		{40, "q"}, {41, "s"}, {42, "e"}, {43, "s"}, {44, "x"}, // second, third begins within After
		{90, "x"}, {91, "s"}, // silence ended the third; fourth
	} {
		add("anna", e.at, e.a)
	}
	add("binh", 1, "x") // no journey at all
	b.SetCase(b.Case("anna"), "segment", "gold")
	l, err := b.Build(mining.TimeOrder)
	if err != nil {
		t.Fatal(err)
	}
	id := func(name string) []int32 { v, _ := l.Activities().Lookup(name); return []int32{v} }
	got, from := mining.Journeys(l, mining.Cut{
		Start: id("s"), End: id("e"), Before: id("q"),
		Timeout: 20 * time.Second, After: 3 * time.Second, Lookback: 5 * time.Second,
	})
	want := []string{"qsxsef", "qse", "sx", "s"}
	if got.Cases() != len(want) {
		t.Fatalf("%d journeys, want %d", got.Cases(), len(want))
	}
	for c := range want {
		text := ""
		for i, a := range got.Path(c) {
			text += got.Activities().Name(a)
			channels, _ := got.Column("channel")
			if channels.Name(got.Values("channel", c)[i]) != got.Activities().Name(a) {
				t.Error("a column lost its place")
			}
		}
		segments, _ := got.CaseColumn("segment")
		if text != want[c] || from[c] != 0 || got.CaseID(c) != "anna" || segments.Name(got.CaseValue("segment", c)) != "gold" {
			t.Errorf("journey %d is %q of %s, want %q", c, text, got.CaseID(c), want[c])
		}
	}
}

func TestSessionsOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		plain, l := drawLog(t, mining.TimeOrder)
		timeout := time.Duration(rapid.IntRange(1, 5).Draw(t, "timeout")) * time.Second
		var want plainLog
		for _, events := range plain {
			for i, e := range events {
				if i == 0 || e.micros-events[i-1].micros > timeout.Microseconds() {
					want = append(want, nil)
				}
				want[len(want)-1] = append(want[len(want)-1], e)
			}
		}
		got, from := mining.Journeys(l, mining.Cut{Timeout: timeout})
		if err := sameLog(want, got); err != nil {
			t.Fatal(err)
		}
		if !slices.IsSorted(from) {
			t.Fatalf("from %v", from)
		}
	})
}
