package approval

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"omote/internal/platform/auth"
	"omote/internal/platform/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations make the table of proposals.
var Migrations = store.Migrations{Module: "approval", FS: migrations}

type row struct {
	bun.BaseModel `bun:"table:approval_request"`

	ID         string `bun:",pk"`
	Entity     string
	Unit       string
	Kind       string
	Object     string
	Version    int64
	TitleVI    string `bun:"title_vi"`
	TitleEN    string `bun:"title_en"`
	Details    string
	Href       string
	Payload    string
	Digest     string
	Permission string
	Maker      string
	Proposed   store.Micros
	Expires    store.Micros
	State      string
	Checker    string
	Decided    store.Micros `bun:",nullzero"`
	Reason     string
}

func (r row) request() (Request, error) {
	out := Request{ID: r.ID, Kind: r.Kind, Object: r.Object, Version: int(r.Version), Unit: r.Unit, Title: Text{VI: r.TitleVI, EN: r.TitleEN}, Href: r.Href,
		Payload: json.RawMessage(r.Payload), Digest: r.Digest, Permission: auth.Permission(r.Permission), Maker: r.Maker, Proposed: r.Proposed.Time(),
		Expires: r.Expires.Time(), State: State(r.State), Checker: r.Checker, Decided: r.Decided.Time(), Reason: r.Reason}
	if err := json.Unmarshal([]byte(r.Details), &out.Details); err != nil {
		return out, fmt.Errorf("approval: details of %s: %w", r.ID, err)
	}
	return out, nil
}

// insert adds a request; false when one waits for the object already.
func insert(ctx context.Context, tx store.Tx, r Request) (bool, error) {
	details, err := json.Marshal(r.Details)
	if err != nil {
		return false, fmt.Errorf("approval: encode the details: %w", err)
	}
	one := row{ID: r.ID, Entity: tx.Scope.Entity, Unit: r.Unit, Kind: r.Kind, Object: r.Object, Version: int64(r.Version), TitleVI: r.Title.VI,
		TitleEN: r.Title.EN, Details: string(details), Href: r.Href, Payload: string(r.Payload), Digest: r.Digest, Permission: string(r.Permission),
		Maker: r.Maker, Proposed: store.At(r.Proposed), Expires: store.At(r.Expires), State: string(r.State)}
	res, err := tx.NewInsert().Model(&one).On("CONFLICT DO NOTHING").Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("approval: add proposal: %w", err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

func update(ctx context.Context, tx store.Tx, r Request) error {
	one := row{ID: r.ID, State: string(r.State), Checker: r.Checker, Decided: store.At(r.Decided), Reason: r.Reason}
	if _, err := tx.NewUpdate().Model(&one).Column("state", "checker", "decided", "reason").WherePK().Where("entity = ?", tx.Scope.Entity).Exec(ctx); err != nil {
		return fmt.Errorf("approval: decide: %w", err)
	}
	return nil
}

func find(ctx context.Context, tx store.Tx, id string) (Request, error) {
	var r row
	err := tx.NewSelect().Model(&r).Where("id = ? AND entity = ?", id, tx.Scope.Entity).Scan(ctx)
	if store.IsNoRows(err) {
		return Request{}, notFound(id)
	}
	if err != nil {
		return Request{}, fmt.Errorf("approval: %w", err)
	}
	return r.request()
}

// query reads the requests that pick leaves.
func query(ctx context.Context, tx store.Tx, pick func(*bun.SelectQuery) *bun.SelectQuery) ([]Request, error) {
	var rows []row
	if err := pick(tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("approval: list: %w", err)
	}
	out := make([]Request, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.request(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func inState(ctx context.Context, tx store.Tx, s State) ([]Request, error) {
	return query(ctx, tx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("state = ?", string(s)).Order("expires", "id")
	})
}

func madeBy(ctx context.Context, tx store.Tx, maker string, n int64) ([]Request, error) {
	return query(ctx, tx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("maker = ?", maker).Order("id DESC").Limit(n)
	})
}

func closed(ctx context.Context, tx store.Tx, n int64) ([]Request, error) {
	return query(ctx, tx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("state <> ?", string(Waiting)).Order("decided DESC", "id DESC").Limit(n)
	})
}

func waitingFor(ctx context.Context, tx store.Tx, kind, object string) ([]Request, error) {
	return query(ctx, tx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("kind = ? AND object = ? AND state = ?", kind, object, string(Waiting))
	})
}

func overdue(ctx context.Context, tx store.Tx) ([]Request, error) {
	return query(ctx, tx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("state = ? AND expires <= ?", string(Waiting), tx.Now()).Order("id")
	})
}

// UnitMoved rewrites the paths of proposals when a unit moves (org.Follower).
func (s *Service) UnitMoved(ctx context.Context, tx store.Tx, from, to string) error {
	// Paths hold only lower-case letters, digits, "-" and "/": no LIKE patterns.
	_, err := tx.NewUpdate().Model((*row)(nil)).Set("unit = ? || substr(unit, ?)", to, len(from)+1).
		Where("entity = ? AND unit LIKE ?", tx.Scope.Entity, from+"%").Exec(ctx)
	if err != nil {
		return fmt.Errorf("approval: move unit: %w", err)
	}
	return nil
}
