package bank

// The bank's own operations: incidents as monitoring reports them and
// observations of staff behaviour. They belong to no customer.

// opsIndex is the pseudo-index under which operations are rendered.
const opsIndex = uint64(1) << 51

// opsItems gives the operational facts between two instants in order of time.
func (b *Bank) opsItems(from, until int64) []due {
	var out []due
	add := func(it item) {
		if it.at >= from && it.at < until {
			out = append(out, due{it, opsIndex})
		}
	}
	for i := range b.world.plan.Effects {
		e := &b.world.plan.Effects[i]
		if e.Kind != "incident" {
			continue
		}
		start, end := b.Span(e)
		// monitoring notices an incident some minutes after it began
		lag := int64((4 + 30*hash01(b.cfg.Seed, sOps, uint64(i))) * float64(minute))
		add(item{at: start.UnixMicro() + lag, name: evIncidentStarted, kind: Track, sys: sysOps, ch: chBack, aux: uint32(i), seq: uint32(2 * i)})
		if !end.IsZero() {
			add(item{at: end.UnixMicro() + lag, name: evIncidentEnded, kind: Track, sys: sysOps, ch: chBack, aux: uint32(i), seq: uint32(2*i + 1)})
		}
	}
	for d := dayOf(from); d <= dayOf(until-1); d++ {
		b.observeDay(d, add)
	}
	return out
}

// observeDay is a day of observations: about one a week in each branch. Meeting
// the standard follows the same lever that customers feel, a known link.
func (b *Bank) observeDay(d int, add func(item)) {
	if !b.cal.at(d).office {
		return
	}
	for u := range b.packs.branches {
		r := stream(b.cfg.Seed, sOps, uint64(d)<<16|uint64(u)|1<<48)
		if !r.chance(0.2) {
			continue
		}
		at := dayStart(d) + branchClock(&r, false)
		c := customer{region: uint8(b.packs.branches[u].region), branch: uint16(u)}
		care := b.lever(lvCare, at, &c, uint16(u+1))
		it := item{at: at, name: evBehaviourObserved, kind: Track, sys: sysStaff, ch: chBranch, unit: uint16(u + 1), seq: uint32(d)<<8 | uint32(u) | 1<<24,
			staff: 1 + uint16(r.below(b.packs.staffOf(uint16(u)))), x: uint8(r.below(len(observed) - 1))}
		if r.chance(logistic(0.7 + 1.2*care)) {
			it.y = 1
		}
		add(it)
	}
}

// opsEvents renders the operational facts between two instants.
func (b *Bank) opsEvents(from, until int64) []Event {
	items := b.opsItems(from, until)
	t := newBatch(b, len(items))
	for i := range items {
		t.add(items[i].idx, &items[i].item)
	}
	return t.seal()
}
