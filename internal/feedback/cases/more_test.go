package cases_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"omote/internal/feedback/cases"
	"omote/internal/platform/auth"
	"omote/internal/platform/erasure"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/money"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/testkit"
)

// feed takes an event up as the state projector does.
func (r *rig) feed(e event.Event, customer string) {
	r.t.Helper()
	e.Entity = scope.DefaultEntity
	if e.At == 0 {
		e.At = testkit.Clock(r.db).Now().UnixMicro()
	}
	must(r.t, r.db.Write(testkit.Context(r.t), func(ctx context.Context, tx store.Tx) error { return r.TakeEvent(ctx, tx, &e, customer) }))
}

func (r *rig) list(q cases.Query) []cases.Case {
	r.t.Helper()
	p, err := r.List(r.lead, q)
	must(r.t, err)
	return p.Items
}

// TestSignalsJoin lets several signals of one person make one case, a replay none.
func TestSignalsJoin(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db)
		r.at("2026-03-02 09:00")
		answer := event.Event{Source: "survey", MessageID: "m1", Kind: event.Track, Name: "survey_answered", Journey: "cards", Props: []byte(`{"instrument":"rel_nps","score":3,"verbatim":"Chờ lâu quá"}`)}
		r.feed(answer, "c1")
		r.feed(answer, "c1") // replayed
		happy := answer
		happy.MessageID, happy.Props = "m2", []byte(`{"instrument":"rel_nps","score":9}`)
		r.feed(happy, "c1")
		second := answer
		second.MessageID = "m3"
		r.feed(second, "c1")
		other := answer
		other.MessageID = "m4"
		r.feed(other, "c2")
		got := r.list(cases.Query{})
		if len(got) != 2 || got[0].Signals+got[1].Signals != 3 {
			t.Fatalf("%d cases: %+v", len(got), got)
		}
		// Money words beat the score: a complaint with its statutory clock.
		harm := answer
		harm.MessageID, harm.Props = "m5", []byte(`{"instrument":"rel_nps","score":9,"verbatim":"Tôi bị trừ tiền hai lần!"}`)
		r.feed(harm, "c3")
		found := r.list(cases.Query{Kind: cases.Complaint})
		if len(found) != 1 || found[0].Severity != cases.High || found[0].NextRule == "" {
			t.Fatalf("words of harm made %+v", found)
		}
		// A feed's own case number: its later events are marks, at their own time.
		at := testkit.Clock(db).Now()
		filed := event.Event{Source: "case", MessageID: "m6", Kind: event.Track, Name: "complaint_filed", Journey: "complaint", Case: "K1", Product: "loan", At: at.Add(-time.Hour).UnixMicro()}
		r.feed(filed, "c4")
		acked := filed
		acked.Name, acked.MessageID, acked.At = "complaint_acknowledged", "m7", at.Add(-time.Minute).UnixMicro()
		r.feed(acked, "c4")
		v := r.list(cases.Query{Customer: "c4"})
		if len(v) != 1 {
			t.Fatalf("the feed's case: %+v", v)
		}
		full, err := r.Get(r.lead, v[0].ID)
		must(t, err)
		if k := clockOf(t, full, "int_ack_4h"); k.State != cases.ClockMet || k.Met != store.At(at.Add(-time.Minute)) {
			t.Errorf("the feed's mark left the clock %s", k.State)
		}
	}, migrations...)
}

// TestPolicySwapMidCase, merge, split, scope and bad input.
func TestMergeSplitScope(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db)
		r.at("2026-03-02 09:00")
		a := r.open(complaint())
		r.at("2026-03-03 09:00")
		in := complaint()
		in.Title = "Cùng việc, gọi lần hai"
		b := r.open(in)
		wantKind(t, r.Merge(r.agent, b.ID, a.ID), errs.KindDenied)
		must(t, r.Merge(r.owner, b.ID, a.Ref()))
		merged := r.get(a.ID)
		if merged.Signals != 2 || r.get(b.ID).State != cases.Merged || len(merged.Links) != 1 {
			t.Errorf("merged: %d signals, %+v", merged.Signals, merged.Links)
		}
		if k := clockOf(t, merged, "vn_cl_negotiate"); local(k.Due) != "2026-03-12 00:00" {
			t.Errorf("the earlier statutory deadline counts: %s", local(k.Due))
		}
		wantKind(t, r.Note(r.agent, b.ID, "x"), errs.KindConflict)
		id, err := r.Split(r.agent, a.ID, cases.Complaint, "Việc khác", "")
		must(t, err)
		if s := r.get(id); s.Name.Plain != "Nguyễn Văn Mẫu" || s.Ref() != "CV-00003" {
			t.Errorf("split: %+v", s.Case)
		}
		// Another branch sees nothing and does nothing, whatever it asks.
		stranger := actor(t, "b2", "/north/b2/", "agent")
		_, err = r.Get(stranger, a.ID)
		wantKind(t, err, errs.KindNotFound)
		wantKind(t, r.Note(stranger, a.ID, "x"), errs.KindNotFound)
		wantKind(t, r.Assign(stranger, a.Ref(), "b2"), errs.KindNotFound)
		if p, err := r.List(stranger, cases.Query{Closed: true}); err != nil || len(p.Items) != 0 {
			t.Errorf("another branch lists %+v, %v", p.Items, err)
		}
		if p, err := r.List(stranger, cases.Query{Unit: "/", Search: "0900 000 001"}); err != nil || len(p.Items) != 0 {
			t.Errorf("another branch finds %+v, %v", p.Items, err)
		}
		if p, err := r.List(r.agent, cases.Query{Search: "+84 900 000 001", Closed: true}); err != nil || len(p.Items) != 3 {
			t.Errorf("by phone: %d, %v", len(p.Items), err)
		}
		for name, bad := range map[string]func(*cases.Intake){
			"no title":  func(in *cases.Intake) { in.Title = "" },
			"long":      func(in *cases.Intake) { in.Words = strings.Repeat("x", cases.MaxWords+1) },
			"nul":       func(in *cases.Intake) { in.Title = "a\x00b" },
			"not utf-8": func(in *cases.Intake) { in.Title = "a\xffb" },
			"kind":      func(in *cases.Intake) { in.Kind = "party" },
			"fact":      func(in *cases.Intake) { in.Facts = cases.Facts{"x": []string{"y"}} },
			"locale":    func(in *cases.Intake) { in.Locale = "fr" },
		} {
			in := complaint()
			bad(&in)
			if _, err := r.Open(r.agent, in); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		_, err = r.Attach(r.agent, a.ID, "../../etc/passwd\x00.pdf", "application/pdf", []byte("x"))
		must(t, err)
		if f := r.get(a.ID).Files[0]; f.Name.Plain != "passwd.pdf" {
			t.Errorf("the file is called %q", f.Name.Plain)
		}
		_, err = r.Attach(r.agent, a.ID, "big", "", make([]byte, cases.MaxFile+1))
		wantKind(t, err, errs.KindTooLarge)
	}, migrations...)
}

type scanner struct {
	clean bool
	err   error
}

func (s scanner) Scan(context.Context, []byte) (bool, error) { return s.clean, s.err }

// TestHeldFile holds files back while the scanner is away, and those that came before
// there was one, until it has decided.
func TestHeldFile(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db)
		r.at("2026-03-02 09:00")
		v := r.open(complaint())
		attach := func(text string) string {
			id, err := r.Attach(r.agent, v.ID, text+".pdf", "application/pdf", []byte(text))
			must(t, err)
			return id
		}
		before := attach("before")
		if _, err := r.ReadFile(r.agent, v.ID, before); err != nil {
			t.Fatalf("without a scanner: %v", err)
		}
		r.Scanner = scanner{err: errs.Unavailable("x", "away")}
		held := attach("held")
		n, err := r.Rescan(r.lead)
		wantKind(t, err, errs.KindUnavailable)
		for _, id := range []string{before, held} {
			_, err := r.ReadFile(r.agent, v.ID, id)
			wantKind(t, err, errs.KindDenied)
		}
		r.Scanner = scanner{clean: true}
		if n, err = r.Rescan(r.lead); err != nil || n != 2 {
			t.Fatalf("decided %d, %v", n, err)
		}
		for id, want := range map[string]string{before: "before", held: "held"} {
			if f, err := r.ReadFile(r.agent, v.ID, id); err != nil || string(f.Content) != want {
				t.Errorf("read %q, %v", f.Content, err)
			}
		}
		r.Scanner = scanner{err: errs.Unavailable("x", "away")}
		bad := attach("bad")
		r.Scanner = scanner{clean: false}
		if n, err = r.Rescan(r.lead); err != nil || n != 1 {
			t.Fatalf("decided %d, %v", n, err)
		}
		_, err = r.ReadFile(r.agent, v.ID, bad)
		wantKind(t, err, errs.KindDenied)
		r.Scanner = nil // taking the scanner away frees nothing that it found
		_, err = r.ReadFile(r.agent, v.ID, bad)
		wantKind(t, err, errs.KindDenied)
	}, migrations...)
}

// TestTakeNext gives each of many agents another case, the most urgent first, whatever
// the engine lets run at the same time.
func TestTakeNext(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db)
		r.at("2026-03-02 09:00")
		const agents, n = 24, 20
		for i := range n {
			in := complaint()
			in.CustomerID, in.Phone, in.Email = fmt.Sprint("c", i), "", ""
			r.open(in)
		}
		first := r.list(cases.Query{})[0].ID
		if got, err := r.TakeNext(actor(t, "zero", "/north/b1/", auth.Agent)); err != nil || got != first {
			t.Fatalf("took %q, %v; the most urgent is %q", got, err, first)
		}
		var mu sync.Mutex
		owner, none := map[string]string{first: "zero"}, 0
		var group sync.WaitGroup
		for i := range agents {
			group.Go(func() {
				me := fmt.Sprint("a", i)
				id, err := r.TakeNext(actor(t, me, "/north/b1/", auth.Agent))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err != nil:
					t.Errorf("%s: %v", me, err)
				case id == "":
					none++
				case owner[id] != "":
					t.Errorf("%s and %s have the same case", owner[id], me)
				default:
					owner[id] = me
				}
			})
		}
		group.Wait()
		if len(owner) != n || none != agents+1-n {
			t.Errorf("%d cases taken, %d agents without", len(owner), none)
		}
		for id, who := range owner {
			if v := r.get(id); v.Owner != who || v.State != cases.Working {
				t.Errorf("%s belongs to %q, state %s; %q took it", id, v.Owner, v.State, who)
			}
		}
		// Of two who press "take" on the same case, one is told.
		late := actor(t, "late", "/north/b1/", auth.Agent)
		wantKind(t, r.Assign(late, first, "late"), errs.KindConflict)
		if got, err := r.TakeNext(actor(t, "south", "/south/", auth.Agent)); err != nil || got != "" {
			t.Errorf("another place gives %q, %v", got, err)
		}
	}, migrations...)
}

// TestInfectedFile keeps the name and drops the content.
func TestInfectedFile(t *testing.T) {
	t.Parallel()
	r := newRig(t, testkit.SQLite(t, migrations...))
	r.at("2026-03-02 09:00")
	r.Scanner = scanner{clean: false}
	v := r.open(complaint())
	id, err := r.Attach(r.agent, v.ID, "scan.pdf", "application/pdf", []byte("bad"))
	must(t, err)
	_, err = r.ReadFile(r.agent, v.ID, id)
	wantKind(t, err, errs.KindDenied)
	r.Scanner = scanner{clean: true}
	id, err = r.Attach(r.agent, v.ID, "scan.pdf", "application/pdf", []byte("good"))
	must(t, err)
	f, err := r.ReadFile(r.agent, v.ID, id)
	must(t, err)
	if string(f.Content) != "good" || f.Name.Plain != "scan.pdf" {
		t.Errorf("read %q as %q", f.Content, f.Name.Plain)
	}
}

// TestWallet grants up to the limits of case, customer and month, and no more.
func TestWallet(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db)
		r.at("2026-03-02 09:00")
		grant := func(id string, amount int64) error {
			return r.Give(r.agent, id, cases.Grant{Kind: "fee_refund", Amount: money.VND(amount), Reason: "phí thu nhầm"})
		}
		v := r.open(complaint())
		must(t, grant(v.ID, 150_000))
		wantKind(t, grant(v.ID, 50_001), errs.KindDenied) // 200,000 a case
		must(t, grant(v.ID, 50_000))
		// The same customer in other cases: 500,000 a year.
		total := int64(200_000)
		for range 4 {
			in := complaint()
			in.Title = fmt.Sprint("Việc ", total)
			w := r.open(in)
			if err := grant(w.ID, 200_000); err == nil {
				total += 200_000
			}
		}
		if total != 400_000 {
			t.Errorf("one customer got %d", total)
		}
		// One hand: 2,000,000 a month.
		for i := range 12 {
			in := complaint()
			in.CustomerID = fmt.Sprint("other", i)
			if err := grant(r.open(in).ID, 200_000); err == nil {
				total += 200_000
			}
		}
		if total != 2_000_000 {
			t.Errorf("one person granted %d in a month", total)
		}
		r.at("2026-04-01 09:00")
		in := complaint()
		in.CustomerID = "april"
		w := r.open(in)
		must(t, grant(w.ID, 200_000))
		wantKind(t, r.Give(r.agent, w.ID, cases.Grant{Kind: "ex_gratia", Amount: money.VND(1), Reason: "không được phép"}), errs.KindDenied)
		wantKind(t, r.Give(r.agent, w.ID, cases.Grant{Kind: "taxi", Amount: money.VND(1), Reason: "người nhà", Related: true}), errs.KindDenied)
		uses, sum, err := r.WalletUse(r.lead, testkit.Epoch)
		must(t, err)
		if sum != 2_200_000 || len(uses) != 1 || uses[0].Share != 1 {
			t.Errorf("use %+v, %d", uses, sum)
		}
	}, migrations...)
}

// TestRouting gives cases by unit, skill and load.
func TestRouting(t *testing.T) {
	t.Parallel()
	r := newRig(t, testkit.SQLite(t, migrations...))
	r.at("2026-03-02 09:00")
	_, err := r.Publish(r.lead, cases.SettingRouting, "routing", `
routes:
- {when: "product == 'loan'", unit: /north/b1/, skill: loans}
team:
- {account: an, unit: /north/b1/, skills: [loans], max: 2}
- {account: binh, unit: /north/b1/, skills: [loans]}
- {account: chi, unit: /north/, skills: []}
`, "")
	must(t, err)
	owners := map[string]int{}
	for i := range 6 {
		in := complaint()
		in.Product, in.CustomerID = "loan", fmt.Sprint(i)
		owners[r.open(in).Owner]++
	}
	if owners["an"] != 2 || owners["binh"] != 4 {
		t.Errorf("owners %v", owners)
	}
	if v := r.open(complaint()); v.Owner != "binh" && v.Owner != "an" {
		t.Errorf("without a skill the nearest unit takes it, not %q", v.Owner)
	}
}

// TestClusters finds eight cases of one cause where half a case a week is usual.
func TestClusters(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db)
		for week := range 9 {
			r.at(time.Date(2026, 1, 5+7*week, 9, 0, 0, 0, hanoi).Format("2006-01-02 15:04"))
			for i := range 1 + week/8*8 {
				in := complaint()
				in.CustomerID = fmt.Sprint(week, "-", i)
				r.open(in)
			}
		}
		found, err := r.FindClusters(r.lead)
		must(t, err)
		if len(found) != 1 || found[0].Observed != 9 || found[0].Customers != 9 || len(found[0].Cases) != 9 || found[0].Bound >= 9 {
			t.Fatalf("found %+v", found)
		}
		again, err := r.FindClusters(r.lead)
		must(t, err)
		if len(again) != 0 {
			t.Errorf("found again: %+v", again)
		}
		// The huddle comes first, then the change, once, with every case attached.
		taken := &initiatives{}
		r.Initiatives = taken
		id, change := found[0].ID, cases.Change{TitleEN: "Stop double charges", TitleVI: "Chặn trừ tiền hai lần", Why: "nine cases", Days: 30}
		_, err = r.ProposeChange(r.lead, id, change)
		wantKind(t, err, errs.KindConflict)
		wantKind(t, r.Huddle(r.agent, id, cases.Huddle{Cause: "system_error", Words: "x"}), errs.KindDenied)
		wantKind(t, r.Huddle(r.lead, id, cases.Huddle{Words: "no cause"}), errs.KindInvalid)
		content, err := r.Content(r.lead)
		must(t, err)
		must(t, r.Huddle(r.lead, id, cases.Huddle{Words: "a promotion ended", Explained: true}))
		must(t, r.Huddle(r.lead, id, cases.Huddle{Cause: content.Causes[0].ID, Words: "cổng thẻ gửi lại lệnh"}))
		for range 2 {
			if got, err := r.ProposeChange(r.lead, id, change); err != nil || got != "i1" {
				t.Fatalf("proposed %q, %v", got, err)
			}
		}
		if len(taken.units) != 1 || taken.units[0] != "/north/b1/" {
			t.Errorf("proposed in %v", taken.units)
		}
		v, err := r.Cluster(r.lead, id)
		must(t, err)
		if v.State != cases.ClusterProposed || v.Words != "cổng thẻ gửi lại lệnh" || v.Initiative != "i1" || len(v.Seen) != 9 || fmt.Sprint(v.Weeks) != "[1 1 1 1 1 1 1 1 9]" {
			t.Errorf("the cluster is %s, %q, weeks %v, %d cases", v.State, v.Words, v.Weeks, len(v.Seen))
		}
		attached := 0
		for _, e := range r.get(v.Seen[8].ID).Entries {
			if e.Detail["initiative"] == "i1" {
				attached++
			}
		}
		if attached != 1 {
			t.Errorf("the case names its change %d times", attached)
		}
		wantKind(t, r.Huddle(r.lead, id, cases.Huddle{Words: "late", Explained: true}), errs.KindConflict)
	}, migrations...)
}

type initiatives struct{ units []string }

func (i *initiatives) Propose(_ context.Context, _ store.Tx, _ cases.Cluster, unit string, _ cases.Change) (string, error) {
	i.units = append(i.units, unit)
	return fmt.Sprint("i", len(i.units)), nil
}

// TestErased forgets the person and keeps the number of the register.
func TestErased(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db)
		r.at("2026-03-02 09:00")
		v := r.open(complaint())
		must(t, r.Note(r.agent, v.ID, "khách tên Mẫu"))
		_, err := r.Attach(r.agent, v.ID, "cccd.png", "image/png", []byte("x"))
		must(t, err)
		must(t, db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
			lines, err := r.Eraser().InStore(ctx, tx, &erasure.Subject{Entity: scope.DefaultEntity, Records: []string{"c1"}})
			if err == nil && len(lines) < 3 {
				err = fmt.Errorf("lines %+v", lines)
			}
			return err
		}))
		after := r.get(v.ID)
		if after.Name.Plain+after.Words.Plain+after.Phone.Plain+after.CustomerID != "" || len(after.Files) != 0 || after.Ref() != v.Ref() {
			t.Errorf("still there: %+v", after.Case)
		}
		for _, e := range after.Entries {
			if e.Body.Plain != "" {
				t.Errorf("the history still says %q", e.Body.Plain)
			}
		}
	}, migrations...)
}

// TestHooks calls subscribers once an event, with nothing personal.
func TestHooks(t *testing.T) {
	t.Parallel()
	r := newRig(t, testkit.SQLite(t, migrations...))
	r.at("2026-03-02 09:00")
	_, err := r.AddHook(r.lead, "javascript:alert(1)", nil)
	wantKind(t, err, errs.KindInvalid)
	_, err = r.AddHook(r.lead, "https://hooks.example/x", []string{"case.party"})
	wantKind(t, err, errs.KindInvalid)
	_, err = r.AddHook(r.agent, "https://hooks.example/x", nil)
	wantKind(t, err, errs.KindDenied)
	h, err := r.AddHook(r.lead, "https://hooks.example/x", []string{"case.opened", "case.clock.breached"})
	must(t, err)
	if !strings.HasPrefix(h.Secret.Plain, "whsec_") {
		t.Errorf("secret %q", h.Secret.Plain)
	}
	r.open(complaint())
	r.at("2026-03-02 18:00")
	if len(r.post.hooks) != 2 {
		t.Fatalf("%d calls", len(r.post.hooks))
	}
	for _, m := range r.post.hooks {
		if s := string(m.Payload); strings.Contains(s, "Mẫu") || strings.Contains(s, "0900") || strings.Contains(s, "Một tuần") || m.Key == "" {
			t.Errorf("the call holds personal data: %s", s)
		}
	}
	must(t, r.RemoveHook(r.lead, h.ID))
	in := complaint()
	in.CustomerID = "c9"
	r.open(in)
	if len(r.post.hooks) != 2 {
		t.Errorf("called after the end")
	}
}

// TestBench runs the measurement small: none lost, none twice.
func TestBench(t *testing.T) {
	t.Parallel()
	res, err := cases.Bench(t.Context(), cases.BenchOptions{Dir: t.TempDir(), Open: 2_000, Burst: 500, Even: 100, Span: time.Second})
	must(t, err)
	if res.Lost != 0 || res.Twice != 0 || res.Fired != 600 || res.FiredPerSecond <= 0 {
		t.Errorf("%+v", res)
	}
}

// TestBadBatch lets one broken clock stop no other.
func TestBadBatch(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db)
		r.at("2026-03-02 09:00")
		a := r.open(complaint())
		in := complaint()
		in.CustomerID = "c2"
		b := r.open(in)
		must(t, db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE cases_clock SET rule = 'gone' WHERE case_id = ? AND rule = 'int_ack_4h'", a.ID)
			return err
		}))
		testkit.Clock(db).Advance(8 * time.Hour)
		for n := 1; n > 0; {
			var err error
			n, err = r.timers.Step(t.Context())
			must(t, err)
		}
		if k := clockOf(t, r.get(b.ID), "int_ack_4h"); k.State != cases.ClockBreached {
			t.Errorf("the sound clock is %s", k.State)
		}
		must(t, db.Read(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
			s, err := r.timers.Stats(ctx, tx)
			if err == nil && s.Waiting == 0 {
				err = errors.New("the broken clock does not wait")
			}
			return err
		}))
	}, migrations...)
}
