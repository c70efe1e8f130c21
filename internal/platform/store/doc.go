// Package store is the system of record: one API over SQLite (the default, one
// file) and PostgreSQL (when one machine is outgrown). The same code and the
// same tests run on both.
//
// # Transactions
//
// Everything happens inside a transaction that carries a scope (bank entity,
// unit subtree, actor). Read gives a snapshot; Write is serialisable and is
// tried again when the engine refuses it for a conflict, so its function must
// touch nothing but the transaction (use Tx.AfterCommit for the rest); Claim is
// for queues that take rows by lock.
//
//	err := db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
//		_, err := tx.NewUpdate().Model(&c).WherePK().Exec(ctx)
//		return err
//	})
//
// A transaction inside a transaction is refused: public methods own the
// transaction, helpers take it as a parameter.
//
// # Representation, equal on both engines
//
//	Go               SQLite      PostgreSQL
//	string           TEXT        TEXT
//	int64, Micros    BIGINT      BIGINT            (INTEGER is accepted on SQLite)
//	float64          DOUBLE PRECISION  DOUBLE PRECISION
//	bool             BOOLEAN     BOOLEAN
//	[]byte           BLOB        BYTEA
//	json.RawMessage  JSON_TEXT   JSONB
//
// Instants are Micros: integer microseconds since 1970 in UTC. Ids are UUIDv7 in
// text. Text must not hold a NUL byte (PostgreSQL cannot store one). JSON is kept
// by its meaning, not by its spelling.
//
// # Migrations
//
// A module brings plain SQL files in migrations/sqlite and migrations/postgres
// (goose format, same names in both). Each module has its own version table.
// Tests prove that both dialects give the same schema (ReadSchema) and that the
// schema obeys the rules of Lint.
//
// Only dialect.go asks which engine is behind; other packages use Dialect.
package store
