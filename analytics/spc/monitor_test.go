package spc_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"omote/analytics/calendar"
	"omote/analytics/spc"

	"pgregory.net/rapid"

	"omote/internal/testkit/shared"
)

// score counts what a run found against the truth. Days before a change, and
// all days of unchanged series, are in control; any signal on them is false.
type score struct {
	falseSignals, trueSignals int
	falseSeries, trueSeries   int
	days                      int
	delays                    map[string][]int // days from start to detection, by kind and size
}

func (s *score) add(truth []simTruth, results []spc.Result, from int) {
	if s.delays == nil {
		s.delays = map[string][]int{}
	}
	for i, r := range results {
		tr, end := truth[i], len(r.Points)
		if tr.start >= 0 {
			end = tr.start
		}
		s.days += end - from
		early := slices.ContainsFunc(r.Signals, func(g spc.Signal) bool { return g.Index < end })
		delay := 999
		for _, g := range r.Signals {
			if g.Index < end {
				s.falseSignals++
				continue
			}
			s.trueSignals++
			delay = min(delay, g.Index-end)
		}
		switch {
		case tr.start >= 0:
			key := fmt.Sprintf("%s %.1f", tr.kind, tr.sigma)
			s.delays[key] = append(s.delays[key], delay)
			if delay < 999 {
				s.trueSeries++
			}
		case early:
			s.falseSeries++
		}
	}
}

func (s *score) perThousand() float64 { return 1000 * float64(s.falseSignals) / float64(s.days) }

func (s *score) fdr() float64 {
	return float64(s.falseSignals) / float64(max(1, s.falseSignals+s.trueSignals))
}

func (s *score) seriesFDR() float64 {
	return float64(s.falseSeries) / float64(max(1, s.falseSeries+s.trueSeries))
}

func (s *score) median(key string) float64 {
	d := slices.Sorted(slices.Values(s.delays[key]))
	if len(d) == 0 {
		return math.NaN()
	}
	return float64(d[(len(d)-1)/2]+d[len(d)/2]) / 2
}

func (s *score) log(t *testing.T, what string) {
	t.Helper()
	t.Logf("%s: %.3f false signals per 1,000 days in control, FDR of signals %.3f, of series %.3f; median delay after a step of 0.5/1/1.5/2/3 sigma %g/%g/%g/%g/%g days",
		what, s.perThousand(), s.fdr(), s.seriesFDR(),
		s.median("step 0.5"), s.median("step 1.0"), s.median("step 1.5"), s.median("step 2.0"), s.median("step 3.0"))
}

// check holds a run to the limits. The optimal detector of a known shift (a
// CUSUM tuned to it, Moustakides 1986) needs a median of six days for the
// 1.5 sigma step of this process, whose days have 0.84 of the nominal volume, at
// this rate of false signals: there is no room below that.
func (s *score) check(t *testing.T, perThousand float64, delays [3]float64) {
	t.Helper()
	if s.perThousand() > perThousand {
		t.Errorf("%.3f false signals per 1,000 days", s.perThousand())
	}
	if s.fdr() > 0.1 || s.seriesFDR() > 0.1 {
		t.Errorf("false-discovery rate of signals %.3f, of series %.3f", s.fdr(), s.seriesFDR())
	}
	for i, key := range []string{"step 1.0", "step 1.5", "step 3.0"} {
		if m := s.median(key); m > delays[i] {
			t.Errorf("%s is found after a median of %g days", key, m)
		}
	}
}

func TestMonitoringSim(t *testing.T) {
	t.Parallel()
	series, truth := readSim(t)
	var s score
	s.add(truth, spc.Monitor(series, spc.Options{BaselineTo: day(209)}), 210)
	s.log(t, "monitoring_sim")
	s.check(t, 0.5, [3]float64{15, 5, 3})
}

func TestFreshSeeds(t *testing.T) {
	t.Parallel()
	seeds := uint64(3)
	if shared.Verify() {
		seeds = 40
	}
	var s score
	for seed := range seeds {
		series, truth := simulate(500, 420, seed, 0.4)
		s.add(truth, spc.Monitor(series, spc.Options{BaselineTo: day(209)}), 210)
	}
	s.log(t, fmt.Sprintf("%d fresh seeds of 500 series", seeds))
	s.check(t, 0.5, [3]float64{15, 7, 3})
}

// With few real changes the bar rises by itself.
func TestFalseDiscoveryWithFewChanges(t *testing.T) {
	t.Parallel()
	seeds := uint64(3)
	if shared.Verify() {
		seeds = 40
	}
	var s score
	for seed := range seeds {
		series, truth := simulate(500, 420, 900+seed, 0.1)
		s.add(truth, spc.Monitor(series, spc.Options{BaselineTo: day(209)}), 210)
	}
	s.log(t, "one series in ten changes")
	if s.fdr() > 0.13 || s.perThousand() > 0.1 {
		t.Errorf("false-discovery rate %.3f, %.3f false signals per 1,000", s.fdr(), s.perThousand())
	}
}

func readSim(t testing.TB) ([]spc.Series, []simTruth) {
	t.Helper()
	read := func(name string) [][]string {
		f, err := os.Open(shared.Path(t, "stats/monitoring_sim/"+name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		rows, err := csv.NewReader(f).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return rows[1:]
	}
	num := func(s string) float64 {
		x, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	var series []spc.Series
	for _, r := range read("daily_nps.csv") {
		if n := len(series); n == 0 || series[n-1].Name != r[0] {
			series = append(series, spc.Series{Name: r[0], Kind: spc.NPS, Good: spc.GoodUp})
		}
		s := &series[len(series)-1]
		s.Points = append(s.Points, spc.NPSPoint(day(int(num(r[1]))), num(r[2]), num(r[3]), num(r[4])))
	}
	var truth []simTruth
	for _, r := range read("truth.csv") {
		truth = append(truth, simTruth{r[1], int(num(r[2])), num(r[4])})
	}
	return series, truth
}

// inControl draws one series that never changes, for each kind of noise.
var inControl = map[string]func(*rand.Rand, int) spc.Series{
	"normal readings":       readings(func(rng *rand.Rand, _ float64) float64 { return rng.NormFloat64() }),
	"autocorrelated 0.3":    readings(func(rng *rand.Rand, last float64) float64 { return 0.3*last + 0.954*rng.NormFloat64() }),
	"autocorrelated 0.6":    readings(func(rng *rand.Rand, last float64) float64 { return 0.6*last + 0.8*rng.NormFloat64() }),
	"skewed readings":       readings(func(rng *rand.Rand, _ float64) float64 { return math.Exp(0.6 * rng.NormFloat64()) }),
	"heavy tails":           readings(func(rng *rand.Rand, _ float64) float64 { return student(rng, 5) }),
	"two events a day":      counts(2, 0),
	"ten events a day":      counts(10, 0),
	"over-dispersed counts": counts(20, 0.3),
	"rare failures":         shares(100, 0.02),
	"few answers":           shares(8, 0.9),
	"very few NPS answers":  scores(3),
	"over-dispersed NPS":    scores(300),
}

func readings(next func(*rand.Rand, float64) float64) func(*rand.Rand, int) spc.Series {
	return func(rng *rand.Rand, n int) spc.Series {
		s, x := spc.Series{Kind: spc.Value}, 0.0
		for i := range n {
			x = next(rng, x)
			s.Points = append(s.Points, spc.ValuePoint(day(i), 50+3*x))
		}
		return s
	}
}

func counts(mean, over float64) func(*rand.Rand, int) spc.Series {
	return func(rng *rand.Rand, n int) spc.Series {
		s := spc.Series{Kind: spc.Count, Good: spc.GoodDown}
		for i := range n {
			m := mean * math.Exp(over*rng.NormFloat64()-over*over/2)
			s.Points = append(s.Points, spc.CountPoint(day(i), float64(poisson(rng, m)), 1))
		}
		return s
	}
}

func shares(size, p float64) func(*rand.Rand, int) spc.Series {
	return func(rng *rand.Rand, n int) spc.Series {
		s := spc.Series{Kind: spc.Proportion, Good: spc.GoodUp}
		for i := range n {
			m := poisson(rng, size)
			s.Points = append(s.Points, spc.ProportionPoint(day(i), float64(binomial(rng, m, p)), float64(m)))
		}
		return s
	}
}

func scores(size float64) func(*rand.Rand, int) spc.Series {
	return func(rng *rand.Rand, n int) spc.Series {
		s := spc.Series{Kind: spc.NPS, Good: spc.GoodUp}
		for i := range n {
			move := 0.01 * rng.NormFloat64()
			s.Points = append(s.Points, answersOf(rng, day(i), poisson(rng, size), 0.5+move, 0.2-move))
		}
		return s
	}
}

func student(rng *rand.Rand, nu int) float64 {
	c := 0.0
	for range nu {
		z := rng.NormFloat64()
		c += z * z
	}
	return rng.NormFloat64() / math.Sqrt(c/float64(nu))
}

// Noise of all sorts must stay noise; readings with wild, unknown noise are
// allowed more, as a baseline of a hundred cannot show its tail.
func TestNoiseStaysNoise(t *testing.T) {
	t.Parallel()
	rounds := 60
	if shared.Verify() {
		rounds = 1000
	}
	limits := map[string]float64{"heavy tails": 6, "skewed readings": 5, "autocorrelated 0.6": 2.5, "autocorrelated 0.3": 2.5, "over-dispersed counts": 1.5}
	for name, draw := range inControl {
		rng, found, days := rand.New(rand.NewPCG(5, 9)), 0, 0
		for range rounds {
			s := draw(rng, 300)
			s.Name = name
			r := spc.Monitor([]spc.Series{s}, spc.Options{BaselineTo: day(149)})[0]
			found += len(r.Signals)
			days += 300 - r.Start
		}
		limit := limits[name]
		if limit == 0 {
			limit = 1
		}
		if rate := 1000 * float64(found) / float64(days); rate > limit {
			t.Errorf("%s: %.2f false signals per 1,000 days", name, rate)
		}
	}
}

// Hourly counts swing by a factor of nine within the day and halve at weekends;
// with ten weeks of them both are expected.
func TestHourlySeasonIsNotNews(t *testing.T) {
	t.Parallel()
	rounds := uint64(10)
	if shared.Verify() {
		rounds = 200
	}
	found, hours := 0, 0
	for seed := range rounds {
		rng := rand.New(rand.NewPCG(seed, 9))
		s := spc.Series{Kind: spc.Count, Good: spc.GoodDown}
		for h := range 10 * 168 {
			d := civil("2026-01-05").Add(time.Duration(h) * time.Hour)
			rate := 40 * (1 + 0.8*math.Sin(float64(d.Hour()-9)/12*math.Pi)) * math.Exp(0.1*rng.NormFloat64())
			if d.Weekday() == time.Saturday || d.Weekday() == time.Sunday {
				rate /= 2
			}
			s.Points = append(s.Points, spc.CountPoint(d, float64(poisson(rng, rate)), 1))
		}
		r := spc.Monitor([]spc.Series{s}, spc.Options{})[0]
		found += len(r.Signals)
		hours += len(s.Points) - r.Start
	}
	if rate := 1000 * float64(found) / float64(hours); rate > 0.8 {
		t.Errorf("%.2f false signals per 1,000 hours", rate)
	}
}

// The discharge of the Nile at Aswan, 1871–1970: it fell in 1899 (Cobb 1978).
var nile = []float64{1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969, 831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759, 781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890, 744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740}

func TestNile(t *testing.T) {
	t.Parallel()
	s := spc.Series{Name: "Aswan", Kind: spc.Value}
	for i, x := range nile {
		s.Points = append(s.Points, spc.ValuePoint(day(365*i), x))
	}
	r := spc.Monitor([]spc.Series{s}, spc.Options{})[0]
	if len(r.Signals) != 1 {
		t.Fatalf("%d signals", len(r.Signals))
	}
	g := r.Signals[0]
	if year := 1871 + g.OnsetIndex; year != 1899 || g.Direction != spc.Down {
		t.Errorf("onset %d, %v", year, g.Direction)
	}
	if found := 1871 + g.Index; found > 1906 {
		t.Errorf("found in %d", found)
	}
}

func TestOnsetIntervalCovers(t *testing.T) {
	t.Parallel()
	rounds := 300
	if shared.Verify() {
		rounds = 4000
	}
	rng := rand.New(rand.NewPCG(8, 8))
	covered, all := 0, 0
	for range rounds {
		s := scores(300)(rng, 300)
		at := 200 + rng.IntN(60)
		for i := at; i < 300; i++ {
			s.Points[i].Sum -= 12 * s.Points[i].N
		}
		for _, g := range spc.Monitor([]spc.Series{s}, spc.Options{BaselineTo: day(149)})[0].Signals {
			if g.Index >= at {
				all++
				if !g.OnsetLow.After(day(at)) && !g.OnsetHigh.Before(day(at)) {
					covered++
				}
				break
			}
		}
	}
	if share := float64(covered) / float64(all); share < 0.9 {
		t.Errorf("the interval holds the onset in %.3f of %d", share, all)
	}
}

func TestFewAnswersNeverAlarm(t *testing.T) {
	t.Parallel()
	s := scores(300)(rand.New(rand.NewPCG(1, 1)), 200)
	s.Points[180] = spc.NPSPoint(day(180), 0, 0, 4) // four angry answers
	s.Points[181] = spc.Point{Time: day(181)}       // and a day without any
	r := spc.Monitor([]spc.Series{s}, spc.Options{BaselineTo: day(149)})[0]
	if len(r.Signals) != 0 || r.Points[180].State != spc.Few || r.Points[181].State != spc.Few {
		t.Errorf("signals %v, states %v %v", r.Signals, r.Points[180].State, r.Points[181].State)
	}
	short := spc.Series{Kind: spc.NPS, Points: s.Points[:8]}
	if r := spc.Monitor([]spc.Series{short}, spc.Options{})[0]; r.State != spc.Few || !math.IsNaN(r.Points[7].Center) {
		t.Errorf("eight days gave %v", r.State)
	}
}

func TestStale(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 1))
	live, dead := scores(300)(rng, 100), scores(300)(rng, 90)
	r := spc.Monitor([]spc.Series{live, dead}, spc.Options{})
	if r[0].State != spc.Noise || r[1].State != spc.Stale {
		t.Errorf("states %v and %v", r[0].State, r[1].State)
	}
}

func TestHierarchy(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 1))
	build := func(moved ...int) []spc.Series {
		bank := spc.Series{Name: "bank", Kind: spc.NPS, Good: spc.GoodUp}
		var all []spc.Series
		for b := range 4 {
			s := scores(300)(rng, 300)
			s.Name, s.Parent = fmt.Sprintf("branch %d", b), "bank"
			if slices.Contains(moved, b) {
				for i := 250; i < 300; i++ {
					s.Points[i].Sum -= 15 * s.Points[i].N
				}
			}
			all = append(all, s)
		}
		for i := range 300 {
			p := spc.Point{Time: day(i)}
			for _, s := range all {
				p.N, p.Sum, p.SumSq = p.N+s.Points[i].N, p.Sum+s.Points[i].Sum, p.SumSq+s.Points[i].SumSq
			}
			bank.Points = append(bank.Points, p)
		}
		return append(all, bank)
	}
	for _, r := range spc.Monitor(build(0, 1, 2, 3), spc.Options{BaselineTo: day(149)})[:4] {
		if len(r.Signals) == 0 || r.Signals[0].Under != "bank" {
			t.Errorf("%s: %+v is not the bank's", r.Name, r.Signals)
		}
	}
	one := spc.Monitor(build(2), spc.Options{BaselineTo: day(149)})
	if g := one[2].Signals; len(g) == 0 || g[0].Under != "" {
		t.Errorf("branch 2 alone: %+v", g)
	}
	if g := one[4].Signals; len(g) == 0 || g[0].Driver != "branch 2" {
		t.Errorf("the bank moved because of branch 2: %+v", g)
	}
}

func TestBlipReturns(t *testing.T) {
	t.Parallel()
	s := scores(300)(rand.New(rand.NewPCG(4, 1)), 300)
	for i := 200; i < 204; i++ {
		s.Points[i].Sum -= 40 * s.Points[i].N
	}
	r := spc.Monitor([]spc.Series{s}, spc.Options{BaselineTo: day(149)})[0]
	if len(r.Signals) != 1 || r.Signals[0].Outcome != spc.Returned || r.Signals[0].EndIndex != 204 || r.State != spc.Noise {
		t.Errorf("%+v, now %v", r.Signals, r.State)
	}
	if r.Points[201].State != spc.Worse || r.Points[220].State != spc.Noise {
		t.Errorf("states %v, %v", r.Points[201].State, r.Points[220].State)
	}
}

// Adding a constant to a measure, or changing its unit, must not change what is
// found.
func TestMonitorIsScaleFree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		a := rapid.Float64Range(-1e3, 1e3).Draw(t, "shift")
		b := math.Exp(rapid.Float64Range(-6, 6).Draw(t, "log scale"))
		x, y := spc.Series{Kind: spc.Value}, spc.Series{Kind: spc.Value}
		for i := range 120 {
			v := rng.NormFloat64()
			if i > 80 {
				v += 2
			}
			x.Points = append(x.Points, spc.ValuePoint(day(i), v))
			y.Points = append(y.Points, spc.ValuePoint(day(i), a+b*v))
		}
		r := spc.Monitor([]spc.Series{x}, spc.Options{})[0].Signals
		q := spc.Monitor([]spc.Series{y}, spc.Options{})[0].Signals
		if len(r) != len(q) {
			t.Fatalf("%d signals became %d", len(r), len(q))
		}
		for i := range r {
			if r[i].Index != q[i].Index || r[i].OnsetIndex != q[i].OnsetIndex || r[i].Direction != q[i].Direction {
				t.Fatalf("%+v became %+v", r[i], q[i])
			}
		}
	})
}

// Whatever arrives, nothing panics and every point has a result.
func FuzzMonitor(f *testing.F) {
	f.Add(uint64(1), uint8(1), int16(40), float64(3))
	f.Add(uint64(2), uint8(4), int16(3), float64(-1))
	f.Fuzz(func(t *testing.T, seed uint64, kind uint8, n int16, size float64) {
		rng := rand.New(rand.NewPCG(seed, 3))
		s := spc.Series{Kind: spc.Kind(kind % 5)}
		for i := range int(n) & 0xff {
			p := spc.Point{Time: day(i + rng.IntN(2)), N: math.Floor(size * rng.Float64()), Sum: size * rng.NormFloat64(), SumSq: size}
			if rng.IntN(9) == 0 {
				p.N, p.Sum = math.NaN(), math.Inf(1)
			}
			s.Points = append(s.Points, p)
		}
		if r := spc.Monitor([]spc.Series{s}, spc.Options{})[0]; len(r.Points) != len(s.Points) {
			t.Fatalf("%d results for %d points", len(r.Points), len(s.Points))
		}
	})
}

func TestWords(t *testing.T) {
	t.Parallel()
	s := scores(300)(rand.New(rand.NewPCG(4, 1)), 300)
	for i := 200; i < 300; i++ {
		s.Points[i].Sum -= 15 * s.Points[i].N
	}
	g := spc.Monitor([]spc.Series{s}, spc.Options{BaselineTo: day(149)})[0].Signals[0]
	en, vi := spc.Words(g, spc.English), spc.Words(g, spc.Vietnamese)
	if !strings.HasPrefix(en, "NPS fell from ") || !strings.Contains(en, "answers. Noise alone") {
		t.Error(en)
	}
	if !strings.HasPrefix(vi, "NPS giảm từ ") || !strings.Contains(vi, "câu trả lời. Nếu chỉ do ngẫu nhiên") {
		t.Error(vi)
	}
	for state := range spc.Stale + 1 {
		if spc.StateWords(state, spc.English) == "" || spc.StateWords(state, spc.Vietnamese) == "" {
			t.Errorf("no words for %v", state)
		}
	}
}

func ExampleMonitor() {
	s := spc.Series{Name: "Nile", Kind: spc.Value}
	for i, x := range nile {
		s.Points = append(s.Points, spc.ValuePoint(day(365*i), x))
	}
	for _, g := range spc.Monitor([]spc.Series{s}, spc.Options{})[0].Signals {
		fmt.Println("since", 1871+g.OnsetIndex, "found", 1871+g.Index)
		fmt.Println(spc.Words(g, spc.English))
	}
	// Output:
	// since 1899 found 1905
	// The value fell from 1,098 to 808.0, 1.8 standard deviations of one period, over 7 periods. Noise alone would show as much once in 4,500 periods.
}

func BenchmarkMonitor500x420(b *testing.B) {
	b.ReportAllocs()
	series, _ := simulate(500, 420, 1, 0.4)
	for b.Loop() {
		spc.Monitor(series, spc.Options{BaselineTo: day(209)})
	}
}

// Every Tết the score falls for weeks and calls double. The first time only
// widens the band; the later ones are expected. Without a calendar they are news.
func TestCalendarIsNotNews(t *testing.T) {
	t.Parallel()
	rounds := uint64(6)
	if shared.Verify() {
		rounds = 200
	}
	vn := &calendar.Vietnam{}
	change := civil("2023-10-01")
	stray, blind, missed := 0, 0, 0
	for seed := range rounds {
		series := festive(rand.New(rand.NewPCG(seed, 1)), vn, change)
		blind += len(spc.Monitor(series, spc.Options{})[1].Signals)
		for _, r := range spc.Monitor(series, spc.Options{Calendar: vn}) {
			found := false
			for _, g := range r.Signals {
				if g.Detected.Before(change) {
					stray++
				} else if g.State == spc.Worse {
					found = true
				}
			}
			if !found {
				missed++
			}
		}
	}
	days := float64(rounds) * 2 * 800
	if rate := 1000 * float64(stray) / days; rate > 0.7 {
		t.Errorf("%.2f false signals per 1,000 days with a calendar", rate)
	}
	if missed > 0 || blind < 3*int(rounds) {
		t.Errorf("%d changes missed with a calendar, %d signals without", missed, blind)
	}
}

func festive(rng *rand.Rand, vn *calendar.Vietnam, change time.Time) []spc.Series {
	nps := spc.Series{Name: "nps", Kind: spc.NPS, Good: spc.GoodUp}
	calls := spc.Series{Name: "calls", Kind: spc.Count, Good: spc.GoodDown}
	for d := civil("2021-07-01"); d.Before(civil("2024-04-01")); d = d.AddDate(0, 0, 1) {
		move, rate := 0.0, 40.0
		switch vn.Class(d) {
		case calendar.TetDays, calendar.BeforeTet:
			move, rate = -0.12, 90
		case calendar.PayDay:
			rate = 60
		}
		if d.Weekday() == time.Sunday {
			move, rate = move+0.04, rate*0.5
		}
		if !d.Before(change) {
			move, rate = move-0.08, rate*1.5
		}
		nps.Points = append(nps.Points, answersOf(rng, d, poisson(rng, 250), 0.5+move/2, 0.25-move/2))
		calls.Points = append(calls.Points, spc.CountPoint(d, float64(poisson(rng, rate)), 1))
	}
	return []spc.Series{nps, calls}
}

func civil(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}
