package signal

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

type row struct {
	bun.BaseModel `bun:"table:insight_signal,alias:s"`
	Entity        string `bun:",pk"`
	ID            string `bun:",pk"`
	MetricID      string
	Dim           string
	Place         string
	Episode       store.Micros
	Unit          string
	State         State
	Worth         int64
	RuleVersion   int64
	Body          json.RawMessage
	Opened        store.Micros
	Changed       store.Micros
	Version       int64
}

type eventRow struct {
	bun.BaseModel `bun:"table:insight_signal_event"`
	Entity        string `bun:",pk"`
	SignalID      string `bun:",pk"`
	ID            string `bun:",pk"`
	At            store.Micros
	Actor         string
	What          string
	Note          string
}

type ruleRow struct {
	bun.BaseModel `bun:"table:insight_signal_rule"`
	Entity        string `bun:",pk"`
	Version       int64  `bun:",pk"`
	State         Status
	Body          json.RawMessage
	Tested        json.RawMessage
	Reason        string
	CreatedAt     store.Micros
	CreatedBy     string
}

type runRow struct {
	bun.BaseModel `bun:"table:insight_signal_run"`
	Entity        string       `bun:",pk"`
	At            store.Micros `bun:",pk"`
	Body          json.RawMessage
}

func (r *row) signal() (*Signal, error) {
	s := &Signal{ID: r.ID, Unit: r.Unit, State: r.State, Worth: r.Worth, Opened: r.Opened.Time(), Changed: r.Changed.Time(), Version: int(r.Version)}
	if err := json.Unmarshal(r.Body, &s.Body); err != nil {
		return nil, fmt.Errorf("decode signal %s: %w", r.ID, err)
	}
	return s, nil
}

func (s *Signal) row(entity string) (*row, error) {
	body, err := json.Marshal(s.Body)
	if err != nil {
		return nil, fmt.Errorf("encode signal %s: %w", s.ID, err)
	}
	return &row{Entity: entity, ID: s.ID, MetricID: s.Body.Metric, Dim: string(s.Body.Place.Dim), Place: s.Body.Place.Value, Episode: store.At(s.Body.Onset),
		Unit: s.Unit, State: s.State, Worth: s.Worth, RuleVersion: int64(s.Body.Rule), Body: body, Opened: store.At(s.Opened), Changed: store.At(s.Changed),
		Version: int64(s.Version)}, nil
}

// insert adds a signal, and reports false where the episode has one already.
func insert(ctx context.Context, tx store.Tx, s *Signal) (bool, error) {
	s.ID, s.Version = uuid.Must(uuid.NewV7()).String(), 1
	r, err := s.row(tx.Scope.Entity)
	if err != nil {
		return false, err
	}
	res, err := tx.NewInsert().Model(r).On("CONFLICT DO NOTHING").Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("store signal: %w", err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// save writes a signal that was read in this version.
func save(ctx context.Context, tx store.Tx, s *Signal) error {
	s.Changed = tx.Now().Time()
	r, err := s.row(tx.Scope.Entity)
	if err != nil {
		return err
	}
	r.Version++
	res, err := tx.NewUpdate().Model(r).Column("unit", "state", "worth", "body", "changed", "version").
		Where("s.entity = ? AND s.id = ? AND s.version = ?", r.Entity, r.ID, s.Version).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store signal %s: %w", s.ID, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		if err == nil {
			err = errs.Conflict("insight.signal.error.changed", "signal %s was changed by somebody else meanwhile", s.ID)
		}
		return err
	}
	s.Version++
	return nil
}

// all gives the signals that the scope sees, in the given states (none for all),
// dearest first.
func all(ctx context.Context, tx store.Tx, states ...State) ([]*Signal, error) {
	var rows []row
	// Paths hold only lower-case letters, digits, "-" and "/": no LIKE patterns.
	q := tx.NewSelect().Model(&rows).Where("s.entity = ? AND s.unit LIKE ?", tx.Scope.Entity, tx.Scope.Unit+"%").
		OrderExpr("s.worth DESC, s.opened DESC, s.id")
	if len(states) > 0 {
		q = q.Where("s.state IN (?)", bun.In(states))
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("list signals: %w", err)
	}
	out := make([]*Signal, len(rows))
	for i := range rows {
		var err error
		if out[i], err = rows[i].signal(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func one(ctx context.Context, tx store.Tx, id string) (*Signal, error) {
	var r row
	err := tx.NewSelect().Model(&r).Where("s.entity = ? AND s.id = ?", tx.Scope.Entity, id).Scan(ctx)
	if store.IsNoRows(err) || err == nil && !tx.Scope.Sees(r.Unit) {
		return nil, errs.NotFound("insight.signal.error.not_found", "there is no signal %s, or not here", id)
	}
	if err != nil {
		return nil, fmt.Errorf("read signal %s: %w", id, err)
	}
	return r.signal()
}

// note adds a line to a signal's trail.
func note(ctx context.Context, tx store.Tx, id, what, text string) error {
	r := eventRow{Entity: tx.Scope.Entity, SignalID: id, ID: uuid.Must(uuid.NewV7()).String(), At: tx.Now(), Actor: tx.Scope.Actor, What: what, Note: text}
	if _, err := tx.NewInsert().Model(&r).Exec(ctx); err != nil {
		return fmt.Errorf("store the trail of signal %s: %w", id, err)
	}
	return nil
}

func trail(ctx context.Context, tx store.Tx, id string) (out []Event, err error) {
	var rows []eventRow
	if err := tx.NewSelect().Model(&rows).Where("entity = ? AND signal_id = ?", tx.Scope.Entity, id).Order("at", "id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the trail of signal %s: %w", id, err)
	}
	for _, r := range rows {
		out = append(out, Event{At: r.At.Time(), By: r.Actor, What: r.What, Note: r.Note})
	}
	return out, nil
}

// taken gives when each signal of the entity was first taken up, explained or turned
// into work.
func taken(ctx context.Context, tx store.Tx) (map[string]time.Time, error) {
	var rows []struct {
		SignalID string
		First    store.Micros
	}
	err := tx.NewSelect().Model((*eventRow)(nil)).ColumnExpr("signal_id, min(at) AS first").Where("entity = ? AND what IN ('acknowledge', 'noise', 'work')", tx.Scope.Entity).
		Group("signal_id").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read when signals were taken up: %w", err)
	}
	out := make(map[string]time.Time, len(rows))
	for _, r := range rows {
		out[r.SignalID] = r.First.Time()
	}
	return out, nil
}

// rules gives all versions of the rule, newest first, with what each opened.
func rules(ctx context.Context, tx store.Tx) ([]*RuleVersion, error) {
	var rows []ruleRow
	if err := tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity).Order("version DESC").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the rule of signals: %w", err)
	}
	var counts []struct {
		RuleVersion int64
		State       State
		N           int
	}
	err := tx.NewSelect().Model((*row)(nil)).ColumnExpr("s.rule_version, s.state, count(*) AS n").Where("s.entity = ?", tx.Scope.Entity).
		GroupExpr("s.rule_version, s.state").Scan(ctx, &counts)
	if err != nil {
		return nil, fmt.Errorf("count signals: %w", err)
	}
	out := make([]*RuleVersion, len(rows))
	for i, r := range rows {
		v := &RuleVersion{Version: int(r.Version), Status: r.State, Reason: r.Reason, CreatedAt: r.CreatedAt.Time(), CreatedBy: r.CreatedBy}
		if err := json.Unmarshal(r.Body, &v.Body); err != nil {
			return nil, fmt.Errorf("decode the rule of signals: %w", err)
		}
		if err := json.Unmarshal(r.Tested, &v.Tested); err != nil {
			return nil, fmt.Errorf("decode the test of a rule: %w", err)
		}
		for _, c := range counts {
			if int(c.RuleVersion) != v.Version {
				continue
			}
			v.Opened += c.N
			if c.State == Noise {
				v.FalseAlarms += c.N
			}
			if c.State == Noise || c.State == Work {
				v.Judged += c.N
			}
		}
		out[i] = v
	}
	return out, nil
}

func addRule(ctx context.Context, tx store.Tx, v *RuleVersion) error {
	body, err := json.Marshal(v.Body)
	if err != nil {
		return fmt.Errorf("encode the rule of signals: %w", err)
	}
	tested, err := json.Marshal(v.Tested)
	if err != nil {
		return fmt.Errorf("encode the test of a rule: %w", err)
	}
	r := ruleRow{Entity: tx.Scope.Entity, Version: int64(v.Version), State: v.Status, Body: body, Tested: tested, Reason: v.Reason,
		CreatedAt: store.At(v.CreatedAt), CreatedBy: v.CreatedBy}
	if _, err := tx.NewInsert().Model(&r).Exec(ctx); err != nil {
		return fmt.Errorf("store the rule of signals: %w", err)
	}
	return nil
}

func setRule(ctx context.Context, tx store.Tx, version int, to Status) error {
	_, err := tx.NewUpdate().Model((*ruleRow)(nil)).Set("state = ?", to).Where("entity = ? AND version = ?", tx.Scope.Entity, version).Exec(ctx)
	if err != nil {
		return fmt.Errorf("change the rule of signals: %w", err)
	}
	return nil
}

// keptRuns is for how long the records of runs are kept.
const keptRuns = 400 * 24 * time.Hour

func addRun(ctx context.Context, tx store.Tx, run Run) error {
	body, err := json.Marshal(run)
	if err != nil {
		return fmt.Errorf("encode a run: %w", err)
	}
	if _, err := tx.NewInsert().Model(&runRow{Entity: tx.Scope.Entity, At: store.At(run.At), Body: body}).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
		return fmt.Errorf("store a run: %w", err)
	}
	_, err = tx.NewDelete().Model((*runRow)(nil)).Where("entity = ? AND at < ?", tx.Scope.Entity, store.At(run.At.Add(-keptRuns))).Exec(ctx)
	if err != nil {
		return fmt.Errorf("forget old runs: %w", err)
	}
	return nil
}

func lastRun(ctx context.Context, tx store.Tx) (run Run, ok bool, err error) {
	var r runRow
	err = tx.NewSelect().Model(&r).Where("entity = ?", tx.Scope.Entity).Order("at DESC").Limit(1).Scan(ctx)
	if store.IsNoRows(err) {
		return run, false, nil
	}
	if err != nil {
		return run, false, fmt.Errorf("read the last run: %w", err)
	}
	return run, true, json.Unmarshal(r.Body, &run)
}

// Follower lets signals follow a unit that moved (org.Follower).
type Follower struct{}

// UnitMoved rewrites the paths that begin with from.
func (Follower) UnitMoved(ctx context.Context, tx store.Tx, from, to string) error {
	_, err := tx.NewUpdate().Model((*row)(nil)).Set("unit = ? || substr(unit, ?)", to, len(from)+1).
		Where("entity = ? AND unit LIKE ?", tx.Scope.Entity, from+"%").Exec(ctx)
	if err != nil {
		return fmt.Errorf("move the unit of signals: %w", err)
	}
	return nil
}
