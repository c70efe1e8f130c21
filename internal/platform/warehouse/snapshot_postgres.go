package warehouse

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/stdlib"

	"omote/internal/platform/errs"
	"omote/internal/platform/pgcopy"
)

// Snapshot implements engine: every table as a compressed binary COPY, all from
// one snapshot of the database.
func (e *pg) Snapshot(ctx context.Context, dir string, m *Manifest) error {
	m.Engine = "postgres"
	return e.Session(ctx, func(s session) error {
		if err := describe(ctx, s, schemaName, m); err != nil {
			return err
		}
		return s.(pgSession).conn.Raw(func(raw any) error {
			conn := raw.(*stdlib.Conn).Conn()
			for _, t := range tablesToCopy {
				if _, err := pgcopy.Out(ctx, conn, copied(t), dir); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// copied is the table as a back-up names it.
func copied(t table) pgcopy.Table {
	return pgcopy.Table{Schema: schemaName, Name: t.name, Columns: t.columns}
}

// restorePostgres reads a snapshot into the tables of a warehouse without facts.
func restorePostgres(ctx context.Context, dir string, opt Options) error {
	w, err := Open(ctx, opt) // makes the tables
	if err != nil {
		return err
	}
	e := w.engine.(*pg)
	err = e.Write(ctx, func(tx writeTx) error {
		n, err := tx.Int(ctx, `SELECT (SELECT count(*) FROM warehouse.event) + (SELECT count(*) FROM warehouse.watermark)`)
		if err != nil {
			return err
		}
		if n > 0 {
			return errs.Conflict("warehouse.error.not_empty", "the PostgreSQL warehouse holds facts already")
		}
		for _, t := range tablesToCopy {
			if _, err := pgcopy.In(ctx, tx.(pgTx).tx.Conn(), copied(t), dir); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, w.Close())
}
