package model

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// toy makes texts of three subjects out of a few templates.
func toy(n int, seed uint64) []Example {
	r := rand.New(rand.NewPCG(seed, 1))
	subjects := map[string][]string{
		"card":  {"thẻ bị khóa", "mất thẻ rồi", "thẻ hết hạn", "máy nuốt thẻ", "làm thẻ mới"},
		"loan":  {"vay mua nhà", "lãi vay cao", "hồ sơ vay chậm", "trả nợ trước hạn", "giải ngân lâu"},
		"staff": {"nhân viên nhiệt tình", "thái độ kém", "chị tư vấn dễ thương", "bảo vệ khó chịu", "tổng đài không nghe"},
	}
	extra := []string{"quá", "ạ", "hôm nay", "ở chi nhánh", "luôn", "nhé", "vậy", "rất mong", "giúp em", "lần này"}
	labels := []string{"card", "loan", "staff"}
	var out []Example
	for i := range n {
		l := labels[i%3]
		s := subjects[l][r.IntN(5)] + " " + extra[r.IntN(10)] + " " + extra[r.IntN(10)] + fmt.Sprint(" ", r.IntN(1000))
		out = append(out, Example{Text: s, Labels: []string{l}})
	}
	return out
}

func quick() Options {
	o := DefaultOptions()
	o.Folds = 3
	return o
}

func TestTrainLearnsAndIsDeterministic(t *testing.T) {
	t.Parallel()
	train, test := toy(240, 1), toy(90, 2)
	a, err := Train(train, quick())
	if err != nil {
		t.Fatal(err)
	}
	b, err := Train(train, quick())
	if err != nil {
		t.Fatal(err)
	}
	var bufA, bufB bytes.Buffer
	a.WriteTo(&bufA)
	b.WriteTo(&bufB)
	if !bytes.Equal(bufA.Bytes(), bufB.Bytes()) {
		t.Error("the same seed gave two models")
	}
	r, err := Evaluate(a, test)
	if err != nil {
		t.Fatal(err)
	}
	if r.Accuracy.Value < 0.97 || r.MacroF1 < 0.97 {
		t.Errorf("accuracy %v, macro-F1 %v on an easy task", r.Accuracy, r.MacroF1)
	}
	for i := range test {
		test[i].Text = strings.ToUpper(test[i].Text)
	}
	if r, _ := Evaluate(a, test); r.Accuracy.Value < 0.97 {
		t.Errorf("capitals: %v", r.Accuracy)
	}
}

func TestPlainTextsAreUnderstood(t *testing.T) {
	t.Parallel()
	m, err := Train(toy(240, 1), quick())
	if err != nil {
		t.Fatal(err)
	}
	p := m.NewPredictor()
	for text, want := range map[string]string{"nhan vien nhiet tinh": "staff", "lai vay cao": "loan", "may nuot the": "card"} {
		if got, _ := p.Classify(text).Top(); got != want {
			t.Errorf("%q is %s, have %s", text, want, got)
		}
	}
}

func TestTrainRefuses(t *testing.T) {
	t.Parallel()
	o := DefaultOptions()
	for name, examples := range map[string][]Example{
		"one label": {{"a", []string{"x"}}, {"b", []string{"x"}}},
		"no label":  {{"a", []string{"x"}}, {"b", nil}},
		"none":      nil,
	} {
		if _, err := Train(examples, o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	o.Cost = math.NaN()
	if _, err := Train(toy(10, 1), o); err == nil {
		t.Error("cost NaN must be refused")
	}
}

// TestSolveIsOptimal compares with a slow subgradient-free check: at the
// optimum of the primal, w = Σ 2·cost·max(0, 1−y·wx)·y·x.
func TestSolveIsOptimal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const features, labels = 6, 3
		n := rapid.IntRange(3, 15).Draw(t, "n")
		m := &matrix{start: []int32{0}}
		var target [][]int32
		var cost []float32
		for range n {
			for f := range features {
				if rapid.Bool().Draw(t, "has") {
					m.rows = append(m.rows, int32(f))
					m.values = append(m.values, float32(rapid.IntRange(1, 4).Draw(t, "v"))/4)
				}
			}
			m.start = append(m.start, int32(len(m.rows)))
			target = append(target, []int32{int32(rapid.IntRange(0, labels-1).Draw(t, "label"))})
			cost = append(cost, 0.5)
		}
		p := &problem{design: m, target: target, labels: labels, cost: cost, boost: []float32{1, 2, 1}, rows: features, epochs: 4000, seed: 3, tolerance: 1e-5}
		l := p.solve()
		for k := range labels {
			var want [features]float64
			bias := 0.0
			for i := range n {
				rows, values := m.at(i)
				score := float64(l.bias[k])
				for j, row := range rows {
					score += float64(values[j] * l.w[int(row)*labels+k])
				}
				y, c := -1.0, 0.5
				if slices.Contains(target[i], int32(k)) {
					y, c = 1, c*float64(p.boost[k])
				}
				slack := 2 * c * math.Max(0, 1-y*score) * y
				bias += slack
				for j, row := range rows {
					want[row] += slack * float64(values[j])
				}
			}
			for f := range features {
				if got := float64(l.w[f*labels+k]); math.Abs(got-want[f]) > 0.01 {
					t.Fatalf("label %d feature %d: weight %v, optimum needs %v", k, f, got, want[f])
				}
			}
			if math.Abs(float64(l.bias[k])-bias) > 0.01 {
				t.Fatalf("label %d: bias %v, optimum needs %v", k, l.bias[k], bias)
			}
		}
	})
}

func TestStoreAndRead(t *testing.T) {
	t.Parallel()
	m, err := Train(toy(120, 1), quick())
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	n, err := m.WriteTo(&buf)
	if err != nil || int(n) != buf.Len() || buf.Len() != m.Bytes() {
		t.Fatalf("wrote %d of %d, Bytes %d, %v", n, buf.Len(), m.Bytes(), err)
	}
	stored := buf.Bytes()
	back, err := Read(bytes.NewReader(stored))
	if err != nil {
		t.Fatal(err)
	}
	p, q := m.NewPredictor(), back.NewPredictor()
	for _, e := range toy(30, 9) {
		a, b := p.Classify(e.Text), q.Classify(e.Text)
		if !slices.Equal(a.Probabilities, b.Probabilities) {
			t.Fatalf("%q: %v before, %v after", e.Text, a.Probabilities, b.Probabilities)
		}
	}
	for _, at := range []int{0, 10, len(stored) / 2, len(stored) - 1} {
		broken := bytes.Clone(stored)
		broken[at] ^= 0x40
		if _, err := Read(bytes.NewReader(broken)); err == nil {
			t.Errorf("a flipped bit at %d was not noticed", at)
		}
	}
	if _, err := Read(bytes.NewReader(stored[:len(stored)-5])); err == nil {
		t.Error("a cut file was not noticed")
	}
}

// TestManyLabels runs the wide form, which more than 256 labels need.
func TestManyLabels(t *testing.T) {
	t.Parallel()
	var examples []Example
	for label := range 300 {
		for i := range 2 {
			examples = append(examples, Example{fmt.Sprintf("subject%d word%d note%d", label, label, i), []string{fmt.Sprintf("L%03d", label)}})
		}
	}
	o := quick()
	o.Folds = 0
	m, err := Train(examples, o)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	m.WriteTo(&buf)
	if buf.Len() != m.Bytes() {
		t.Errorf("wrote %d bytes, Bytes says %d", buf.Len(), m.Bytes())
	}
	back, err := Read(&buf)
	if err != nil {
		t.Fatal(err)
	}
	p := back.NewPredictor()
	for _, label := range []int{0, 77, 256, 299} {
		if got, _ := p.Classify(fmt.Sprintf("word%d subject%d", label, label)).Top(); got != fmt.Sprintf("L%03d", label) {
			t.Errorf("label %d: %s", label, got)
		}
	}
}

func TestMaxFeaturesKeepsTheStrong(t *testing.T) {
	t.Parallel()
	o := quick()
	o.MaxFeatures = 200
	m, err := Train(toy(240, 1), o)
	if err != nil {
		t.Fatal(err)
	}
	if m.Features() != 200 {
		t.Errorf("%d features", m.Features())
	}
	if r, _ := Evaluate(m, toy(90, 2)); r.Accuracy.Value < 0.9 {
		t.Errorf("accuracy %v", r.Accuracy)
	}
}

func TestSeveralLabels(t *testing.T) {
	t.Parallel()
	train := toy(240, 1)
	for i, e := range toy(60, 5) {
		other := toy(60, 6)[(i+1)%60]
		if other.Labels[0] != e.Labels[0] {
			both := []string{e.Labels[0], other.Labels[0]}
			slices.Sort(both)
			train = append(train, Example{e.Text + " " + other.Text, both})
		}
	}
	m, err := Train(train, quick())
	if err != nil {
		t.Fatal(err)
	}
	got := m.NewPredictor().Classify("máy nuốt thẻ, nhân viên thái độ kém").Labels()
	slices.Sort(got)
	if !slices.Equal(got, []string{"card", "staff"}) {
		t.Errorf("have %v", got)
	}
}

func TestProbabilitiesSumToOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		margins := rapid.SliceOfN(rapid.Float32Range(-5, 5), 2, 20).Draw(t, "margins")
		c := calibration{
			Sharpness: rapid.Float32Range(0.2, 50).Draw(t, "sharpness"),
			Offset:    rapid.Float32Range(-2, 2).Draw(t, "offset"),
			Slope:     rapid.Float32Range(0.05, 3).Draw(t, "slope"),
		}
		p := make([]float32, len(margins))
		c.probabilities(p, margins)
		sum := 0.0
		for _, v := range p {
			if v < 0 || v > 1 || math.IsNaN(float64(v)) {
				t.Fatalf("probability %v of margins %v", v, margins)
			}
			sum += float64(v)
		}
		if math.Abs(sum-1) > 1e-5 {
			t.Fatalf("sum %v of %v", sum, p)
		}
	})
}

func TestCalibrationRecoversSharpness(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 4))
	const n, k, sharp = 4000, 4, 3.0
	margins := make([][]float32, n)
	target := make([][]int32, n)
	for i := range margins {
		margins[i] = make([]float32, k)
		weights := make([]float64, k)
		sum := 0.0
		for j := range k {
			margins[i][j] = float32(r.NormFloat64() * 0.5)
			weights[j] = math.Exp(sharp * float64(margins[i][j]))
			sum += weights[j]
		}
		u := r.Float64() * sum
		for j := range k {
			if u -= weights[j]; u <= 0 || j == k-1 {
				target[i] = []int32{int32(j)}
				break
			}
		}
	}
	if got := fitSharpness(margins, target); math.Abs(float64(got)-sharp) > 0.2 {
		t.Errorf("sharpness %v, want %v", got, sharp)
	}
}

func TestRecentShiftFollowsDriftOnly(t *testing.T) {
	t.Parallel()
	// Texts that say nothing, with a label mix that changes: only drift helps.
	r := rand.New(rand.NewPCG(8, 8))
	var drifting, steady []Example
	for i := range 900 {
		text := fmt.Sprintf("%d %d", r.IntN(40), r.IntN(100000))
		late := 0.2
		if i > 250 {
			late = 0.85
		}
		label := "a"
		if r.Float64() < late {
			label = "b"
		}
		drifting = append(drifting, Example{text, []string{label}})
	}
	steady = slices.Clone(drifting)
	r.Shuffle(len(steady), func(i, j int) { steady[i], steady[j] = steady[j], steady[i] })
	for name, c := range map[string]struct {
		examples []Example
		want     bool
	}{"drifting": {drifting, true}, "shuffled": {steady, false}} {
		m, err := Train(c.examples, quick())
		if err != nil {
			t.Fatal(err)
		}
		if m.Drifted() != c.want {
			t.Errorf("%s: Drifted() = %v", name, m.Drifted())
		}
	}
}

func TestEvaluateByHand(t *testing.T) {
	t.Parallel()
	answers := []answer{{0.95, true, true}, {0.95, true, true}, {0.95, false, false}, {0.35, false, false}}
	want := (math.Abs(3*0.95-2) + 0.35) / 4
	if got := expectedCalibrationError(answers); math.Abs(got-want) > 1e-12 {
		t.Errorf("ECE %v, want %v", got, want)
	}
	r := &Report{Points: riskCoverage(answers)}
	if got := r.AccuracyAt(0.5); got != 1 {
		t.Errorf("accuracy at half %v", got)
	}
	if got := r.AccuracyAt(1); got != 0.5 {
		t.Errorf("accuracy at all %v", got)
	}
	tally := make(map[string]*counts)
	count(tally, []string{"a"}, []string{"a"})
	count(tally, []string{"a"}, []string{"b"})
	count(tally, []string{"b"}, []string{"b"})
	r.scoreLabels(tally)
	// a: precision 1/2, recall 1; b: precision 1, recall 1/2; both F1 2/3.
	if math.Abs(r.MacroF1-2.0/3) > 1e-12 || math.Abs(r.WeightedF1-2.0/3) > 1e-12 {
		t.Errorf("macro %v weighted %v", r.MacroF1, r.WeightedF1)
	}
}

func TestThresholdKeepsItsPromise(t *testing.T) {
	t.Parallel()
	var answers []answer
	r := rand.New(rand.NewPCG(2, 2))
	for range 3000 {
		p := 0.5 + r.Float64()/2
		answers = append(answers, answer{p, r.Float64() < p, false})
	}
	report := &Report{Points: riskCoverage(answers)}
	point, ok := report.Threshold(0.05)
	if !ok || 1-point.Accuracy > 0.05 || point.Coverage < 0.1 {
		t.Errorf("%+v %v", point, ok)
	}
	if _, ok := report.Threshold(0); ok {
		t.Error("no finite sample promises zero errors")
	}
}

func TestGroupFoldsKeepsCopiesTogether(t *testing.T) {
	t.Parallel()
	var examples []Example
	for i := range 60 {
		examples = append(examples, Example{fmt.Sprintf("Tốt %d!", i%20), []string{"x"}}, Example{fmt.Sprintf("tot, %d", i%20), []string{"y"}})
	}
	fold := groupFolds(examples, 5, 7)
	seen := map[string]int{}
	var sizes [5]int
	for i, e := range examples {
		k := Key(e.Text)
		if f, ok := seen[k]; ok && f != fold[i] {
			t.Fatalf("%q in folds %d and %d", k, f, fold[i])
		}
		seen[k] = fold[i]
		sizes[fold[i]]++
	}
	for _, s := range sizes {
		if s != 24 {
			t.Errorf("fold sizes %v", sizes)
			break
		}
	}
}

func TestKeyAndCopies(t *testing.T) {
	t.Parallel()
	if a, b := Key("Cảm ơn, BIDV!"), Key("cam on bidv"); a != b {
		t.Errorf("%q and %q", a, b)
	}
	if Key("👍") == Key("👎") {
		t.Error("emoji must differ")
	}
	train := []Example{{Text: "Tốt!"}, {Text: "xấu"}}
	kept, dropped := WithoutCopies(train, []Example{{Text: "tot"}})
	if len(kept) != 1 || dropped != 1 {
		t.Errorf("kept %v dropped %d", kept, dropped)
	}
}

func TestReadJSONL(t *testing.T) {
	t.Parallel()
	rows, err := ReadJSONL(strings.NewReader("{\"text\":\"a\",\"label\":\"x\"}\n\n{\"text\":\"b\",\"labels\":[\"z\",\"y\",\"z\"]}\n"), true)
	if err != nil || len(rows) != 2 || fmt.Sprint(rows[1].Labels) != "[y z]" {
		t.Errorf("%v %v", rows, err)
	}
	for _, bad := range []string{`{"label":"x"}`, `{"text":"a"}`, `nonsense`} {
		if _, err := ReadJSONL(strings.NewReader(bad), true); err == nil {
			t.Errorf("%s must be refused", bad)
		}
	}
	if rows, err := ReadJSONL(strings.NewReader(`{"text":"a"}`), false); err != nil || len(rows) != 1 {
		t.Errorf("%v %v", rows, err)
	}
}

func FuzzReadJSONL(f *testing.F) {
	f.Add(`{"text":"a","label":"x"}`)
	f.Fuzz(func(t *testing.T, s string) {
		rows, err := ReadJSONL(strings.NewReader(s), true)
		for _, r := range rows {
			if err == nil && len(r.Labels) == 0 {
				t.Fatal("a row without label passed")
			}
		}
	})
}

func FuzzRead(f *testing.F) {
	m, err := Train(toy(30, 1), quick())
	if err != nil {
		f.Fatal(err)
	}
	var buf bytes.Buffer
	m.WriteTo(&buf)
	f.Add(buf.Bytes()[:200])
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := Read(bytes.NewReader(b)); err == nil {
			m.NewPredictor().Classify("thẻ bị khóa")
		}
	})
}

func FuzzExtract(f *testing.F) {
	f.Add("thẻ bị khóa :( 123")
	x := extractor{normaliser: sharedNormaliser()}
	f.Fuzz(func(t *testing.T, s string) {
		for _, feature := range x.extract(s) {
			if feature.block() >= blocks {
				t.Fatalf("block %d", feature.block())
			}
		}
	})
}

func TestClassifySame(t *testing.T) {
	t.Parallel()
	a, err := Train(toy(90, 1), quick())
	if err != nil {
		t.Fatal(err)
	}
	b, err := Train(toy(90, 4), quick())
	if err != nil {
		t.Fatal(err)
	}
	p, q, alone := a.NewPredictor(), b.NewPredictor(), b.NewPredictor()
	for _, e := range toy(20, 3) {
		p.Classify(e.Text)
		if got, want := q.ClassifySame(p), alone.Classify(e.Text); !slices.Equal(got.Margins, want.Margins) {
			t.Fatalf("%v, want %v", got.Margins, want.Margins)
		}
	}
}

func TestClassifyDoesNotAllocate(t *testing.T) {
	m, err := Train(toy(60, 1), quick())
	if err != nil {
		t.Fatal(err)
	}
	p := m.NewPredictor()
	text := "máy nuốt thẻ ở chi nhánh"
	p.Classify(text)
	if n := testing.AllocsPerRun(50, func() { p.Classify(text) }); n > 0 {
		t.Errorf("%v allocations a text", n)
	}
}

func BenchmarkClassify(b *testing.B) {
	m, err := Train(toy(300, 1), quick())
	if err != nil {
		b.Fatal(err)
	}
	p := m.NewPredictor()
	b.ReportAllocs()
	for b.Loop() {
		p.Classify("máy nuốt thẻ ở chi nhánh mà nhân viên không ai giải quyết cho tôi")
	}
}

func BenchmarkTrain(b *testing.B) {
	examples := toy(300, 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Train(examples, quick()); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleTrain() {
	examples := []Example{
		{"thẻ bị khóa", []string{"card"}}, {"mất thẻ rồi", []string{"card"}}, {"máy nuốt thẻ", []string{"card"}},
		{"vay mua nhà", []string{"loan"}}, {"lãi vay cao quá", []string{"loan"}}, {"hồ sơ vay chậm", []string{"loan"}},
	}
	m, err := Train(examples, DefaultOptions())
	if err != nil {
		fmt.Println(err)
		return
	}
	label, _ := m.NewPredictor().Classify("the cua toi bi khoa").Top()
	fmt.Println(label)
	// Output: card
}
