package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/uptrace/bun"

	"omote/internal/platform/clock"
	"omote/internal/platform/keyring"
)

// Options say which engine to open and with what. Keys, Clock and Logger may be
// nil: then nothing can be encrypted, time is the machine's, and logs go to the
// default logger.
type Options struct {
	// URL is empty for SQLite in Dir, or "postgres://…".
	URL string
	// Dir is the folder of the SQLite file; it is made when absent, readable by
	// its owner only.
	Dir string
	// Keys encrypts marked columns and makes blind indexes.
	Keys keyring.Provider
	// Clock tells the time.
	Clock clock.Clock
	// Logger receives retries and slow transactions.
	Logger *slog.Logger
	// MaxConns bounds the connections to PostgreSQL, or the readers of SQLite;
	// 0 takes the engine's default.
	MaxConns int
}

// FileName is the name of the SQLite file in the data folder.
const FileName = "store.db"

// DB is an open store. It is safe for concurrent use.
type DB struct {
	dialect Dialect
	read    *bun.DB // many connections
	write   *bun.DB // one connection on SQLite, the same pool as read on PostgreSQL
	keys    keyring.Provider
	clock   clock.Clock
	log     *slog.Logger
	path    string
	folder  *folder // nil on PostgreSQL
}

// Open opens the store and checks that it answers. It does not migrate.
func Open(ctx context.Context, o Options) (*DB, error) {
	db := &DB{keys: o.Keys, clock: o.Clock, log: o.Logger}
	if db.clock == nil {
		db.clock = clock.System{}
	}
	if db.log == nil {
		db.log = slog.Default()
	}
	var err error
	switch {
	case o.URL == "":
		err = db.openSQLite(ctx, o)
	case strings.HasPrefix(o.URL, "postgres://"), strings.HasPrefix(o.URL, "postgresql://"):
		err = db.openPostgres(ctx, o)
	default:
		err = errors.New("the store's address must be empty (SQLite) or begin with postgres://")
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return db, nil
}

func (db *DB) openSQLite(ctx context.Context, o Options) error {
	if o.Dir == "" {
		return errors.New("no data folder was given")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return err
	}
	path, err := filepath.Abs(filepath.Join(o.Dir, FileName))
	if err != nil {
		return err
	}
	// SQLite gives its side files the mode of the main file.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	writer := sql.OpenDB(sqliteConnector(path, true))
	writer.SetMaxOpenConns(1)
	writer.SetMaxIdleConns(1)
	if err := writer.PingContext(ctx); err != nil {
		return errors.Join(err, writer.Close())
	}
	readers := o.MaxConns
	if readers <= 0 {
		readers = max(4, 2*runtime.GOMAXPROCS(0))
	}
	reader := sql.OpenDB(sqliteConnector(path, false))
	reader.SetMaxOpenConns(readers)
	reader.SetMaxIdleConns(readers)
	db.dialect, db.path = sqliteDialect, path
	db.write, db.read = bun.NewDB(writer, db.dialect.bun()), bun.NewDB(reader, db.dialect.bun())
	db.folder = newFolder(path, writer, db.log, usualPace)
	return nil
}

func (db *DB) openPostgres(ctx context.Context, o Options) error {
	connector, err := postgresConnector(o.URL)
	if err != nil {
		return err
	}
	pool := sql.OpenDB(connector)
	conns := o.MaxConns
	if conns <= 0 {
		conns = 16
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	if err := pool.PingContext(ctx); err != nil {
		return errors.Join(err, pool.Close())
	}
	db.dialect = postgresDialect
	db.read = bun.NewDB(pool, db.dialect.bun())
	db.write = db.read
	return nil
}

// Close waits for running statements and closes the store.
func (db *DB) Close() error {
	if db.write == db.read {
		return db.write.Close()
	}
	db.folder.close()
	// The writer goes last: its closing folds the write-ahead log into the file.
	return errors.Join(db.read.Close(), db.write.Close())
}

// Ping checks that the store answers.
func (db *DB) Ping(ctx context.Context) error { return db.read.PingContext(ctx) }

// Dialect gives what differs between the engines.
func (db *DB) Dialect() Dialect { return db.dialect }

// At is the same store under another clock: for the history of a demonstration,
// written as on the days it tells of.
func (db *DB) At(c clock.Clock) *DB {
	other := *db
	other.clock = c
	return &other
}

// Clock is the clock that the store was opened with.
func (db *DB) Clock() clock.Clock { return db.clock }

// Now is the clock's present instant in the store's form.
func (db *DB) Now() Micros { return At(db.clock.Now()) }

// Logger is the logger that the store was opened with.
func (db *DB) Logger() *slog.Logger { return db.log }

// Keys is the key ring that the store was opened with; nil when there is none.
func (db *DB) Keys() keyring.Provider { return db.keys }
