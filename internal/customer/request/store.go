package request

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"omote/internal/platform/erasure"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

func (s *Service) insert(ctx context.Context, tx store.Tx, r *row) error {
	if err := s.Box.Seal(ctx, tx, r); err != nil {
		return err
	}
	if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
		return fmt.Errorf("open a request: %w", err)
	}
	return nil
}

func (s *Service) update(ctx context.Context, tx store.Tx, r *row) error {
	if err := s.Box.Seal(ctx, tx, r); err != nil {
		return err
	}
	if _, err := tx.NewUpdate().Model(r).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("request %s: %w", r.ID, err)
	}
	return nil
}

func (s *Service) get(ctx context.Context, tx store.Tx, id string) (r row, err error) {
	err = tx.NewSelect().Model(&r).Where("entity = ? AND id = ?", tx.Scope.Entity, id).Scan(ctx)
	if store.IsNoRows(err) {
		return r, errs.NotFound("customer.request.error.not_found", "there is no request %s", id)
	}
	if err != nil {
		return r, fmt.Errorf("request: %w", err)
	}
	return r, s.Box.Open(ctx, tx, &r)
}

// step writes down what was done.
func (s *Service) step(ctx context.Context, tx store.Tx, id, act, note string) error {
	r := stepRow{Entity: tx.Scope.Entity, RequestID: id, ID: uuid.Must(uuid.NewV7()).String(), Act: act, Note: sealed.New(note), At: tx.Now(), MadeBy: tx.Scope.Actor}
	if err := s.Box.Seal(ctx, tx, &r); err != nil {
		return err
	}
	if _, err := tx.NewInsert().Model(&r).Exec(ctx); err != nil {
		return fmt.Errorf("step of request %s: %w", id, err)
	}
	return nil
}

func (s *Service) steps(ctx context.Context, tx store.Tx, id string) (out []Step, err error) {
	var rows []stepRow
	if err := tx.NewSelect().Model(&rows).Where("entity = ? AND request_id = ?", tx.Scope.Entity, id).Order("id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("steps of request %s: %w", id, err)
	}
	if err := s.Box.Open(ctx, tx, &rows); err != nil {
		return nil, err
	}
	for _, r := range rows {
		out = append(out, Step{r.Act, r.Note.Plain, r.At.Time(), r.MadeBy})
	}
	return out, nil
}

// Filter narrows a list. Empty fields narrow nothing.
type Filter struct {
	Open     bool
	Kind     Kind
	Customer string // records of the customer
	records  []string
}

func list(ctx context.Context, tx store.Tx, f Filter, limit int) (rows []row, err error) {
	q := tx.NewSelect().Model(&rows).ExcludeColumn("wish", "answer").Where("entity = ?", tx.Scope.Entity)
	if f.Open {
		q = q.Where("state NOT IN (?, ?)", Done, Refused).OrderExpr("COALESCE(CASE WHEN replied_at IS NULL THEN reply_due END, done_due), id")
	} else {
		q = q.Order("id DESC")
	}
	if f.Kind != "" {
		q = q.Where("kind = ?", f.Kind)
	}
	if f.Customer != "" {
		q = q.Where("record_id IN (?)", bun.List(f.records))
	}
	if err := q.Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("requests: %w", err)
	}
	return rows, nil
}

// Eraser keeps the requests of a person who is forgotten, as proof of what was
// asked and done, without any of the words.
func Eraser() erasure.Eraser {
	return erasure.Eraser{Name: "requests", Tables: []string{"customer_request", "customer_request_step"}, InStore: func(ctx context.Context, tx store.Tx, s *erasure.Subject) ([]erasure.Line, error) {
		of := "SELECT id FROM customer_request WHERE entity = ? AND record_id IN (?)"
		if _, err := tx.NewRaw("UPDATE customer_request_step SET note = NULL WHERE entity = ? AND request_id IN ("+of+")", s.Entity, s.Entity, bun.List(s.Records)).Exec(ctx); err != nil {
			return nil, fmt.Errorf("words of requests: %w", err)
		}
		res, err := tx.NewRaw("UPDATE customer_request SET wish = NULL, answer = NULL, outcome = '' WHERE entity = ? AND record_id IN (?)", s.Entity, bun.List(s.Records)).Exec(ctx)
		if err != nil {
			return nil, fmt.Errorf("words of requests: %w", err)
		}
		n, err := res.RowsAffected()
		return []erasure.Line{{Place: "customer_request", Action: erasure.Kept, Count: n, Why: "customer.erasure.why.requests"}}, err
	}}
}

// Sealed is where the package keeps what is encrypted.
func Sealed() sealed.Inventory {
	return sealed.Inventory{Fields: []sealed.Marked{
		{Column: sealed.Column{Table: "customer_request", Name: "wish"}, PK: []string{"entity", "id"}},
		{Column: sealed.Column{Table: "customer_request", Name: "answer"}, PK: []string{"entity", "id"}},
		{Column: sealed.Column{Table: "customer_request_step", Name: "note"}, PK: []string{"entity", "request_id", "id"}},
	}}
}
