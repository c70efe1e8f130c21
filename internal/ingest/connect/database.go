package connect

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"  // driver "pgx"
	_ "github.com/microsoft/go-mssqldb" // driver "sqlserver"

	"omote/internal/ingest/files"
	"omote/internal/platform/errs"
)

// Open opens the database that a source names, with a password. It connects when
// first asked.
func Open(s *Source, password string) (*sql.DB, error) {
	address := net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	var driver, dsn string
	switch s.Driver {
	case Postgres:
		q := url.Values{"application_name": {"omote"}, "connect_timeout": {"10"}, "sslmode": {"require"}}
		if s.Insecure {
			q.Set("sslmode", "disable")
		}
		if strings.HasPrefix(s.Host, "%2F") { // a socket's folder
			q.Set("host", strings.ReplaceAll(s.Host, "%2F", "/"))
			address = ""
		}
		driver, dsn = "pgx", (&url.URL{Scheme: "postgres", User: url.UserPassword(s.User, password), Host: address, Path: "/" + s.Name, RawQuery: q.Encode()}).String()
	case MySQL:
		c := mysql.NewConfig()
		c.User, c.Passwd, c.Net, c.Addr, c.DBName = s.User, password, "tcp", address, s.Name
		c.ParseTime, c.Loc, c.Timeout, c.ReadTimeout = true, time.UTC, 10*time.Second, 2*time.Minute
		c.TLSConfig = "true"
		if s.Insecure {
			c.TLSConfig = "false"
		}
		driver, dsn = "mysql", c.FormatDSN()
	case SQLServer:
		q := url.Values{"database": {s.Name}, "app name": {"omote"}, "dial timeout": {"10"}, "encrypt": {"true"}}
		if s.Insecure {
			q.Set("encrypt", "disable")
		}
		driver, dsn = "sqlserver", (&url.URL{Scheme: "sqlserver", User: url.UserPassword(s.User, password), Host: address, RawQuery: q.Encode()}).String()
	default:
		return nil, errs.Invalid("connect.error.driver", "driver", "the database is postgres, mysql or sqlserver")
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, scrub(err, password)
	}
	db.SetMaxOpenConns(2)
	db.SetConnMaxIdleTime(time.Minute)
	return db, nil
}

// scrub takes a password out of an error.
func scrub(err error, password string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, p := range []string{password, url.QueryEscape(password), url.PathEscape(password)} {
		if len(p) > 2 {
			text = strings.ReplaceAll(text, p, "•••")
		}
	}
	return errs.Unavailable("connect.error.database", "the database: %s", text)
}

// mark is how far a source was read: the value of the watermark column and the
// key of the last row that had it.
type mark struct{ value, key string }

// pageQuery reads the next rows after a mark, in the order of mark and key. The
// mark is compared as what it is; the key as text, byte by byte: by the rules of a
// language "a1" and "A1" can be equal, and one of them would be passed over.
func pageQuery(s *Source, after mark, limit int) (query string, args []any, err error) {
	quote, place := `"`, func(n int) string { return "$" + strconv.Itoa(n) }
	textType, byBytes := "TEXT", ` COLLATE "C"`
	switch s.Driver {
	case MySQL:
		quote, place, textType, byBytes = "`", func(int) string { return "?" }, "BINARY", ""
	case SQLServer:
		place, textType, byBytes = func(n int) string { return "@p" + strconv.Itoa(n) }, "NVARCHAR(400)", " COLLATE Latin1_General_BIN2"
	}
	m, k := "q."+quote+s.Mark+quote, "CAST(q."+quote+s.Key+quote+" AS "+textType+")"+byBytes
	where := m + " IS NOT NULL"
	if after.value != "" {
		v, err := s.typed(after.value)
		if err != nil {
			return "", nil, err
		}
		where = fmt.Sprintf("(%s > %s OR (%s = %s AND %s > %s))", m, place(1), m, place(2), k, place(3))
		args = []any{v, v, after.key}
	}
	head, tail := "SELECT q.*", fmt.Sprintf(" ORDER BY %s, %s LIMIT %d", m, k, limit)
	if s.Driver == SQLServer {
		head, tail = fmt.Sprintf("SELECT TOP (%d) q.*", limit), fmt.Sprintf(" ORDER BY %s, %s", m, k)
	}
	return head + " FROM (" + s.Query + ") q WHERE " + where + tail, args, nil
}

// typed makes a kept mark a value for the driver.
func (s *Source) typed(value string) (any, error) {
	if s.MarkIs == ByNumber {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("the mark %q is no whole number", value)
		}
		return n, nil
	}
	t, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		return nil, fmt.Errorf("the mark %q is no time", value)
	}
	return t, nil
}

// back moves a mark by the overlap.
func (s *Source) back(m mark) mark {
	if s.Overlap == 0 || m.value == "" {
		return m
	}
	t, err := time.Parse(time.RFC3339Nano, m.value)
	if err != nil {
		return m
	}
	return mark{value: t.Add(-s.Overlap).Format(time.RFC3339Nano)}
}

// rowReader gives the rows of a query as rows of a file.
type rowReader struct {
	rows    *sql.Rows
	columns []string
	cells   []any
	n       int64
}

func readRows(ctx context.Context, db *sql.DB, query string, args []any) (*rowReader, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	columns, err := rows.Columns()
	if err != nil {
		rows.Close()
		return nil, err
	}
	r := &rowReader{rows: rows, columns: columns, cells: make([]any, len(columns))}
	return r, nil
}

// next gives the next row; nil at the end. It is a row of its own.
func (r *rowReader) next() (*files.Row, error) {
	if !r.rows.Next() {
		return nil, r.rows.Err()
	}
	into := make([]any, len(r.cells))
	for i := range r.cells {
		into[i] = &r.cells[i]
	}
	if err := r.rows.Scan(into...); err != nil {
		return nil, err
	}
	r.n++
	out := &files.Row{Number: r.n, Columns: r.columns, Values: make([]files.Value, len(r.cells))}
	for i, c := range r.cells {
		out.Values[i] = cellValue(c)
	}
	return out, nil
}

func cellValue(v any) files.Value {
	switch v := v.(type) {
	case nil:
		return files.Value{}
	case time.Time:
		return files.Value{Kind: files.Instant, Micros: v.UnixMicro(), Text: v.UTC().Format(time.RFC3339Nano)}
	case []byte:
		return files.Value{Kind: files.Text, Text: string(v)}
	case string:
		return files.Value{Kind: files.Text, Text: v}
	case bool:
		return files.Value{Kind: files.Text, Text: strconv.FormatBool(v)}
	case int64:
		return files.Value{Kind: files.Text, Text: strconv.FormatInt(v, 10)}
	case float64:
		return files.Value{Kind: files.Text, Text: strconv.FormatFloat(v, 'f', -1, 64)}
	}
	return files.Value{Kind: files.Text, Text: fmt.Sprint(v)}
}
