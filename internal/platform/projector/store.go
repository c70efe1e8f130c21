package projector

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// States of a dead letter.
const (
	failed  = "failed"  // the handler refused it
	waiting = "waiting" // it waits behind one that failed
)

// letter is a row of projector_dead_letter.
type letter struct {
	bun.BaseModel `bun:"table:projector_dead_letter,alias:d"`
	Projector     string `bun:",pk"`
	Handler       string `bun:",pk"`
	Subject       string `bun:",pk"`
	Partition     int    `bun:"log_partition,pk"`
	Seq           int64  `bun:",pk"`
	Idx           int    `bun:",pk"`
	Entity        string
	State         string
	Reason        string
	Attempts      int
	Event         []byte
	Created       store.Micros
	Updated       store.Micros

	record *eventlog.Record // what Event holds, before it is sealed
}

func (s *State) letter(r *eventlog.Record, state, reason string) *letter {
	l := &letter{
		Projector: s.opts.Name, Subject: s.subject(r), Partition: r.Partition, Seq: int64(r.Seq), Idx: r.Index,
		Entity: r.Entity, State: state, Reason: reason, record: r,
	}
	if state == failed {
		l.Attempts = 1
	}
	return l
}

// place is where the event of a dead letter is sealed.
func (l *letter) place() sealed.Place {
	return sealed.Place{
		Table: "projector_dead_letter", Column: "event",
		Row: fmt.Sprintf("%s\x1f%s\x1f%s\x1f%d\x1f%d\x1f%d", l.Projector, l.Handler, l.Subject, l.Partition, l.Seq, l.Idx),
	}
}

// open gives the record that a dead letter holds.
func (s *State) open(ctx context.Context, l *letter) (eventlog.Record, error) {
	r := eventlog.Record{Partition: l.Partition, Seq: uint64(l.Seq), Index: l.Idx}
	plain, err := s.box.OpenBytes(ctx, l.place(), l.Event)
	if err != nil {
		return r, fmt.Errorf("open a dead letter: %w", err)
	}
	if rest, err := r.Event.Decode(plain); err != nil || len(rest) > 0 {
		return r, fmt.Errorf("open a dead letter: %w", event.ErrCorrupt)
	}
	return r, nil
}

// chunk bounds the parameters of one statement.
const chunk = 400

func (s *State) insert(ctx context.Context, tx store.Tx, handler string, letters []*letter) error {
	for _, l := range letters {
		l.Handler, l.Created, l.Updated = handler, tx.Now(), tx.Now()
		var err error
		if l.Event, err = s.box.SealBytes(ctx, l.place(), l.record.Event.Append(nil)); err != nil {
			return fmt.Errorf("seal a dead letter: %w", err)
		}
	}
	for part := range slices.Chunk(letters, chunk) {
		if _, err := tx.NewInsert().Model(&part).Exec(ctx); err != nil {
			return fmt.Errorf("insert dead letters: %w", err)
		}
	}
	return nil
}

func (s *State) position(ctx context.Context, tx store.Tx, partition int) (uint64, error) {
	var position int64
	err := tx.NewSelect().Table("projector_position").Column("position").
		Where("projector = ? AND log_partition = ?", s.opts.Name, partition).Scan(ctx, &position)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the position: %w", err)
	}
	return uint64(position), nil
}

func (s *State) positions(ctx context.Context, tx store.Tx) (map[int]uint64, error) {
	var rows []struct {
		LogPartition int
		Position     int64
	}
	err := tx.NewSelect().Table("projector_position").Column("log_partition", "position").Where("projector = ?", s.opts.Name).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read the positions: %w", err)
	}
	out := make(map[int]uint64, len(rows))
	for _, r := range rows {
		out[r.LogPartition] = uint64(r.Position)
	}
	return out, nil
}

// move sets the position of a partition from after to last, and tells whether
// it stood at after. It is one upsert and no select: on PostgreSQL a select from
// so small a table reads all of it, and the transactions of two partitions would
// then refuse each other. noRow tells a row that was made from one that was
// moved; where none may be missing, the caller rolls back.
func (s *State) move(ctx context.Context, tx store.Tx, partition int, after, last uint64) (bool, error) {
	const noRow = -1
	made := int64(noRow)
	if after == 0 {
		made = int64(last)
	}
	var stands int64
	err := tx.NewRaw(`INSERT INTO projector_position AS p (projector, log_partition, position, updated) VALUES (?, ?, ?, ?)
ON CONFLICT (projector, log_partition) DO UPDATE SET position = ?, updated = excluded.updated WHERE p.position = ?
RETURNING position`, s.opts.Name, partition, made, tx.Now(), int64(last), int64(after)).Scan(ctx, &stands)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("move the position: %w", err)
	}
	return stands != noRow, nil
}

func (s *State) hasLetters(ctx context.Context, tx store.Tx, handler string) (bool, error) {
	some, err := tx.NewSelect().Model((*letter)(nil)).Where("projector = ? AND handler = ?", s.opts.Name, handler).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for dead letters: %w", err)
	}
	return some, nil
}

func (s *State) subjectsWithLetters(ctx context.Context, tx store.Tx, handler string, subjects []string) (map[string]bool, error) {
	held := map[string]bool{}
	for part := range slices.Chunk(subjects, chunk) {
		var found []string
		err := tx.NewSelect().Model((*letter)(nil)).ColumnExpr("DISTINCT subject").
			Where("projector = ? AND handler = ? AND subject IN (?)", s.opts.Name, handler, bun.List(part)).Scan(ctx, &found)
		if err != nil {
			return nil, fmt.Errorf("look for dead letters: %w", err)
		}
		for _, f := range found {
			held[f] = true
		}
	}
	return held, nil
}

// queue gives the first dead letters of a subject in the order of the log.
func (s *State) queue(ctx context.Context, tx store.Tx, handler, subject string, limit int64) (letters []*letter, err error) {
	err = tx.NewSelect().Model(&letters).
		Where("projector = ? AND handler = ? AND subject = ? AND entity = ?", s.opts.Name, handler, subject, tx.Scope.Entity).
		Order("log_partition", "seq", "idx").Limit(limit).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	return letters, nil
}

func (s *State) remove(ctx context.Context, tx store.Tx, l *letter) error {
	if _, err := tx.NewDelete().Model(l).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("remove a dead letter: %w", err)
	}
	return nil
}

func (s *State) refuse(ctx context.Context, tx store.Tx, l *letter, reason string) error {
	l.State, l.Reason, l.Updated = failed, reason, tx.Now()
	l.Attempts++
	if _, err := tx.NewUpdate().Model(l).Column("state", "reason", "updated", "attempts").WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("update a dead letter: %w", err)
	}
	return nil
}

func (s *State) list(ctx context.Context, tx store.Tx, q Query) (letters []*letter, err error) {
	sel := tx.NewSelect().Model(&letters).ExcludeColumn("event").Where("projector = ? AND entity = ? AND state = ?", s.opts.Name, tx.Scope.Entity, failed).
		Order("handler", "subject", "log_partition", "seq", "idx").Limit(int64(q.Limit))
	if q.Handler != "" {
		sel = sel.Where("handler = ?", q.Handler)
	}
	if q.AfterHandler != "" {
		sel = sel.Where("(handler, subject) > (?, ?)", q.AfterHandler, q.AfterSubject)
	}
	if err := sel.Scan(ctx); err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	return letters, nil
}

func (s *State) counts(ctx context.Context, tx store.Tx) (counts []HandlerCount, err error) {
	err = tx.NewSelect().Model((*letter)(nil)).
		ColumnExpr("handler").
		ColumnExpr("SUM(CASE state WHEN 'failed' THEN 1 ELSE 0 END) AS failed").
		ColumnExpr("SUM(CASE state WHEN 'waiting' THEN 1 ELSE 0 END) AS waiting").
		Where("projector = ? AND entity = ?", s.opts.Name, tx.Scope.Entity).Group("handler").Order("handler").Scan(ctx, &counts)
	if err != nil {
		return nil, fmt.Errorf("count dead letters: %w", err)
	}
	return counts, nil
}

func (s *State) addImports(ctx context.Context, tx store.Tx, partition int, counts map[importKey]ImportCount) error {
	n := len(counts)
	entity, id := make([]string, 0, n), make([]string, 0, n)
	projectors, partitions := make([]string, 0, n), make([]int64, 0, n)
	accepted, duplicates, updated := make([]int64, 0, n), make([]int64, 0, n), make([]store.Micros, 0, n)
	for k, c := range counts {
		entity, id = append(entity, k.entity), append(id, k.id)
		projectors, partitions = append(projectors, s.opts.Name), append(partitions, int64(partition))
		accepted, duplicates, updated = append(accepted, c.Accepted), append(duplicates, c.Duplicates), append(updated, tx.Now())
	}
	_, err := tx.Batch(ctx, "projector_import", store.Upsert{
		Key: []string{"entity", "import", "projector", "log_partition"},
		Set: "accepted = t.accepted + excluded.accepted, duplicates = t.duplicates + excluded.duplicates, updated = excluded.updated",
	}, store.Col("entity", entity), store.Col("import", id), store.Col("projector", projectors), store.Col("log_partition", partitions),
		store.Col("accepted", accepted), store.Col("duplicates", duplicates), store.Col("updated", updated))
	return err
}

func (s *State) sumImport(ctx context.Context, tx store.Tx, id string) (c ImportCount, err error) {
	err = tx.NewSelect().Table("projector_import").
		ColumnExpr("COALESCE(SUM(accepted), 0) AS accepted, COALESCE(SUM(duplicates), 0) AS duplicates").
		Where("entity = ? AND import = ? AND projector = ?", tx.Scope.Entity, id, s.opts.Name).Scan(ctx, &c)
	if err != nil {
		return c, fmt.Errorf("count an import: %w", err)
	}
	return c, nil
}
