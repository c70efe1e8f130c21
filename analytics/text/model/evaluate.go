package model

import (
	"fmt"
	"math"
	"slices"

	"omote/analytics/stats"
)

// Report tells how well a model did on texts whose labels are known.
type Report struct {
	// N is the number of texts.
	N int
	// Accuracy is the share of texts whose label set is exactly right, with a
	// Wilson interval.
	Accuracy stats.Estimate
	// MacroF1 is the plain mean of the labels' F1, over the labels that occur
	// in the truth or in the answers.
	MacroF1 float64
	// WeightedF1 is their mean weighted by the true counts.
	WeightedF1 float64
	// ECE is the expected calibration error of the leading label: the mean gap
	// between stated probability and share right, over 15 equal-width bins
	// (Guo et al. 2017).
	ECE float64
	// Points is the risk-coverage curve: one point a text, surest first.
	Points []CoveragePoint
	// PerLabel holds precision, recall and F1 of each label.
	PerLabel []LabelScore
}

// CoveragePoint says what happens if the model decides alone on the texts at
// least this sure and passes the others to a person.
type CoveragePoint struct {
	Coverage   float64 // share of texts the model decides
	Confidence float64 // the least probability among them
	Accuracy   float64 // share of them that is right
}

// LabelScore is the score of one label.
type LabelScore struct {
	Label                 string
	N                     int // texts that truly carry it
	Precision, Recall, F1 float64
}

// eceBins is the number of bins of the expected calibration error.
const eceBins = 15

// answer is one scored text.
type answer struct {
	confidence float64
	right      bool // the leading label is a true one
	exact      bool // the label set is right
}

// Evaluate runs the model on labelled texts.
func Evaluate(m *Model, test []Example) (*Report, error) {
	if len(test) == 0 {
		return nil, fmt.Errorf("no texts to evaluate")
	}
	p := m.NewPredictor()
	answers := make([]answer, len(test))
	tally := make(map[string]*counts)
	for i, e := range test {
		result := p.Classify(e.Text)
		given := result.Labels()
		top, confidence := result.Top()
		answers[i] = answer{confidence: confidence, right: slices.Contains(e.Labels, top), exact: sameSet(given, e.Labels)}
		count(tally, given, e.Labels)
	}
	r := &Report{N: len(test)}
	exact := int64(0)
	for _, a := range answers {
		if a.exact {
			exact++
		}
	}
	r.Accuracy = stats.Proportion(exact, int64(len(test)), stats.DefaultLevel)
	r.scoreLabels(tally)
	r.ECE = expectedCalibrationError(answers)
	r.Points = riskCoverage(answers)
	return r, nil
}

// AccuracyAt returns the accuracy on the surest share of the texts.
func (r *Report) AccuracyAt(coverage float64) float64 {
	i := int(math.Round(coverage*float64(len(r.Points)))) - 1
	return r.Points[max(0, min(i, len(r.Points)-1))].Accuracy
}

// Threshold returns the least confidence at which the model may decide alone so
// that, by the upper end of a one-sided 95 % interval, no more than the stated
// share of its decisions is wrong, and the coverage that leaves. ok is false
// when no threshold keeps that promise.
func (r *Report) Threshold(maxError float64) (point CoveragePoint, ok bool) {
	for i, p := range r.Points {
		if i+1 < len(r.Points) && r.Points[i+1].Confidence == p.Confidence {
			continue
		}
		n := int64(i + 1)
		wrong := n - int64(math.Round(p.Accuracy*float64(n)))
		if stats.Proportion(wrong, n, 0.90).High <= maxError {
			point, ok = p, true
		}
	}
	return point, ok
}

type counts struct{ hit, extra, missed int }

func count(tally map[string]*counts, given, truth []string) {
	at := func(label string) *counts {
		c := tally[label]
		if c == nil {
			c = new(counts)
			tally[label] = c
		}
		return c
	}
	for _, l := range given {
		if slices.Contains(truth, l) {
			at(l).hit++
		} else {
			at(l).extra++
		}
	}
	for _, l := range truth {
		if !slices.Contains(given, l) {
			at(l).missed++
		}
	}
}

func sameSet(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for _, l := range a {
		if !slices.Contains(b, l) {
			return false
		}
	}
	return true
}

func (r *Report) scoreLabels(tally map[string]*counts) {
	total := 0
	for label, c := range tally {
		s := LabelScore{Label: label, N: c.hit + c.missed}
		s.Precision = ratio(c.hit, c.hit+c.extra)
		s.Recall = ratio(c.hit, c.hit+c.missed)
		s.F1 = ratio(2*c.hit, 2*c.hit+c.extra+c.missed)
		total += s.N
		r.PerLabel = append(r.PerLabel, s)
	}
	slices.SortFunc(r.PerLabel, func(a, b LabelScore) int {
		if a.Label < b.Label {
			return -1
		}
		return 1
	})
	for _, s := range r.PerLabel {
		r.MacroF1 += s.F1 / float64(len(r.PerLabel))
		r.WeightedF1 += s.F1 * float64(s.N) / float64(total)
	}
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func expectedCalibrationError(answers []answer) float64 {
	var n, right, confidence [eceBins]float64
	for _, a := range answers {
		b := min(int(a.confidence*eceBins), eceBins-1)
		n[b]++
		confidence[b] += a.confidence
		if a.right {
			right[b]++
		}
	}
	gap := 0.0
	for b := range n {
		gap += math.Abs(confidence[b] - right[b])
	}
	return gap / float64(len(answers))
}

func riskCoverage(answers []answer) []CoveragePoint {
	sorted := slices.Clone(answers)
	slices.SortStableFunc(sorted, func(a, b answer) int {
		switch {
		case a.confidence > b.confidence:
			return -1
		case a.confidence < b.confidence:
			return 1
		}
		return 0
	})
	points := make([]CoveragePoint, len(sorted))
	right := 0
	for i, a := range sorted {
		if a.right {
			right++
		}
		points[i] = CoveragePoint{
			Coverage:   float64(i+1) / float64(len(sorted)),
			Confidence: a.confidence,
			Accuracy:   float64(right) / float64(i+1),
		}
	}
	return points
}
