package request_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"omote/internal/customer"
	"omote/internal/customer/consent"
	"omote/internal/customer/erasure"
	"omote/internal/customer/identity"
	"omote/internal/customer/request"
	"omote/internal/platform/audit"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/platform/warehouse"
	"omote/internal/testkit"

	platform "omote/internal/platform/erasure"
)

type desk struct {
	t        *testing.T
	ctx      context.Context
	db       *store.DB
	consents *consent.Service
	erasures *erasure.Service
	*request.Service
	person string
	zone   *time.Location
}

func newDesk(t *testing.T, db *store.DB) *desk {
	t.Helper()
	d := &desk{t: t, ctx: testkit.Context(t), db: db}
	box, err := sealed.NewBox(db.Keys())
	if err != nil {
		t.Fatal(err)
	}
	names, err := pseudonym.New(d.ctx, db.Keys())
	if err != nil {
		t.Fatal(err)
	}
	w, err := warehouse.Open(t.Context(), warehouse.Options{Dir: t.TempDir(), Pseudonyms: names, Clock: db.Clock(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	d.consents = consent.NewService(db, box)
	pack, err := consent.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.consents.Install(d.ctx, pack); err != nil {
		t.Fatal(err)
	}
	registry := &platform.Registry{}
	registry.Add(erasure.Own(), request.Eraser(), erasure.Warehouse(w))
	d.erasures, err = erasure.NewService(d.ctx, erasure.Deps{DB: db, Box: box, Names: names, Registry: registry, List: erasure.OpenList(t.TempDir() + "/list"), Restrictor: d.consents})
	if err != nil {
		t.Fatal(err)
	}
	rules, err := request.LoadRules()
	if err != nil {
		t.Fatal(err)
	}
	d.Service = request.NewService(request.Deps{DB: db, Box: box, Rules: rules, Consents: d.consents, Erasures: d.erasures, Warehouse: w, Bank: "Ngân hàng Ví dụ"})
	e := event.Event{Kind: event.Identify, Entity: "bank", Source: "app", System: "core", UserID: "1", MessageID: "1", At: 1, ReceivedAt: 1, Traits: json.RawMessage(`{"name":"Ví Dụ"}`)}
	bought := event.Event{Kind: event.Track, Name: "card_activated", Entity: "bank", Source: "app", System: "core", UserID: "1", MessageID: "2", At: 2, ReceivedAt: 2}
	records := []eventlog.Record{{Event: e, Seq: 1}, {Event: bought, Seq: 1, Index: 1}}
	if err := db.Write(d.ctx, func(ctx context.Context, tx store.Tx) error {
		return identity.NewHandler(names, box).Handle(ctx, tx, records)
	}); err != nil {
		t.Fatal(err)
	}
	if err := w.Apply(d.ctx, eventlog.Batch{First: 1, Last: 1, Records: records}); err != nil {
		t.Fatal(err)
	}
	d.person = names.Record("bank", "core:1").String()
	d.zone, err = time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var migrations = []store.Migrations{customer.Migrations, sealed.Migrations, audit.Migrations}

func (d *desk) open(kind request.Kind, jurisdiction string) request.Request {
	d.t.Helper()
	r, err := d.Open(d.ctx, request.New{Customer: d.person, Kind: kind, Jurisdiction: jurisdiction, Intake: "branch", Locale: "vi", Wish: "Xin hãy làm"})
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// The deadlines were counted by hand on the calendars of 2026. Tết is from 16 to
// 20 February; a deadline is the first instant that is too late.
func TestClocks(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		for _, c := range []struct {
			received, jurisdiction string
			kind                   request.Kind
			third                  bool
			reply, due, plan       string
		}{
			{"2026-01-05 09:00", "VN", request.Access, false, "2026-01-08", "2026-01-21", "2026-01-16"},
			{"2026-02-13 16:00", "VN", request.Erase, false, "2026-02-25", "2026-03-06", "2026-03-01"}, // Friday before Tết
			{"2026-01-05 09:00", "VN", request.Withdraw, false, "2026-01-08", "2026-01-21", ""},
			{"2026-01-05 09:00", "VN", request.Withdraw, true, "2026-01-08", "2026-01-26", ""},
		} {
			at, err := time.ParseInLocation("2006-01-02 15:04", c.received, d.zone)
			if err != nil {
				t.Fatal(err)
			}
			testkit.Clock(db).Set(at)
			r, err := d.Open(d.ctx, request.New{Customer: d.person, Kind: c.kind, Jurisdiction: c.jurisdiction, Intake: "app", Locale: "vi", ThirdParty: c.third})
			if err != nil {
				t.Fatal(err)
			}
			day := func(at time.Time) string {
				if at.IsZero() {
					return ""
				}
				return at.In(d.zone).Format(time.DateOnly)
			}
			if day(r.ReplyDue) != c.reply || day(r.Due) != c.due || day(r.Plan) != c.plan {
				t.Errorf("%+v: reply %s, due %s, plan %s", c, day(r.ReplyDue), day(r.Due), day(r.Plan))
			}
		}
		// The European month, in its own zone: received on 31 January, the last day is 28 February.
		brussels, err := time.LoadLocation("Europe/Brussels")
		if err != nil {
			t.Fatal(err)
		}
		testkit.Clock(db).Set(time.Date(2026, 1, 31, 12, 0, 0, 0, brussels))
		if r := d.open(request.Access, "EU"); r.Due.In(brussels).Format(time.DateOnly) != "2026-03-01" || !r.ReplyDue.IsZero() {
			t.Errorf("due %s", r.Due.In(brussels))
		}
		if r := d.open(request.Access, "CH"); r.Due.Sub(r.Received) < 30*24*time.Hour {
			t.Errorf("due %s", r.Due)
		}
		if _, err := d.Open(d.ctx, request.New{Customer: "x", Kind: request.Access, Jurisdiction: "XX", Intake: "app", Locale: "vi"}); errs.KindOf(err) != errs.KindInvalid {
			t.Error(err)
		}
	}, migrations...)
}

func TestExtension(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		r := d.open(request.Access, "VN")
		if err := d.Extend(d.ctx, r.ID, 16, "many systems"); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("an extension of 16 days: %v", err)
		}
		d.must(d.Extend(d.ctx, r.ID, 15, "many systems"))
		got, err := d.Get(d.ctx, r.ID)
		d.must(err)
		if got.Due.Sub(r.Due) != 15*24*time.Hour || !got.ExtendedFrom.Equal(r.Due) {
			t.Errorf("%s after %s", got.Due, r.Due)
		}
		if err := d.Extend(d.ctx, r.ID, 1, "again"); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("a second extension: %v", err)
		}
		late := d.open(request.Access, "VN")
		testkit.Clock(db).Set(late.Due)
		if err := d.Extend(d.ctx, late.ID, 1, "too late"); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("an extension after the deadline: %v", err)
		}
		if sum, err := d.Summary(d.ctx); err != nil || sum.Open != 2 || sum.Late != 2 {
			t.Errorf("%+v %v", sum, err)
		}
	}, migrations...)
}

func TestWithdrawalIsObeyedWhenItIsReceived(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		d.must(d.consents.Record(d.ctx, consent.Said{CustomerID: d.person, Purpose: "marketing", Channel: "*", Granted: true, Source: consent.FromAPI, TextVersion: 1}))
		decide := func() (out consent.Decision) {
			t.Helper()
			d.must(db.Read(d.ctx, func(ctx context.Context, tx store.Tx) (err error) {
				out, err = d.consents.Decide(ctx, tx, d.person, "marketing", "email")
				return err
			}))
			return out
		}
		if !decide().Allowed {
			t.Fatal("consent was not kept")
		}
		testkit.Clock(db).Advance(time.Minute)
		r := d.open(request.Withdraw, "VN")
		if got := decide(); got.Allowed || got.Reason != consent.Withdrawn {
			t.Errorf("%+v", got)
		}
		d.must(d.Reply(d.ctx, r.ID, ""))
		d.must(d.Complete(d.ctx, r.ID, "Đã ngừng."))
		restrict := d.open(request.Restrict, "VN")
		d.must(d.Check(d.ctx, restrict.ID, "app_session", ""))
		if got := decide(); got.Reason != consent.Restricted {
			t.Errorf("%+v", got)
		}
		d.must(d.Lift(d.ctx, restrict.ID, "the dispute is over"))
		if got := decide(); got.Reason != consent.Withdrawn {
			t.Errorf("%+v", got)
		}
	}, migrations...)
}

func TestCopyOfData(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		r := d.open(request.Access, "VN")
		var out bytes.Buffer
		if err := d.WriteAccess(d.ctx, r.ID, &out); errs.KindOf(err) != errs.KindConflict {
			t.Fatalf("data went out before the person was checked: %v", err)
		}
		if err := d.Complete(d.ctx, r.ID, "Đã gửi"); errs.KindOf(err) != errs.KindConflict {
			t.Fatalf("done before the person was checked: %v", err)
		}
		d.must(d.Check(d.ctx, r.ID, "branch_document", "căn cước"))
		d.must(d.WriteAccess(d.ctx, r.ID, &out))
		z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
		d.must(err)
		files := map[string]string{}
		for _, f := range z.File {
			h, err := f.Open()
			d.must(err)
			text, err := io.ReadAll(h)
			d.must(err)
			files[f.Name] = string(text)
		}
		var c request.Copy
		d.must(json.Unmarshal([]byte(files["data.json"]), &c))
		if len(c.Records) != 1 || c.Records[0].ID != "core:1" || c.Records[0].Stated["name"] != "Ví Dụ" || len(c.Events) != 2 {
			t.Errorf("%+v", c)
		}
		if page := files["du-lieu-cua-quy-khach.html"]; !strings.Contains(page, "Ví Dụ") || !strings.Contains(page, "card_activated") {
			t.Errorf("%s", page)
		}
	}, migrations...)
}

func TestForgetting(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		r := d.open(request.Erase, "VN")
		if err := d.OrderErasure(d.ctx, r.ID); errs.KindOf(err) != errs.KindConflict {
			t.Fatalf("erased before the person was checked: %v", err)
		}
		d.must(d.Check(d.ctx, r.ID, "branch_document", ""))
		if err := d.Complete(d.ctx, r.ID, "Đã xoá"); errs.KindOf(err) != errs.KindConflict {
			t.Fatalf("done before anything was erased: %v", err)
		}
		d.must(d.OrderErasure(d.ctx, r.ID))
		got, err := d.Get(d.ctx, r.ID)
		d.must(err)
		if err := d.Complete(d.ctx, r.ID, "Đã xoá"); errs.KindOf(err) != errs.KindConflict {
			t.Fatalf("done while the erasure runs: %v", err)
		}
		_, err = d.erasures.Carry(d.ctx, got.Erasure)
		d.must(err)
		d.must(d.Complete(d.ctx, r.ID, "Đã xoá"))
		if got, err = d.Get(d.ctx, r.ID); err != nil || got.State != request.Done || got.Wish != "" {
			t.Errorf("%+v %v", got, err)
		}
	}, migrations...)
}

// Every letter can be written in both languages, for every kind of request.
func TestLetters(t *testing.T) {
	t.Parallel()
	d := newDesk(t, testkit.SQLite(t, migrations...))
	at := time.Date(2026, 1, 5, 2, 0, 0, 0, time.UTC)
	for _, locale := range []string{"vi", "en"} {
		for _, kind := range request.Kinds {
			for _, state := range []request.State{request.Received, request.Checked, request.Replied, request.Done, request.Refused} {
				l, err := d.Letter(request.Request{ID: "R-1", Kind: kind, State: state, Locale: locale, Received: at, Due: at.AddDate(0, 0, 15), Answer: "An answer.", Outcome: "A ground."}, d.zone)
				if err != nil || l.Subject == "" || !strings.Contains(l.Body, "Ngân hàng Ví dụ") || strings.Contains(l.Body, "<no value>") {
					t.Errorf("%s %s %s: %v %+v", locale, kind, state, err, l)
				}
			}
		}
	}
}

func FuzzRules(f *testing.F) {
	f.Add([]byte("calendars: [{id: a, zone: UTC}]\npacks: [{id: p, version: 1, jurisdiction: X, effective_from: '2026-01-01', calendar: a, rules: [{id: r, stop: done, kinds: [access], amount: 1, unit: day}]}]"))
	f.Fuzz(func(_ *testing.T, source []byte) { _, _ = request.ParseRules(source) })
}
