package cli

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"omote/analytics/text/dedupe"
	"omote/analytics/text/model"
	"omote/analytics/text/normalise"
)

// learnedLists parts the phrases that reviews teach by how much they lean.
var learnedLists = []struct {
	name     string
	from, to float64 // of the log-odds
}{
	{"learned very negative", math.Inf(-1), -2},
	{"learned negative", -2, -0.8},
	{"learned positive", 0.8, 2},
	{"learned very positive", 2, math.Inf(1)},
}

const (
	leastReviews  = 6 // reviews, near-copies counted once, that a phrase needs
	leanSmoothing = 1.0
)

// lean counts in how many good and bad reviews a phrase stands.
type lean struct{ good, bad float64 }

// learnLexicon writes the words and word pairs that tell good from bad reviews,
// by the log-odds of their counts. Labels are star scores, "1" to "5"; three
// stars are left out.
func learnLexicon(out io.Writer, reviews []model.Example) error {
	texts := textsOf(reviews)
	phrases := make(map[string]*lean)
	var good, bad float64
	seen := make(map[int]bool)
	var d normalise.Document
	n := normalise.Default()
	for i, group := range dedupe.Groups(texts, dedupe.DefaultThreshold) {
		score, err := strconv.Atoi(reviews[i].Labels[0])
		if err != nil {
			return fmt.Errorf("review %d: %w", i+1, err)
		}
		if seen[group] || score == 3 {
			continue
		}
		seen[group] = true
		if score > 3 {
			good++
		} else {
			bad++
		}
		n.Parse(&d, texts[i])
		countPhrases(phrases, &d, score > 3)
	}
	return writeLexicon(out, phrases, good, bad)
}

// countPhrases counts each word and neighbouring pair of a review once.
func countPhrases(phrases map[string]*lean, d *normalise.Document, good bool) {
	mine := make(map[string]bool)
	previous := ""
	for _, t := range d.Tokens {
		if t.Kind != normalise.Word {
			previous = ""
			continue
		}
		w := string(d.Norm(t))
		mine[w] = true
		if previous != "" {
			mine[previous+" "+w] = true
		}
		previous = w
	}
	for p := range mine {
		l := phrases[p]
		if l == nil {
			l = new(lean)
			phrases[p] = l
		}
		if good {
			l.good++
		} else {
			l.bad++
		}
	}
}

func writeLexicon(out io.Writer, phrases map[string]*lean, good, bad float64) error {
	lists := make([][]string, len(learnedLists))
	for p, l := range phrases {
		if l.good+l.bad < leastReviews || len(p) < 2 {
			continue
		}
		odds := math.Log((l.good+leanSmoothing)/(good+2*leanSmoothing)) - math.Log((l.bad+leanSmoothing)/(bad+2*leanSmoothing))
		for i, list := range learnedLists {
			if odds >= list.from && odds < list.to {
				lists[i] = append(lists[i], p)
			}
		}
	}
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, "# Words and pairs that lean to good or bad reviews. Made by: omote text train-shipped")
	for i, list := range lists {
		slices.SortFunc(list, func(a, b string) int { return cmp.Compare(a, b) })
		fmt.Fprintf(w, "%s\t%s\n", learnedLists[i].name, strings.Join(list, "; "))
	}
	return w.Flush()
}
