// Package quarantine keeps facts that did not fit, each with its reason, until a
// person corrects and sends them again or drops them. Nothing that a feed
// delivered disappears on the way.
package quarantine

import (
	"context"
	"fmt"
	"iter"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"omote/internal/ingest/plan"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Permissions of quarantine. Reading shows the rows as received, so it is a
// read of customer data.
const (
	PermRead auth.Permission = "ingest.quarantine.read"
	PermEdit auth.Permission = "ingest.quarantine.edit"
)

// State is what became of a row.
type State string

// The states.
const (
	Open    State = "open"
	Resent  State = "resent"
	Dropped State = "dropped"
)

// Row is a fact set aside. Raw is a JSON object: the message as received, or the
// columns of a file's row; a row that could not be taken apart has the one member
// "_raw".
type Row struct {
	bun.BaseModel `bun:"table:ingest_quarantine"`
	ID            string `bun:",pk"`
	Entity        string
	Source        string
	ImportID      string
	RowNumber     int64
	MessageID     string
	Reason        plan.Reason
	Field         string
	Detail        string
	Raw           sealed.Text
	State         State
	At            store.Micros
}

// Service keeps and gives the rows.
type Service struct {
	db  *store.DB
	box *sealed.Box
}

// NewService makes the service.
func NewService(db *store.DB, box *sealed.Box) *Service { return &Service{db: db, box: box} }

// maxDetail bounds the explanation kept with a row.
const maxDetail = 500

// Put keeps rows. It is called by the doors, which have authorised already.
func (s *Service) Put(ctx context.Context, rows []Row) error {
	if len(rows) == 0 {
		return nil
	}
	ctx = scope.With(ctx, scope.Process(rows[0].Entity, "ingest"))
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return s.put(ctx, tx, rows) })
}

// PutIn keeps rows within a running transaction.
func (s *Service) PutIn(ctx context.Context, tx store.Tx, rows []Row) error {
	return s.put(ctx, tx, rows)
}

func (s *Service) put(ctx context.Context, tx store.Tx, rows []Row) error {
	kept := make([]Row, len(rows))
	for i, r := range rows {
		r.ID, r.State, r.At = uuid.Must(uuid.NewV7()).String(), Open, s.db.Now()
		if len(r.Detail) > maxDetail {
			r.Detail = r.Detail[:maxDetail]
		}
		kept[i] = r
	}
	if err := s.box.Seal(ctx, tx, &kept); err != nil {
		return fmt.Errorf("encrypt quarantined rows: %w", err)
	}
	const step = 500
	for from := 0; from < len(kept); from += step {
		part := kept[from:min(from+step, len(kept))]
		if _, err := tx.NewInsert().Model(&part).Exec(ctx); err != nil {
			return fmt.Errorf("keep quarantined rows: %w", err)
		}
	}
	return nil
}

// Filter narrows a list. Empty fields narrow nothing.
type Filter struct {
	ImportID string
	Source   string
	Reason   plan.Reason
	State    State
}

func (f Filter) apply(q *bun.SelectQuery, entity string) *bun.SelectQuery {
	q = q.Where("entity = ?", entity)
	if f.ImportID != "" {
		q = q.Where("import_id = ?", f.ImportID)
	}
	if f.Source != "" {
		q = q.Where("source = ?", f.Source)
	}
	if f.Reason != "" {
		q = q.Where("reason = ?", f.Reason)
	}
	if f.State != "" {
		q = q.Where("state = ?", f.State)
	}
	return q
}

// List gives a page of rows, newest first, after the given id.
func (s *Service) List(ctx context.Context, f Filter, after string, limit int) (rows []Row, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		q := f.apply(tx.NewSelect().Model(&rows), tx.Scope.Entity)
		if after != "" {
			q = q.Where("id < ?", after)
		}
		if err := q.Order("id DESC").Limit(int64(limit)).Scan(ctx); err != nil {
			return fmt.Errorf("list quarantined rows: %w", err)
		}
		return s.box.Open(ctx, tx, &rows)
	})
	return rows, err
}

// Group counts rows of one reason and field.
type Group struct {
	Source string
	Reason plan.Reason
	Field  string
	N      int64
}

// Groups counts the rows by source, reason and field, most frequent first.
func (s *Service) Groups(ctx context.Context, f Filter) (groups []Group, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		q := f.apply(tx.NewSelect().Model((*Row)(nil)), tx.Scope.Entity)
		return q.ColumnExpr("source, reason, field, COUNT(*) AS n").GroupExpr("source, reason, field").OrderExpr("n DESC, reason, field").Limit(200).Scan(ctx, &groups)
	})
	return groups, err
}

// Count counts the rows.
func (s *Service) Count(ctx context.Context, f Filter) (n int64, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return 0, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		n, err = f.apply(tx.NewSelect().Model((*Row)(nil)), tx.Scope.Entity).Count(ctx)
		return err
	})
	return n, err
}

// All walks through every row of the filter, oldest first, a page at a time.
func (s *Service) All(ctx context.Context, f Filter) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		if err := auth.Require(ctx, PermRead, ""); err != nil {
			yield(Row{}, err)
			return
		}
		after := ""
		for {
			var page []Row
			err := s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
				q := f.apply(tx.NewSelect().Model(&page), tx.Scope.Entity).Where("id > ?", after).Order("id ASC").Limit(500)
				if err := q.Scan(ctx); err != nil {
					return err
				}
				return s.box.Open(ctx, tx, &page)
			})
			if err != nil {
				yield(Row{}, fmt.Errorf("read quarantined rows: %w", err))
				return
			}
			for _, r := range page {
				if !yield(r, nil) {
					return
				}
			}
			if len(page) == 0 {
				return
			}
			after = page[len(page)-1].ID
		}
	}
}

// Drop gives rows up: they stay on record as dropped. reason says why.
func (s *Service) Drop(ctx context.Context, f Filter, reason string) (n int64, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return 0, err
	}
	if reason == "" {
		return 0, errs.Invalid("quarantine.error.reason", "reason", "say why the rows are given up")
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		f.State = Open
		n, err = s.Mark(ctx, tx, f, nil, Dropped)
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "ingest.quarantine.drop", Object: "import/" + f.ImportID, Reason: reason})
	})
	return n, err
}

// Mark moves open rows of the filter (and, where given, only those of the row
// numbers) to a state, within a transaction.
func (s *Service) Mark(ctx context.Context, tx store.Tx, f Filter, numbers []int64, to State) (int64, error) {
	f.State = Open
	q := tx.NewUpdate().Model((*Row)(nil)).Set("state = ?", to).Where("entity = ? AND state = ?", tx.Scope.Entity, Open)
	if f.ImportID != "" {
		q = q.Where("import_id = ?", f.ImportID)
	}
	if f.Source != "" {
		q = q.Where("source = ?", f.Source)
	}
	if f.Reason != "" {
		q = q.Where("reason = ?", f.Reason)
	}
	if numbers != nil {
		q = q.Where("row_number IN (?)", bun.List(numbers))
	}
	res, err := q.Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("mark quarantined rows %s: %w", to, err)
	}
	return res.RowsAffected()
}

// Sealed is where the quarantine keeps what is encrypted.
func Sealed() sealed.Inventory {
	return sealed.Inventory{Fields: []sealed.Marked{{Column: sealed.Column{Table: "ingest_quarantine", Name: "raw"}, PK: []string{"id"}}}}
}
