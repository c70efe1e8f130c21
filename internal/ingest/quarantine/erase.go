package quarantine

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"omote/internal/platform/erasure"
	"omote/internal/platform/store"
)

// Eraser deletes quarantined rows in which a person stands, by an id of one of
// their records or by what they are reached by. Every row is opened for it, a page
// at a time, so that other work goes on meanwhile.
func (s *Service) Eraser() erasure.Eraser {
	return erasure.Eraser{Name: "quarantine", Tables: []string{"ingest_quarantine"}, Outside: s.erase}
}

func (s *Service) erase(ctx context.Context, subject *erasure.Subject) ([]erasure.Line, error) {
	line := erasure.Line{Place: "ingest_quarantine", Action: erasure.Deleted}
	after := ""
	for {
		var page []Row
		err := s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
			q := tx.NewSelect().Model(&page).Where("entity = ? AND id > ?", subject.Entity, after).Order("id").Limit(500)
			if err := q.Scan(ctx); err != nil {
				return fmt.Errorf("read quarantined rows: %w", err)
			}
			return s.box.Open(ctx, tx, &page)
		})
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return []erasure.Line{line}, nil
		}
		after = page[len(page)-1].ID
		var hit []string
		for _, r := range page {
			if subject.InJSON(r.Raw.Plain) || subject.Names(r.MessageID) {
				hit = append(hit, r.ID)
			}
		}
		if len(hit) == 0 {
			continue
		}
		err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.NewDelete().Model((*Row)(nil)).Where("entity = ? AND id IN (?)", subject.Entity, bun.List(hit)).Exec(ctx)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("erase quarantined rows: %w", err)
		}
		line.Count += int64(len(hit))
	}
}
