package org

import (
	"context"
	"fmt"
	"strings"

	"omote/analytics/text/normalise"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

func insertEntity(ctx context.Context, tx store.Tx, id, name string) error {
	r := row{ID: id, Entity: tx.Scope.Entity, Path: scope.Root, Kind: Entity, Name: name, Created: tx.Now()}
	if _, err := tx.NewInsert().Model(&r).On("CONFLICT (entity, path) DO NOTHING").Exec(ctx); err != nil {
		return fmt.Errorf("add entity: %w", err)
	}
	return nil
}

// insert adds a unit; false when its code is taken.
func insert(ctx context.Context, tx store.Tx, r *row) (bool, error) {
	res, err := tx.NewInsert().Model(r).On("CONFLICT (entity, code) DO NOTHING").Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("add unit: %w", err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

func get(ctx context.Context, tx store.Tx, id string) (Unit, error) {
	var r row
	err := tx.NewSelect().Model(&r).Where("id = ? AND entity = ?", id, tx.Scope.Entity).Scan(ctx)
	if store.IsNoRows(err) || (err == nil && !tx.Scope.Sees(r.Path)) {
		return Unit{}, errs.NotFound("admin.org.error.not_found", "no unit %s", id)
	}
	if err != nil {
		return Unit{}, fmt.Errorf("unit: %w", err)
	}
	return r.unit(), nil
}

func byPath(ctx context.Context, tx store.Tx, path string) (Unit, error) {
	var r row
	err := tx.NewSelect().Model(&r).Where("path = ? AND entity = ?", path, tx.Scope.Entity).Scan(ctx)
	if store.IsNoRows(err) {
		return Unit{}, errs.NotFound("admin.org.error.no_path", "there is no unit %s", path).With("path", path)
	}
	if err != nil {
		return Unit{}, fmt.Errorf("unit: %w", err)
	}
	return r.unit(), nil
}

// subtree reads the units at path and below, in the order of their paths.
func subtree(ctx context.Context, tx store.Tx, path string) ([]Unit, error) {
	var rows []row
	// Paths hold only lower-case letters, digits, "-" and "/": no LIKE patterns.
	err := tx.NewSelect().Model(&rows).Where("entity = ? AND path LIKE ?", tx.Scope.Entity, path+"%").
		OrderExpr(tx.Engine.ByteOrder("path")).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("units: %w", err)
	}
	out := make([]Unit, len(rows))
	for i, r := range rows {
		out[i] = r.unit()
	}
	return out, nil
}

func update(ctx context.Context, tx store.Tx, u Unit) error {
	r := row{ID: u.ID, Path: u.Path, Name: u.Name, Closed: store.At(u.Closed)}
	if _, err := tx.NewUpdate().Model(&r).Column("path", "name", "closed").WherePK().Where("entity = ?", tx.Scope.Entity).Exec(ctx); err != nil {
		return fmt.Errorf("change unit: %w", err)
	}
	return nil
}

func fold(s string) string { return string(normalise.AppendFold(nil, []byte(s))) }

func (q Query) matches(u Unit) bool {
	if !q.Closed && !u.Open() || q.Kind != "" && q.Kind != u.Kind {
		return false
	}
	search := fold(strings.TrimSpace(q.Search))
	return search == "" || strings.Contains(fold(u.Name), search) || strings.Contains(u.Code, search)
}

func pathOf(ctx context.Context, tx store.Tx, code string) (string, error) {
	var r row
	err := tx.NewSelect().Model(&r).Column("path").Where("entity = ? AND code = ? AND closed IS NULL", tx.Scope.Entity, code).Scan(ctx)
	if store.IsNoRows(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("unit by code: %w", err)
	}
	return r.Path, nil
}
