package warehouse

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"

	"omote/internal/platform/errs"
)

// engine is what differs between DuckDB and PostgreSQL. Nothing outside this
// file asks which of them is behind.
type engine interface {
	// Reader is the pool that queries run on.
	Reader() *sql.DB
	// Write runs f in a transaction.
	Write(ctx context.Context, f func(tx writeTx) error) error
	// Session runs f on one connection that sees the tables as of one moment.
	Session(ctx context.Context, f func(s session) error) error
	// Dialect is the engine's SQL.
	Dialect() Dialect
	// Migrations is the folder of the engine's table definitions.
	Migrations() string
	// Snapshot copies all tables, as of one moment, into an empty folder and
	// fills in the manifest.
	Snapshot(ctx context.Context, dir string, m *Manifest) error
	Close() error
}

// writeTx is the writing transaction.
type writeTx interface {
	Exec(ctx context.Context, query string, args ...any) error
	// Int gives the single integer of a query; 0 when there is no row.
	Int(ctx context.Context, query string, args ...any) (int64, error)
	// Append adds rows to a table of the schema, in columns.
	Append(ctx context.Context, t table, rows [][]driver.Value) error
}

// session reads the tables as of one moment.
type session interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	// Ints streams a query whose columns are all BIGINT and never NULL; row is
	// overwritten by the next one.
	Ints(ctx context.Context, columns int, query string, args []any, yield func(row []int64)) error
}

// Dialect writes the parts of SQL in which the engines differ.
type Dialect interface {
	// Prop is the text of a top-level property of a JSON column, NULL when it
	// is absent or JSON null.
	Prop(column, key string) string
	// PropNumber is the property as DOUBLE, NULL when it is no JSON number.
	PropNumber(column, key string) string
	// Seconds is the seconds between two timestamps, as DOUBLE.
	Seconds(from, to string) string
	// Micros is a timestamp as Unix microseconds, BIGINT.
	Micros(expr string) string
	// Double is the name of the type of 64-bit floats.
	Double() string
}

// openEngine chooses by the address.
func openEngine(ctx context.Context, opt Options) (engine, error) {
	switch {
	case opt.URL == "":
		return openDuck(ctx, opt)
	case strings.HasPrefix(opt.URL, "postgres://"), strings.HasPrefix(opt.URL, "postgresql://"):
		return openPostgres(ctx, opt)
	}
	scheme, _, _ := strings.Cut(opt.URL, ":")
	return nil, fmt.Errorf("warehouse address %q is neither empty nor postgres://", scheme+":…")
}

// restoreEngine puts the tables of a snapshot of the named engine into the place
// that the options name.
func restoreEngine(ctx context.Context, dir string, opt Options, engine string) error {
	switch {
	case opt.URL == "" && engine == "duckdb":
		return restoreDuck(dir, opt)
	case opt.URL != "" && engine == "postgres":
		return restorePostgres(ctx, dir, opt)
	}
	return errs.Invalid("warehouse.error.snapshot_engine", "",
		"the snapshot was taken of %s and cannot be restored into the other engine; export and import the facts instead", engine)
}

// Literal quotes s as an SQL string.
func Literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
