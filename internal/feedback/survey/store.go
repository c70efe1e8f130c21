package survey

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/feedback/form"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

type versionRow struct {
	bun.BaseModel `bun:"table:survey_version"`

	Entity    string `bun:",pk"`
	ID        string `bun:",pk"`
	Version   int64  `bun:",pk"`
	State     State
	Document  string
	Note      string
	Origin    string
	Created   store.Micros
	CreatedBy string
	Published store.Micros `bun:",nullzero"`
}

func (r *versionRow) version() (*Version, error) {
	v := &Version{Entity: r.Entity, Version: r.Version, State: r.State, Document: &form.Document{}, Note: r.Note, Origin: r.Origin, Created: r.Created.Time(),
		CreatedBy: r.CreatedBy, Published: r.Published.Time()}
	if err := json.Unmarshal([]byte(r.Document), v.Document); err != nil {
		return nil, fmt.Errorf("decode questionnaire %s: %w", r.ID, err)
	}
	return v, nil
}

func rowOf(v *Version) (*versionRow, error) {
	raw, err := json.Marshal(v.Document)
	if err != nil {
		return nil, fmt.Errorf("encode questionnaire %s: %w", v.Document.ID, err)
	}
	r := &versionRow{Entity: v.Entity, ID: v.Document.ID, Version: v.Version, State: v.State, Document: string(raw), Note: v.Note, Origin: v.Origin,
		Created: store.At(v.Created), CreatedBy: v.CreatedBy}
	if !v.Published.IsZero() {
		r.Published = store.At(v.Published)
	}
	return r, nil
}

func insertVersion(ctx context.Context, tx store.Tx, v *Version) error {
	r, err := rowOf(v)
	if err != nil {
		return err
	}
	_, err = tx.NewInsert().Model(r).Exec(ctx)
	return err
}

func updateDraft(ctx context.Context, tx store.Tx, v *Version) error {
	r, err := rowOf(v)
	if err != nil {
		return err
	}
	_, err = tx.NewUpdate().Model(r).Column("document", "note", "created", "created_by").WherePK().Where("state = ?", Draft).Exec(ctx)
	return err
}

func selectVersions(ctx context.Context, tx store.Tx, pick func(*bun.SelectQuery) *bun.SelectQuery) (out []*Version, err error) {
	var rows []versionRow
	if err := pick(tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity)).Scan(ctx); err != nil {
		return nil, err
	}
	for i := range rows {
		v, err := rows[i].version()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func versions(ctx context.Context, tx store.Tx, id string) ([]*Version, error) {
	return selectVersions(ctx, tx, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("id = ?", id).OrderExpr("version DESC") })
}

func liveVersions(ctx context.Context, tx store.Tx) ([]*Version, error) {
	return selectVersions(ctx, tx, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("state = ?", Live) })
}

// newest gives the newest version of each questionnaire, and the live one beside it.
func newest(ctx context.Context, tx store.Tx) ([]*Version, error) {
	return selectVersions(ctx, tx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where(`state = ? OR version = (SELECT MAX(n.version) FROM survey_version n WHERE n.entity = version_row.entity AND n.id = version_row.id)`, Live).OrderExpr("id, version DESC")
	})
}

// latest gives the newest version of one; nil when there is none.
func latest(ctx context.Context, tx store.Tx, id string) (*Version, error) {
	out, err := selectVersions(ctx, tx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("id = ?", id).OrderExpr("version DESC").Limit(1)
	})
	if err != nil || len(out) == 0 {
		return nil, err
	}
	return out[0], nil
}

func version(ctx context.Context, tx store.Tx, id string, n int64) (*Version, error) {
	out, err := selectVersions(ctx, tx, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("id = ? AND version = ?", id, n) })
	if err == nil && len(out) == 0 {
		return nil, notFound(id)
	}
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

func golive(ctx context.Context, tx store.Tx, id string, version int64) error {
	if _, err := retire(ctx, tx, id); err != nil {
		return err
	}
	_, err := tx.NewRaw("UPDATE survey_version SET state = ?, published = ? WHERE entity = ? AND id = ? AND version = ?", Live, tx.Now(), tx.Scope.Entity, id, version).Exec(ctx)
	return err
}

func retire(ctx context.Context, tx store.Tx, id string) (int64, error) {
	res, err := tx.NewRaw("UPDATE survey_version SET state = ? WHERE entity = ? AND id = ? AND state = ?", Retired, tx.Scope.Entity, id, Live).Exec(ctx)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func errNone(err error, what, id string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errs.NotFound("feedback.survey.error.gone", "%s %s is not there", what, id)
	}
	return err
}

// when is the time of a nullable column.
func when(m store.Micros) time.Time {
	if m == 0 {
		return time.Time{}
	}
	return m.Time()
}

func micros(t time.Time) store.Micros {
	if t.IsZero() {
		return 0
	}
	return store.At(t)
}
