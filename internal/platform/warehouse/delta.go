package warehouse

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"
)

// deltas are the increments of the daily aggregates that one batch brings.
type deltas struct {
	events    map[eventDayKey]*tally
	responses map[responseDayKey]*tally
	feeds     map[feedKey]*tally
}

type eventDayKey struct {
	entity              string
	day                 time.Time
	name, channel, unit string
}

type responseDayKey struct {
	entity                                            string
	day                                               time.Time
	instrument, item, trigger, channel, unit, product string
	scored                                            bool
	score                                             float64
}

type feedKey struct{ entity, source, name string }

// tally counts facts and keeps the last instants seen.
type tally struct {
	n          int64
	at, latest time.Time
}

func count[K comparable](m *map[K]*tally, k K, c *common) {
	if *m == nil {
		*m = map[K]*tally{}
	}
	t := (*m)[k]
	if t == nil {
		t = &tally{at: c.at, latest: c.received}
		(*m)[k] = t
	}
	t.n++
	if c.at.After(t.at) {
		t.at = c.at
	}
	if c.received.After(t.latest) {
		t.latest = c.received
	}
}

func (d *deltas) event(day time.Time, c *common) {
	count(&d.events, eventDayKey{c.entity, day, c.name, c.channel, c.unit}, c)
	count(&d.feeds, feedKey{c.entity, c.source, c.name}, c)
}

func (d *deltas) response(day time.Time, c *common, a *answer) {
	k := responseDayKey{entity: c.entity, day: day, instrument: a.instrument, item: a.item, trigger: a.trigger,
		channel: c.channel, unit: c.unit, product: c.product}
	k.score, k.scored = a.score.(float64)
	count(&d.responses, k, c)
}

// size is the number of rows that append writes.
func (d *deltas) size() int { return len(d.events) + len(d.responses) + len(d.feeds) }

// append writes the increments into the transaction of the facts.
func (d *deltas) append(ctx context.Context, tx writeTx) error {
	if err := appendTally(ctx, tx, eventDayTable, d.events, func(k eventDayKey, t *tally) []driver.Value {
		return []driver.Value{k.entity, k.day, k.name, k.channel, k.unit, t.n, t.latest}
	}); err != nil {
		return err
	}
	if err := appendTally(ctx, tx, responseDayTable, d.responses, func(k responseDayKey, t *tally) []driver.Value {
		var score driver.Value
		if k.scored {
			score = k.score
		}
		return []driver.Value{k.entity, k.day, k.instrument, k.item, k.trigger, k.channel, k.unit, k.product, score, t.n, t.latest}
	}); err != nil {
		return err
	}
	return appendTally(ctx, tx, feedTable, d.feeds, func(k feedKey, t *tally) []driver.Value {
		return []driver.Value{k.entity, k.source, k.name, t.n, t.at, t.latest}
	})
}

func appendTally[K comparable](ctx context.Context, tx writeTx, t table, m map[K]*tally, row func(K, *tally) []driver.Value) error {
	if len(m) == 0 {
		return nil
	}
	rows := make([][]driver.Value, 0, len(m))
	for k, v := range m {
		rows = append(rows, row(k, v))
	}
	return tx.Append(ctx, t, rows)
}

// foldState tells which days have increments that are not folded, and when they
// are worth folding: when there are at least as many as rows after the last
// fold. The work of folding is then a small multiple of that of appending.
// Guarded by Warehouse.write.
type foldState struct {
	rows     int64 // of the days that were folded last
	appended int64 // since
	days     map[time.Time]bool
	all      bool // any day may have increments
}

const (
	foldAtLeast = 500_000
	foldMaxDays = 31 // with more days touched, all are folded
)

func (s *foldState) due() bool { return s.appended >= max(foldAtLeast, s.rows) }

// touch notes what one batch appended.
func (s *foldState) touch(d *deltas) {
	s.appended += int64(d.size())
	if s.days == nil {
		s.days = map[time.Time]bool{}
	}
	for k := range d.events {
		s.days[k.day] = true
	}
	s.all = s.all || len(s.days) > foldMaxDays
}

// condition is the SQL that keeps the days to fold.
func (s *foldState) condition(a aggregate) string {
	if s.all || !a.daily {
		return "true"
	}
	days := make([]string, 0, len(s.days))
	for d := range s.days {
		days = append(days, "DATE '"+d.Format(time.DateOnly)+"'")
	}
	if len(days) == 0 {
		return "false"
	}
	return "day IN (" + strings.Join(days, ", ") + ")"
}

// Compact folds the increments of all aggregates into one row per key; readers
// see the same sums before and after. Apply folds by itself what it appended;
// what it had not folded when the process ended stays for Compact, to be called
// once in a while, such as nightly.
func (w *Warehouse) Compact(ctx context.Context) error {
	w.write.Lock()
	defer w.write.Unlock()
	w.folded.all = true
	return w.fold(ctx)
}

// fold needs the write lock.
func (w *Warehouse) fold(ctx context.Context) error {
	var rows int64
	err := w.engine.Write(ctx, func(tx writeTx) error {
		for _, a := range aggregates {
			n, err := foldTable(ctx, tx, a, w.folded.condition(a))
			if err != nil {
				return fmt.Errorf("fold %s: %w", a.table, err)
			}
			rows += n
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.folded = foldState{rows: rows}
	return nil
}

// foldTable folds the rows that the condition keeps and counts what is left of
// them.
func foldTable(ctx context.Context, tx writeTx, a aggregate, where string) (int64, error) {
	last := ""
	if a.more != "" {
		last = ", max(last_at) AS last_at"
	}
	columns := "entity, " + a.keys + ", n, latest" + a.more
	for _, q := range []string{
		fmt.Sprintf("CREATE TEMPORARY TABLE folded AS SELECT entity, %[1]s, CAST(sum(n) AS BIGINT) AS n, max(latest) AS latest%[2]s FROM warehouse.%[3]s WHERE %[4]s GROUP BY entity, %[1]s",
			a.keys, last, a.table, where),
		"DELETE FROM warehouse." + a.table + " WHERE " + where,
		fmt.Sprintf("INSERT INTO warehouse.%[1]s (%[2]s) SELECT %[2]s FROM folded", a.table, columns),
		"DROP TABLE folded",
	} {
		if err := tx.Exec(ctx, q); err != nil {
			return 0, err
		}
	}
	return tx.Int(ctx, "SELECT count(*) FROM warehouse."+a.table+" WHERE "+where)
}
