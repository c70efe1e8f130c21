// Package pgcopy moves whole tables of PostgreSQL to files and back: the binary
// form of COPY, compressed with Zstandard. It is what back-ups of the store and of
// the warehouse are made of.
package pgcopy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/klauspost/compress/zstd"
)

// Table names a table and the columns that are moved. Without a schema it is the
// one that the connection finds first.
type Table struct {
	Schema, Name string
	Columns      []string
}

// File is where a table lies in a folder.
func (t Table) File(dir string) string { return filepath.Join(dir, t.Name+".copy.zst") }

func (t Table) command(direction string) string {
	name := pgx.Identifier{t.Name}
	if t.Schema != "" {
		name = pgx.Identifier{t.Schema, t.Name}
	}
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = pgx.Identifier{c}.Sanitize()
	}
	return fmt.Sprintf("COPY %s (%s) %s (FORMAT binary)", name.Sanitize(), strings.Join(columns, ", "), direction)
}

// Out writes the table, as the connection's transaction sees it, into a new file
// of the folder, which is on disk when it returns nil. It gives the number of rows.
func Out(ctx context.Context, conn *pgx.Conn, t Table, dir string) (int64, error) {
	f, err := os.OpenFile(t.File(dir), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, fmt.Errorf("copy %s: %w", t.Name, err)
	}
	z, err := zstd.NewWriter(f)
	if err != nil {
		return 0, errors.Join(err, f.Close())
	}
	tag, err := conn.PgConn().CopyTo(ctx, z, t.command("TO STDOUT"))
	if err = errors.Join(err, z.Close(), f.Sync(), f.Close()); err != nil {
		return 0, fmt.Errorf("copy %s: %w", t.Name, err)
	}
	return tag.RowsAffected(), nil
}

// In appends what Out wrote to the table and gives the number of rows.
func In(ctx context.Context, conn *pgx.Conn, t Table, dir string) (int64, error) {
	f, err := os.Open(t.File(dir))
	if err != nil {
		return 0, fmt.Errorf("copy %s: %w", t.Name, err)
	}
	defer f.Close()
	z, err := zstd.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return 0, fmt.Errorf("copy %s: %w", t.Name, err)
	}
	defer z.Close()
	tag, err := conn.PgConn().CopyFrom(ctx, z, t.command("FROM STDIN"))
	if err != nil {
		return 0, fmt.Errorf("copy %s: %w", t.Name, err)
	}
	return tag.RowsAffected(), nil
}
