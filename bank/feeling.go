package bank

import "math"

// How feeling moves. A customer's feeling returns to its base with a half-life
// of some ten weeks; an experience moves it by the gap between what was met and
// what was expected, and a gap below counts more than twice a gap above, the
// asymmetry of losses and gains (Tversky and Kahneman 1992 estimate 2.25;
// Mittal, Ross and Baldasare 1998 find it between attributes and satisfaction).
const (
	RewardPerGap  = 0.16 // feeling gained per sd above expectation, weight 1
	PenaltyPerGap = 0.37 // feeling lost per sd below expectation, weight 1
	learning      = 0.06 // how fast expectation follows experience
)

const relaxation = float64(100 * day) // e-folding time of the return to base

// relax moves feeling towards its base for the time that has passed.
func (c *customer) relax(at int64) {
	if at <= c.feltAt {
		return
	}
	c.feel = c.base + (c.feel-c.base)*float32(math.Exp(-float64(at-c.feltAt)/relaxation))
	c.feltAt = at
}

// feltItem lets an experience act: feeling moves, and what follows is planned.
func (s *sim) feltItem(c *customer, it *item) {
	c.relax(it.at)
	q, weight := decodeQuality(it.x), float64(it.y)/50
	was := float64(c.feel)
	gap := q - float64(c.expect)
	change := RewardPerGap * gap
	if gap < 0 {
		change = PenaltyPerGap * gap
	}
	c.feel = float32(min(max(was+change*weight*float64(c.temper), -4), 4))
	c.expect += float32(learning * weight * gap)
	if s.watch != nil {
		s.watch.felt(c, it.at, it, q, was)
	}
	if c.has(flagProspect) {
		return
	}
	if it.jour == jComplaint || it.jour == jDispute {
		c.open -= min(c.open, 1)
	}
	s.complain(c, it, q, weight)
	s.eligible(c, it, q)
	if it.ch == chApp && it.reason == rAppEase && q > 1.2 && c.r.chance(0.02) {
		return
	}
}

// complain lets a bad experience become a complaint, more likely the worse it
// was, the more it mattered and the worse the customer felt already.
func (s *sim) complain(c *customer, it *item, q, weight float64) {
	if q > -0.7 || it.jour == jComplaint || it.jour == jExit {
		return
	}
	p := logistic(-4.2 - 0.9*(q+0.7) + 0.9*(weight-1) - 0.35*float64(c.feel))
	if it.reason == rPressure || it.reason == rFair {
		p *= 2
	}
	if c.r.chance(min(p, 0.5)) {
		s.complaint(c, it.at+int64(c.r.lognormal(7, 1)*float64(hour)), it.reason, -q, it.unit, it.prod)
	}
}
