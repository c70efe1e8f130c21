package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/keyring"
	"omote/internal/platform/scope"
)

// Errors of the transaction contract. Both are mistakes of the program, not of
// its user.
var (
	// ErrNoScope is returned when the context carries no valid scope.
	ErrNoScope = errors.New("store: the context carries no scope")
	// ErrNested is returned when a transaction is begun inside another one.
	ErrNested = errors.New("store: transaction inside a transaction; pass the outer one on")
)

// Tries of a transaction that the engine refuses for a conflict, and the wait
// before the second one; the wait doubles up to longestWait, with jitter. It is
// bounded because a conflict is over once the other transaction has committed:
// waits that keep doubling made the unlucky one in some thousands, which loses
// nine times in a row, take 1.5 s, and brought it no nearer to winning.
const (
	maxTries    = 24
	firstWait   = 2 * time.Millisecond
	longestWait = 24 * time.Millisecond
)

// slow is how long a transaction may take before it is logged.
const slow = time.Second

// Tx is a running transaction with the scope it runs under. It is used by one
// goroutine at a time and only until the function that received it returns.
type Tx struct {
	bun.IDB
	// Scope says on whose behalf the transaction runs. Stores filter by it.
	Scope scope.Scope
	// Engine gives what differs between SQLite and PostgreSQL.
	Engine Dialect

	raw   *sql.Tx
	state *txState
	db    *DB
}

type txState struct {
	over       bool
	savepoints int
	hooks      []func()
	last       []func(ctx context.Context, tx Tx) error
	held       map[any]any
	keys       []any // of held, in the order in which they were made
	doomed     error // a conflict seen in a savepoint: the whole must be tried again
}

type txKey struct{}

// Read runs fn on a snapshot that does not change while fn runs.
func (db *DB) Read(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	return db.run(ctx, db.read, db.dialect.readOptions(), fn)
}

// Write runs fn in a serialisable transaction: its result is as if transactions
// ran one after the other. When the engine refuses it for a conflict, fn runs
// again from the start, so fn must have no effect but through tx.
func (db *DB) Write(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	return db.run(ctx, db.write, db.dialect.writeOptions(), fn)
}

// Claim runs fn in a transaction that sees what others commit meanwhile (read
// committed on PostgreSQL; as Write on SQLite). It is for code that depends only
// on rows it has locked, such as takers of queue rows with
// Dialect.SkipLocked, and for bulk loads owned by one process.
func (db *DB) Claim(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	return db.run(ctx, db.write, db.dialect.claimOptions(), fn)
}

func (db *DB) run(ctx context.Context, pool *bun.DB, o *sql.TxOptions, fn func(context.Context, Tx) error) error {
	s, ok := scope.From(ctx)
	if !ok {
		return ErrNoScope
	}
	if outer, ok := ctx.Value(txKey{}).(*txState); ok && !outer.over {
		return ErrNested
	}
	started := time.Now() // how long it took, for the log; not a time of the domain
	wait := firstWait
	for try := 1; ; try++ {
		err := db.once(ctx, pool, o, s, fn)
		if err == nil || !Retryable(err) || try == maxTries {
			if d := time.Since(started); d > slow {
				db.log.Warn("slow transaction", "seconds", d.Seconds(), "tries", try, "actor", s.Actor)
			}
			if err != nil && Retryable(err) {
				return errs.Unavailable("error.store_busy", "the store refused the change %d times for conflicts", try).Because(err)
			}
			return err
		}
		if err := clock.Sleep(ctx, wait/2+rand.N(wait)); err != nil {
			return err
		}
		wait = min(2*wait, longestWait)
	}
}

// once runs fn in one transaction and then its hooks.
func (db *DB) once(ctx context.Context, pool *bun.DB, o *sql.TxOptions, s scope.Scope, fn func(context.Context, Tx) error) (err error) {
	btx, err := pool.BeginTx(ctx, o)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	state := &txState{}
	committed := false
	defer func() {
		state.over = true
		if !committed {
			_ = btx.Rollback() // the error that led here says more
		}
	}()
	tx := Tx{IDB: btx, Scope: s, Engine: db.dialect, raw: btx.Tx, state: state, db: db}
	ctx = context.WithValue(ctx, txKey{}, state)
	if err := fn(ctx, tx); err != nil {
		return err
	}
	for i := 0; i < len(state.last) && state.doomed == nil; i++ { // one may add another
		if err := state.last[i](ctx, tx); err != nil {
			return err
		}
	}
	if state.doomed != nil {
		return state.doomed
	}
	if err := btx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	committed, state.over = true, true
	if db.folder != nil && pool == db.write {
		db.folder.committed()
	}
	for _, hook := range state.hooks {
		hook()
	}
	return nil
}

// AfterCommit has fn called once, after the commit and only then: for wake-ups,
// caches and counters. What must not be lost belongs into a row instead.
func (tx Tx) AfterCommit(fn func()) { tx.state.hooks = append(tx.state.hooks, fn) }

// BeforeCommit has fn called once, in the transaction, when everything else in it
// is done: for writes that are gathered in memory. An error of fn is one of the
// transaction. Hooks of a savepoint that is rolled back vanish with it.
func (tx Tx) BeforeCommit(fn func(ctx context.Context, tx Tx) error) {
	tx.state.last = append(tx.state.last, fn)
}

// Once gives what the transaction holds under a key, made when it is first asked
// for. What a savepoint made vanishes when that is rolled back.
func Once[T any](tx Tx, key any, make func() T) T {
	if v, ok := tx.state.held[key]; ok {
		return v.(T)
	}
	if tx.state.held == nil {
		tx.state.held = map[any]any{}
	}
	v := make()
	tx.state.held[key] = v
	tx.state.keys = append(tx.state.keys, key)
	return v
}

// mark is how much of what lives in memory there was when a savepoint began.
type mark struct{ hooks, last, keys int }

func (s *txState) mark() mark { return mark{len(s.hooks), len(s.last), len(s.keys)} }

func (s *txState) back(to mark) {
	s.hooks, s.last = s.hooks[:to.hooks], s.last[:to.last]
	for _, key := range s.keys[to.keys:] {
		delete(s.held, key)
	}
	s.keys = s.keys[:to.keys]
}

// Savepoint runs fn so that its changes vanish, alone, when it returns an error,
// which is then returned. After a conflict (Retryable) the whole transaction is
// tried again, whatever the caller does with the error.
func (tx Tx) Savepoint(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	tx.state.savepoints++
	name := fmt.Sprintf("sp%d", tx.state.savepoints)
	begin := tx.state.mark()
	if _, err := tx.ExecContext(ctx, "SAVEPOINT "+name); err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	if err := fn(ctx, tx); err != nil {
		tx.state.back(begin)
		if Retryable(err) {
			tx.state.doomed = err
		}
		if _, rerr := tx.ExecContext(context.WithoutCancel(ctx), "ROLLBACK TO SAVEPOINT "+name); rerr != nil {
			tx.state.doomed = fmt.Errorf("roll back to savepoint: %w", rerr)
			return errors.Join(err, tx.state.doomed)
		}
		_, rerr := tx.ExecContext(context.WithoutCancel(ctx), "RELEASE SAVEPOINT "+name)
		return errors.Join(err, rerr)
	}
	if _, err := tx.ExecContext(ctx, "RELEASE SAVEPOINT "+name); err != nil {
		return fmt.Errorf("release savepoint: %w", err)
	}
	return nil
}

// Now is the present instant of the store's clock.
func (tx Tx) Now() Micros { return tx.db.Now() }

// Keys is the key ring of the store; nil when it has none.
func (tx Tx) Keys() keyring.Provider { return tx.db.keys }
