package rollout

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"pgregory.net/rapid"
)

func unitsOf(n int) []Unit {
	out := make([]Unit, n)
	for i := range out {
		out[i] = Unit{ID: fmt.Sprintf("u%03d", i), Stratum: fmt.Sprint(i % 3), Baseline: float64((i * 37) % 101)}
	}
	return out
}

// The order is fixed for ever by seed and design: these are the first cohorts of a
// draw, to be the same on every machine and in every version.
func TestOrderIsReproducible(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		d    Design
		want string
	}{
		{Design{Cohorts: 3, Every: 2, HoldOut: 0.25, Seed: 7}, "[-1 0 -1 2 -1 1 2 0 1 0 2 -1 -1 1 2 1 2 0 1 0]"},
		{Design{Cohorts: 3, Every: 2, HoldOut: 0.25, Match: true, Seed: 7}, "[0 0 1 1 1 0 -1 -1 -1 2 0 -1 2 2 1 1 0 2 -1 2]"},
	} {
		got, err := Assign(unitsOf(20), x.d)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != x.want {
			t.Errorf("match %v: got %v, want %v", x.d.Match, got, x.want)
		}
	}
}

func TestAssignProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := Design{Cohorts: rapid.IntRange(1, 5).Draw(t, "cohorts"), Every: 1, HoldOut: rapid.SampledFrom([]float64{0.1, 0.2, 0.25, 0.5}).Draw(t, "hold"),
			Match: rapid.Bool().Draw(t, "match"), Seed: rapid.Uint64().Draw(t, "seed")}
		n := rapid.IntRange(2*d.groups(), 90).Draw(t, "n")
		units := unitsOf(n)
		got, err := Assign(units, d)
		if err != nil {
			t.Fatal(err)
		}
		count := map[int]float64{}
		for _, c := range got {
			count[c]++
		}
		for c := range d.Cohorts {
			if want := (1 - d.HoldOut) / float64(d.Cohorts) * float64(n); math.Abs(count[c]-want) > 1.0001 {
				t.Fatalf("cohort %d has %g units of %d, wanted about %g", c, count[c], n, want)
			}
		}
		// The order in which units are given does not matter.
		back := make([]Unit, n)
		for i, u := range units {
			back[n-1-i] = u
		}
		other, err := Assign(back, d)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if got[i] != other[n-1-i] {
				t.Fatal("the cohort of a unit depends on where it stands in the list")
			}
		}
		if err := Verify(units, d, got); err != nil {
			t.Fatal(err)
		}
		i, k := rapid.IntRange(0, n-1).Draw(t, "i"), rapid.IntRange(0, n-1).Draw(t, "k")
		if got[i] != got[k] {
			got[i], got[k] = got[k], got[i]
			if err := Verify(units, d, got); !errors.Is(err, ErrTampered) {
				t.Fatalf("two units changed places and nobody noticed: %v", err)
			}
		}
	})
}

// Every unit may fall into every cohort, about as often as its share says.
func TestChanceIsFair(t *testing.T) {
	t.Parallel()
	for _, match := range []bool{false, true} {
		units, d := unitsOf(18), Design{Cohorts: 2, Every: 1, HoldOut: 1.0 / 3, Match: match}
		count := make([][3]int, len(units))
		const draws = 3000
		for s := range uint64(draws) {
			d.Seed = s*7919 + 1
			got, err := Assign(units, d)
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range got {
				count[i][c+1]++
			}
		}
		for i := range count {
			for c, k := range count[i] {
				if math.Abs(float64(k)-draws/3) > 5*math.Sqrt(draws*2.0/9) {
					t.Errorf("match %v: unit %d was %d times of %d in cohort %d", match, i, k, draws, c-1)
				}
			}
		}
	}
}

func TestDesignsThatDoNotHold(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]Design{"no cohort": {Every: 1}, "nobody waits": {Cohorts: 1, Every: 1}, "no pause": {Cohorts: 2}, "most held out": {Cohorts: 2, Every: 1, HoldOut: 0.6}} {
		if _, err := Assign(unitsOf(20), d); !errors.Is(err, ErrDesign) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Assign(unitsOf(5), Design{Cohorts: 3, Every: 1}); !errors.Is(err, ErrDesign) {
		t.Errorf("five units in three groups: %v", err)
	}
	twice := unitsOf(20)
	twice[3].ID = twice[4].ID
	if _, err := Assign(twice, Design{Cohorts: 3, Every: 1}); !errors.Is(err, ErrDesign) {
		t.Errorf("an id used twice: %v", err)
	}
}

// world simulates a bank: units of different size and level, a shock each week that
// all share, noise of single answers, and an effect on units that have begun.
type world struct {
	d       Design
	units   []Unit
	cohorts []int
	panel   Panel
	truth   float64 // average effect over the answers that are compared
}

func simulate(seed uint64, n, weeks int, d Design, effect func(unit, since int) float64, size float64) world {
	r := rand.New(rand.NewPCG(seed, 99))
	w := world{d: d, units: make([]Unit, n)}
	level, scale := make([]float64, n), make([]float64, n)
	for i := range w.units {
		level[i], scale[i] = 0.7+0.08*r.NormFloat64(), size*math.Exp(0.6*r.NormFloat64())
		w.units[i] = Unit{ID: fmt.Sprint(i), Stratum: fmt.Sprint(i % 8), Baseline: level[i]}
	}
	w.d.Seed = r.Uint64()
	w.cohorts, _ = Assign(w.units, w.d)
	w.panel = Panel{Units: w.units, Before: 10}
	shock := make([]float64, weeks)
	for t := range shock {
		shock[t] = 0.04 * r.NormFloat64()
	}
	for i := range n {
		s, k := make([]float64, weeks), make([]float64, weeks)
		drift := 0.0
		for t := range weeks {
			drift = 0.8*drift + 0.015*r.NormFloat64() // a unit's own weeks go together
			p := level[i] + shock[t] + drift
			if since := t - w.panel.Before - w.d.Starts(w.cohorts[i]); since >= 0 {
				p += effect(i, since)
			}
			k[t] = float64(poisson(r, scale[i]))
			for range int(k[t]) {
				if r.Float64() < min(1, max(0, p)) {
					s[t]++
				}
			}
		}
		w.panel.Sum, w.panel.N = append(w.panel.Sum, s), append(w.panel.N, k)
	}
	// The truth is what the estimator would give of the effects themselves.
	m, _ := prepare(w.panel, w.d, w.cohorts, Options{})
	for i := range n {
		for t := range weeks {
			m.rest[i][t] = 0
			if since := t - w.panel.Before - w.d.Starts(w.cohorts[i]); since >= 0 {
				m.rest[i][t] = effect(i, since)
			}
		}
	}
	w.truth = m.estimate(w.cohorts, nil).a
	return w
}

func poisson(r *rand.Rand, mean float64) (k int) {
	for p := r.Float64(); p > math.Exp(-mean); p *= r.Float64() {
		k++
	}
	return k
}

// An estimate is nothing but the group-time effects, put together: this adds them
// up by the definition, with nothing shared with the code under test.
func TestEstimateByItsDefinition(t *testing.T) {
	t.Parallel()
	w := simulate(3, 24, 20, Design{Cohorts: 3, Every: 2, HoldOut: 0.25}, func(int, int) float64 { return 0.1 }, 9)
	got, err := Measure(w.panel, w.d, w.cohorts, Options{Draws: 200})
	if err != nil {
		t.Fatal(err)
	}
	p, level := w.panel, levels(w.panel)
	var sum, weight float64
	for week := p.Before; week < 20; week++ {
		var perCohort [3][2]float64 // n, and n × (mean − level)
		var waitN, waitSum float64
		for i, c := range w.cohorts {
			n := p.N[i][week]
			rest := p.Sum[i][week] - n*level[i]
			if c != HeldOut && week >= p.Before+2*c {
				perCohort[c][0] += n
				perCohort[c][1] += rest
			} else {
				waitN += n
				waitSum += rest
			}
		}
		begun, att := 0.0, 0.0
		for _, x := range perCohort {
			if x[0] > 0 {
				begun += x[0]
				att += x[0] * (x[1]/x[0] - waitSum/waitN)
			}
		}
		if begun > 0 && waitN > 0 {
			k := begun * waitN / (begun + waitN)
			sum += k * att / begun
			weight += k
		}
	}
	if want := sum / weight; math.Abs(got.Value-want) > 1e-12 {
		t.Errorf("got %v, by definition %v", got.Value, want)
	}
	all, err := GroupTimes(p, w.d, w.cohorts)
	if err != nil || len(all) != 10+8+6 {
		t.Errorf("%d group-time effects, %v", len(all), err)
	}
}

// Levels by hand: with no difference but noise all are pulled to the mean; with no
// noise none is.
func TestLevels(t *testing.T) {
	t.Parallel()
	clean := Panel{Units: unitsOf(2), Before: 2, N: [][]float64{{4, 4}, {4, 4}}, Sum: [][]float64{{1, 1}, {3, 3}}}
	if got := levels(clean); got[0] != 0.25 || got[1] != 0.75 {
		t.Errorf("no noise: %v", got)
	}
	noisy := Panel{Units: unitsOf(2), Before: 2, N: [][]float64{{4, 4}, {4, 4}}, Sum: [][]float64{{0, 4}, {4, 0}}}
	if got := levels(noisy); got[0] != 0.5 || got[1] != 0.5 {
		t.Errorf("all noise: %v", got)
	}
}

// The interval against its definition: a hypothesis is kept when at least half of
// the level of draws is as extreme, found by trying hypotheses one by one.
func TestIntervalByTrying(t *testing.T) {
	t.Parallel()
	w := simulate(5, 16, 18, Design{Cohorts: 2, Every: 3, HoldOut: 0.34}, func(int, int) float64 { return 0.15 }, 8)
	o := Options{Draws: 399, Seed: 4}
	got, err := Measure(w.panel, w.d, w.cohorts, o)
	if err != nil {
		t.Fatal(err)
	}
	m, _ := prepare(w.panel, w.d, w.cohorts, o)
	refuted := func(tau float64) bool {
		r, other := rand.NewPCG(o.Seed, 0x2545f4914f6cdd1d), make([]int, len(w.cohorts))
		clean := *m
		clean.rest = make([][]float64, len(m.rest))
		for i := range m.rest {
			clean.rest[i] = append([]float64(nil), m.rest[i]...)
			for week := range clean.rest[i] {
				if week >= m.start[i] {
					clean.rest[i][week] -= tau // what the unit would have shown without it
				}
			}
		}
		real, above, below := clean.estimate(w.cohorts, nil).a, 1, 1
		for range o.Draws {
			clean.order.deal(r.Uint64(), other)
			if x := clean.estimate(other, nil).a; x >= real {
				above++
			} else {
				below++
			}
		}
		return float64(min(above, below)) <= 0.025*float64(o.Draws+1)
	}
	for _, x := range []struct {
		tau  float64
		want bool
	}{{got.Low - 1e-6, true}, {got.Low + 1e-6, false}, {got.High - 1e-6, false}, {got.High + 1e-6, true}, {got.Value, false}} {
		if refuted(x.tau) != x.want {
			t.Errorf("effect %v refuted: %v, interval %v to %v", x.tau, !x.want, got.Low, got.High)
		}
	}
	if (got.P <= 0.05) != refuted(0) {
		t.Errorf("p = %v, nothing refuted: %v", got.P, refuted(0))
	}
}

// Over many banks the interval covers the true effect, also when it fades and
// differs, and calls nothing an effect in at most one case in twenty.
func TestCoverage(t *testing.T) {
	t.Parallel()
	banks := 120
	if os.Getenv("OMOTE_VERIFY") == "1" {
		banks = 2000
	}
	for name, x := range map[string]struct {
		effect func(unit, since int) float64
		match  bool
		none   bool
	}{
		"nothing":  {func(int, int) float64 { return 0 }, false, true},
		"constant": {func(int, int) float64 { return 0.08 }, true, false},
		"fading, different": {func(u, since int) float64 {
			return 0.1 * math.Exp(-float64(since)/12) * (0.5 + float64(u%3)/2)
		}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			covered, proven := 0, 0
			for s := range banks {
				w := simulate(uint64(s)+1, 48, 22, Design{Cohorts: 3, Every: 3, HoldOut: 0.25, Match: x.match}, x.effect, 4)
				got, err := Measure(w.panel, w.d, w.cohorts, Options{Draws: 399, Seed: uint64(s)})
				if err != nil {
					t.Fatal(err)
				}
				if got.Low <= w.truth && w.truth <= got.High {
					covered++
				}
				if got.Proven() {
					proven++
				}
			}
			share := float64(covered) / float64(banks)
			slack := 3 * math.Sqrt(0.95*0.05/float64(banks)) // of the simulation itself
			t.Logf("%d banks: covered %.3f, called an effect %.3f", banks, share, float64(proven)/float64(banks))
			if share < 0.95-slack || share > 0.97+slack {
				t.Errorf("covered %.3f", share)
			}
			if x.none && float64(proven)/float64(banks) > 0.05+slack {
				t.Errorf("nothing was called an effect in %.3f", float64(proven)/float64(banks))
			}
			if !x.none && float64(proven)/float64(banks) < 0.5 {
				t.Errorf("an effect was seen in only %.3f", float64(proven)/float64(banks))
			}
		})
	}
}

func TestTooLittleToSay(t *testing.T) {
	t.Parallel()
	w := simulate(1, 24, 20, Design{Cohorts: 3, Every: 2, HoldOut: 0.25}, func(int, int) float64 { return 0 }, 9)
	short := w.panel
	short.N, short.Sum = nil, nil
	for i := range w.panel.N {
		short.N, short.Sum = append(short.N, w.panel.N[i][:10]), append(short.Sum, w.panel.Sum[i][:10])
	}
	if _, err := Measure(short, w.d, w.cohorts, Options{}); !errors.Is(err, ErrFew) {
		t.Errorf("before anybody begins: %v", err)
	}
	short.N = short.N[1:]
	if _, err := Measure(short, w.d, w.cohorts, Options{}); !errors.Is(err, ErrPanel) {
		t.Errorf("a unit without weeks: %v", err)
	}
}

func TestAdopted(t *testing.T) {
	t.Parallel()
	got := Adopted([]bool{true, true, false, true, false, false, true, true, true, false})
	want := []bool{false, false, false, true, true, false, false, true, true, true}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	curve := Adoption([][]bool{{true, true, true}, {false, false}})
	if len(curve) != 3 || curve[1].N != 2 || curve[2].N != 1 || curve[2].Value != 1 {
		t.Errorf("curve %+v", curve)
	}
}

func TestRetention(t *testing.T) {
	t.Parallel()
	var units []Kept
	for range 20 {
		units = append(units, Kept{Before: Seen{4, 10}, End: Seen{8, 10}, Later: Seen{7, 10}})
	}
	got, err := Retention(units, 1)
	if err != nil || !got.Known || math.Abs(got.Share.Value-0.75) > 1e-12 || math.Abs(got.Gain.Value-0.4) > 1e-12 {
		t.Errorf("three quarters of forty points remained: %+v, %v", got, err)
	}
	for i := range units { // half gained, half lost as much
		units[i].End = Seen{float64(4 + 3*(1-2*(i%2))), 10}
	}
	if got, err = Retention(units, 1); err != nil || got.Known {
		t.Errorf("a share of no gain: %+v, %v", got, err)
	}
	if _, err = Retention(units[:2], 1); !errors.Is(err, ErrFew) {
		t.Errorf("two units: %v", err)
	}
}
