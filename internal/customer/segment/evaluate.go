package segment

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"omote/analytics/rule"
	"omote/internal/customer/state"
	"omote/internal/platform/store"
)

// Cause is why a membership began or ended.
type Cause string

// The causes.
const (
	byEvent    Cause = "event"
	byTime     Cause = "time"     // a window ran out, a minimum stay ended
	byIdentity Cause = "identity" // customers were merged or parted
	byFill     Cause = "fill"     // a version became live
	byHistory  Cause = "history"  // an event of a history that was brought in
	byRetire   Cause = "retire"   // the segment is no longer in use
)

// Change is a membership that began or ended.
type Change struct {
	CustomerID string
	Segment    string
	Entered    bool
	Cause      Cause
	// History marks a change that only history brought about: it starts nothing.
	History bool
}

// standing is what a customer belongs to, by segment of a running set.
type standing struct {
	since   []int64 // instant of entry; 0: no member
	unknown []bool
}

func (r *running) newStanding() *standing {
	return &standing{since: make([]int64, len(r.segments)), unknown: make([]bool, len(r.segments))}
}

func (s *standing) reset() {
	clear(s.since)
	clear(s.unknown)
}

// decode reads a standing; segments no longer in use are passed over.
func (r *running) decode(s *standing, b []byte) error {
	for len(b) > 0 {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return fmt.Errorf("segment: corrupt standing")
		}
		id := b[size : size+int(n)]
		b = b[size+int(n):]
		since, size := binary.Varint(b)
		if size <= 0 {
			return fmt.Errorf("segment: corrupt standing")
		}
		b = b[size:]
		if at, known := r.byID[string(id)]; known {
			s.since[at], s.unknown[at] = since, since == 0
		}
	}
	return nil
}

func (r *running) encode(s *standing) []byte {
	var b []byte
	for i := range r.segments {
		if s.since[i] != 0 || s.unknown[i] {
			id := r.segments[i].id
			b = append(binary.AppendUvarint(b, uint64(len(id))), id...)
			b = binary.AppendVarint(b, s.since[i])
		}
	}
	return b
}

// judge brings a standing up to date with a customer's state: for the touched
// rules, or all where touched is nil. It gives the segments entered and left, and
// when at the earliest the judged ones may change by time alone.
func (r *running) judge(st *rule.State, s *standing, now int64, touched []bool, change func(segment int, entered bool)) (due int64) {
	due = rule.Never
	ask := func(n int) rule.Answer {
		a, next := r.set.Evaluate(n, st, now)
		due = min(due, next)
		return a
	}
	move := func(i int, in bool) {
		if was := s.since[i] != 0; in == was {
			return
		}
		s.since[i] = 0
		if in {
			s.since[i] = now
		}
		change(i, in)
	}
	for i := range r.segments {
		seg := &r.segments[i]
		if seg.group >= 0 || touched != nil && !touched[seg.enter] && (seg.leave < 0 || !touched[seg.leave]) {
			continue
		}
		holds := ask(seg.enter)
		in := holds == rule.Yes
		if since := s.since[i]; since != 0 {
			if seg.leave >= 0 {
				in = ask(seg.leave) != rule.Yes
			}
			if end := since + seg.hold; !in && now < end {
				in, due = true, min(due, end)
			}
		}
		s.unknown[i] = !in && holds == rule.Unknown
		move(i, in)
	}
	for _, group := range r.groups {
		if touched != nil && !slices.ContainsFunc(group, func(i int) bool { return touched[r.segments[i].enter] }) {
			continue
		}
		taken := false
		for _, i := range group {
			holds := ask(r.segments[i].enter)
			s.unknown[i] = !taken && holds == rule.Unknown
			move(i, !taken && holds == rule.Yes)
			taken = taken || holds == rule.Yes
		}
	}
	return due
}

// work evaluates customers within a transaction and gathers what to write.
type work struct {
	run     *running
	now     store.Micros
	state   *rule.State
	stand   *standing
	changes []Change
	rows    []*customerRow
	gone    []string
	unknown []string
}

func newWork(run *running, now store.Micros) *work {
	return &work{run: run, now: now, state: run.set.NewState(), stand: run.newStanding()}
}

// judge evaluates one customer from the states of their records. touched limits
// it to some rules; row is what is stored of the customer, nil for a new one. A
// customer without records belongs to nothing any more.
func (w *work) judge(customer string, states [][]byte, touched []bool, row *customerRow, cause Cause, history bool) error {
	w.state.Reset()
	for _, b := range states {
		if err := w.state.Decode(b); err != nil {
			return fmt.Errorf("customer %s: %w", customer, err)
		}
	}
	return w.judgeState(customer, len(states) > 0, w.state, touched, row, cause, history)
}

func (w *work) judgeState(customer string, exists bool, st *rule.State, touched []bool, row *customerRow, cause Cause, history bool) error {
	w.stand.reset()
	if row == nil {
		if !exists {
			return nil
		}
		touched = nil
	} else if err := w.run.decode(w.stand, row.Standing); err != nil {
		return err
	}
	note := func(i int, entered bool) {
		w.changes = append(w.changes, Change{CustomerID: customer, Segment: w.run.segments[i].id, Entered: entered, Cause: cause, History: history})
	}
	if !exists {
		for i, since := range w.stand.since {
			if since != 0 {
				note(i, false)
			}
		}
		w.gone = append(w.gone, customer)
		return nil
	}
	due := w.run.judge(st, w.stand, int64(w.now), touched, note)
	if touched != nil && row.Due != nil {
		due = min(due, *row.Due)
	}
	next := &customerRow{CustomerID: customer, Standing: w.run.encode(w.stand)}
	if due != rule.Never {
		next.Due = &due
	}
	if row == nil || !slices.Equal(row.Standing, next.Standing) || !sameDue(row.Due, next.Due) {
		w.rows = append(w.rows, next)
	}
	return nil
}

func sameDue(a, b *int64) bool { return a == b || a != nil && b != nil && *a == *b }

// write puts the gathered changes into the store.
func (w *work) write(ctx context.Context, tx store.Tx, hook Hook) error {
	var entered []Change
	left := map[string]map[Cause][]string{}
	versions := map[string]int{}
	for i := range w.run.segments {
		versions[w.run.segments[i].id] = w.run.segments[i].version
	}
	for _, c := range w.changes {
		if c.Entered {
			entered = append(entered, c)
			continue
		}
		if left[c.Segment] == nil {
			left[c.Segment] = map[Cause][]string{}
		}
		left[c.Segment][c.Cause] = append(left[c.Segment][c.Cause], c.CustomerID)
	}
	for _, segment := range sortedKeys(left) {
		for _, cause := range sortedKeys(left[segment]) {
			if err := depart(ctx, tx, w.now, segment, cause, left[segment][cause]); err != nil {
				return err
			}
		}
	}
	if len(entered) > 0 {
		if err := enter(ctx, tx, w.now, entered, versions); err != nil {
			return err
		}
	}
	if len(w.rows) > 0 {
		if err := writeCustomers(ctx, tx, w.rows); err != nil {
			return err
		}
	}
	if err := deleteCustomers(ctx, tx, w.gone); err != nil {
		return err
	}
	if hook != nil && len(w.changes) > 0 {
		return hook(ctx, tx, w.changes)
	}
	return nil
}

// Hook hears of memberships that began or ended, in the transaction in which they
// did. Changes of history start nothing.
type Hook func(ctx context.Context, tx store.Tx, changes []Change) error

// evaluateAll evaluates customers from scratch: all rules, all their records.
// An id that is a record of somebody else is that somebody.
func evaluateAll(ctx context.Context, tx store.Tx, run *running, ids []string, cause Cause, hook Hook) error {
	if len(ids) == 0 {
		return nil
	}
	owner, err := holders(ctx, tx, ids)
	if err != nil {
		return err
	}
	all := map[string]bool{}
	for _, id := range ids {
		all[id] = true
		if c, ok := owner[id]; ok {
			all[c] = true
		}
	}
	customers := sortedKeys(all)
	records, err := recordsOf(ctx, tx, customers)
	if err != nil {
		return err
	}
	var wanted []string
	for _, c := range customers {
		wanted = append(wanted, records[c]...)
	}
	states, err := readRecords(ctx, tx, wanted)
	if err != nil {
		return err
	}
	rows, err := readCustomers(ctx, tx, customers)
	if err != nil {
		return err
	}
	w := newWork(run, tx.Now())
	var moved []*state.Row
	for _, c := range customers {
		var parts [][]byte
		for _, r := range records[c] {
			if row := states[r]; row != nil {
				parts = append(parts, row.Rules)
				if row.Holder != c {
					row = row.Or("", "")
					row.Holder = c
					moved = append(moved, row)
				}
			}
		}
		if err := w.judge(c, parts, nil, rows[c], cause, cause == byFill); err != nil {
			return err
		}
	}
	if err := w.write(ctx, tx, hook); err != nil {
		return err
	}
	state.Put(tx, moved...)
	return nil
}

// recordsOf gives the records of customers: those linked to them, and the record
// of the same id unless it belongs to somebody else.
func recordsOf(ctx context.Context, tx store.Tx, customers []string) (map[string][]string, error) {
	out, err := linked(ctx, tx, customers)
	if err != nil {
		return nil, err
	}
	away, err := holders(ctx, tx, customers)
	if err != nil {
		return nil, err
	}
	for _, c := range customers {
		if _, elsewhere := away[c]; !elsewhere {
			out[c] = append(out[c], c)
		}
	}
	return out, nil
}
