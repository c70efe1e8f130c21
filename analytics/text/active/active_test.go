package active

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"omote/analytics/text/model"
)

// world makes texts of labels of very unequal frequency; each label has many
// words of its own, so that labels must be learned word by word.
func world(n int, seed uint64) []model.Example {
	r := rand.New(rand.NewPCG(seed, 3))
	var out []model.Example
	for range n {
		label := 0
		for label < 5 && r.IntN(3) == 0 {
			label++
		}
		var words []string
		for range 3 {
			words = append(words, fmt.Sprintf("w%dx%d", label, r.IntN(45)))
		}
		for range 5 {
			words = append(words, fmt.Sprintf("common%d", r.IntN(60)))
		}
		r.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
		out = append(out, model.Example{Text: strings.Join(words, " "), Labels: []string{fmt.Sprint("L", label)}})
	}
	return out
}

func options() model.Options {
	o := model.DefaultOptions()
	o.Folds = 0
	return o
}

// learn labels 20 texts a round and returns the macro-F1 after five rounds.
func learn(t *testing.T, seed uint64, choose func(m *model.Model, texts []string) []int) float64 {
	t.Helper()
	unlabelled, test := world(1200, seed), world(600, seed+1000)
	labelled := make([]model.Example, 0, 140)
	for label := range 6 { // the start: three examples of each
		n := 0
		for _, e := range world(1500, seed+2000) {
			if e.Labels[0] == fmt.Sprint("L", label) && n < 3 {
				labelled = append(labelled, e)
				n++
			}
		}
	}
	var m *model.Model
	for range 6 {
		var err error
		if m, err = model.Train(labelled, options()); err != nil {
			t.Fatal(err)
		}
		texts := make([]string, len(unlabelled))
		for i, e := range unlabelled {
			texts[i] = e.Text
		}
		taken := map[int]bool{}
		for _, i := range choose(m, texts) {
			labelled = append(labelled, unlabelled[i])
			taken[i] = true
		}
		var rest []model.Example
		for i, e := range unlabelled {
			if !taken[i] {
				rest = append(rest, e)
			}
		}
		unlabelled = rest
	}
	r, err := model.Evaluate(m, test)
	if err != nil {
		t.Fatal(err)
	}
	return r.MacroF1
}

func TestSelectBeatsChance(t *testing.T) {
	t.Parallel()
	active, random := 0.0, 0.0
	for seed := range uint64(3) {
		active += learn(t, seed, func(m *model.Model, texts []string) []int {
			var index []int
			for _, c := range Select(m, texts, 20) {
				index = append(index, c.Index)
			}
			return index
		}) / 3
		r := rand.New(rand.NewPCG(seed, 99))
		random += learn(t, seed, func(_ *model.Model, texts []string) []int { return r.Perm(len(texts))[:20] }) / 3
	}
	t.Logf("macro-F1 after the same number of answers: chosen %.3f, random %.3f", active, random)
	if active < random+0.02 {
		t.Errorf("chosen %.3f, random %.3f", active, random)
	}
}

func TestSelectPassesOverCopies(t *testing.T) {
	t.Parallel()
	m, err := model.Train([]model.Example{{Text: "thẻ bị khóa", Labels: []string{"card"}}, {Text: "vay mua nhà", Labels: []string{"loan"}}}, options())
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"hôm nay trời đẹp quá", "hom nay troi dep qua!", "lãi vay cao", "thẻ hết hạn rồi"}
	got := Select(m, texts, 4)
	if len(got) != 3 {
		t.Errorf("%+v", got)
	}
	for _, c := range got {
		if c.Doubt < 0 || c.Doubt > 1 {
			t.Errorf("doubt %v", c.Doubt)
		}
	}
	if Select(m, nil, 3) != nil {
		t.Error("no texts, no choice")
	}
}

func ExampleSelect() {
	start := []model.Example{
		{Text: "thẻ bị khóa", Labels: []string{"card"}}, {Text: "máy nuốt thẻ", Labels: []string{"card"}},
		{Text: "vay mua nhà", Labels: []string{"loan"}}, {Text: "lãi vay cao", Labels: []string{"loan"}},
	}
	m, _ := model.Train(start, model.DefaultOptions())
	texts := []string{"thẻ bị khóa rồi", "muốn hỏi ngân hàng một việc", "vay mua nhà cần gì"}
	for _, c := range Select(m, texts, 1) {
		fmt.Println(texts[c.Index])
	}
	// Output: muốn hỏi ngân hàng một việc
}
