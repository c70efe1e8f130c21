package metric

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// row is a version of a metric as it is stored.
type row struct {
	bun.BaseModel `bun:"table:insight_metric"`
	Entity        string `bun:",pk"`
	MetricID      string `bun:",pk"`
	Version       int    `bun:",pk"`
	State         Status
	Origin        string
	Body          json.RawMessage
	Reason        string
	CreatedAt     store.Micros
	CreatedBy     string
	DecidedAt     store.Micros
	DecidedBy     string
	Decision      string
}

func (r *row) metric() (*Version, error) {
	v := &Version{Version: r.Version, Status: r.State, Origin: r.Origin, Reason: r.Reason, CreatedAt: r.CreatedAt.Time(), CreatedBy: r.CreatedBy,
		DecidedBy: r.DecidedBy, Decision: r.Decision}
	if r.DecidedAt != 0 {
		v.DecidedAt = r.DecidedAt.Time()
	}
	if err := json.Unmarshal(r.Body, &v.Definition); err != nil {
		return nil, fmt.Errorf("decode metric %s version %d: %w", r.MetricID, r.Version, err)
	}
	return v, nil
}

func metricsOf(rows []row) ([]*Version, error) {
	out := make([]*Version, len(rows))
	for i := range rows {
		v, err := rows[i].metric()
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// live gives the version in force of every metric, by id.
func live(ctx context.Context, tx store.Tx) ([]*Version, error) {
	var rows []row
	err := tx.NewSelect().Model(&rows).Where("entity = ? AND state = ?", tx.Scope.Entity, Live).Order("metric_id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list metrics: %w", err)
	}
	return metricsOf(rows)
}

// proposed gives all open proposals, oldest first.
func proposed(ctx context.Context, tx store.Tx) ([]*Version, error) {
	var rows []row
	err := tx.NewSelect().Model(&rows).Where("entity = ? AND state = ?", tx.Scope.Entity, Proposed).Order("created_at", "metric_id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list proposed metrics: %w", err)
	}
	return metricsOf(rows)
}

// versions gives all versions of a metric, newest first.
func versions(ctx context.Context, tx store.Tx, id string) ([]*Version, error) {
	var rows []row
	err := tx.NewSelect().Model(&rows).Where("entity = ? AND metric_id = ?", tx.Scope.Entity, id).Order("version DESC").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read metric %s: %w", id, err)
	}
	if len(rows) == 0 {
		return nil, notFound(id)
	}
	return metricsOf(rows)
}

// one gives a version of a metric; 0 is the one in force.
func one(ctx context.Context, tx store.Tx, id string, version int) (*Version, error) {
	var r row
	q := tx.NewSelect().Model(&r).Where("entity = ? AND metric_id = ?", tx.Scope.Entity, id)
	if version == 0 {
		q = q.Where("state = ?", Live)
	} else {
		q = q.Where("version = ?", version)
	}
	err := q.Limit(1).Scan(ctx)
	if store.IsNoRows(err) {
		return nil, notFound(id)
	}
	if err != nil {
		return nil, fmt.Errorf("read metric %s: %w", id, err)
	}
	return r.metric()
}

func notFound(id string) error {
	return errs.NotFound("metric.error.not_found", "there is no metric %q, or not in this version", id).With("id", id)
}

func insert(ctx context.Context, tx store.Tx, v *Version) error {
	body, err := json.Marshal(v.Definition)
	if err != nil {
		return fmt.Errorf("encode metric %s: %w", v.Definition.ID, err)
	}
	r := row{Entity: tx.Scope.Entity, MetricID: v.Definition.ID, Version: v.Version, State: v.Status, Origin: v.Origin, Body: body, Reason: v.Reason,
		CreatedAt: store.At(v.CreatedAt), CreatedBy: v.CreatedBy, DecidedBy: v.DecidedBy, Decision: v.Decision}
	if !v.DecidedAt.IsZero() {
		r.DecidedAt = store.At(v.DecidedAt)
	}
	if _, err := tx.NewInsert().Model(&r).Exec(ctx); err != nil {
		return fmt.Errorf("store metric %s version %d: %w", v.Definition.ID, v.Version, err)
	}
	return nil
}

// retire takes the version in force, if any, out of force.
func retire(ctx context.Context, tx store.Tx, id string) error {
	_, err := tx.NewUpdate().Model((*row)(nil)).Set("state = ?", Retired).
		Where("entity = ? AND metric_id = ? AND state = ?", tx.Scope.Entity, id, Live).Exec(ctx)
	if err != nil {
		return fmt.Errorf("retire metric %s: %w", id, err)
	}
	return nil
}

// decide gives a proposal its new state.
func decide(ctx context.Context, tx store.Tx, id string, version int, to Status, why string) error {
	_, err := tx.NewUpdate().Model((*row)(nil)).Set("state = ?", to).Set("decided_at = ?", tx.Now()).Set("decided_by = ?", tx.Scope.Actor).
		Set("decision = ?", why).Where("entity = ? AND metric_id = ? AND version = ?", tx.Scope.Entity, id, version).Exec(ctx)
	if err != nil {
		return fmt.Errorf("decide on metric %s version %d: %w", id, version, err)
	}
	return nil
}
