package org

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"omote/internal/platform/auth"
	"omote/internal/platform/store"
)

// Names gives the names of the units at the paths, as far as they exist. Names of
// units are no secret within the bank: they are given whatever the place, so that
// a page can say where its reader acts.
func (s *Service) Names(ctx context.Context, paths ...string) (names map[string]string, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		names, err = namesOf(ctx, tx, paths)
		return err
	})
	return names, err
}

func namesOf(ctx context.Context, tx store.Tx, paths []string) (map[string]string, error) {
	var rows []row
	if err := tx.NewSelect().Model(&rows).Column("path", "name").Where("entity = ? AND path IN (?)", tx.Scope.Entity, bun.List(paths)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("org: names: %w", err)
	}
	out := make(map[string]string, len(rows))
	for _, r := range rows {
		out[r.Path] = r.Name
	}
	return out, nil
}
