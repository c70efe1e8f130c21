package imports_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"omote/internal/ingest"
	"omote/internal/ingest/imports"
	"omote/internal/ingest/mapping"
	"omote/internal/ingest/quarantine"
	"omote/internal/platform/audit"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/projector"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/platform/warehouse"
	"omote/internal/testkit"
)

// works is an ingest module over real engines, with its projectors running.
type works struct {
	*ingest.Ingest
	t       *testing.T
	ctx     context.Context
	w       *warehouse.Warehouse
	uploads string
}

func newWorks(t *testing.T, db *store.DB) *works {
	t.Helper()
	ctx := scope.With(t.Context(), scope.Process("bank", "test"))
	box, err := sealed.NewBox(db.Keys())
	must(t, err)
	names, err := pseudonym.New(ctx, db.Keys())
	must(t, err)
	log, err := eventlog.Open(ctx, eventlog.Options{Dir: t.TempDir(), Keys: db.Keys(), Clock: db.Clock()})
	must(t, err)
	w, err := warehouse.Open(ctx, warehouse.Options{Dir: t.TempDir(), Pseudonyms: names, Clock: db.Clock(), Mask: func(s string) string { return s }})
	must(t, err)
	state, err := projector.New(db, box, projector.Options{})
	must(t, err)
	uploads := t.TempDir()
	in, err := ingest.New(ctx, ingest.Deps{Store: db, Box: box, Log: log, State: state, Uploads: uploads, Currency: "VND",
		Projectors: []string{state.Name(), w.Name()}})
	must(t, err)
	run, stop := context.WithCancel(ctx)
	done := make(chan error, 3)
	go func() { done <- log.Run(run, state, state.Feed()) }()
	go func() { done <- log.Run(run, w, warehouse.Feed()) }()
	go func() { done <- in.Imports.Run(run) }()
	t.Cleanup(func() {
		stop()
		for range 3 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		must(t, log.Close(context.Background()))
		must(t, w.Close())
	})
	return &works{in, t, ctx, w, uploads}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bring imports a file as its header suggests and waits for its end.
func (w *works) bring(name, content string, kind mapping.Kind) *imports.Import {
	w.t.Helper()
	im, err := w.Imports.Upload(w.ctx, name, strings.NewReader(content))
	must(w.t, err)
	p, err := w.Imports.Preview(w.ctx, im.ID, kind, "Asia/Ho_Chi_Minh")
	must(w.t, err)
	_, err = w.Imports.Start(w.ctx, im.ID, p.Suggest, true)
	must(w.t, err)
	return w.await(im.ID)
}

func (w *works) await(id string) *imports.Import {
	w.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		im, err := w.Imports.Get(w.ctx, id)
		must(w.t, err)
		if im.State == imports.Done {
			return im
		}
		if im.State.Over() {
			w.t.Fatalf("the import is %s: %s", im.State, im.Error)
		}
	}
	w.t.Fatal("the import did not end")
	return nil
}

func (w *works) facts() (n int) {
	w.t.Helper()
	rows, err := w.w.Query(w.ctx, `SELECT COUNT(*) FROM {event}`)
	must(w.t, err)
	defer rows.Close()
	for rows.Next() {
		must(w.t, rows.Scan(&n))
	}
	must(w.t, rows.Err())
	return n
}

var tables = []store.Migrations{sealed.Migrations, projector.Migrations, audit.Migrations, ingest.Migrations}

func file(rows int) string {
	var b strings.Builder
	b.WriteString("case,activity,time,branch_id\n")
	for i := range rows {
		fmt.Fprintf(&b, "c%d,step %d,2026-01-02T03:%02d:%02dZ,b%d\n", i/5, i%5, i/60%60, i%60, i%7)
	}
	return b.String()
}

func TestEveryRowOnceWhateverIsRepeated(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		w := newWorks(t, db)
		first := w.bring("log.csv", file(5000), mapping.EventLog)
		if first.Accepted != 5000 || first.Duplicates != 0 || first.Quarantined != 0 {
			t.Fatalf("%+v", first)
		}
		again := w.bring("renamed.csv", file(5000), mapping.EventLog)
		if again.Accepted != 0 || again.Duplicates != 5000 {
			t.Fatalf("the same file again: %+v", again)
		}
		if n := w.facts(); n != 5000 {
			t.Fatalf("%d facts", n)
		}
	}, tables...)
}

func TestBadRowsAreCorrectedAndSentAgain(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		w := newWorks(t, db)
		im := w.bring("log.csv", "case,activity,time,note\nc1,a,2026-01-02T03:04:05Z,=1+1\nc1,b,yesterday,=1+1\n,c,2026-01-02T03:04:05Z,\nc1,\"d,2026-01-02T03:04:05Z,\nc2,e,2026-01-02T03:04:05Z,x\n", mapping.EventLog)
		if im.Accepted != 2 || im.Quarantined != 3 {
			t.Fatalf("%+v", im)
		}
		var out bytes.Buffer
		must(t, w.Imports.WriteQuarantine(w.ctx, im.ID, &out))
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(out.String(), "\ufeff"))).ReadAll()
		must(t, err)
		if len(rows) != 4 {
			t.Fatalf("%d lines: %q", len(rows), rows)
		}
		column := map[string]int{}
		for i, name := range rows[0] {
			column[name] = i
		}
		for _, r := range rows[1:] {
			switch r[column["_row"]] {
			case "2":
				if r[column["note"]] != "'=1+1" {
					t.Errorf("a formula was not defused: %q", r[column["note"]])
				}
				r[column["time"]] = "2026-01-02T03:04:06Z"
			case "3":
				r[column["case"]] = "c9"
			case "4":
				r[column["case"]], r[column["activity"]], r[column["time"]] = "c1", "d", "2026-01-02T03:04:07Z"
			default:
				t.Errorf("unexpected row %q", r)
			}
		}
		out.Reset()
		cw := csv.NewWriter(&out)
		must(t, cw.WriteAll(rows))
		retry, err := w.Imports.Retry(w.ctx, im.ID, "corrected.csv", &out)
		must(t, err)
		if done := w.await(retry.ID); done.Accepted != 3 || done.Quarantined != 0 {
			t.Fatalf("%+v", done)
		}
		if n, err := w.Quarantine.Count(w.ctx, quarantine.Filter{ImportID: im.ID, State: quarantine.Open}); err != nil || n != 0 {
			t.Errorf("%d rows still open, %v", n, err)
		}
		if n := w.facts(); n != 5 {
			t.Errorf("%d facts", n)
		}
	}, tables...)
}

func TestPauseResumeAndCancel(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		w := newWorks(t, db)
		im, err := w.Imports.Upload(w.ctx, "log.csv", strings.NewReader(file(60_000)))
		must(t, err)
		p, err := w.Imports.Preview(w.ctx, im.ID, mapping.EventLog, "")
		must(t, err)
		_, err = w.Imports.Start(w.ctx, im.ID, p.Suggest, true)
		must(t, err)
		for range 20 { // stop it wherever it is, again and again
			time.Sleep(3 * time.Millisecond)
			if w.Imports.Pause(w.ctx, im.ID) != nil {
				continue
			}
			must(t, w.Imports.Resume(w.ctx, im.ID))
		}
		if done := w.await(im.ID); done.Accepted != 60_000 || done.Duplicates != 0 {
			t.Fatalf("%+v", done)
		}
		if n := w.facts(); n != 60_000 {
			t.Fatalf("%d facts", n)
		}
		other, err := w.Imports.Upload(w.ctx, "other.csv", strings.NewReader(file(10)+"c,x,2026-01-01T00:00:00Z,b\n"))
		must(t, err)
		must(t, w.Imports.Cancel(w.ctx, other.ID))
		if err := w.Imports.Resume(w.ctx, other.ID); err == nil {
			t.Error("a cancelled import was resumed")
		}
	}, tables...)
}

func TestADamagedFileGivesWhatIsWhole(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t, tables...)
	w := newWorks(t, db)
	event := `<event><string key="concept:name" value="A"/><date key="time:timestamp" value="2025-11-19T09:41:00+07:00"/></event>`
	im, err := w.Imports.Upload(w.ctx, "log.xes", strings.NewReader(`<log><trace><string key="concept:name" value="c"/>`+strings.Repeat(event, 100)+`</trace><trace><event><string key="conc`))
	must(t, err)
	p, err := w.Imports.Preview(w.ctx, im.ID, mapping.EventLog, "")
	must(t, err)
	_, err = w.Imports.Start(w.ctx, im.ID, p.Suggest, true)
	must(t, err)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline) && im.State != imports.Failed; time.Sleep(5 * time.Millisecond) {
		im, err = w.Imports.Get(w.ctx, im.ID)
		must(t, err)
	}
	if im.State != imports.Failed || im.ReadRows != 100 || !strings.Contains(im.Error, "100") {
		t.Fatalf("%+v", im)
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline) && w.facts() != 100; time.Sleep(10 * time.Millisecond) {
	}
	if n := w.facts(); n != 100 {
		t.Errorf("%d facts", n)
	}
}

func TestMigrations(t *testing.T) { testkit.CheckMigrations(t, ingest.Migrations) }

// TestUploadsAreEncrypted reads the folder of uploads as a thief of the disk
// would: the customers of a waiting file are not in it, and an ended import
// leaves nothing.
func TestUploadsAreEncrypted(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		w := newWorks(t, db)
		const phone = "+84900000123"
		im, err := w.Imports.Upload(w.ctx, "people.csv", strings.NewReader("customer_id,phone\nC1,"+phone+"\n"))
		must(t, err)
		kept, err := os.ReadFile(filepath.Join(w.uploads, im.ID))
		must(t, err)
		if len(kept) == 0 || bytes.Contains(kept, []byte(phone)) || bytes.Contains(kept, []byte("customer_id")) {
			t.Errorf("the upload lies in the clear (%d bytes)", len(kept))
		}
		p, err := w.Imports.Preview(w.ctx, im.ID, mapping.Customers, "Asia/Ho_Chi_Minh")
		must(t, err)
		_, err = w.Imports.Start(w.ctx, im.ID, p.Suggest, true)
		must(t, err)
		if done := w.await(im.ID); done.Accepted != 1 {
			t.Errorf("%d rows were accepted, want 1", done.Accepted)
		}
		// The file goes after the commit that says the import is done.
		left, err := os.ReadDir(w.uploads)
		for end := time.Now().Add(10 * time.Second); err == nil && len(left) > 0 && time.Now().Before(end); left, err = os.ReadDir(w.uploads) {
			time.Sleep(5 * time.Millisecond)
		}
		if err != nil || len(left) != 0 {
			t.Errorf("%d files are left (%v)", len(left), err)
		}
	}, tables...)
}
