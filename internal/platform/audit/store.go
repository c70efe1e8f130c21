package audit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"omote/internal/platform/store"
)

func lastHead(ctx context.Context, tx store.Tx) (h Head, err error) {
	err = tx.NewSelect().Model(&h).Order("no DESC").Limit(1).Scan(ctx)
	if store.IsNoRows(err) {
		return Head{}, nil
	}
	if err != nil {
		return Head{}, fmt.Errorf("audit: last head: %w", err)
	}
	return h, nil
}

// takeUnsealed puts entries without a batch into batch no and reads them in order.
func takeUnsealed(ctx context.Context, tx store.Tx, no int64, limit int64) ([]entryRow, error) {
	open := tx.NewSelect().Model((*entryRow)(nil)).Column("id").Where("batch IS NULL").Order("id").Limit(limit)
	if _, err := tx.NewUpdate().Model((*entryRow)(nil)).Set("batch = ?", no).Where("id IN (?)", open).Exec(ctx); err != nil {
		return nil, fmt.Errorf("audit: take entries: %w", err)
	}
	return batchRows(ctx, tx, no)
}

func batchRows(ctx context.Context, tx store.Tx, no int64) (rows []entryRow, err error) {
	if err := tx.NewSelect().Model(&rows).Where("batch = ?", no).OrderExpr(tx.Engine.ByteOrder("id")).Scan(ctx); err != nil {
		return nil, fmt.Errorf("audit: entries of batch %d: %w", no, err)
	}
	return rows, nil
}

func insertHead(ctx context.Context, tx store.Tx, h *Head) error {
	if _, err := tx.NewInsert().Model(h).Exec(ctx); err != nil {
		return fmt.Errorf("audit: write head: %w", err)
	}
	return nil
}

func headsAfter(ctx context.Context, tx store.Tx, no int64, limit int64) (heads []Head, err error) {
	if err := tx.NewSelect().Model(&heads).Where("no > ?", no).Order("no").Limit(limit).Scan(ctx); err != nil {
		return nil, fmt.Errorf("audit: heads: %w", err)
	}
	return heads, nil
}

// stray counts entries of batches that have no head, and those not sealed yet
// with the time of the oldest.
func stray(ctx context.Context, tx store.Tx) (orphans, unsealed int64, oldest store.Micros, err error) {
	err = tx.NewRaw(`SELECT
		COALESCE(SUM(CASE WHEN e.batch IS NOT NULL THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN e.batch IS NULL THEN 1 ELSE 0 END), 0),
		COALESCE(MIN(CASE WHEN e.batch IS NULL THEN e.at END), 0)
		FROM audit_entry e WHERE NOT EXISTS (SELECT 1 FROM audit_head h WHERE h.no = e.batch)`).Scan(ctx, &orphans, &unsealed, &oldest)
	if err != nil {
		return 0, 0, 0, fmt.Errorf("audit: entries without a head: %w", err)
	}
	return orphans, unsealed, oldest, nil
}

// Filter picks lines. Empty fields pick all.
type Filter struct {
	Actor  string // "account:…"
	Action string // a whole action, or its beginning: "ingest." or "ingest.plan."
	Object string // a whole object, or its beginning: "plan/"
	From   time.Time
	Before time.Time
	// After is the id of the last line of the page before.
	After string
	Limit int // default 50, at most 1000
}

// List gives lines of the entity within the scope's subtree, newest first.
func List(ctx context.Context, tx store.Tx, f Filter) ([]Line, error) {
	var rows []entryRow
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	q := tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity).Where("unit LIKE ? ESCAPE '!'", prefix(tx.Scope.Unit)).
		OrderExpr("id DESC").Limit(int64(min(limit, 1000)))
	if f.Actor != "" {
		q = q.Where("actor = ?", f.Actor)
	}
	for column, v := range map[string]string{"action": f.Action, "object": f.Object} {
		switch {
		case v == "":
		case strings.HasSuffix(v, ".") || strings.HasSuffix(v, "/"):
			q = q.Where(column+" LIKE ? ESCAPE '!'", prefix(v))
		default:
			q = q.Where(column+" = ?", v)
		}
	}
	if !f.From.IsZero() {
		q = q.Where("at >= ?", store.At(f.From))
	}
	if !f.Before.IsZero() {
		q = q.Where("at < ?", store.At(f.Before))
	}
	if f.After != "" {
		q = q.Where("id < ?", f.After)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("audit: list: %w", err)
	}
	out := make([]Line, len(rows))
	for i, r := range rows {
		out[i] = r.line()
	}
	return out, nil
}

// prefix is a LIKE pattern for texts that begin with s.
func prefix(s string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s) + "%"
}
