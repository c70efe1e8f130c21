package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/schema"
)

// Dialect is what differs between the engines, as SQL fragments and settings.
// This file is the only place that asks which engine is behind.
type Dialect struct{ name string }

var (
	sqliteDialect   = Dialect{"sqlite"}
	postgresDialect = Dialect{"postgres"}
)

// String gives "sqlite" or "postgres": the folder name of migrations.
func (d Dialect) String() string { return d.name }

func (d Dialect) pg() bool { return d == postgresDialect }

func (d Dialect) bun() schema.Dialect {
	if d.pg() {
		return pgdialect.New()
	}
	return sqlitedialect.New()
}

// goose gives the migration tool's name of the engine, and the lock that keeps
// two starting processes apart (SQLite has one writer anyway).
func (d Dialect) goose() (goose.Dialect, []goose.ProviderOption, error) {
	if !d.pg() {
		return goose.DialectSQLite3, nil, nil
	}
	locker, err := lock.NewPostgresSessionLocker()
	return goose.DialectPostgres, []goose.ProviderOption{goose.WithSessionLocker(locker)}, err
}

// SkipLocked ends a SELECT that takes rows for work: rows that another
// transaction has taken are passed over. SQLite has one writer at a time, so
// nothing needs to be said there.
func (d Dialect) SkipLocked() string {
	if d.pg() {
		return " FOR UPDATE SKIP LOCKED"
	}
	return ""
}

// ForUpdate ends a SELECT that locks the rows it read until the commit.
func (d Dialect) ForUpdate() string {
	if d.pg() {
		return " FOR UPDATE"
	}
	return ""
}

// JSONText is an expression for the text of a member of a JSON column. The
// column and the member are names of the program, never input.
func (d Dialect) JSONText(column, member string) string {
	if d.pg() {
		return fmt.Sprintf("(%s->>'%s')", column, member)
	}
	return fmt.Sprintf("CAST(%s->>'%s' AS TEXT)", column, member)
}

// JSONNumber is an expression for a numeric member of a JSON column; NULL when
// the member is absent or no number.
func (d Dialect) JSONNumber(column, member string) string {
	if d.pg() {
		return fmt.Sprintf("CASE jsonb_typeof(%[1]s->'%[2]s') WHEN 'number' THEN (%[1]s->>'%[2]s')::double precision END", column, member)
	}
	return fmt.Sprintf("CASE WHEN json_type(%[1]s, '$.%[2]s') IN ('integer', 'real') THEN CAST(%[1]s->>'%[2]s' AS DOUBLE PRECISION) END", column, member)
}

// Greatest is an expression for the larger of two that are not NULL.
func (d Dialect) Greatest(a, b string) string {
	if d.pg() {
		return "GREATEST(" + a + ", " + b + ")"
	}
	return "MAX(" + a + ", " + b + ")"
}

// Least is an expression for the smaller of two that are not NULL.
func (d Dialect) Least(a, b string) string {
	if d.pg() {
		return "LEAST(" + a + ", " + b + ")"
	}
	return "MIN(" + a + ", " + b + ")"
}

// among writes a condition for values that are many.
func (d Dialect) among(g schema.QueryGen, b []byte, names []string) ([]byte, error) {
	if d.pg() {
		return g.AppendQuery(b, "IN (?)", bun.List(names)), nil
	}
	list, err := json.Marshal(names)
	return g.AppendQuery(b, "IN (SELECT value FROM json_each(?))", string(list)), err
}

// ByteOrder orders text by its bytes, which both engines then do alike,
// whatever the locale of the server.
func (d Dialect) ByteOrder(expr string) string {
	if d.pg() {
		return expr + ` COLLATE "C"`
	}
	return expr
}

func (d Dialect) readOptions() *sql.TxOptions {
	if d.pg() {
		return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	return nil
}

func (d Dialect) writeOptions() *sql.TxOptions {
	if d.pg() {
		return &sql.TxOptions{Isolation: sql.LevelSerializable}
	}
	return nil
}

func (d Dialect) claimOptions() *sql.TxOptions {
	if d.pg() {
		return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	}
	return nil
}

// connector opens connections of one data source without a global registration.
type connector struct {
	driver driver.Driver
	dsn    string
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c connector) Driver() driver.Driver                        { return c.driver }

// sqliteConnector opens the file with the settings measured to be right: the
// log ahead of the writes, synced at each commit; the writer takes its lock at
// the beginning, since a lock taken later cannot be waited for.
func sqliteConnector(path string, writer bool) driver.Connector {
	q := url.Values{}
	q.Set("_journal_mode", "WAL")
	q.Set("_synchronous", "FULL")
	q.Set("_busy_timeout", "5000")
	q.Set("_foreign_keys", "on")
	cache := -65536 // KiB
	if writer {
		q.Set("_txlock", "immediate")
	} else {
		q.Set("_txlock", "deferred")
		q.Set("_query_only", "true")
		cache = -16384 // readers mostly read through the memory map
	}
	q.Set("_cache_size", fmt.Sprint(cache))
	d := &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
		_, err := c.Exec(fmt.Sprintf("PRAGMA mmap_size = 1073741824; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = %d", autoFold), nil)
		return err
	}}
	return connector{d, "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()}
}

// postgresConnector opens connections that need one round trip a statement and
// work behind a transaction pooler.
func postgresConnector(dsn string) (driver.Connector, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	cfg.RuntimeParams["timezone"] = "UTC"
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "omote"
	}
	return stdlib.GetConnector(*cfg), nil
}

// Retryable reports whether the same transaction may succeed when it is run
// again: the engine refused it for a conflict with another one.
func Retryable(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "40001" || pg.Code == "40P01" // serialisation failure, deadlock
	}
	if lite, ok := errors.AsType[sqlite3.Error](err); ok {
		return lite.Code == sqlite3.ErrBusy || lite.Code == sqlite3.ErrLocked
	}
	return false
}

// IsDuplicate reports whether err says that a primary or unique key exists already.
func IsDuplicate(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "23505"
	}
	if lite, ok := errors.AsType[sqlite3.Error](err); ok {
		return lite.ExtendedCode == sqlite3.ErrConstraintUnique || lite.ExtendedCode == sqlite3.ErrConstraintPrimaryKey
	}
	return false
}

// IsNoRows reports whether a query for one row found none.
func IsNoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// typeName maps a declared column type to the name it has in a Schema.
func typeName(declared string) (string, error) {
	switch t := strings.ToLower(declared); t {
	case "text":
		return "text", nil
	case "bigint", "integer", "int8":
		return "bigint", nil
	case "double precision", "float8", "real":
		return "double", nil
	case "boolean", "bool":
		return "boolean", nil
	case "blob", "bytea":
		return "bytes", nil
	case "json_text", "jsonb":
		return "json", nil
	default:
		return "", fmt.Errorf("column type %q is not one that both engines hold alike", declared)
	}
}

// schemaSQL reads the catalogue as rows of (table, kind, name, a, b, c), ordered.
// Kinds: "column" a=type b=not null c=default; "key" a=columns b=unique/index/primary
// c=condition; "foreign" a=columns b=table(columns) c=on delete; "trigger".
func (d Dialect) schemaSQL() string {
	if d.pg() {
		return pgSchemaSQL
	}
	return sqliteSchemaSQL
}

const sqliteSchemaSQL = `
WITH tables AS (
	SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE '%\_schema\_version' ESCAPE '\'
), columns AS (
	SELECT t.name AS tab, 'column' AS kind, c.name AS name, c.type AS a, CASE c."notnull" WHEN 1 THEN 'not null' ELSE '' END AS b,
		COALESCE(c.dflt_value, '') AS c
	FROM tables t, pragma_table_info(t.name) c
), primaries AS (
	SELECT tab, 'key', '', GROUP_CONCAT(name, ','), 'primary', '' FROM (
		SELECT t.name AS tab, c.name AS name FROM tables t, pragma_table_info(t.name) c WHERE c.pk > 0 ORDER BY t.name, c.pk
	) GROUP BY tab
), keys AS (
	SELECT tab, 'key', CASE origin WHEN 'c' THEN idx ELSE '' END, GROUP_CONCAT(col, ','), CASE uniq WHEN 1 THEN 'unique' ELSE 'index' END, cond FROM (
		SELECT t.name AS tab, i.name AS idx, i.origin AS origin, i."unique" AS uniq,
			COALESCE(x.name, '<expression>') || CASE x."desc" WHEN 1 THEN ' desc' ELSE '' END AS col,
			COALESCE((SELECT SUBSTR(m.sql, INSTR(UPPER(m.sql), ' WHERE ') + 7) FROM sqlite_master m
				WHERE m.type = 'index' AND m.name = i.name AND INSTR(UPPER(m.sql), ' WHERE ') > 0), '') AS cond
		FROM tables t, pragma_index_list(t.name) i, pragma_index_xinfo(i.name) x
		WHERE i.origin <> 'pk' AND x.key = 1 ORDER BY t.name, i.name, x.seqno
	) GROUP BY tab, idx
), foreigns AS (
	SELECT tab, 'foreign', '', GROUP_CONCAT(f, ','), ref || '(' || GROUP_CONCAT(r, ',') || ')', del FROM (
		SELECT t.name AS tab, k.id AS id, k."from" AS f, k."to" AS r, k."table" AS ref, LOWER(k.on_delete) AS del
		FROM tables t, pragma_foreign_key_list(t.name) k ORDER BY t.name, k.id, k.seq
	) GROUP BY tab, id
), triggers AS (
	SELECT tbl_name, 'trigger', name, '', '', '' FROM sqlite_master WHERE type = 'trigger'
)
SELECT * FROM columns UNION ALL SELECT * FROM primaries UNION ALL SELECT * FROM keys
UNION ALL SELECT * FROM foreigns UNION ALL SELECT * FROM triggers
ORDER BY 1, 2, 3, 4, 5, 6`

const pgSchemaSQL = `
WITH tables AS (
	SELECT c.oid, c.relname::text AS name FROM pg_class c
	WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND c.relname NOT LIKE '%\_schema\_version'
), columns AS (
	SELECT t.name AS tab, 'column' AS kind, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS a,
		CASE WHEN a.attnotnull THEN 'not null' ELSE '' END AS b, COALESCE(pg_get_expr(d.adbin, d.adrelid), '') AS c
	FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
	LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
), keys AS (
	SELECT t.name, 'key', CASE WHEN con.oid IS NULL THEN ic.relname::text ELSE '' END,
		(SELECT string_agg(COALESCE(a.attname::text, '<expression>') || CASE WHEN i.indoption[k.n - 1] & 1 = 1 THEN ' desc' ELSE '' END, ',' ORDER BY k.n)
			FROM unnest(i.indkey) WITH ORDINALITY AS k(att, n) LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.att
			WHERE k.n <= i.indnkeyatts),
		CASE WHEN i.indisprimary THEN 'primary' WHEN i.indisunique THEN 'unique' ELSE 'index' END,
		COALESCE(pg_get_expr(i.indpred, i.indrelid), '')
	FROM tables t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class ic ON ic.oid = i.indexrelid
	LEFT JOIN pg_constraint con ON con.conindid = i.indexrelid AND con.contype IN ('p', 'u')
), foreigns AS (
	SELECT t.name, 'foreign', '',
		(SELECT string_agg(a.attname::text, ',' ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY AS k(att, n)
			JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.att),
		c.confrelid::regclass::text || '(' || (SELECT string_agg(a.attname::text, ',' ORDER BY k.n) FROM unnest(c.confkey) WITH ORDINALITY AS k(att, n)
			JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.att) || ')',
		CASE c.confdeltype WHEN 'a' THEN 'no action' WHEN 'r' THEN 'restrict' WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' ELSE 'set default' END
	FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid AND c.contype = 'f'
), triggers AS (
	SELECT t.name, 'trigger', g.tgname::text, '', '', '' FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
)
SELECT * FROM columns UNION ALL SELECT * FROM keys UNION ALL SELECT * FROM foreigns UNION ALL SELECT * FROM triggers
ORDER BY 1, 2, 3, 4, 5, 6`

// batchVariables bounds the placeholders of one SQLite statement; the engine's
// own limit is 32766.
const batchVariables = 8000

// batch inserts the rows: on PostgreSQL as one statement over arrays, in the
// order of the key so that two batches cannot lock each other out; on SQLite as
// statements of many rows.
func (d Dialect) batch(ctx context.Context, tx *sql.Tx, table string, u Upsert, columns []Column, rows int) (int64, error) {
	if d.pg() {
		return pgBatch(ctx, tx, table, u, columns)
	}
	per := max(1, batchVariables/len(columns))
	row := "(" + strings.TrimSuffix(strings.Repeat("?,", len(columns)), ",") + ")"
	var total int64
	args := make([]any, 0, min(per, rows)*len(columns))
	for from := 0; from < rows; from += per {
		to := min(from+per, rows)
		args = args[:0]
		for i := from; i < to; i++ {
			for _, c := range columns {
				args = append(args, c.value(i))
			}
		}
		values := strings.TrimSuffix(strings.Repeat(row+",", to-from), ",")
		res, err := tx.ExecContext(ctx, "INSERT INTO "+table+" AS t ("+names(columns)+") VALUES "+values+u.clause(), args...)
		if err != nil {
			return total, err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

func pgBatch(ctx context.Context, tx *sql.Tx, table string, u Upsert, columns []Column) (int64, error) {
	arrays := make([]string, len(columns))
	args := make([]any, len(columns))
	for i, c := range columns {
		arrays[i] = fmt.Sprintf("$%d::%s[]", i+1, c.typ)
		args[i] = c.Values
	}
	order := ""
	if len(u.Key) > 0 {
		order = " ORDER BY " + strings.Join(u.Key, ", ")
	}
	q := fmt.Sprintf("INSERT INTO %[1]s AS t (%[2]s) SELECT * FROM unnest(%[3]s) AS u(%[2]s)%[4]s%[5]s",
		table, names(columns), strings.Join(arrays, ", "), order, u.clause())
	res, err := tx.ExecContext(ctx, q, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
