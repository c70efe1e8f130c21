// Package testkit is the one kit for tests: a store on every engine, a manual
// clock, a temporary key ring, golden files and the shared data sets.
//
// A test that touches the store is written once and runs on each engine:
//
//	testkit.Stores(t, func(t *testing.T, db *store.DB) {
//		…
//	}, survey.Migrations)
//
// PostgreSQL is started by the test process itself from the machine's binaries,
// in a temporary folder, and goes away with the process. OMOTE_TEST_POSTGRES
// names a running server instead (postgres://user@host/db; the user must be
// allowed to create databases). Where there is neither, the PostgreSQL half is
// left out with a plain message, unless CI=true: there absence is a failure.
package testkit
