package warehouse

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
)

// Link says that a record belonged to a customer from one version of the
// identity graph until before another. Both ids are pseudonyms.
type Link struct {
	RecordID   uuid.UUID
	CustomerID uuid.UUID
	// From is the version that made the link; To the one that ended it, 0 while
	// it stands.
	From, To uint64
	Reason   string // why, as a code
	By       string // pseudonymous id of who or what made it
}

// LinkSource is what the store's identity module offers. Links are only written
// for merged records.
type LinkSource interface {
	// Version is the present version of the entity's identity graph.
	Version(ctx context.Context, entity string) (uint64, error)
	// LinksSince yields, in any order, each link whose From or To lies in
	// (after, upto], in its present form.
	LinksSince(ctx context.Context, entity string, after, upto uint64, yield func(Link) error) error
}

// SyncLinks copies what changed in the identity graph of the scope's entity
// since the last call and returns the version the warehouse now holds. It is
// safe to call at any time and as often as wished.
func (w *Warehouse) SyncLinks(ctx context.Context, source LinkSource) (uint64, error) {
	s, ok := scope.From(ctx)
	if !ok {
		return 0, errs.Denied("warehouse.error.scope", "copying identity links needs a scope")
	}
	upto, err := source.Version(ctx, s.Entity)
	if err != nil {
		return 0, fmt.Errorf("read identity version: %w", err)
	}
	key := "identity_version:" + s.Entity
	if held, err := w.setting(ctx, key); err != nil || held >= upto {
		return upto, err
	}
	err = w.inTx(ctx, func(tx writeTx) error {
		held, err := tx.Int(ctx, `SELECT CAST(value AS BIGINT) FROM warehouse.setting WHERE name = $1`, key)
		if err != nil || uint64(held) >= upto {
			return err
		}
		if err := copyLinks(ctx, tx, s.Entity, source, uint64(held), upto); err != nil {
			return err
		}
		return setSetting(ctx, tx, key, strconv.FormatUint(upto, 10))
	})
	if err != nil {
		return 0, fmt.Errorf("copy identity links of %s: %w", s.Entity, err)
	}
	return upto, nil
}

// copyLinks replaces the links that the source names. A link is known by its
// record and the version that made it.
func copyLinks(ctx context.Context, tx writeTx, entity string, source LinkSource, after, upto uint64) error {
	var rows [][]driver.Value
	err := source.LinksSince(ctx, entity, after, upto, func(l Link) error {
		var to driver.Value
		if l.To != 0 {
			to = int64(l.To)
		}
		rows = append(rows, []driver.Value{entity, l.RecordID, l.CustomerID, int64(l.From), to, clean(l.Reason), clean(l.By)})
		return nil
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	for chunk := range slices.Chunk(rows, 1000) {
		var keys strings.Builder
		for i, r := range chunk {
			if i > 0 {
				keys.WriteByte(',')
			}
			fmt.Fprintf(&keys, "('%s'::uuid, %d)", r[1], r[3])
		}
		if err := tx.Exec(ctx, `DELETE FROM warehouse.identity_link
WHERE entity = $1 AND (record_id, from_version) IN (VALUES `+keys.String()+`)`, entity); err != nil {
			return err
		}
	}
	return tx.Append(ctx, linkTable, rows)
}

// setting reads a number without the write lock; 0 where there is none.
func (w *Warehouse) setting(ctx context.Context, name string) (n uint64, err error) {
	err = w.engine.Reader().QueryRowContext(ctx, `SELECT CAST(value AS BIGINT) FROM warehouse.setting WHERE name = $1`, name).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read warehouse setting %s: %w", name, err)
	}
	return n, nil
}

func setSetting(ctx context.Context, tx writeTx, name, value string) error {
	return tx.Exec(ctx, `INSERT INTO warehouse.setting (name, value) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
}

// Unit is a unit of the organisation: the code that facts carry and the path of
// its place, such as "/north/branch-12/".
type Unit struct{ Code, Path string }

// ReplaceUnits tells the warehouse the organisation of the scope's entity as it
// is now. It is called whenever the organisation changes; what a scope sees of
// old facts follows. Of units with the same code the first counts.
func (w *Warehouse) ReplaceUnits(ctx context.Context, units []Unit) error {
	s, ok := scope.From(ctx)
	if !ok {
		return errs.Denied("warehouse.error.scope", "replacing units needs a scope")
	}
	rows := make([][]driver.Value, 0, len(units))
	known := map[string]bool{}
	for _, u := range units {
		if code := clean(u.Code); !known[code] {
			known[code] = true
			rows = append(rows, []driver.Value{s.Entity, code, clean(u.Path)})
		}
	}
	err := w.inTx(ctx, func(tx writeTx) error {
		if err := tx.Exec(ctx, `DELETE FROM warehouse.unit WHERE entity = $1`, s.Entity); err != nil {
			return err
		}
		return tx.Append(ctx, unitTable, rows)
	})
	if err != nil {
		return fmt.Errorf("replace units of %s: %w", s.Entity, err)
	}
	return nil
}
