package segment

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"omote/analytics/rule"
	"omote/internal/customer/state"
	"omote/internal/platform/clock"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Filler brings versions that are filling to life: it adds what the warehouse
// knows of the time before, then evaluates every customer. It can be killed at
// any moment and goes on after the last record it had done.
type Filler struct {
	db     *store.DB
	facts  Facts
	rules  *rules
	hook   Hook
	entity string
	wake   chan struct{}
}

type fillRow struct {
	bun.BaseModel `bun:"table:customer_segment_fill"`
	Entity        string          `bun:",pk"`
	ID            string          `bun:",pk"`
	Positions     json.RawMessage // partition → position
	Features      json.RawMessage // hex ids, before their epoch
	Filled        string          // last record that has its history
	Evaluated     string          // last record that was evaluated
	Phase         string
	CreatedAt     store.Micros
}

// The phases of a fill.
const (
	phaseFacts    = "facts"
	phaseEvaluate = "evaluate"
)

const fillStep = 500 // records of one transaction

// Run works until ctx ends.
func (f *Filler) Run(ctx context.Context) error {
	ctx = scope.With(ctx, scope.Process(f.entity, "segment fill"))
	for ctx.Err() == nil {
		worked, err := f.Step(ctx)
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "a segment waits for its history", "error", err)
		}
		if worked && err == nil {
			continue
		}
		pause, cancel := context.WithTimeout(ctx, 2*time.Second)
		select {
		case <-f.wake:
		case <-pause.Done():
		}
		cancel()
	}
	return nil
}

// Step does one step of the oldest fill; false when there is none.
func (f *Filler) Step(ctx context.Context) (worked bool, err error) {
	var fill *fillRow
	var run *running
	err = f.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if fill, err = oldestFill(ctx, tx); err != nil || fill == nil {
			return err
		}
		run, err = f.rules.load(ctx, tx)
		return err
	})
	if err != nil || fill == nil {
		return false, err
	}
	if fill.Phase == phaseEvaluate {
		return true, f.evaluate(ctx, fill.ID)
	}
	return true, f.history(ctx, fill, run)
}

// history gives the records what the warehouse knows of the time before.
func (f *Filler) history(ctx context.Context, fill *fillRow, run *running) error {
	positions := map[int]uint64{}
	if err := json.Unmarshal(fill.Positions, &positions); err != nil {
		return fmt.Errorf("decode positions: %w", err)
	}
	empty := true
	for p, pos := range positions {
		if pos == 0 {
			continue
		}
		empty = false
		for {
			have, err := f.facts.Position(ctx, p)
			if err != nil {
				return err
			}
			if have >= pos {
				break
			}
			if err := clock.Sleep(ctx, 50*time.Millisecond); err != nil {
				return err
			}
		}
	}
	if empty {
		return f.add(ctx, fill.ID, "~", nil)
	}
	var hexIDs []string
	if err := json.Unmarshal(fill.Features, &hexIDs); err != nil {
		return fmt.Errorf("decode features: %w", err)
	}
	wanted := map[uint64]bool{}
	for _, h := range hexIDs {
		id, err := parseHexID(h)
		if err != nil {
			return err
		}
		wanted[epochID(id, run.features[id])] = true
	}
	set := run.set.Only(func(id uint64) bool { return wanted[id] })
	slice := slices.IndexFunc(slicePrefixes, func(p string) bool { return p > fill.Filled || strings.HasPrefix(fill.Filled, p) })
	for _, prefix := range slicePrefixes[max(slice, 0):] {
		if err := f.slice(ctx, fill.ID, set, positions, prefix, fill.Filled); err != nil {
			return err
		}
	}
	return f.add(ctx, fill.ID, "~", nil)
}

// slicePrefixes cut the records by the first digit of their ids.
var slicePrefixes = strings.Split("0123456789abcdef", "")

// slice reads the facts of the records with a prefix, in the order of records,
// and adds what they leave behind.
func (f *Filler) slice(ctx context.Context, id string, set *rule.Set, positions map[int]uint64, prefix, after string) error {
	rows, err := f.facts.Query(ctx, factsQuery(f.facts.Dialect(), set, positions), prefix, after)
	if err != nil {
		return err
	}
	defer rows.Close()
	now := int64(f.db.Now())
	st := set.NewState()
	changed := make([]bool, len(set.Features))
	var batch []*state.Row
	current := ""
	flush := func(all bool) error {
		if current != "" {
			batch = append(batch, &state.Row{RecordID: current, Rules: st.Encode(nil, now)})
			st.Reset()
		}
		if len(batch) < fillStep && !all || len(batch) == 0 {
			return nil
		}
		err := f.add(ctx, id, batch[len(batch)-1].RecordID, batch)
		batch = batch[:0]
		return err
	}
	for rows.Next() {
		var fact factRow
		if err := fact.scan(rows); err != nil {
			return fmt.Errorf("read facts: %w", err)
		}
		if fact.record != current {
			if err := flush(false); err != nil {
				return err
			}
			current = fact.record
		}
		if fact.kind != "" {
			st.Apply(&rule.Fact{At: fact.at, Name: fact.name, Props: &fact}, now, changed)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read facts: %w", err)
	}
	return flush(true)
}

// add puts states to those of the records and notes how far the fill is, in
// one transaction.
func (f *Filler) add(ctx context.Context, id, upto string, states []*state.Row) error {
	return f.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		fill, err := getFill(ctx, tx, id)
		if err != nil || fill == nil || fill.Phase != phaseFacts || upto <= fill.Filled {
			return err // another process was faster
		}
		if err := addStates(ctx, tx, f.rules, states); err != nil {
			return err
		}
		fill.Filled = upto
		if upto == "~" {
			fill.Phase = phaseEvaluate
			if err := goLive(ctx, tx, fill.ID); err != nil {
				return err
			}
		}
		return updateFill(ctx, tx, fill)
	})
}

func addStates(ctx context.Context, tx store.Tx, rs *rules, states []*state.Row) error {
	if len(states) == 0 {
		return nil
	}
	run, err := rs.load(ctx, tx)
	if err != nil {
		return err
	}
	ids := make([]string, len(states))
	for i, s := range states {
		ids[i] = s.RecordID
	}
	owner, err := holders(ctx, tx, ids)
	if err != nil {
		return err
	}
	if _, err := readRecords(ctx, tx, ids); err != nil {
		return err
	}
	st := run.set.NewState()
	write := make([]*state.Row, len(states))
	for i, s := range states {
		row, _ := counted(tx, s.RecordID, cmp.Or(owner[s.RecordID], s.RecordID))
		st.Reset()
		for _, b := range [][]byte{row.Rules, s.Rules} {
			if err := st.Decode(b); err != nil {
				return err
			}
		}
		row.Rules = st.Encode(nil, int64(tx.Now()))
		write[i] = row
	}
	state.Put(tx, write...)
	return nil
}

// evaluate evaluates the next customers with all rules.
func (f *Filler) evaluate(ctx context.Context, id string) error {
	return f.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		fill, err := getFill(ctx, tx, id)
		if err != nil || fill == nil || fill.Phase != phaseEvaluate {
			return err
		}
		run, err := f.rules.load(ctx, tx)
		if err != nil {
			return err
		}
		ids, err := state.Next(ctx, tx, fill.Evaluated, fillStep)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return deleteFill(ctx, tx, id)
		}
		if err := evaluateAll(ctx, tx, run, ids, byFill, f.hook); err != nil {
			return err
		}
		fill.Evaluated = ids[len(ids)-1]
		return updateFill(ctx, tx, fill)
	})
}

// startFill puts versions into filling: from this transaction on the stream keeps
// what their rules need, and a fill brings the time before.
func startFill(ctx context.Context, tx store.Tx, positions map[int]uint64, id string, versions []*versionRow) error {
	set, err := readSet(ctx, tx)
	if err != nil {
		return err
	}
	epochs, fresh := set.epochs(), map[uint64]bool{}
	next := set.Version + 1
	for _, v := range versions {
		c, err := compileVersion(v.Enters, v.Leaves)
		if err != nil {
			return err
		}
		for _, f := range c.features() {
			if _, kept := epochs[f]; !kept {
				epochs[f], fresh[f] = next, true
			}
		}
		v.Status, v.FillID = Filling, id
		if err := updateVersion(ctx, tx, v, "status", "enters", "leaves", "fill_id"); err != nil {
			return err
		}
	}
	if err := writeSet(ctx, tx, next, epochs); err != nil {
		return err
	}
	ids := []string{}
	for _, f := range sortedKeys(fresh) {
		ids = append(ids, hexID(f))
	}
	features, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	pos, err := json.Marshal(positions)
	if err != nil {
		return err
	}
	return insertFill(ctx, tx, &fillRow{Entity: tx.Scope.Entity, ID: id, Positions: pos, Features: features, Phase: phaseFacts, CreatedAt: tx.Now()})
}

// goLive puts the versions of a fill into use; the versions before retire.
func goLive(ctx context.Context, tx store.Tx, fill string) error {
	rows, err := runningVersions(ctx, tx)
	if err != nil {
		return err
	}
	fresh := map[string]int{}
	for i := range rows {
		if v := &rows[i]; v.Status == Filling && v.FillID == fill {
			v.Status, v.LiveAt = Live, tx.Now()
			if err := updateVersion(ctx, tx, v, "status", "live_at"); err != nil {
				return err
			}
			fresh[v.SegmentID] = v.Version
		}
	}
	for i := range rows {
		v := &rows[i]
		if version, replaced := fresh[v.SegmentID]; !replaced || v.Status != Live || v.Version == version {
			continue
		}
		v.Status = Retired
		if err := updateVersion(ctx, tx, v, "status"); err != nil {
			return err
		}
	}
	return renewSet(ctx, tx)
}

// renewSet writes the set anew after versions came or went: features that no
// version needs are forgotten.
func renewSet(ctx context.Context, tx store.Tx) error {
	set, err := readSet(ctx, tx)
	if err != nil {
		return err
	}
	rows, err := runningVersions(ctx, tx)
	if err != nil {
		return err
	}
	before, epochs := set.epochs(), map[uint64]int64{}
	for _, v := range rows {
		c, err := compileVersion(v.Enters, v.Leaves)
		if err != nil {
			return err
		}
		for _, f := range c.features() {
			epochs[f] = before[f]
		}
	}
	return writeSet(ctx, tx, set.Version+1, epochs)
}

func oldestFill(ctx context.Context, tx store.Tx) (*fillRow, error) {
	var r fillRow
	err := tx.NewSelect().Model(&r).Where("entity = ?", tx.Scope.Entity).Order("id").Limit(1).Scan(ctx)
	if store.IsNoRows(err) {
		return nil, nil
	}
	return &r, err
}

func getFill(ctx context.Context, tx store.Tx, id string) (*fillRow, error) {
	var r fillRow
	err := tx.NewSelect().Model(&r).Where("entity = ? AND id = ?", tx.Scope.Entity, id).Scan(ctx)
	if store.IsNoRows(err) {
		return nil, nil
	}
	return &r, err
}

func insertFill(ctx context.Context, tx store.Tx, r *fillRow) error {
	if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
		return fmt.Errorf("begin to fill: %w", err)
	}
	return nil
}

func updateFill(ctx context.Context, tx store.Tx, r *fillRow) error {
	if _, err := tx.NewUpdate().Model(r).Column("filled", "evaluated", "phase").WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("note how far a fill is: %w", err)
	}
	return nil
}

func deleteFill(ctx context.Context, tx store.Tx, id string) error {
	if _, err := tx.NewDelete().Table("customer_segment_fill").Where("entity = ? AND id = ?", tx.Scope.Entity, id).Exec(ctx); err != nil {
		return fmt.Errorf("end a fill: %w", err)
	}
	return nil
}
