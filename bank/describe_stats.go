package bank

import (
	"slices"
	"strings"
	"unicode"
)

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func fractions(counts []int) []float64 {
	sum := 0
	for _, c := range counts {
		sum += c
	}
	out := make([]float64, len(counts))
	for i, c := range counts {
		out[i] = ratio(float64(c), float64(sum))
	}
	return out
}

// quantiles sorts the values and reads the nearest ranks.
func quantiles(v []float64) Quantiles {
	q := Quantiles{N: len(v)}
	if q.N == 0 {
		return q
	}
	slices.Sort(v)
	at := func(p float64) float64 { return v[min(int(p*float64(len(v))), len(v)-1)] }
	q.P10, q.P50, q.P90, q.P99 = at(0.1), at(0.5), at(0.9), at(0.99)
	for _, x := range v {
		q.Mean += x
	}
	q.Mean /= float64(len(v))
	return q
}

// nearThreshold is the overlap of word pairs (Jaccard) above which two comments
// count as near duplicates.
const nearThreshold = 0.7

// measureTexts measures how varied comments are; each begins with its language.
func measureTexts(texts []string) CommentShares {
	c := CommentShares{Measured: len(texts)}
	if len(texts) == 0 {
		return c
	}
	var vi, plain, words, tokens int
	types := map[string]bool{}
	seen := map[string]int{}
	var long [][]string
	for _, t := range texts {
		lang, body, _ := strings.Cut(t, " ")
		w := wordsOf(body)
		words += len(w)
		for _, x := range w {
			if tokens < 10_000 {
				tokens++
				types[x] = true
			}
		}
		if lang == "vi" {
			vi++
			if unaccent(body) == body {
				plain++
			}
		}
		if len(w) >= 6 {
			long = append(long, w)
			seen[strings.Join(w, " ")]++
		}
	}
	repeats := 0
	for _, k := range seen {
		repeats += k - 1
	}
	c.Vietnamese, c.NoDiacritics = ratio(float64(vi), float64(len(texts))), ratio(float64(plain), float64(vi))
	c.MeanWords, c.TypeToken = ratio(float64(words), float64(len(texts))), ratio(float64(len(types)), float64(tokens))
	c.Repeated = ratio(float64(repeats), float64(len(long)))
	c.NearDuplicates = nearDuplicates(long)
	return c
}

func wordsOf(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// nearDuplicates is the share of comments that have a near duplicate among the
// others: candidates share a pair of words, found through an index of pairs.
func nearDuplicates(texts [][]string) float64 {
	type set map[string]bool
	sets := make([]set, len(texts))
	index := map[string][]int{}
	for i, w := range texts {
		sets[i] = set{}
		for k := range len(w) - 1 {
			sets[i][w[k]+" "+w[k+1]] = true
		}
		for g := range sets[i] {
			index[g] = append(index[g], i)
		}
	}
	near := 0
	for i := range sets {
		shared := map[int]int{}
		for g := range sets[i] {
			for _, j := range index[g] {
				shared[j]++
			}
		}
		for j, k := range shared {
			if j != i && float64(k) >= nearThreshold*float64(len(sets[i])+len(sets[j])-k) {
				near++
				break
			}
		}
	}
	return ratio(float64(near), float64(len(texts)))
}
