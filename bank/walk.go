package bank

// walk plans the events of one journey: a cursor in time with the fields that
// all its events share.
type walk struct {
	s  *sim
	c  *customer
	at int64
	it item
	n  uint16 // the journey's case number
	// said is a figure a comment may speak of: minutes waited, days, hours.
	said int32
}

// begin opens a journey of a customer at an instant.
func (s *sim) begin(c *customer, journey uint8, at int64) walk {
	c.cases++
	return walk{s: s, c: c, at: at, n: c.cases, it: item{jour: journey, cs: c.cases, kind: Track, out: outOK}}
}

// put plans an event after a delay and moves the cursor there. The fields staff,
// wait, hold, reason, amount, x and y of the template hold for this event only.
func (w *walk) put(name uint16, after int64) {
	w.at += max(after, 0)
	w.it.at, w.it.name = w.at, name
	w.c.push(w.it)
	w.it.wait, w.it.hold, w.it.reason, w.it.x, w.it.y, w.it.staff, w.it.aux = 0, 0, 0, 0, 0, 0, 0
}

// on sets channel, system and unit of the events that follow.
func (w *walk) on(ch, sys uint8, unit uint16) *walk {
	w.it.ch, w.it.sys, w.it.unit = ch, sys, unit
	return w
}

// fail plans an event with another outcome.
func (w *walk) fail(name uint16, after int64, out uint8) {
	w.it.out = out
	w.put(name, after)
	w.it.out = outOK
}

// late draws a delay around a median, in microseconds.
func (w *walk) late(median int64, sigma float64) int64 {
	return int64(w.c.r.lognormal(float64(median), sigma))
}

// office moves the cursor on by a delay and then to office hours.
func (w *walk) office(after int64) { w.at = w.s.b.cal.officeTime(w.at + after) }

// daytime moves the cursor on by a delay and then to a decent hour.
func (w *walk) daytime(after int64) { w.at = w.s.b.cal.daytime(w.at + after) }

// someone picks a member of staff of the unit.
func (w *walk) someone() uint16 {
	if w.it.unit == 0 {
		return 0
	}
	return 1 + uint16(w.c.r.below(w.s.b.packs.staffOf(w.it.unit-1)))
}

// skill is how much better or worse than average a member of staff is felt, in sd.
func (w *walk) skill(staff uint16) float64 {
	r := stream(w.s.b.cfg.Seed, sStaff, uint64(w.it.unit)<<16|uint64(staff))
	return 0.3 * r.normal()
}

// house is how much better or worse than average a branch is felt, in sd.
func (w *walk) house() float64 {
	r := stream(w.s.b.cfg.Seed, sBranch, uint64(w.it.unit))
	return 0.2 * r.normal()
}

// felt plans the moment at which the customer has lived through something.
// quality is in standard deviations, 0.2 being ordinary; weight is how much the
// matter counts; reason is what made it so; trigger the event a survey may ask about.
func (w *walk) felt(quality, weight float64, reason uint8, trigger uint16) {
	w.c.push(item{name: actFelt, at: w.at + second, jour: w.it.jour, cs: w.n, ch: w.it.ch, unit: w.it.unit, prod: w.it.prod, reason: reason, trig: trigger,
		x: encodeQuality(quality), y: uint8(min(weight*50, 250)), amount: w.it.amount, wait: w.said})
}

// encodeQuality packs a quality of -6..+6 into a byte.
func encodeQuality(q float64) uint8 { return uint8(min(max(q*20+128, 0), 255)) }

func decodeQuality(x uint8) float64 { return (float64(x) - 128) / 20 }
