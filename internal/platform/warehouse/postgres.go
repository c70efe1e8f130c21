package warehouse

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// pg is the engine on PostgreSQL, with or without Citus.
type pg struct {
	db *sql.DB
}

func openPostgres(ctx context.Context, opt Options) (engine, error) {
	conf, err := pgx.ParseConfig(opt.URL)
	if err != nil {
		return nil, fmt.Errorf("read PostgreSQL address: %w", err)
	}
	conf.RuntimeParams["application_name"] = "omote-warehouse"
	conf.RuntimeParams["timezone"] = "UTC"
	// Conditions on local days make the planner expect one row where there are
	// many thousand, and loop over them; analysis wants hash and merge joins.
	conf.RuntimeParams["enable_nestloop"] = "off"
	conf.RuntimeParams["jit"] = "off" // costs more than it saves in queries of a second
	e := &pg{db: stdlib.OpenDB(*conf)}
	if err := e.db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to PostgreSQL: %w", err), e.db.Close())
	}
	return e, nil
}

func (e *pg) Reader() *sql.DB    { return e.db }
func (e *pg) Dialect() Dialect   { return pgDialect{} }
func (e *pg) Migrations() string { return "schema/postgres" }
func (e *pg) Close() error       { return e.db.Close() }

// withConn lends f a plain pgx connection of the pool.
func (e *pg) withConn(ctx context.Context, f func(c *pgx.Conn) error) error {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	return conn.Raw(func(raw any) error { return f(raw.(*stdlib.Conn).Conn()) })
}

// Write implements engine. An advisory lock makes writers of several processes
// take turns; positions then decide that nothing is applied twice.
func (e *pg) Write(ctx context.Context, f func(tx writeTx) error) error {
	return e.withConn(ctx, func(c *pgx.Conn) error {
		return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('omote.warehouse'))`); err != nil {
				return fmt.Errorf("lock warehouse: %w", err)
			}
			return f(pgTx{tx})
		})
	})
}

// Session implements engine by a read-only transaction on one snapshot.
func (e *pg) Session(ctx context.Context, f func(s session) error) error {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return errors.Join(f(pgSession{tx, conn}), tx.Rollback())
}

type pgSession struct {
	tx   *sql.Tx
	conn *sql.Conn
}

func (s pgSession) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return s.tx.QueryContext(ctx, query, args...)
}

// Ints implements session by reading the binary protocol as it comes.
func (s pgSession) Ints(ctx context.Context, columns int, query string, args []any, yield func(row []int64)) error {
	return s.conn.Raw(func(raw any) error {
		rows, err := raw.(*stdlib.Conn).Conn().Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		row := make([]int64, columns)
		for rows.Next() {
			for i, b := range rows.RawValues() {
				if len(b) != 8 {
					return fmt.Errorf("column %d has %d bytes, not the 8 of BIGINT", i, len(b))
				}
				row[i] = int64(binary.BigEndian.Uint64(b))
			}
			yield(row)
		}
		return rows.Err()
	})
}

type pgTx struct{ tx pgx.Tx }

func (t pgTx) Exec(ctx context.Context, query string, args ...any) error {
	_, err := t.tx.Exec(ctx, query, args...)
	return err
}

func (t pgTx) Int(ctx context.Context, query string, args ...any) (int64, error) {
	var n *int64
	err := t.tx.QueryRow(ctx, query, args...).Scan(&n)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && n == nil {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return *n, nil
}

func (t pgTx) Append(ctx context.Context, tab table, rows [][]driver.Value) error {
	next := 0
	values := make([]any, len(tab.columns))
	source := pgx.CopyFromFunc(func() ([]any, error) {
		if next == len(rows) {
			return nil, nil
		}
		for i, v := range rows[next] {
			if id, ok := v.(uuid.UUID); ok {
				v = [16]byte(id)
			}
			values[i] = v
		}
		next++
		return values, nil
	})
	if _, err := t.tx.CopyFrom(ctx, pgx.Identifier{schemaName, tab.name}, tab.columns, source); err != nil {
		return fmt.Errorf("copy to %s: %w", tab.name, err)
	}
	return nil
}

type pgDialect struct{}

func (pgDialect) Prop(column, key string) string {
	return fmt.Sprintf("(%s ->> %s)", column, Literal(key))
}

func (pgDialect) PropNumber(column, key string) string {
	return fmt.Sprintf("CASE WHEN jsonb_typeof(%[1]s -> %[2]s) = 'number' THEN (%[1]s ->> %[2]s)::double precision END", column, Literal(key))
}

func (pgDialect) Seconds(from, to string) string {
	return fmt.Sprintf("(extract(epoch FROM %s - %s)::double precision)", to, from)
}

func (pgDialect) Micros(expr string) string {
	return fmt.Sprintf("((extract(epoch FROM %s) * 1000000)::bigint)", expr)
}

func (pgDialect) Double() string { return "DOUBLE PRECISION" }
