package plan

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"omote/internal/platform/store"
)

type planRow struct {
	bun.BaseModel `bun:"table:ingest_plan"`
	Entity        string `bun:",pk"`
	Version       uint32 `bun:",pk"`
	Body          json.RawMessage
	Note          string
	CreatedAt     store.Micros
	CreatedBy     string
}

// Version is one entry of a plan's history.
type Version struct {
	Version   uint32
	Note      string
	CreatedAt store.Micros
	CreatedBy string
	Events    int
}

// Count is how often one violation occurred on a day.
type Count struct {
	bun.BaseModel `bun:"table:ingest_violation" json:"-"`
	Entity        string       `bun:",pk" json:"-"`
	Day           string       `bun:",pk" json:"day"`
	Source        string       `bun:",pk" json:"source"`
	Event         string       `bun:",pk" json:"event"`
	Property      string       `bun:",pk" json:"property"`
	Reason        Reason       `bun:",pk" json:"reason"`
	N             int64        `json:"n"`
	LastAt        store.Micros `json:"-"`
}

func latest(ctx context.Context, tx store.Tx, entity string) (*Plan, error) {
	var row planRow
	err := tx.NewSelect().Model(&row).Where("entity = ?", entity).Order("version DESC").Limit(1).Scan(ctx)
	if store.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the tracking plan: %w", err)
	}
	return row.plan()
}

func (r *planRow) plan() (*Plan, error) {
	var p Plan
	if err := json.Unmarshal(r.Body, &p); err != nil {
		return nil, fmt.Errorf("decode tracking plan %s/%d: %w", r.Entity, r.Version, err)
	}
	p.Version = r.Version
	return &p, nil
}

func insert(ctx context.Context, tx store.Tx, p *Plan, note string, now store.Micros) error {
	body, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode the tracking plan: %w", err)
	}
	row := planRow{Entity: tx.Scope.Entity, Version: p.Version, Body: body, Note: note, CreatedAt: now, CreatedBy: tx.Scope.Actor}
	if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
		return fmt.Errorf("store the tracking plan: %w", err)
	}
	return nil
}

func versions(ctx context.Context, tx store.Tx) (out []Version, err error) {
	var rows []planRow
	if err := tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity).Order("version DESC").Limit(200).Scan(ctx); err != nil {
		return nil, fmt.Errorf("list tracking plans: %w", err)
	}
	for i := range rows {
		p, err := rows[i].plan()
		if err != nil {
			return nil, err
		}
		out = append(out, Version{rows[i].Version, rows[i].Note, rows[i].CreatedAt, rows[i].CreatedBy, len(p.Events)})
	}
	return out, nil
}

// addCounts adds to the day's counts.
func addCounts(ctx context.Context, tx store.Tx, counts []Count) error {
	_, err := tx.NewInsert().Model(&counts).On("CONFLICT (entity, day, source, event, property, reason) DO UPDATE").
		Set("n = ?TableAlias.n + EXCLUDED.n").Set("last_at = EXCLUDED.last_at").Exec(ctx)
	if err != nil {
		return fmt.Errorf("count violations: %w", err)
	}
	return nil
}

func readCounts(ctx context.Context, tx store.Tx, since string) (out []Count, err error) {
	err = tx.NewSelect().Model(&out).Where("entity = ? AND day >= ?", tx.Scope.Entity, since).Order("day DESC", "n DESC").Limit(500).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read violations: %w", err)
	}
	return out, nil
}
