package bank

import (
	"cmp"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"
)

// Slots is the number of base indices of people who exist or come by themselves
// before an instant: the customers of the first day, then the newcomers.
func (b *Bank) slots(until int64) uint64 {
	days := float64(until-b.start) / float64(day)
	return uint64(b.cfg.Customers) + uint64(max(math.Ceil(b.arrivals*days), 0))
}

// arrival is when the newcomer of a slot first opens the app; 0 for the
// customers of the first day. Newcomers come one after another, evenly with jitter.
func (b *Bank) arrival(slot uint64) int64 {
	if slot < uint64(b.cfg.Customers) {
		return 0
	}
	k := slot - uint64(b.cfg.Customers)
	r := stream(b.cfg.Seed, sArrival, slot)
	d := int(float64(k) / b.arrivals)
	return dayStart(dayOf(b.start)+d) + clockIn(&r, digitalHours)
}

// ByCustomer gives the whole history of one customer after another, each in time
// order, in constant memory: the fastest way through everything, for bulk loads
// that do not need one global order. The events of the bank's own operations
// (incidents, observations of staff) come first.
func (b *Bank) ByCustomer() iter.Seq[*Event] {
	return func(yield func(*Event) bool) {
		b.customerBatches()(func(events []Event) bool {
			for i := range events {
				if !yield(&events[i]) {
					return false
				}
			}
			return true
		})
	}
}

const customersPerBatch = 32

// customerBatches gives rendered batches in the order of customers, computed on
// all processors.
func (b *Bank) customerBatches() iter.Seq[[]Event] {
	return func(yield func([]Event) bool) {
		if events := b.opsEvents(b.start, b.end); !yield(events) {
			return
		}
		total := b.slots(b.end)
		jobs := int((total + customersPerBatch - 1) / customersPerBatch)
		ordered(jobs, func() func(int) []Event {
			s := &sim{b: b}
			c := &customer{}
			return func(k int) []Event {
				t := newBatch(b, 64*customersPerBatch)
				from := uint64(k) * customersPerBatch
				for slot := from; slot < min(from+customersPerBatch, total); slot++ {
					s.whole(c, slot, t)
				}
				return t.seal()
			}
		}, yield)
	}
}

// whole renders a customer and everybody referred through the whole history.
func (s *sim) whole(c *customer, slot uint64, t *batch) {
	s.each(c, slot, func() {
		for i := range s.out {
			t.add(c.idx, &s.out[i])
		}
	})
}

// each runs the customer of a slot, then everybody referred, through the whole
// history; after each, s.out holds the items and done is called.
func (s *sim) each(c *customer, slot uint64, done func()) {
	at := s.b.arrival(slot)
	if at >= s.b.end {
		return
	}
	s.born = append(s.born[:0], birth{idx: slot << 3, at: at})
	for len(s.born) > 0 {
		next := s.born[0]
		s.born = append(s.born[:0], s.born[1:]...)
		s.b.newCustomer(c, next.idx, next.at)
		s.out = s.out[:0]
		s.step(c, s.b.end)
		done()
	}
}

// ordered computes jobs 0..n-1 on all processors and yields the results in
// order, holding only a few at a time. start makes one worker's function.
func ordered[T any](n int, start func() func(int) T, yield func(T) bool) {
	workers := runtime.GOMAXPROCS(0)
	if workers == 1 || n == 1 {
		run := start()
		for k := range n {
			if !yield(run(k)) {
				return
			}
		}
		return
	}
	type job struct {
		k   int
		out chan T
	}
	work := make(chan job)
	queue := make(chan chan T, 2*workers)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(queue)
		defer close(work)
		for k := range n {
			out := make(chan T, 1)
			select {
			case queue <- out:
			case <-stop:
				return
			}
			select {
			case work <- job{k, out}:
			case <-stop:
				return
			}
		}
	})
	for range workers {
		wg.Go(func() {
			run := start()
			for j := range work {
				j.out <- run(j.k)
			}
		})
	}
	defer wg.Wait()
	defer close(stop)
	for out := range queue {
		if !yield(<-out) {
			return
		}
	}
}

// due is an item with the customer it belongs to.
type due struct {
	item
	idx uint64
}

func compareDue(a, b due) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.idx, b.idx), cmp.Compare(a.seq, b.seq))
}

// Stream is the bank moving through time: it gives all customers' events in one
// order of time and can go on for as long as the calendar knows. Memory grows
// with the number of customers (about a kilobyte each), not with time. A Stream
// is for one goroutine.
type Stream struct {
	b      *Bank
	now    int64
	shards []*shard
	slots  uint64
}

type shard struct {
	sim   sim
	cs    []*customer
	next  []int64
	items []due
}

// Stream starts the bank at the beginning of its history.
func (b *Bank) Stream() *Stream {
	st := &Stream{b: b, now: b.start}
	for range runtime.GOMAXPROCS(0) {
		st.shards = append(st.shards, &shard{sim: sim{b: b}})
	}
	return st
}

// Now is the instant up to which the stream has run, in Unix microseconds.
func (st *Stream) Now() int64 { return st.now }

// History gives the whole history in order of time.
func (b *Bank) History() iter.Seq[*Event] { return b.Stream().Until(b.end) }

// Until gives the events before an instant (Unix microseconds) in order of time
// and moves the stream there. When the loop is left early the stream stands at
// the end of the stretch it was in, at most a day later.
func (st *Stream) Until(until int64) iter.Seq[*Event] {
	return func(yield func(*Event) bool) {
		for st.now < until {
			if !st.stretch(min(st.next(), until), yield) {
				return
			}
		}
	}
}

// Skip moves the stream to an instant without giving events.
func (st *Stream) Skip(until int64) {
	for st.now < until {
		st.advance(min(st.next(), until))
	}
}

// next is the end of the stretch of time that is computed at once: a day, or an
// hour for a large bank, and minutes while its records are first delivered, so
// that the events held at a time stay few.
func (st *Stream) next() int64 {
	switch {
	case st.b.cfg.Customers <= 100_000:
		return dayStart(dayOf(st.now) + 1)
	case st.now < st.b.start+snapshotTime:
		return st.now + snapshotTime/24
	}
	return dayStart(dayOf(st.now)) + (clockOf(st.now)/hour+1)*hour
}

// advance runs every customer to an instant; the items lie in the shards, in order.
func (st *Stream) advance(until int64) {
	last := max(st.b.slots(until), uint64(st.b.cfg.Customers))
	var wg sync.WaitGroup
	for k, sh := range st.shards {
		wg.Go(func() {
			n := uint64(len(st.shards))
			for slot := st.slots; slot < last; slot++ {
				if slot%n != uint64(k) {
					continue
				}
				c := &customer{}
				st.b.newCustomer(c, slot<<3, st.b.arrival(slot))
				sh.cs = append(sh.cs, c)
				sh.next = append(sh.next, c.nextAt())
			}
			sh.run(until)
		})
	}
	wg.Wait()
	st.slots = last
	st.now = until
}

func (sh *shard) run(until int64) {
	sh.items = sh.items[:0]
	for i := 0; i < len(sh.cs); i++ {
		if sh.next[i] >= until {
			continue
		}
		c := sh.cs[i]
		sh.sim.out = sh.sim.out[:0]
		sh.sim.born = sh.sim.born[:0]
		sh.sim.step(c, until)
		sh.next[i] = c.nextAt()
		if cap(c.plan) > 2*len(c.plan)+8 { // a million agendas must not keep their largest size
			c.plan = append(make([]item, 0, len(c.plan)+4), c.plan...)
		}
		for k := range sh.sim.out {
			sh.items = append(sh.items, due{sh.sim.out[k], c.idx})
		}
		for _, n := range sh.sim.born {
			child := &customer{}
			sh.sim.b.newCustomer(child, n.idx, n.at)
			sh.cs = append(sh.cs, child)
			sh.next = append(sh.next, child.nextAt())
		}
	}
	slices.SortFunc(sh.items, compareDue)
}

const itemsPerBatch = 1024

// stretch gives the events up to an instant.
func (st *Stream) stretch(until int64, yield func(*Event) bool) bool {
	from := st.now
	st.advance(until)
	all := st.merge(from, until)
	goOn := true
	ordered((len(all)+itemsPerBatch-1)/itemsPerBatch, func() func(int) []Event {
		return func(k int) []Event {
			part := all[k*itemsPerBatch : min((k+1)*itemsPerBatch, len(all))]
			t := newBatch(st.b, len(part))
			for i := range part {
				t.add(part[i].idx, &part[i].item)
			}
			return t.seal()
		}
	}, func(events []Event) bool {
		for i := range events {
			if !yield(&events[i]) {
				goOn = false
				return false
			}
		}
		return true
	})
	return goOn
}

// merge brings the shards' items of a stretch, and those of operations, into one order.
func (st *Stream) merge(from, until int64) []due {
	var all []due
	for _, sh := range st.shards {
		all = append(all, sh.items...)
	}
	all = append(all, st.b.opsItems(from, until)...)
	slices.SortFunc(all, compareDue)
	return all
}
