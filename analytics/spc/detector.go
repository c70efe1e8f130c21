package spc

import "math"

// The shifts, in standard deviations, that a detector is tuned to, and their
// prior weights: mostly the one to two sigma changes a bank can act on, with
// some weight for creeping and for violent ones.
var (
	shifts       = [...]float64{0.5, 1, 1.5, 2.5, 4}
	shiftWeights = [...]float64{0.1, 0.25, 0.4, 0.15, 0.1}
)

// arlFactor is the run length in control per unit of evidence: with a normal
// score each period, the detector crosses evidence A once in about arlFactor·A
// periods. At least A is guaranteed (the evidence less the number of periods is
// a martingale); the excess over the crossing makes it 2.2 times that, by
// simulation for A from 300 to 4,000.
const arlFactor = 2.2

// detector accumulates evidence that the level has shifted, whenever that began
// and by however much: a Shiryaev–Roberts statistic mixed over shifts of both
// signs, which is an e-detector (Shin, Ramdas and Rinaldo 2024).
type detector struct {
	up, down [len(shifts)]float64
}

// step takes the next normal score; memory ≥ 1 discounts autocorrelated ones.
func (d *detector) step(z, memory float64) {
	for j, s := range shifts {
		gain := math.Exp(s * z / memory)
		base := math.Exp(-s * s / (2 * memory))
		d.up[j] = (1 + d.up[j]) * gain * base
		d.down[j] = (1 + d.down[j]) / gain * base
	}
}

// evidence is the total; share is the part of the prior given to upward shifts.
func (d *detector) evidence(share float64) float64 {
	var u, l float64
	for j, w := range shiftWeights {
		u += w * d.up[j]
		l += w * d.down[j]
	}
	return share*u + (1-share)*l
}

func (d *detector) reset() { *d = detector{} }

// urgency is the part of the prior given to the bad direction: a deterioration
// should be seen about half a period sooner, an improvement can wait one longer.
const urgency = 0.8

// upShare is the prior share of upward shifts.
func (g Good) upShare() float64 {
	switch g {
	case GoodUp:
		return 1 - urgency
	case GoodDown:
		return urgency
	}
	return 0.5
}
