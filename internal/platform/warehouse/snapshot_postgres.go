package warehouse

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/klauspost/compress/zstd"

	"omote/internal/platform/errs"
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
				if err := copyOut(ctx, conn, t, dir); err != nil {
					return fmt.Errorf("copy %s: %w", t.name, err)
				}
			}
			return nil
		})
	})
}

func snapshotPath(dir string, t table) string { return filepath.Join(dir, t.name+".copy.zst") }

func copyOut(ctx context.Context, conn *pgx.Conn, t table, dir string) error {
	f, err := os.OpenFile(snapshotPath(dir, t), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	z, err := zstd.NewWriter(f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	_, err = conn.PgConn().CopyTo(ctx, z, copyCommand(t, "TO STDOUT"))
	return errors.Join(err, z.Close(), f.Sync(), f.Close())
}

func copyCommand(t table, direction string) string {
	return fmt.Sprintf("COPY warehouse.%s (%s) %s (FORMAT binary)", t.name, strings.Join(t.columns, ", "), direction)
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
			if err := copyIn(ctx, tx.(pgTx).tx.Conn(), t, dir); err != nil {
				return fmt.Errorf("copy %s: %w", t.name, err)
			}
		}
		return nil
	})
	return errors.Join(err, w.Close())
}

func copyIn(ctx context.Context, conn *pgx.Conn, t table, dir string) error {
	f, err := os.Open(snapshotPath(dir, t))
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := zstd.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return err
	}
	defer z.Close()
	_, err = conn.PgConn().CopyFrom(ctx, io.Reader(z), copyCommand(t, "FROM STDIN"))
	return err
}
