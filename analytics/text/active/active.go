// Package active chooses which texts a person should label next, so that a model
// learns most from few answers.
//
// # The method
//
// Labels can start from a handful of examples each (package model trains on
// them in milliseconds). Then, in rounds: the model reads the texts that nobody
// labelled, and [Select] proposes those where its two leading labels are
// closest (margin sampling), since there an answer moves the border most. Among
// those it spreads the choice: near-copies of a text already chosen are passed
// over, and each predicted label gets its turn, so that one confused corner does
// not take the whole round.
//
// # Sources
//
// Settles, "Active Learning Literature Survey" (2009); Lewis and Gale, "A
// Sequential Algorithm for Training Text Classifiers" (1994).
package active

import (
	"cmp"
	"slices"

	"omote/analytics/text/dedupe"
	"omote/analytics/text/model"
)

// Choice is a proposed text.
type Choice struct {
	Index int     // of the text
	Label string  // the model's leading guess, to show beside the question
	Doubt float64 // 1 minus the gap between the two leading probabilities, in [0, 1]
}

// copies is the similarity from which a text adds nothing to one chosen.
const copies = 0.6

// pool bounds how many candidates a place in the round is chosen from.
const pool = 20

// Select proposes n of the texts to label next, the most doubtful first.
func Select(m *model.Model, texts []string, n int) []Choice {
	p := m.NewPredictor()
	all := make([]Choice, len(texts))
	for i, t := range texts {
		result := p.Classify(t)
		label, _ := result.Top()
		all[i] = Choice{Index: i, Label: label, Doubt: 1 - gap(result.Probabilities)}
	}
	slices.SortStableFunc(all, func(a, b Choice) int { return -cmp.Compare(a.Doubt, b.Doubt) })
	return spread(all[:min(len(all), n*pool)], texts, n)
}

// gap is the difference of the two largest probabilities.
func gap(probabilities []float32) float64 {
	first, second := float32(0), float32(0)
	for _, p := range probabilities {
		switch {
		case p > first:
			first, second = p, first
		case p > second:
			second = p
		}
	}
	return float64(first - second)
}

// spread takes turns over the predicted labels and leaves out near-copies.
func spread(candidates []Choice, texts []string, n int) []Choice {
	queues := make(map[string][]Choice)
	var labels []string // in order of their most doubtful text
	for _, c := range candidates {
		if queues[c.Label] == nil {
			labels = append(labels, c.Label)
		}
		queues[c.Label] = append(queues[c.Label], c)
	}
	var chosen []Choice
	for progress := true; progress && len(chosen) < n; {
		progress = false
		for _, label := range labels {
			for len(queues[label]) > 0 && len(chosen) < n {
				c := queues[label][0]
				queues[label] = queues[label][1:]
				if !alike(chosen, c, texts) {
					chosen = append(chosen, c)
					progress = true
					break
				}
			}
		}
	}
	slices.SortStableFunc(chosen, func(a, b Choice) int { return -cmp.Compare(a.Doubt, b.Doubt) })
	return chosen
}

func alike(chosen []Choice, c Choice, texts []string) bool {
	return slices.ContainsFunc(chosen, func(other Choice) bool {
		return dedupe.Similarity(texts[other.Index], texts[c.Index]) >= copies
	})
}
