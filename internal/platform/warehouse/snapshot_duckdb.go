package warehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"omote/internal/platform/errs"
)

// Snapshot implements engine: one statement copies all tables from one
// transaction into a file that is attached for the purpose.
func (e *duck) Snapshot(ctx context.Context, dir string, m *Manifest) (err error) {
	m.Engine = "duckdb"
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	path := filepath.Join(dir, duckFile)
	if _, err := conn.ExecContext(ctx, "ATTACH "+Literal(path)+" AS snapshot"); err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	defer func() {
		_, derr := conn.ExecContext(context.WithoutCancel(ctx), "DETACH snapshot")
		err = errors.Join(err, derr, syncFile(path))
	}()
	if _, err := conn.ExecContext(ctx, "COPY FROM DATABASE facts TO snapshot"); err != nil {
		return fmt.Errorf("copy tables: %w", err)
	}
	return describe(ctx, connSession{conn}, "snapshot.warehouse", m)
}

// connSession reads on a plain connection.
type connSession struct{ conn *sql.Conn }

func (s connSession) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return s.conn.QueryContext(ctx, query, args...)
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// restoreDuck copies the file of a snapshot into a folder that has none.
func restoreDuck(dir string, opt Options) error {
	if err := os.MkdirAll(opt.Dir, 0o700); err != nil {
		return err
	}
	lock, err := lockFile(filepath.Join(opt.Dir, "warehouse.lock"))
	if err != nil {
		return err
	}
	target := filepath.Join(opt.Dir, duckFile)
	if _, err := os.Stat(target); err == nil {
		return errors.Join(errs.Conflict("warehouse.error.not_empty", "%s exists already", target), lock.Unlock())
	}
	return errors.Join(copyFile(filepath.Join(dir, duckFile), target), lock.Unlock())
}

// copyFile copies so that the target is whole and on disk, or absent.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	tmp := to + ".partial"
	out, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return os.Rename(tmp, to)
}
