package warehouse

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/google/uuid"
)

const (
	duckFile       = "facts.duckdb"
	defaultThreads = 2
	defaultMemory  = "4GB"
	duckReaders    = 8 // connections that may query at once
	// checkpointAt is the size of the write-ahead log at which the engine folds it
	// into the file. Smaller ones rewrite the same blocks more often.
	checkpointAt = "256MB"
)

// duck is the engine on a DuckDB file owned by this process.
type duck struct {
	lock   *fileLock
	path   string
	db     *sql.DB
	writer *sql.Conn
}

func openDuck(ctx context.Context, opt Options) (engine, error) {
	if err := os.MkdirAll(opt.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make warehouse folder: %w", err)
	}
	lock, err := lockFile(filepath.Join(opt.Dir, "warehouse.lock"))
	if err != nil {
		return nil, err
	}
	e := &duck{lock: lock, path: filepath.Join(opt.Dir, duckFile)}
	if err := e.open(ctx, opt); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func (e *duck) open(ctx context.Context, opt Options) error {
	threads, memory := opt.Threads, opt.MemoryLimit
	if threads <= 0 {
		threads = defaultThreads
	}
	if memory == "" {
		memory = defaultMemory
	}
	settings := url.Values{
		"threads":                      {strconv.Itoa(threads)},
		"memory_limit":                 {memory},
		"preserve_insertion_order":     {"false"},
		"autoinstall_known_extensions": {"false"},
		"temp_directory":               {filepath.Join(opt.Dir, "tmp")},
		"checkpoint_threshold":         {checkpointAt},
	}
	connector, err := duckdb.NewConnector(e.path+"?"+settings.Encode(), nil)
	if err != nil {
		return fmt.Errorf("open %s: %w", duckFile, err)
	}
	e.db = sql.OpenDB(connector)
	e.db.SetMaxOpenConns(duckReaders + 1)
	e.writer, err = e.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", duckFile, err)
	}
	return nil
}

func (e *duck) Reader() *sql.DB    { return e.db }
func (e *duck) Dialect() Dialect   { return duckDialect{} }
func (e *duck) Migrations() string { return "schema/duckdb" }

func (e *duck) Close() error {
	var errs []error
	if e.writer != nil {
		errs = append(errs, e.writer.Close())
	}
	if e.db != nil {
		errs = append(errs, e.db.Close())
	}
	return errors.Join(append(errs, e.lock.Unlock())...)
}

// Write implements engine on the one writing connection. The appender belongs
// to that connection, so its rows are part of the transaction.
func (e *duck) Write(ctx context.Context, f func(tx writeTx) error) error {
	if _, err := e.writer.ExecContext(ctx, "BEGIN TRANSACTION"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := f(duckTx{e.writer}); err != nil {
		if _, rerr := e.writer.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); rerr != nil {
			err = errors.Join(err, fmt.Errorf("roll back: %w", rerr))
		}
		return err
	}
	// Not cancellable: a commit that fails has ended the transaction, one that
	// was never sent would leave it open.
	if _, err := e.writer.ExecContext(context.WithoutCancel(ctx), "COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Session implements engine: a transaction of DuckDB reads one snapshot.
func (e *duck) Session(ctx context.Context, f func(s session) error) error {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return errors.Join(f(duckSession{tx, conn}), tx.Rollback())
}

type duckSession struct {
	tx   *sql.Tx
	conn *sql.Conn
}

func (s duckSession) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return s.tx.QueryContext(ctx, query, args...)
}

// Ints implements session below database/sql, whose conversions would take most
// of the time of ten million rows.
func (s duckSession) Ints(ctx context.Context, columns int, query string, args []any, yield func(row []int64)) error {
	named := make([]driver.NamedValue, len(args))
	for i, a := range args {
		v, err := driver.DefaultParameterConverter.ConvertValue(a)
		if err != nil {
			return err
		}
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return s.conn.Raw(func(raw any) (err error) {
		rows, err := raw.(driver.QueryerContext).QueryContext(ctx, query, named)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		values, row := make([]driver.Value, columns), make([]int64, columns)
		for n := 0; ; n++ {
			if n%10_000 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			switch err := rows.Next(values); err {
			case nil:
			case io.EOF:
				return nil
			default:
				return err
			}
			for i, v := range values {
				row[i] = v.(int64)
			}
			yield(row)
		}
	})
}

type duckTx struct{ conn *sql.Conn }

func (t duckTx) Exec(ctx context.Context, query string, args ...any) error {
	_, err := t.conn.ExecContext(ctx, query, args...)
	return err
}

func (t duckTx) Int(ctx context.Context, query string, args ...any) (int64, error) {
	var n sql.NullInt64
	err := t.conn.QueryRowContext(ctx, query, args...).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n.Int64, err
}

func (t duckTx) Append(ctx context.Context, tab table, rows [][]driver.Value) error {
	return t.conn.Raw(func(raw any) error {
		a, err := duckdb.NewAppenderFromConn(raw.(driver.Conn), schemaName, tab.name)
		if err != nil {
			return fmt.Errorf("append to %s: %w", tab.name, err)
		}
		for _, row := range rows {
			for i, v := range row {
				if id, ok := v.(uuid.UUID); ok {
					row[i] = duckdb.UUID(id)
				}
			}
			if err := a.AppendRow(row...); err != nil {
				return errors.Join(fmt.Errorf("append to %s: %w", tab.name, err), a.Clear(), a.Close())
			}
		}
		if err := a.CloseWithCancel(ctx); err != nil {
			return fmt.Errorf("append to %s: %w", tab.name, err)
		}
		return nil
	})
}

type duckDialect struct{}

func (duckDialect) Prop(column, key string) string {
	return fmt.Sprintf("json_extract_string(%s, %s)", column, duckPath(key))
}

func (duckDialect) PropNumber(column, key string) string {
	path := duckPath(key)
	return fmt.Sprintf("CASE WHEN json_type(%[1]s, %[2]s) IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE') THEN TRY_CAST(json_extract_string(%[1]s, %[2]s) AS DOUBLE) END", column, path)
}

// duckPath is a JSON path literal to a top-level key.
func duckPath(key string) string { return Literal(`$."` + key + `"`) }

func (duckDialect) Seconds(from, to string) string {
	return fmt.Sprintf("((epoch_us(%s) - epoch_us(%s)) / 1000000.0::DOUBLE)", to, from)
}

func (duckDialect) Micros(expr string) string { return "epoch_us(" + expr + ")" }

func (duckDialect) Double() string { return "DOUBLE" }
