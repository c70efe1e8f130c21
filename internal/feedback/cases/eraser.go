package cases

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"omote/internal/platform/erasure"
	"omote/internal/platform/store"
)

// Eraser takes a person out of cases. A case itself stays, as a number in the register
// of complaints that laws ask a bank to keep: its clocks, cause and outcome name nobody.
// Everything that a person wrote or is called by goes, files included.
func (s *Service) Eraser() erasure.Eraser {
	return erasure.Eraser{Name: "cases", InStore: s.erase,
		Tables: []string{"cases_case", "cases_signal", "cases_entry", "cases_gesture", "cases_file", "cases_followup", "cases_cluster", "cases_hook"}}
}

func (s *Service) erase(ctx context.Context, tx store.Tx, subject *erasure.Subject) ([]erasure.Line, error) {
	ids, err := casesOfRecords(ctx, tx, subject.Entity, subject.Records)
	if err != nil {
		return nil, err
	}
	// Cases of people whom no feed names are found by how they can be reached.
	unknown, err := unknownCases(ctx, tx, subject.Entity)
	if err != nil {
		return nil, err
	}
	if err := s.box.Open(ctx, tx, &unknown); err != nil {
		return nil, err
	}
	for _, c := range unknown {
		if subject.Names(c.Phone.Plain) || subject.Names(c.Email.Plain) {
			ids = append(ids, c.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	lines := []erasure.Line{{Place: "cases_case", Action: erasure.Unlinked, Count: int64(len(ids))}}
	for _, part := range []struct {
		table, set string
		action     erasure.Action
	}{
		{"cases_case", "title = NULL, words = NULL, name = NULL, phone = NULL, email = NULL, contact_ix = '', customer_id = ''", ""},
		{"cases_signal", "", erasure.Deleted}, // ids of a feed may name the person
		{"cases_entry", "body = NULL", erasure.Unlinked},
		{"cases_gesture", "reason = NULL, customer = ''", erasure.Unlinked},
		{"cases_followup", "words = NULL", erasure.Unlinked},
		{"cases_file", "", erasure.Deleted},
	} {
		column := "case_id"
		if part.table == "cases_case" {
			column = "id"
		}
		q := "UPDATE " + part.table + " SET " + part.set
		if part.set == "" {
			q = "DELETE FROM " + part.table
		}
		res, err := tx.NewRaw(q+" WHERE "+column+" IN (?)", bun.List(ids)).Exec(ctx)
		if err != nil {
			return nil, fmt.Errorf("erase from %s: %w", part.table, err)
		}
		if n, _ := res.RowsAffected(); n > 0 && part.action != "" {
			lines = append(lines, erasure.Line{Place: part.table, Action: part.action, Count: n})
		}
	}
	return lines, nil
}

func casesOfRecords(ctx context.Context, tx store.Tx, entity string, records []string) (ids []string, err error) {
	if len(records) == 0 {
		return nil, nil
	}
	err = tx.NewSelect().Model((*Case)(nil)).Column("id").Where("entity = ? AND customer_id IN (?)", entity, bun.List(records)).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("cases of a person: %w", err)
	}
	return ids, nil
}

func unknownCases(ctx context.Context, tx store.Tx, entity string) (out []Case, err error) {
	err = tx.NewSelect().Model(&out).Column("customer_id", "id", "phone", "email").Where("entity = ? AND customer_id = '' AND contact_ix <> ''", entity).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cases of unknown people: %w", err)
	}
	return out, nil
}
