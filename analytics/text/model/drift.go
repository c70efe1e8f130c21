package model

import "math"

// Examples often come in the order of time, and what customers speak of drifts:
// a campaign ends, a fault begins. The label mix of the recent examples then
// foretells the next texts better than the mix of all. Training looks whether
// that is so, by predicting later examples from earlier ones, and if it is,
// moves the margins to the recent mix. Where order says nothing, as in a
// shuffled file, nothing is moved.

// halfLives are the ages, as shares of the file, at which an example's weight
// in the recent mix has halved.
var halfLives = []float64{0.1, 0.2}

// origins are the shares of the file from which the part that follows is
// predicted.
var origins = []float64{0.4, 0.6, 0.8}

const (
	horizon  = 0.2 // share of the file predicted from each origin
	minDrift = 300 // examples below which drift is not looked for
	mixPrior = 0.5 // examples added to each label of the recent mix
)

// recentShift returns what to add to each label's margin and the half-life it
// was found with, or nil.
func (t *training) recentShift(sharpness float32) (shift []float32, half float64) {
	n := len(t.examples)
	if n < minDrift || !t.mixMoves() {
		return nil, 0
	}
	gain := make([]int, len(halfLives))
	for _, origin := range origins {
		from, to := int(origin*float64(n)), int(math.Ceil((origin+horizon)*float64(n)))
		past, next := t.split(from, min(to, n))
		margins := t.fit(past).margins(t.corpus, next)
		for h, half := range halfLives {
			shift := t.shift(past, half, sharpness)
			for i, m := range margins {
				before, after := t.hit(next[i], m, nil), t.hit(next[i], m, shift)
				if before != after {
					gain[h]--
					if after {
						gain[h] += 2
					}
				}
			}
		}
	}
	best := -1
	for h := range halfLives {
		if gain[h] > 0 && (best < 0 || gain[h] > gain[best]) {
			best = h
		}
	}
	if best < 0 {
		return nil, 0
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return t.shift(all, halfLives[best], sharpness), halfLives[best]
}

// mixMoves is a cheap look before the costly one: is the label mix of the last
// part of the file unlike that of the rest, while its labels are known from the
// rest? A file sorted by label fails the second half of the question.
func (t *training) mixMoves() bool {
	n := len(t.examples)
	from := n - int(horizon*float64(n))
	early, late := make([]float64, len(t.labels)), make([]float64, len(t.labels))
	sumEarly, sumLate := 0.0, 0.0
	for i, target := range t.target {
		for _, l := range target {
			if i < from {
				early[l]++
				sumEarly++
			} else {
				late[l]++
				sumLate++
			}
		}
	}
	unknown, chi2, freedom := 0.0, 0.0, -1.0
	for l := range early {
		all := early[l] + late[l]
		if all == 0 {
			continue
		}
		if early[l] == 0 {
			unknown += late[l]
		}
		wantEarly, wantLate := all*sumEarly/(sumEarly+sumLate), all*sumLate/(sumEarly+sumLate)
		chi2 += (early[l]-wantEarly)*(early[l]-wantEarly)/wantEarly + (late[l]-wantLate)*(late[l]-wantLate)/wantLate
		freedom++
	}
	return unknown < sumLate/2 && chi2 > freedom+3*math.Sqrt(2*freedom)
}

// split lists the examples before from, and those in [from, to) that are no
// copies of them.
func (t *training) split(from, to int) (past, next []int) {
	seen := make(map[string]bool)
	for i := range from {
		past = append(past, i)
		seen[Key(t.examples[i].Text)] = true
	}
	for i := from; i < to; i++ {
		if !seen[Key(t.examples[i].Text)] {
			next = append(next, i)
		}
	}
	return past, next
}

// shift is the logarithm of the recent share of each label over its share of
// all, on the scale of margins.
func (t *training) shift(index []int, half float64, sharpness float32) []float32 {
	all, recent := make([]float64, len(t.labels)), make([]float64, len(t.labels))
	sumAll, sumRecent := 0.0, 0.0
	for k, i := range index {
		w := ageWeight(k, len(index), half)
		for _, l := range t.target[i] {
			all[l]++
			recent[l] += w
			sumAll++
			sumRecent += w
		}
	}
	prior := mixPrior * float64(len(t.labels))
	shift := make([]float32, len(t.labels))
	for l := range shift {
		a := (all[l] + mixPrior) / (sumAll + prior)
		// The prior keeps its worth in examples when the weights shrink.
		scale := sumRecent / sumAll
		r := (recent[l] + mixPrior*scale) / (sumRecent + prior*scale)
		shift[l] = float32(math.Log(r/a)) / sharpness
	}
	return shift
}

// ageWeights are the weights of n examples, 1 on average; all 1 without drift.
func ageWeights(n int, half float64) []float64 {
	weights := make([]float64, n)
	sum := 0.0
	for k := range weights {
		weights[k] = 1
		if half > 0 {
			weights[k] = ageWeight(k, n, half)
		}
		sum += weights[k]
	}
	for k := range weights {
		weights[k] *= float64(n) / sum
	}
	return weights
}

func ageWeight(k, n int, half float64) float64 {
	return math.Exp2(-float64(n-1-k) / float64(n) / half)
}

// hit tells whether the leading label is a true one.
func (t *training) hit(example int, margins, shift []float32) bool {
	top, best := 0, float32(math.Inf(-1))
	for k, m := range margins {
		if shift != nil {
			m += shift[k]
		}
		if m > best {
			top, best = k, m
		}
	}
	for _, l := range t.target[example] {
		if int(l) == top {
			return true
		}
	}
	return false
}
