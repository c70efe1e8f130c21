package themes

import (
	"cmp"
	_ "embed"
	"math"
	"slices"
	"strings"
	"sync"

	"gonum.org/v1/gonum/mathext"

	"omote/analytics/text/dedupe"
	"omote/analytics/text/normalise"
)

// Options of Emerging. Start from DefaultOptions.
type Options struct {
	FDR      float64 // false discovery rate among phrases, in (0, 1)
	MinTexts int     // least present texts of a theme
	MinRatio float64 // least ratio of present to expected
	Most     int     // most themes returned
	Quotes   int     // most quotes a theme
}

// DefaultOptions suit a week of a bank's texts against the weeks before.
func DefaultOptions() Options {
	return Options{FDR: 0.05, MinTexts: 4, MinRatio: 1.5, Most: 20, Quotes: 3}
}

// Theme is something customers have begun to speak of.
type Theme struct {
	Name     string   // its most distinctive phrases
	Phrases  []Phrase // all of it, most surprising first
	Texts    []int    // present texts that speak of it, as indexes
	Expected float64  // how many the past leads to expect
	Ratio    float64  // present over expected, for the leading phrase, shrunk
	Quotes   []int    // present texts that tell it best, as indexes
}

// Phrase is one phrase of a theme.
type Phrase struct {
	Text     string  // as customers write it most
	Count    int     // present texts with it
	Expected float64 // expected from the past
	P        float64 // probability of such a count by chance
}

//go:embed data/stopwords.txt
var stopFile string

var stopwords = sync.OnceValue(func() map[string]bool {
	m := make(map[string]bool)
	for line := range strings.Lines(stopFile) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for w := range strings.FieldsSeq(line) {
			m[normalise.Tone(w)] = true
			m[normalise.Fold(w)] = true
		}
	}
	return m
})

var normaliser = sync.OnceValue(normalise.Default)

const longest = 3 // words of a phrase

// corpus counts phrases by text.
type corpus struct {
	texts   map[string][]int32        // folded phrase: texts that hold it
	surface map[string]map[string]int // folded phrase: spellings
	n       int                       // texts after joining near-copies
}

// read counts the phrases of the texts, one of each group of near-copies.
func read(texts []string) *corpus {
	c := &corpus{texts: make(map[string][]int32), surface: make(map[string]map[string]int)}
	seen := make(map[int]bool)
	var d normalise.Document
	for i, group := range dedupe.Groups(texts, dedupe.DefaultThreshold) {
		if seen[group] {
			continue
		}
		seen[group] = true
		c.n++
		normaliser().Parse(&d, texts[i])
		c.phrases(&d, int32(i))
	}
	return c
}

// phrases adds the phrases of one text. A phrase neither starts nor ends with a
// stop word and does not cross a mark.
func (c *corpus) phrases(d *normalise.Document, text int32) {
	var folded, marked strings.Builder
	for i := range d.Tokens {
		folded.Reset()
		marked.Reset()
		for n := 0; n < longest && i+n < len(d.Tokens); n++ {
			t := d.Tokens[i+n]
			if t.Kind != normalise.Word && t.Kind != normalise.Hashtag && !(n > 0 && t.Kind == normalise.Number) {
				break
			}
			stop := stopwords()[string(d.Norm(t))]
			if n == 0 && stop {
				break
			}
			if n > 0 {
				folded.WriteByte(' ')
				marked.WriteByte(' ')
			}
			folded.Write(d.Folded(t))
			marked.Write(d.Norm(t))
			if !stop && folded.Len() > 1 {
				c.add(folded.String(), marked.String(), text)
			}
		}
	}
}

func (c *corpus) add(key, spelling string, text int32) {
	list := c.texts[key]
	if len(list) > 0 && list[len(list)-1] == text {
		return
	}
	c.texts[key] = append(list, text)
	if c.surface[key] == nil {
		c.surface[key] = make(map[string]int)
	}
	c.surface[key][spelling]++
}

// spelling returns the most frequent form, the one with more bytes (that is,
// with diacritics) in a tie.
func (c *corpus) spelling(key string) string {
	best, most := key, 0
	for s, n := range c.surface[key] {
		if n > most || n == most && (len(s) > len(best) || len(s) == len(best) && s < best) {
			best, most = s, n
		}
	}
	return best
}

// Emerging compares the present texts with the past ones.
func Emerging(present, past []string, o Options) []Theme {
	now, before := read(present), read(past)
	if now.n == 0 {
		return nil
	}
	candidates := score(now, before, o)
	return gather(now, candidates, present, o)
}

// candidate is a phrase that passed the test.
type candidate struct {
	key      string
	texts    []int32
	expected float64
	p        float64
}

// score tests each phrase and keeps those at the false discovery rate.
func score(now, before *corpus, o Options) []candidate {
	shape, rate, tested := prior(now, before)
	var all []candidate
	for key, texts := range now.texts {
		if len(texts) < 2 {
			continue
		}
		y := float64(len(before.texts[key]))
		a, b := shape+y, rate+float64(before.n)
		expected := a / b * float64(now.n)
		all = append(all, candidate{key, texts, expected, tail(len(texts), a, b/(b+float64(now.n)))})
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.p, b.p), -cmp.Compare(len(a.texts), len(b.texts)), -cmp.Compare(len(a.key), len(b.key)), strings.Compare(a.key, b.key))
	})
	last := -1
	for i, c := range all {
		if c.p <= o.FDR*float64(i+1)/tested {
			last = i
		}
	}
	kept := all[:last+1]
	return slices.DeleteFunc(kept, func(c candidate) bool {
		return len(c.texts) < o.MinTexts || float64(len(c.texts)) < o.MinRatio*c.expected
	})
}

// prior fits the gamma distribution of rates to the phrases of both periods by
// moments, and counts the phrases: each is a test, those too rare to be listed
// too.
func prior(now, before *corpus) (shape, rate, phrases float64) {
	n, sum, squares := 0.0, 0.0, 0.0
	total := float64(now.n + before.n)
	for key, texts := range now.texts {
		x := float64(len(texts) + len(before.texts[key]))
		n++
		sum += x
		squares += x * x
	}
	for key, texts := range before.texts {
		if now.texts[key] == nil {
			x := float64(len(texts))
			n++
			sum += x
			squares += x * x
		}
	}
	mean := sum / math.Max(n, 1)
	variance := squares/math.Max(n, 1) - mean*mean
	if variance <= mean {
		variance = 2 * mean
	}
	shape = mean * mean / (variance - mean)
	shape = math.Max(shape, 0.05)
	return shape, shape / (mean / total), n
}

// tail is the probability of at least x under a negative binomial distribution
// with the given shape and success probability: the regularised incomplete beta
// function.
func tail(x int, shape, success float64) float64 {
	if x <= 0 {
		return 1
	}
	return mathext.RegIncBeta(float64(x), shape, 1-success)
}

// gather grows themes from the most surprising phrases.
func gather(now *corpus, candidates []candidate, present []string, o Options) []Theme {
	used := make([]bool, len(candidates))
	var themes []Theme
	for i := range candidates {
		if used[i] || len(themes) == o.Most {
			continue
		}
		used[i] = true
		members := []candidate{candidates[i]}
		for j := i + 1; j < len(candidates); j++ {
			if !used[j] && overlap(candidates[i].texts, candidates[j].texts) >= 0.5 {
				used[j] = true
				members = append(members, candidates[j])
			}
		}
		themes = append(themes, theme(now, members, present, o))
	}
	return themes
}

// overlap is the share of the smaller set that lies in the other.
func overlap(a, b []int32) float64 {
	shared := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			shared++
			i++
			j++
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	return float64(shared) / float64(min(len(a), len(b)))
}

func theme(now *corpus, members []candidate, present []string, o Options) Theme {
	lead := members[0]
	t := Theme{Expected: lead.expected, Ratio: float64(len(lead.texts)) / math.Max(lead.expected, 1e-9)}
	inTexts := make(map[int32]float64)
	for _, m := range members {
		t.Phrases = append(t.Phrases, Phrase{Text: now.spelling(m.key), Count: len(m.texts), Expected: m.expected, P: m.p})
		weight := -math.Log10(math.Max(m.p, 1e-30)) * float64(1+strings.Count(m.key, " "))
		for _, i := range m.texts {
			inTexts[i] += weight
		}
	}
	for i := range inTexts {
		t.Texts = append(t.Texts, int(i))
	}
	slices.Sort(t.Texts)
	t.Name = name(now, members)
	t.Quotes = quotes(inTexts, present, o.Quotes)
	return t
}

// name joins up to three phrases of which none lies inside another. A longer
// phrase is preferred to a shorter one inside it when it holds most of the
// shorter one's texts.
func name(now *corpus, members []candidate) string {
	var chosen []string
	for _, m := range members {
		key := m.key
		for _, longer := range members {
			if len(longer.key) > len(key) && strings.Contains(" "+longer.key+" ", " "+key+" ") && 2*len(longer.texts) >= len(m.texts) {
				key = longer.key
			}
		}
		inside := func(other string) bool {
			return sharesWord(other, key)
		}
		if !slices.ContainsFunc(chosen, inside) {
			chosen = append(chosen, key)
		}
		if len(chosen) == 3 {
			break
		}
	}
	for i, key := range chosen {
		chosen[i] = now.spelling(key)
	}
	return strings.Join(chosen, ", ")
}

// sharesWord tells whether two phrases have a word in common.
func sharesWord(a, b string) bool {
	words := strings.Fields(a)
	for w := range strings.FieldsSeq(b) {
		if slices.Contains(words, w) {
			return true
		}
	}
	return false
}

// quotes picks texts with most of the theme for their length.
func quotes(weights map[int32]float64, present []string, most int) []int {
	type quote struct {
		text int
		fit  float64
	}
	var list []quote
	for i, w := range weights {
		words := len(strings.Fields(present[i]))
		list = append(list, quote{int(i), w / math.Sqrt(float64(words)+8)})
	}
	slices.SortFunc(list, func(a, b quote) int {
		return cmp.Or(-cmp.Compare(a.fit, b.fit), cmp.Compare(a.text, b.text))
	})
	var out []int
	for _, q := range list {
		if len(out) == most {
			break
		}
		like := func(other int) bool { return dedupe.Similarity(present[other], present[q.text]) > 0.5 }
		if !slices.ContainsFunc(out, like) {
			out = append(out, q.text)
		}
	}
	return out
}
