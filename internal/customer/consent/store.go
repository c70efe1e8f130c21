package consent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

type purposeRow struct {
	bun.BaseModel `bun:"table:customer_purpose"`

	Entity    string          `bun:",pk"`
	ID        string          `bun:",pk"`
	Version   int             `bun:",pk"`
	Body      json.RawMessage `bun:"type:jsonb"`
	CreatedAt store.Micros
	CreatedBy string
}

func (r purposeRow) purpose() (Purpose, error) {
	var p Purpose
	if err := json.Unmarshal(r.Body, &p); err != nil {
		return p, fmt.Errorf("purpose %s version %d: %w", r.ID, r.Version, err)
	}
	p.ID, p.Version, p.Created, p.MadeBy = r.ID, r.Version, r.CreatedAt, r.CreatedBy
	return p, nil
}

// purposeNow reads the newest version of a purpose; nil when there is none.
func purposeNow(ctx context.Context, tx store.Tx, id string) (*Purpose, error) {
	var r purposeRow
	err := tx.NewSelect().Model(&r).Where("entity = ? AND id = ?", tx.Scope.Entity, id).Order("version DESC").Limit(1).Scan(ctx)
	if store.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("purpose %s: %w", id, err)
	}
	p, err := r.purpose()
	return &p, err
}

// purposes reads the newest version of each purpose, or every version.
func purposes(ctx context.Context, tx store.Tx, history bool) (out []Purpose, err error) {
	var rows []purposeRow
	if err := tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity).Order("id", "version DESC").Scan(ctx); err != nil {
		return nil, fmt.Errorf("purposes: %w", err)
	}
	for i, r := range rows {
		if !history && i > 0 && rows[i-1].ID == r.ID {
			continue
		}
		p, err := r.purpose()
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func insertPurpose(ctx context.Context, tx store.Tx, p Purpose) error {
	body, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("purpose %s: %w", p.ID, err)
	}
	r := purposeRow{Entity: tx.Scope.Entity, ID: p.ID, Version: p.Version, Body: body, CreatedAt: tx.Now(), CreatedBy: tx.Scope.Actor}
	_, err = tx.NewInsert().Model(&r).Exec(ctx)
	if store.IsDuplicate(err) {
		return errs.Conflict("customer.consent.error.version", "somebody saved another version of %s meanwhile", p.ID)
	}
	if err != nil {
		return fmt.Errorf("save purpose %s: %w", p.ID, err)
	}
	return nil
}

// statementsOf reads what counts of what the records said of a purpose ("" for all
// of them), without the evidence. Of each record, purpose, channel and reach it is
// the newest statement; more than one where several were written at once.
func statementsOf(ctx context.Context, tx store.Tx, records []string, purpose string) (out []Statement, err error) {
	q := tx.NewSelect().Model(&out).ExcludeColumn("evidence").Where("entity = ? AND record_id IN (?) AND NOT overtaken", tx.Scope.Entity, bun.List(records))
	if purpose != "" {
		q = q.Where("purpose IN (?, ?)", purpose, AllPurposes)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("consent: %w", err)
	}
	return out, nil
}

// history reads what the records said, newest first, with the evidence sealed.
func history(ctx context.Context, tx store.Tx, records []string, limit int) (out []Statement, err error) {
	err = tx.NewSelect().Model(&out).Where("entity = ? AND record_id IN (?)", tx.Scope.Entity, bun.List(records)).
		Order("at DESC", "id DESC").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("consent history: %w", err)
	}
	return out, nil
}

// insertStatements writes statements down and marks those that they overtake, or
// that overtake them when they arrive late.
func insertStatements(ctx context.Context, tx store.Tx, rows []Statement) error {
	for part := range slices.Chunk(rows, 500) {
		if _, err := tx.NewInsert().Model(&part).Exec(ctx); err != nil {
			return fmt.Errorf("keep consent: %w", err)
		}
		var entities, records []string
		for i := range part {
			entities, records = append(entities, part[i].Entity), append(records, part[i].RecordID)
		}
		slices.Sort(entities)
		slices.Sort(records)
		_, err := tx.NewRaw(overtake, bun.List(slices.Compact(entities)), bun.List(slices.Compact(records))).Exec(ctx)
		if err != nil {
			return fmt.Errorf("mark what is overtaken: %w", err)
		}
	}
	return nil
}

// overtake says in SQL what Statement.newer says of two statements of one cell.
// Two transactions that do not see each other leave both standing, and Go decides.
const overtake = `UPDATE customer_consent SET overtaken = TRUE
WHERE entity IN (?) AND record_id IN (?) AND NOT overtaken AND EXISTS (
	SELECT 1 FROM customer_consent n
	WHERE n.entity = customer_consent.entity AND n.record_id = customer_consent.record_id AND NOT n.overtaken
		AND n.purpose = customer_consent.purpose AND n.channel = customer_consent.channel AND n.whole = customer_consent.whole
		AND (n.at > customer_consent.at OR n.at = customer_consent.at
			AND (customer_consent.granted AND NOT n.granted OR n.granted = customer_consent.granted AND n.id > customer_consent.id)))`

// restrictedNow reports whether a record is held back.
func restrictedNow(ctx context.Context, tx store.Tx, records []string) (bool, error) {
	n, err := tx.NewSelect().Model((*Restriction)(nil)).Where("entity = ? AND record_id IN (?) AND until IS NULL", tx.Scope.Entity, bun.List(records)).Count(ctx)
	if err != nil {
		return false, fmt.Errorf("restrictions: %w", err)
	}
	return n > 0, nil
}

// Sealed is where the package keeps what is encrypted.
func Sealed() sealed.Inventory {
	return sealed.Inventory{Fields: []sealed.Marked{{Column: sealed.Column{Table: "customer_consent", Name: "evidence"}, PK: []string{"entity", "record_id", "id"}}}}
}
