package connect

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"omote/internal/ingest/imports"
	"omote/internal/ingest/mapping"
	"omote/internal/ingest/plan"
	"omote/internal/ingest/quarantine"
	"omote/internal/platform/audit"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

// tape is a log that keeps what it was given; like the log, it knows a message id
// that came before.
type tape struct {
	mu     sync.Mutex
	events []event.Event
	known  map[string]bool
}

func (l *tape) Append(_ context.Context, events []event.Event) (eventlog.Receipt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		if id := e.Source + "\x00" + e.MessageID; !l.known[id] {
			l.known[id] = true
			l.events = append(l.events, e)
		}
	}
	return eventlog.Receipt{}, nil
}
func (l *tape) WaitFor(context.Context, string, map[int]uint64) error       { return nil }
func (l *tape) Partitions() int                                             { return 1 }
func (l *tape) Bounds(context.Context, int) (first, last uint64, err error) { return 0, 0, nil }

type counts struct{ l *tape }

func (c counts) Accepted(_ context.Context, id string) (n int64, err error) {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	for _, e := range c.l.events {
		if e.Import == id {
			n++
		}
	}
	return n, nil
}

var tables = []store.Migrations{sealed.Migrations, audit.Migrations, migrationsOfIngest()}

func migrationsOfIngest() store.Migrations {
	return store.Migrations{Module: "ingest", FS: os.DirFS("..")}
}

func newService(t *testing.T, db *store.DB) (*Service, *tape, context.Context) {
	t.Helper()
	ctx := testkit.Context(t)
	box, err := sealed.NewBox(db.Keys())
	if err != nil {
		t.Fatal(err)
	}
	counter := plan.NewCounter(db.Clock())
	plans, err := plan.NewService(ctx, db, counter, "VND")
	if err != nil {
		t.Fatal(err)
	}
	l := &tape{known: map[string]bool{}}
	held := quarantine.NewService(db, box)
	runs, err := imports.NewService(imports.Deps{DB: db, Log: l, Counts: counts{l}, Plans: plans, Counter: counter, Quarantine: held, Box: box, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return NewService(Deps{DB: db, Box: box, Log: l, Plans: plans, Quarantine: held, Imports: runs, Entity: "bank"}), l, ctx
}

func step(t *testing.T, s *Service, ctx context.Context) {
	t.Helper()
	for {
		worked, err := s.Step(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if !worked {
			return
		}
	}
}

func TestPullFromPostgres(t *testing.T) {
	t.Parallel()
	address := testkit.PostgresURL(t)
	crm, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer crm.Close()
	run := func(query string, args ...any) {
		t.Helper()
		if _, err := crm.Exec(query, args...); err != nil {
			t.Fatal(err)
		}
	}
	run(`CREATE TABLE person (id TEXT PRIMARY KEY, full_name TEXT, city TEXT, spare TEXT, updated_at TIMESTAMPTZ)`)
	base := testkit.Epoch.Add(-24 * time.Hour)
	for i := range 25 { // ten share one instant, so that pages end amid them
		run(`INSERT INTO person VALUES ($1, 'Ví Dụ', 'Huế', NULL, $2)`, fmt.Sprintf("p%02d", i), base.Add(time.Duration(i/10)*time.Minute))
	}
	run(`INSERT INTO person VALUES ('', 'Không Mã', '', NULL, $1)`, base.Add(time.Hour))
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	s, l, ctx := newService(t, testkit.SQLite(t, tables...))
	config := Config{Name: "CRM", Kind: Database, System: "crm", Every: time.Minute, History: true,
		Mapping: mapping.Mapping{Kind: mapping.Customers, Fields: map[mapping.Field]string{mapping.User: "id", mapping.Time: "updated_at"},
			Properties: []mapping.Property{{Column: "full_name", Name: "name", Type: plan.String, Personal: true}}},
		Source: &Source{Driver: Postgres, Host: strings.ReplaceAll(u.Query().Get("host"), "/", "%2F"), Port: 5432, Name: strings.TrimPrefix(u.Path, "/"), User: u.User.Username(), Insecure: true,
			Query: "SELECT * FROM person", Key: "id", Mark: "updated_at", MarkIs: ByTime, Overlap: time.Minute, Page: 7}}
	if u.Host != "" {
		t.Skip("the server is reached over the network; the test wants its socket")
	}
	c, err := s.Save(ctx, "", config, "s3cret-word")
	if err != nil {
		t.Fatal(err)
	}
	step(t, s, ctx)
	if len(l.events) != 25 {
		t.Fatalf("%d events, want 25", len(l.events))
	}
	e := l.events[0]
	if e.Kind != event.Identify || e.System != "crm" || !e.History || !strings.Contains(string(e.Traits), "Ví Dụ") {
		t.Errorf("%+v", e)
	}
	got, err := s.Get(ctx, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	used, all := got.Coverage()
	if got.State() != Good || got.Quarantined != 1 || got.Rows != 26 || used != 3 || all != 5 {
		t.Errorf("state %s, %d set aside, %d rows, %d of %d columns", got.State(), got.Quarantined, got.Rows, used, all)
	}
	// One changes, one was committed late with an older mark; the rest is known.
	run(`UPDATE person SET city = 'Hà Nội', updated_at = $1 WHERE id = 'p03'`, base.Add(2*time.Hour))
	run(`INSERT INTO person VALUES ('late', 'Đến Muộn', '', NULL, $1)`, base.Add(time.Hour-30*time.Second))
	testkit.Clock(s.DB).Advance(2 * time.Minute)
	step(t, s, ctx)
	if len(l.events) != 27 {
		t.Errorf("%d events after one change and one late row, want 27", len(l.events))
	}
	// A failing database is said, without the password, and mended by itself.
	run(`ALTER TABLE person RENAME TO people`)
	testkit.Clock(s.DB).Advance(2 * time.Minute)
	step(t, s, ctx)
	if got, err = s.Get(ctx, c.ID); err != nil || got.State() != Failing || strings.Contains(got.Error, "s3cret") {
		t.Errorf("state %s, error %q, %v", got.State(), got.Error, err)
	}
	run(`ALTER TABLE people RENAME TO person`)
	testkit.Clock(s.DB).Advance(2 * time.Minute)
	step(t, s, ctx)
	if got, err = s.Get(ctx, c.ID); err != nil || got.State() != Good {
		t.Errorf("state %s, error %q, %v", got.State(), got.Error, err)
	}
	// The password lies sealed in the table.
	var secret []byte
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		return tx.NewRaw("SELECT secret FROM ingest_connector").Scan(ctx, &secret)
	})
	if err != nil || len(secret) == 0 || strings.Contains(string(secret), "s3cret") {
		t.Errorf("secret %q, %v", secret, err)
	}
}

func TestQueriesOfEachDatabase(t *testing.T) {
	t.Parallel()
	for driver, want := range map[Driver]string{
		MySQL:     "SELECT q.* FROM (SELECT * FROM t) q WHERE (q.`n` > ? OR (q.`n` = ? AND CAST(q.`id` AS BINARY) > ?)) ORDER BY q.`n`, CAST(q.`id` AS BINARY) LIMIT 5",
		SQLServer: `SELECT TOP (5) q.* FROM (SELECT * FROM t) q WHERE (q."n" > @p1 OR (q."n" = @p2 AND CAST(q."id" AS NVARCHAR(400)) COLLATE Latin1_General_BIN2 > @p3)) ORDER BY q."n", CAST(q."id" AS NVARCHAR(400)) COLLATE Latin1_General_BIN2`,
	} {
		got, args, err := pageQuery(&Source{Driver: driver, Query: "SELECT * FROM t", Key: "id", Mark: "n", MarkIs: ByNumber}, mark{"7", "a"}, 5)
		if err != nil || got != want || len(args) != 3 {
			t.Errorf("%s:\n%s\n%s\n%v %v", driver, got, want, args, err)
		}
	}
}

func TestDropFolder(t *testing.T) {
	t.Parallel()
	s, l, ctx := newService(t, testkit.SQLite(t, tables...))
	dir := t.TempDir()
	config := Config{Name: "Thư mục", Kind: Folder, System: "crm", Every: time.Minute, History: true,
		Mapping: mapping.Mapping{Kind: mapping.Customers, Fields: map[mapping.Field]string{mapping.User: "id"}}, Drop: &Drop{Dir: dir, Pattern: "crm_*.csv", Settle: 10 * time.Second}}
	c, err := s.Save(ctx, "", config, "")
	if err != nil {
		t.Fatal(err)
	}
	now := testkit.Clock(s.DB).Now()
	put := func(name, content string, age time.Duration) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	put("crm_1.csv", "id\na\nb\n", time.Minute)
	put("crm_half.csv", "id\nc\n", time.Second) // still being written
	put("other.csv", "id\nz\n", time.Minute)
	worker, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- s.Imports.Run(worker) }()
	defer func() { stop(); <-done }()
	has := func(path string) bool {
		_, err := os.Stat(filepath.Join(dir, path))
		return err == nil
	}
	turn := func(until func() bool) {
		t.Helper()
		for range 200 {
			testkit.Clock(s.DB).Advance(61 * time.Second)
			now = testkit.Clock(s.DB).Now()
			step(t, s, ctx)
			if until() {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Fatal("it never came to that")
	}
	step(t, s, ctx)
	if !has("crm_half.csv") {
		t.Fatal("a half-written file was taken")
	}
	turn(func() bool { return has("done/crm_1.csv") && has("done/crm_half.csv") })
	if !has("other.csv") || len(l.events) != 3 {
		t.Errorf("%d events, other file there: %t", len(l.events), has("other.csv"))
	}
	put("crm_again.csv", "id\na\nb\n", time.Hour)
	turn(func() bool { return has("duplicate/crm_again.csv") })
	if len(l.events) != 3 {
		t.Errorf("%d events after the same content under another name", len(l.events))
	}
	if got, err := s.Get(ctx, c.ID); err != nil || got.State() != Good || got.Rows != 3 {
		t.Errorf("%v, %d rows, %v", got.State(), got.Rows, err)
	}
}

func TestTextsExistInEveryLanguage(t *testing.T) {
	t.Parallel()
	if err := i18n.Check(Locales()); err != nil {
		t.Fatal(err)
	}
}
