package bank

import (
	"math"
	"testing"
)

// calibration compares what happened with the chances under which it happened.
type calibration struct {
	truthWatch
	answered  map[string]*[3]float64 // channel: expected, happened, variance
	departure int
}

func (w *calibration) asked(c *customer, at64 int64, it *item, would int, _, chance float64, answered bool) {
	k := channelNames[it.ch]
	x := w.answered[k]
	if x == nil {
		x = &[3]float64{}
		w.answered[k] = x
	}
	x[0] += chance
	x[2] += chance * (1 - chance)
	if answered {
		x[1]++
	}
}

func (w *calibration) decided(*customer, int64) { w.departure++ }

func TestHazardAndResponseAreCalibrated(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Seed: 21, Customers: sample(6000, 60_000)})
	w := &calibration{truthWatch: *newTruthWatch(b), answered: map[string]*[3]float64{}}
	hazard := 0.0
	simulate(b, w, func(c *customer, items []item) { hazard += c.hazard })
	// departures minus the hazard lived through is a martingale; the stretch in
	// which somebody departs counts whole, so the variance is the hazard's
	if gap := float64(w.departure) - hazard; math.Abs(gap) > sigmas*math.Sqrt(hazard) {
		t.Errorf("%d decided to leave under a hazard of %.1f", w.departure, hazard)
	}
	for ch, x := range w.answered {
		if math.Abs(x[1]-x[0]) > sigmas*math.Sqrt(x[2])+1 {
			t.Errorf("%s: %.0f answered, %.1f expected", ch, x[1], x[0])
		}
	}
}

func TestAsymmetry(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Customers: 1, Plan: &Plan{}})
	move := func(quality float64) float64 {
		s := &sim{b: b}
		c := &customer{temper: 1, feltAt: b.start, r: 1}
		s.feltItem(c, &item{at: b.start, x: encodeQuality(quality), y: 50})
		return float64(c.feel)
	}
	if up := move(1); math.Abs(up-RewardPerGap) > 1e-6 {
		t.Errorf("one sd above expectation moves feeling by %.3f, not %.3f", up, RewardPerGap)
	}
	if down := move(-1); math.Abs(down+PenaltyPerGap) > 1e-6 {
		t.Errorf("one sd below expectation moves feeling by %.3f, not %.3f", down, -PenaltyPerGap)
	}
}

func TestFeelingReturnsToItsBase(t *testing.T) {
	t.Parallel()
	c := &customer{feel: -2, base: 0.5, feltAt: 0}
	c.relax(int64(relaxation))
	if want := 0.5 - 2.5/math.E; math.Abs(float64(c.feel)-want) > 1e-5 {
		t.Errorf("after one time constant feeling is %.4f, not %.4f", c.feel, want)
	}
}

func TestMoneyFollowsFeeling(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Customers: 1, Plan: &Plan{}})
	growth := func(feel float32) moments {
		var m moments
		s := &sim{b: b}
		c := &customer{income: 12, feel: feel, r: rng(77)}
		for range 20_000 {
			c.balance, c.plan = 6, c.plan[:0]
			s.monthEnd(c, b.start)
			m.add(math.Log(float64(c.balance) / 6))
		}
		return m
	}
	wantShift(t, "monthly growth of balances", growth(-1), growth(1), 2*BalancePerFeeling, 0)
}

func TestDepositsStayWithTheContent(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Customers: 1, Plan: &Plan{}})
	stays := func(feel float32) rate {
		var kept rate
		s := &sim{b: b}
		c := &customer{r: rng(5)}
		for range 20_000 {
			c.plan, c.feel, c.deposit = c.plan[:0], feel, 100
			w := s.begin(c, jDeposit, b.start)
			w.it.unit = 1
			s.choose(&w, false, b.start, 0)
			for i := range c.plan {
				switch c.plan[i].name {
				case evDepositInstructionGiven:
					kept.n++
				case evDepositWithdrawnToOtherBank:
					kept.hit++
				}
			}
		}
		return rate{kept.n - kept.hit, kept.n}
	}
	wantOdds(t, "deposits that stay", stays(-1), stays(1), math.Exp(2*DepositPerFeeling))
}

func TestAttritionHazardIsAsStated(t *testing.T) {
	t.Parallel()
	if r := AttritionHazard(5, 3, -1) / AttritionHazard(5, 3, 1); math.Abs(r-math.Exp(2*AttritionPerFeeling)) > 1e-9 {
		t.Errorf("two sd of feeling multiply the hazard by %.3f", r)
	}
	if AttritionHazard(0.2, 2, 0) < 1.5*AttritionHazard(5, 2, 0) {
		t.Error("the first months are not more dangerous than later years")
	}
}

func TestExpectedNPSMatchesTheScores(t *testing.T) {
	t.Parallel()
	s := &sim{}
	for _, feel := range []float32{-1.5, 0, 1} {
		c := &customer{feel: feel, r: rng(9)}
		var m moments
		for range 40_000 {
			_, score := s.score(c, &item{x: insRel})
			m.add(npsPoint(score))
		}
		if want := ExpectedNPS(float64(feel)); math.Abs(m.mean()-want) > sigmas*m.se() {
			t.Errorf("feeling %.1f: NPS %.2f, stated %.2f", feel, m.mean(), want)
		}
	}
}

// nonresponse weighs what the invited would say by their chance of saying it.
type nonresponse struct {
	truthWatch
	all, app, message struct{ weight, weighed, n, plain float64 }
}

func (w *nonresponse) asked(c *customer, at64 int64, it *item, would int, _, chance float64, answered bool) {
	if it.x != insRel {
		return
	}
	part := &w.message
	if it.ch == chApp {
		part = &w.app
	}
	for _, x := range []*struct{ weight, weighed, n, plain float64 }{&w.all, part} {
		x.weight += chance
		x.weighed += chance * npsPoint(would)
		x.n++
		x.plain += npsPoint(would)
	}
}

func TestRawAveragesAreBiased(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Seed: 2, Customers: sample(6000, 40_000)})
	w := &nonresponse{truthWatch: *newTruthWatch(b)}
	simulate(b, w, func(*customer, []item) {})
	bias := func(x struct{ weight, weighed, n, plain float64 }) float64 { return x.weighed/x.weight - x.plain/x.n }
	if all, app, message := bias(w.all), bias(w.app), bias(w.message); all < 3 || app < 8 || message > -3 {
		t.Errorf("answers are off by %.1f points, in the app by %.1f, by message by %.1f: known biases are missing", all, app, message)
	}
}
