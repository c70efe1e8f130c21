package moments

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// verify tells whether the long forms run.
func verify() bool { return os.Getenv("OMOTE_VERIFY") == "1" }

// world is a population whose truth is known: exposure and outcome both depend
// on two covariates, so that a plain comparison is wrong.
type world struct {
	effect    float64 // added to the chance of the outcome by exposure
	confusion float64 // how much the covariates move both
	rare      float64 // log-odds of exposure
	curved    bool    // exposure also depends on a square that its model lacks
}

func (w world) draw(customers int, seed uint64) (s Study, truth float64) {
	r := rand.New(rand.NewPCG(seed, 1))
	s.Columns = 3
	n1 := 0.0
	for c := range customers {
		a, b, personal := r.NormFloat64(), r.NormFloat64(), 0.4*r.NormFloat64()
		for range 1 + r.IntN(3) {
			z := r.NormFloat64()
			x := w.rare + w.confusion*(a-0.5*b)
			if w.curved {
				x += 0.4 * (a*a - 1)
			}
			d := r.Float64() < 1/(1+math.Exp(-x))
			p := 1 / (1 + math.Exp(-(-2 + w.confusion*a + 0.3*b + 0.2*z + personal)))
			moved := min(p+w.effect, 1)
			if d {
				truth += moved - p
				n1++
				p = moved
			}
			y := 0.0
			if r.Float64() < p {
				y = 1
			}
			s.Exposed, s.Outcome, s.Customer = append(s.Exposed, d), append(s.Outcome, y), append(s.Customer, int32(c))
			s.Covariates = append(s.Covariates, a, b, z)
		}
	}
	return s, truth / n1
}

// The interval holds the true effect as often as it says, with and without an
// effect, also where the model of exposure is wrong; a plain comparison does not.
func TestEffectCovers(t *testing.T) {
	t.Parallel()
	rounds := 60
	if verify() {
		rounds = 1000
	}
	for name, w := range map[string]world{
		"no effect": {0, 0.8, -2, false}, "effect": {0.1, 0.8, -2, false}, "wrong exposure model": {0.1, 0.8, -2, true}, "rare": {0.1, 0.5, -3.5, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inside, rawInside, bias := 0, 0, 0.0
			for i := range rounds {
				s, truth := w.draw(1500, uint64(i))
				r, err := Effect(s, Options{Seed: uint64(i)})
				if err != nil {
					t.Fatal(err)
				}
				if r.Effect.Contains(truth) {
					inside++
				}
				if math.Abs(r.Raw-truth) <= r.Effect.HalfWidth() {
					rawInside++
				}
				bias += (r.Effect.Value - truth) / float64(rounds)
			}
			share := float64(inside) / float64(rounds)
			slack := 3.5 * math.Sqrt(0.9*0.1/float64(rounds))
			if share < 0.9-slack-0.01 || share > min(1, 0.9+slack+0.03) {
				t.Errorf("%.3f of the intervals hold the truth, want 0.9 ± %.3f", share, slack)
			}
			if w.confusion > 0.7 && float64(rawInside)/float64(rounds) > 0.6 {
				t.Errorf("the plain comparison is right in %d of %d: nothing was confused", rawInside, rounds)
			}
			if math.Abs(bias) > 0.012 {
				t.Errorf("bias %.4f", bias)
			}
		})
	}
}

// The interval from influence functions is as wide as the one from drawing
// customers anew.
func TestInfluenceEqualsBootstrap(t *testing.T) {
	t.Parallel()
	s, _ := world{0.1, 0.6, -1.5, false}.draw(800, 7)
	r, err := Effect(s, Options{Seed: 1, Level: 0.9})
	if err != nil {
		t.Fatal(err)
	}
	draws := 120
	if verify() {
		draws = 1000
	}
	var rows [][]int
	for i, c := range s.Customer {
		for len(rows) <= int(c) {
			rows = append(rows, nil)
		}
		rows[c] = append(rows[c], i)
	}
	random := rand.New(rand.NewPCG(3, 3))
	var values []float64
	for range draws {
		var b Study
		b.Columns = s.Columns
		for c := range rows {
			for _, i := range rows[random.IntN(len(rows))] {
				b.Exposed, b.Outcome, b.Customer = append(b.Exposed, s.Exposed[i]), append(b.Outcome, s.Outcome[i]), append(b.Customer, int32(c))
				b.Covariates = append(b.Covariates, s.Covariates[i*3:i*3+3]...)
			}
		}
		e, err := Effect(b, Options{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, e.Effect.Value)
	}
	mean, square := 0.0, 0.0
	for _, v := range values {
		mean += v / float64(draws)
	}
	for _, v := range values {
		square += (v - mean) * (v - mean)
	}
	booted := math.Sqrt(square / float64(draws-1))
	own := r.Effect.HalfWidth() / quantileNormal(0.95)
	if ratio := own / booted; ratio < 0.8 || ratio > 1.2 {
		t.Errorf("standard error %.4f, by bootstrap %.4f", own, booted)
	}
}

// Where the exposed have no counterparts nothing is stated.
func TestNoOverlapIsUnsound(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	s := Study{Columns: 1}
	for c := range 2000 {
		x := r.NormFloat64()
		s.Exposed, s.Outcome, s.Customer = append(s.Exposed, x > 1), append(s.Outcome, float64(r.IntN(2))), append(s.Customer, int32(c))
		s.Covariates = append(s.Covariates, x)
	}
	e, err := Effect(s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if e.Overlap.Sound() {
		t.Errorf("called sound: %+v", e.Overlap)
	}
	test := []Test{{Whole: e, First: e, Second: e}}
	if Judge(test, 0.05); test[0].Verdict != Insufficient {
		t.Errorf("verdict %v", test[0].Verdict)
	}
}

// Runs without an outcome and rows that change their order do not matter.
func TestEffectIgnoresOrderAndGaps(t *testing.T) {
	t.Parallel()
	s, _ := world{0.1, 0.6, -1.5, false}.draw(600, 5)
	want, err := Effect(s, Options{Seed: 9})
	if err != nil {
		t.Fatal(err)
	}
	order := rand.New(rand.NewPCG(2, 2)).Perm(len(s.Exposed))
	turned := Study{Columns: s.Columns}
	for k, i := range order {
		turned.Exposed, turned.Outcome, turned.Customer = append(turned.Exposed, s.Exposed[i]), append(turned.Outcome, s.Outcome[i]), append(turned.Customer, s.Customer[i])
		turned.Covariates = append(turned.Covariates, s.Covariates[i*3:i*3+3]...)
		if k%7 == 0 {
			turned.Exposed, turned.Outcome, turned.Customer = append(turned.Exposed, true), append(turned.Outcome, math.NaN()), append(turned.Customer, 3)
			turned.Covariates = append(turned.Covariates, 1, 2, 3)
		}
	}
	got, err := Effect(turned, Options{Seed: 9})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(got.Effect.Value-want.Effect.Value) > 1e-9 || math.Abs(got.Effect.Low-want.Effect.Low) > 1e-9 {
		t.Errorf("%v, in another order %v", want.Effect, got.Effect)
	}
	if _, err := Effect(Study{Exposed: []bool{true}}, Options{}); err == nil {
		t.Error("a study whose columns do not fit was taken")
	}
	if _, err := Effect(Study{Exposed: []bool{true}, Outcome: []float64{1}, Customer: []int32{0}}, Options{}); err == nil {
		t.Error("a study without others was taken")
	}
}

// Combine of effects equals the effect of the combined outcome.
func TestCombine(t *testing.T) {
	t.Parallel()
	s, _ := world{0.1, 0.6, -1.5, false}.draw(600, 6)
	other := s
	other.Outcome = slices.Clone(s.Outcome)
	sum := s
	sum.Outcome = slices.Clone(s.Outcome)
	r := rand.New(rand.NewPCG(4, 4))
	for i := range other.Outcome {
		other.Outcome[i] = r.NormFloat64() + s.Outcome[i]
		sum.Outcome[i] = 3*s.Outcome[i] + 2*other.Outcome[i] + 0 // linear, so models of the parts add up nearly
	}
	a, _ := Effect(s, Options{Seed: 1})
	b, _ := Effect(other, Options{Seed: 1})
	whole, err := Effect(sum, Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	got := Combine([]*Result{a, nil, b}, []float64{3, 100, 2})
	if math.Abs(got.Value-whole.Effect.Value) > 0.02 || math.Abs(got.HalfWidth()/whole.Effect.HalfWidth()-1) > 0.05 {
		t.Errorf("combined %v, whole %v", got, whole.Effect)
	}
}

// The plain logistic regression agrees with a known fit: the odds ratio of a
// two-by-two table (ridge almost off).
func TestFitTable(t *testing.T) {
	t.Parallel()
	x := &matrix{cols: 1}
	var y []float64
	var use []bool
	for _, cell := range []struct {
		x, y float64
		n    int
	}{{0, 0, 60}, {0, 1, 40}, {1, 0, 30}, {1, 1, 70}} {
		for range cell.n {
			x.values, y, use = append(x.values, cell.x), append(y, cell.y), append(use, true)
		}
	}
	m, err := fit(x, y, use, true, 1e-9)
	if err != nil {
		t.Fatal(err)
	}
	if want := math.Log(40.0 / 60); math.Abs(m.beta[0]-want) > 1e-6 {
		t.Errorf("intercept %v, want %v", m.beta[0], want)
	}
	if want := math.Log(70.0 / 30 * 60 / 40); math.Abs(m.beta[1]-want) > 1e-6 {
		t.Errorf("slope %v, want %v", m.beta[1], want)
	}
}

// The form follows from penalty and reward.
func TestForms(t *testing.T) {
	t.Parallel()
	at := func(value, half float64) *Result {
		e, _ := interval(value, influence{}, 0.9, 500)
		e.Low, e.High = value-half, value+half
		return &Result{Effect: e}
	}
	for _, c := range []struct {
		penalty, reward *Result
		want            Form
	}{
		{at(0.2, 0.02), at(-0.05, 0.02), MustBe},
		{at(0.05, 0.02), at(-0.2, 0.02), Delighter},
		{at(0.2, 0.02), at(-0.2, 0.02), Performance},
		{at(0.01, 0.05), at(-0.01, 0.05), Unclear},
		{at(0.2, 0.02), nil, Unclear},
	} {
		s := Shape{Penalty: c.penalty, Reward: c.reward}
		if s.classify(); s.Form != c.want || (s.Form != Unclear && s.Sure < 0.8) {
			t.Errorf("%v and %v: %v (%.2f), want %v", c.penalty, c.reward, s.Form, s.Sure, c.want)
		}
	}
}
