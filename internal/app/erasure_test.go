package app_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime/multipart"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"omote/internal/app"
	"omote/internal/customer/consent"
	customererasure "omote/internal/customer/erasure"
	"omote/internal/customer/identity"
	"omote/internal/ingest/quarantine"
	"omote/internal/platform/auth"
	"omote/internal/platform/config"
	"omote/internal/platform/erasure"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/outbox"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

// branch is an installation of one test with one person to be forgotten.
type branch struct {
	*app.App
	t    *testing.T
	ctx  context.Context
	http *http.Client
	key  string
	stop func()
}

func openBranch(t *testing.T, c config.Config) *branch {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	a, err := app.Open(ctx, app.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, true) }()
	b := &branch{App: a, t: t, ctx: a.System(ctx)}
	b.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error("serve:", err)
		}
		if err := a.Close(context.Background()); err != nil {
			t.Error("close:", err)
		}
	})
	t.Cleanup(b.stop)
	if b.key, err = a.NewKey(ctx, auth.NewKey{Name: "test", Source: "crash", Roles: []auth.Role{auth.KeyIngest}}); err != nil {
		t.Fatal(err)
	}
	if a.WaitAddress(ctx) == "" {
		t.Fatal("it does not serve")
	}
	b.http = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(c.Data, app.SocketName))
	}}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return b
}

// send posts to the tracking door.
func (b *branch) send(path string, body any) {
	b.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.ctx, http.MethodPost, "http://omote/v1/"+path, bytes.NewReader(raw))
	if err != nil {
		b.t.Fatal(err)
	}
	r.SetBasicAuth(b.key, "")
	r.Header.Set("Content-Type", "application/json")
	res, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusBadRequest { // refused ones are quarantined
		text, _ := io.ReadAll(res.Body)
		b.t.Fatalf("%s: %d %s", path, res.StatusCode, text)
	}
}

func (b *branch) get(path string) string {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.ctx, http.MethodGet, "http://omote"+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	res, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		b.t.Fatalf("%s: %d %s %v", path, res.StatusCode, text, err)
	}
	return string(text)
}

// upload leaves a file waiting for its mapping.
func (b *branch) upload(name, content string) {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("kind", "events"); err != nil {
		b.t.Fatal(err)
	}
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		b.t.Fatal(err)
	}
	fmt.Fprint(part, content)
	form.Close()
	r, err := http.NewRequestWithContext(b.ctx, http.MethodPost, "http://omote/ingest/imports/upload", &body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	res, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("upload: %d", res.StatusCode)
	}
}

func (b *branch) sql(query string, args ...any) {
	b.t.Helper()
	err := b.Store.Write(b.ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.NewRaw(query, args...).Exec(ctx)
		return err
	})
	if err != nil {
		b.t.Fatal(query, err)
	}
}

// The person, and another who must stay.
const (
	personID    = "KH-7788990011"
	personMail  = "vi.du@example.vn"
	personPhone = "0912345678"
	personName  = "Nguyễn Thị Ví Dụ"
	stranger    = "KH-0000000002"
)

func (b *branch) record(id string) string {
	return b.Names.Record(b.Config.Entity, "crash:"+id).String()
}

// needles are the texts that lead to the person.
func (b *branch) needles() []string {
	return []string{personID, personMail, personPhone, personName, b.record(personID), "chờ lâu quá " + personID}
}

// fill makes the person stand everywhere.
func (b *branch) fill() {
	b.t.Helper()
	for _, id := range []string{personID, stranger} {
		mail, name := personMail, personName
		if id == stranger {
			mail, name = "khac@example.vn", "Trần Văn Khác"
		}
		b.send("identify", map[string]any{"userId": id, "anonymousId": "may-" + id, "messageId": "i" + id,
			"traits": map[string]any{"name": name, "email": mail, "phone": strings.Replace(personPhone, "9", id[len(id)-1:], 1), "consents": map[string]bool{"marketing": true}}})
		b.send("track", map[string]any{"userId": id, "messageId": "t" + id, "event": "account_opened", "properties": map[string]any{"case_id": "ho-so-" + id}})
		b.send("track", map[string]any{"userId": id, "messageId": "r" + id, "event": "survey_answered",
			"properties": map[string]any{"instrument": "tx_csat", "item": "tc_score", "score": 2, "verbatim": "chờ lâu quá " + id, "language": "vi"}})
		b.send("track", map[string]any{"userId": id, "messageId": "q" + id, "event": " ", "properties": map[string]any{"x": 1}})
		b.upload(id+".csv", "customer,time,event\n"+id+",2026-01-01 10:00,account_opened\n")
	}
	// Quarantined by the person's address alone, without any id.
	b.send("track", map[string]any{"anonymousId": "nobody", "messageId": "q3", "event": " ", "properties": map[string]any{"contact": "  " + strings.ToUpper(personMail)}})
	if err := b.CaughtUp(b.ctx); err != nil {
		b.t.Fatal(err)
	}
	for _, id := range []string{b.record(personID), b.record(stranger)} {
		b.sql("INSERT INTO projector_dead_letter (projector, handler, subject, log_partition, seq, idx, entity, state, event, created, updated) VALUES ('state', 'x', ?, 0, 1, 0, 'bank', 'failed', ?, 0, 0)",
			id, []byte{1})
		b.sql("INSERT INTO outbox_message (customer_id, id, entity, channel, purpose, idempotency_key, state, due, created) VALUES (?, ?, 'bank', 'email', 'service', ?, 'sent', 0, 0)",
			id, "m"+id, "k"+id)
		b.sql("INSERT INTO customer_exclusion (entity, record_id, kind, ref, since, made_by) VALUES ('bank', ?, 'vulnerable', 'x', 0, 'test')", id)
	}
}

// seen reads every place with its own engine and gives those that yield one of
// the needles, with the sealed columns opened.
func (b *branch) seen(needles []string) map[string]bool {
	b.t.Helper()
	out := map[string]bool{}
	b.seenInStore(needles, out)
	for _, table := range []string{"event", "response", "identity_link", "event_customer", "response_customer"} {
		rows, err := b.Warehouse.Query(b.ctx, "SELECT * FROM {"+table+"}")
		if err != nil {
			b.t.Fatal(err)
		}
		if scan(b.t, rows, func(_ []string, text []string) bool { return hit(strings.Join(text, "\x00"), needles) }) {
			out["warehouse."+table] = true
		}
	}
	for _, what := range []string{"events", "customers", "responses"} {
		if hit(b.get("/api/v1/exports/"+what+"?format=ndjson"), needles) {
			out["export "+what] = true
		}
	}
	if b.seenInLog(needles) {
		out["log"] = true
	}
	for _, im := range b.uploads() {
		if hit(im, needles) {
			out["uploads"] = true
		}
	}
	return out
}

func hit(text string, needles []string) bool {
	return slices.ContainsFunc(needles, func(n string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(n)) })
}

func scan(t *testing.T, rows *sql.Rows, match func(columns, text []string) bool) (found bool) {
	t.Helper()
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		cells, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		text := make([]string, len(cells))
		for i, c := range cells {
			switch c := c.(type) {
			case []byte:
				text[i] = string(c)
				if len(c) == 16 {
					text[i] += fmt.Sprintf(" %x-%x-%x-%x-%x", c[:4], c[4:6], c[6:8], c[8:10], c[10:])
				}
			default:
				text[i] = fmt.Sprint(c)
			}
		}
		found = match(columns, text) || found
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

func (b *branch) seenInStore(needles []string, out map[string]bool) {
	b.t.Helper()
	schema, err := b.Store.ReadSchema(b.ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	marked := map[string][]string{}
	for _, inv := range []sealed.Inventory{identity.Sealed(b.Box), consent.Sealed(), outbox.Sealed(), quarantine.Sealed()} {
		for _, f := range inv.Fields {
			marked[f.Column.String()] = f.PK
		}
	}
	for _, table := range schema {
		err := b.Store.Read(b.ctx, func(ctx context.Context, tx store.Tx) error {
			rows, err := tx.QueryContext(ctx, "SELECT * FROM "+table.Name)
			if err != nil {
				return err
			}
			scan(b.t, rows, func(columns, text []string) bool {
				all := strings.Join(text, "\x00")
				for i, c := range columns {
					pk, ok := marked[table.Name+"."+c]
					if !ok || text[i] == "<nil>" {
						continue
					}
					var key []string
					for _, k := range pk {
						key = append(key, text[slices.Index(columns, k)])
					}
					plain, err := b.Box.OpenBytes(ctx, sealed.Place{Table: table.Name, Column: c, Row: strings.Join(key, "\x1f")}, []byte(text[i]))
					if err != nil {
						b.t.Errorf("%s.%s does not open: %v", table.Name, c, err)
					}
					all += "\x00" + string(plain)
				}
				if hit(all, needles) {
					out[table.Name] = true
				}
				return false
			})
			return nil
		})
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

// uploads decrypts the files that lie here.
func (b *branch) uploads() (out []string) {
	b.t.Helper()
	var page struct {
		Items []struct{ ID, State string } `json:"items"`
	}
	if err := json.Unmarshal([]byte(b.get("/api/v1/imports")), &page); err != nil {
		b.t.Fatal(err)
	}
	for _, im := range page.Items {
		if im.State == "draft" {
			out = append(out, b.get("/ingest/imports/"+im.ID))
		}
	}
	return out
}

// spy reads the whole log as a projector does.
type spy struct {
	name  string
	mu    sync.Mutex
	texts []string
	at    map[int]uint64
}

func (s *spy) Name() string { return s.name }

func (s *spy) Position(_ context.Context, p int) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at[p], nil
}

func (s *spy) Apply(_ context.Context, batch eventlog.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range batch.Records {
		s.texts = append(s.texts, fmt.Sprintf("%+v %s %s", batch.Records[i].Event, batch.Records[i].Event.Props, batch.Records[i].Event.Traits))
	}
	s.at[batch.Partition] = batch.Last
	return nil
}

var spies int

func (b *branch) seenInLog(needles []string) bool {
	b.t.Helper()
	spies++
	s := &spy{name: fmt.Sprint("spy", spies), at: map[int]uint64{}}
	ctx, cancel := context.WithCancel(b.ctx)
	done := make(chan error, 1)
	go func() { done <- b.Log.Run(ctx, s, eventlog.RunOptions{SkipLost: true}) }()
	ends := map[int]uint64{}
	for p := range b.Log.Partitions() {
		_, last, err := b.Log.Bounds(ctx, p)
		if err != nil {
			b.t.Fatal(err)
		}
		ends[p] = last
	}
	if err := b.Log.WaitFor(ctx, s.name, ends); err != nil {
		b.t.Error(err)
	}
	cancel()
	if err := <-done; err != nil && ctx.Err() == nil {
		b.t.Error(err)
	}
	if err := b.Log.Forget(b.ctx, s.name); err != nil {
		b.t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return hit(strings.Join(s.texts, "\n"), needles)
}

// TestForgotten reads every table, export, quarantined row, upload and log record
// through its own engine: each yields the person before, and after the erasure
// none does, the log once it has expired.
func TestForgotten(t *testing.T) {
	t.Parallel()
	t.Run("sqlite and duckdb", func(t *testing.T) {
		t.Parallel()
		forgotten(t, crashConfig(t.TempDir()))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		c := crashConfig(t.TempDir())
		c.Store, c.Warehouse = testkit.PostgresURL(t), testkit.PostgresURL(t)
		forgotten(t, c)
	})
}

// proof are the tables that keep the pseudonym, and nothing else, on purpose.
var proof = []string{"customer_erasure", "customer_request", "audit_entry"}

func forgotten(t *testing.T, c config.Config) {
	c.Retention = 6 * time.Second
	b := openBranch(t, c)
	b.fill()
	before := b.seen(b.needles())
	for _, place := range []string{"customer_record", "customer_trait", "customer_link", "customer_consent", "customer_key", "customer_exclusion", "ingest_quarantine", "outbox_message",
		"projector_dead_letter", "warehouse.event", "warehouse.response", "export events", "export customers", "export responses", "log", "uploads"} {
		if !before[place] {
			t.Errorf("before the erasure %s does not yield the person: the test shows nothing of it (seen in %v)", place, slices.Sorted(maps.Keys(before)))
		}
	}
	other := b.seen([]string{stranger, b.record(stranger)})
	order, err := b.Erasures().Order(b.ctx, b.record(personID), "", "asked at the branch")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := b.Erasures().Carry(b.ctx, order.ID)
	if err != nil {
		t.Fatal(err)
	}
	if cert.State != customererasure.Done || len(cert.Records) < 2 || cert.Count(erasure.Deleted) < 10 || cert.Count(erasure.Unlinked) < 3 {
		t.Errorf("%+v", cert)
	}
	if !cert.Complete().Equal(cert.At.Add(24*time.Hour)) && !cert.Complete().Equal(cert.At.Add(c.Retention)) {
		t.Errorf("complete at %s, ordered at %s", cert.Complete(), cert.At)
	}
	after := b.seen(b.needles())
	for _, place := range append(proof, "log") {
		delete(after, place)
	}
	if len(after) > 0 {
		t.Errorf("after the erasure the person is still seen in %v", slices.Sorted(maps.Keys(after)))
	}
	for _, place := range proof { // what stays holds pseudonyms alone
		if still := b.seen([]string{personID, personMail, personPhone, "chờ lâu quá " + personID}); still[place] {
			t.Errorf("%s names the person in words", place)
		}
	}
	// The other person is where they were.
	if now := b.seen([]string{stranger, b.record(stranger)}); !maps.Equal(now, other) {
		t.Errorf("the other person was seen in %v, now in %v", slices.Sorted(maps.Keys(other)), slices.Sorted(maps.Keys(now)))
	}
	deadline := time.Now().Add(30 * time.Second)
	for b.seenInLog(b.needles()) {
		if time.Now().After(deadline) {
			t.Fatal("the log still yields the person long after its retention")
		}
		time.Sleep(300 * time.Millisecond)
	}
}

// A back-up from before an erasure holds the person; restored, it is erased again.
// Restored without the list it yields them, which shows that the list does it.
func TestRestoreErasesAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := crashConfig(dir)
	b := openBranch(t, c)
	b.fill()
	backup := filepath.Join(t.TempDir(), "backup")
	if _, err := b.Backup(b.ctx, backup); err != nil {
		t.Fatal(err)
	}
	order, err := b.Erasures().Order(b.ctx, b.record(personID), "", "asked at the branch")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Erasures().Carry(b.ctx, order.ID); err != nil {
		t.Fatal(err)
	}
	needles := b.needles()
	b.stop()
	restore := func(list string) (*branch, app.Restored) {
		t.Helper()
		to := crashConfig(t.TempDir())
		to.Keys, to.Erasures = c.Keys, list
		r, err := app.Restore(t.Context(), to, slog.New(slog.DiscardHandler), backup)
		if err != nil {
			t.Fatal(err)
		}
		return openBranch(t, to), r
	}
	again, r := restore("")
	seen := again.seen(needles)
	for _, place := range append(proof, "log") {
		delete(seen, place)
	}
	if r.Erasures != 1 || len(seen) > 0 {
		t.Errorf("%d erasures were applied again; the person is seen in %v", r.Erasures, slices.Sorted(maps.Keys(seen)))
	}
	if cert, err := again.Erasures().Get(again.ctx, order.ID); err != nil || cert.Again.IsZero() || cert.State != customererasure.Done || cert.Count(erasure.Deleted) == 0 {
		t.Errorf("%+v, %v", cert, err)
	}
	again.stop()
	without, r := restore(filepath.Join(t.TempDir(), "none"))
	if seen := without.seen(needles); r.Erasures != 0 || !seen["customer_record"] || !seen["warehouse.event"] {
		t.Errorf("without the list %d erasures were applied and the person is seen in %v", r.Erasures, slices.Sorted(maps.Keys(seen)))
	}
}

// A record under a hold is restricted instead, and listed; when the hold ends the
// erasure goes on.
func TestHoldKeepsARecord(t *testing.T) {
	t.Parallel()
	b := openBranch(t, crashConfig(t.TempDir()))
	b.fill()
	customer := b.record(personID)
	s := b.Erasures()
	hold, err := s.Hold(b.ctx, customererasure.NewHold{Customer: customer, Reason: "aml", Basis: "Law on anti-money-laundering", ReviewAt: time.Now().AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	order, err := s.Order(b.ctx, customer, "", "asked")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := s.Carry(b.ctx, order.ID)
	if err != nil || cert.State != customererasure.Held || len(cert.Records) != 0 || len(cert.Held) < 2 || cert.Held[0].Reason != "aml" || cert.Count(erasure.Kept) < 2 {
		t.Fatalf("%+v, %v", cert, err)
	}
	if seen := b.seen(b.needles()); !seen["customer_trait"] || !seen["customer_restriction"] {
		t.Errorf("seen in %v", seen)
	}
	standing := b.get("/api/v1/customers/" + customer + "/consent/decision?purpose=marketing&channel=email")
	if !strings.Contains(standing, `"reason":"restricted"`) {
		t.Errorf("a held record may be used: %s", standing)
	}
	begun, err := s.EndHold(b.ctx, hold)
	if err != nil || len(begun) != 1 {
		t.Fatalf("%+v, %v", begun, err)
	}
	if cert, err = s.Carry(b.ctx, begun[0].ID); err != nil || cert.State != customererasure.Done {
		t.Fatalf("%+v, %v", cert, err)
	}
	seen := b.seen(b.needles())
	for _, place := range append(proof, "log", "customer_hold") {
		delete(seen, place)
	}
	if len(seen) > 0 {
		t.Errorf("after the hold ended the person is seen in %v", seen)
	}
}

func TestEveryTableAnswersForErasure(t *testing.T) {
	t.Parallel()
	a := openApp(t)
	schema, err := a.Store.ReadSchema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range a.Erasers().Unclaimed(schema) {
		t.Errorf("%s has a sealed column, and no part says what becomes of it when a person is to be forgotten: name the person in record_id or customer_id, "+
			"or register an eraser in wire_erasure.go", table)
	}
}
