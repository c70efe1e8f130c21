package survey

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"omote/internal/feedback/form"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/outbox"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/platform/timer"
	"omote/internal/testkit"
)

var tables = []store.Migrations{sealed.Migrations, audit.Migrations, auth.Migrations, approval.Migrations, outbox.Migrations, timer.Migrations, Migrations}

func TestMigrations(t *testing.T) { testkit.CheckMigrations(t, Migrations) }

// bench is a service with its surroundings played.
type bench struct {
	*Service
	t      *testing.T
	ctx    context.Context
	timers *timer.Timers
	names  *pseudonym.Maker
	log    *fakeLog
	policy *fakePolicy
	got    []Followed
}

type fakeLog struct {
	mu     sync.Mutex
	events map[string]event.Event
	fail   int
}

func (l *fakeLog) Append(_ context.Context, all []event.Event) (eventlog.Receipt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range all {
		l.events[e.Source+"/"+e.MessageID] = e
	}
	if l.fail > 0 {
		l.fail--
		return nil, errs.Unavailable("test", "the answer was lost")
	}
	return eventlog.Receipt{}, nil
}

type fakePolicy struct{ answer Judgement }

func (p *fakePolicy) Judge(context.Context, store.Tx, Contact) (Judgement, error) {
	return p.answer, nil
}
func (*fakePolicy) Release(context.Context, store.Tx, string, string) error { return nil }

type fakePeople struct{}

func (fakePeople) Address(context.Context, store.Tx, string, string) (Reach, error) {
	return Reach{Address: "a@example.com", Locale: "vi"}, nil
}

type nowhere struct{}

func (nowhere) Send(context.Context, outbox.Message) (string, error) { return "", nil }
func (nowhere) KeyWindow() time.Duration                             { return 0 }

func (b *bench) Answered(_ context.Context, _ store.Tx, f Followed) error {
	b.got = append(b.got, f)
	return nil
}

func newBench(t *testing.T, db *store.DB) *bench {
	t.Helper()
	ctx := scope.With(t.Context(), scope.Process("bank", "test"))
	box, err := sealed.NewBox(db.Keys())
	must(t, err)
	names, err := pseudonym.New(ctx, db.Keys())
	must(t, err)
	accounts, err := auth.New(ctx, db, box, auth.Options{Entity: "bank", Issuer: "Bank"})
	must(t, err)
	b := &bench{t: t, ctx: ctx, timers: timer.New(db, timer.Options{}), names: names, log: &fakeLog{events: map[string]event.Event{}},
		policy: &fakePolicy{Judgement{Allowed: true}}}
	b.Service = New(Deps{DB: db, Box: box, Keys: db.Keys(), Log: b.log, Timers: b.timers, Approvals: approval.New(db, accounts),
		Outbox: outbox.New(db, box, map[string]outbox.Sender{"email": nowhere{}, "sms": nowhere{}, "push": nowhere{}}, outbox.Options{}), Contacts: b.policy, People: fakePeople{},
		Followers: []Follower{b}, Logger: slog.New(slog.DiscardHandler), Zone: time.FixedZone("", 7*3600), Bank: "Ngân hàng Ví Dụ", BaseURL: "https://bank.example",
		Channels: []string{"email", "sms", "push"}})
	run, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { b.intake.run(run); close(done) }()
	t.Cleanup(func() { stop(); <-done })
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// publish puts a shipped questionnaire live as changed.
func (b *bench) publish(id string, change func(*form.Document)) *form.Document {
	b.t.Helper()
	all, err := form.Shipped()
	must(b.t, err)
	d := all[slices.IndexFunc(all, func(d *form.Document) bool { return d.ID == id })]
	if change != nil {
		change(d)
	}
	must(b.t, d.Validate())
	must(b.t, b.DB.Write(b.ctx, func(ctx context.Context, tx store.Tx) error {
		v := &Version{Entity: "bank", Version: 1, State: Live, Document: d, Created: tx.Now().Time(), CreatedBy: "test", Published: tx.Now().Time()}
		return insertVersion(ctx, tx, v)
	}))
	b.forget("bank")
	return d
}

func (b *bench) feed(events ...event.Event) {
	b.t.Helper()
	records := make([]eventlog.Record, len(events))
	for i, e := range events {
		records[i] = eventlog.Record{Event: e}
	}
	must(b.t, b.DB.Write(b.ctx, func(ctx context.Context, tx store.Tx) error {
		return Handler{b.Service, b.names}.Handle(ctx, tx, records)
	}))
}

func (b *bench) happened(n int) event.Event {
	now := b.DB.Now().Time()
	return event.Event{Source: "core", MessageID: fmt.Sprint(n), Entity: "bank", Kind: event.Track, Name: "branch_service_completed", Journey: "branch_visit",
		UserID: fmt.Sprintf("C%d", n), Unit: []string{"B1", "B2"}[n%2], Channel: "branch", At: now.UnixMicro(), ReceivedAt: now.UnixMicro()}
}

func (b *bench) fire() {
	b.t.Helper()
	for {
		n, err := b.timers.Step(b.ctx)
		must(b.t, err)
		if n == 0 {
			return
		}
	}
}

func (b *bench) invitations(state AskState) (out []*Invitation) {
	b.t.Helper()
	must(b.t, b.DB.Read(b.ctx, func(ctx context.Context, tx store.Tx) error {
		var rows []invitationRow
		if err := tx.NewSelect().Model(&rows).Where("state = ?", state).OrderExpr("id").Scan(ctx); err != nil {
			return err
		}
		out = nil
		for i := range rows {
			in, err := b.invitation(ctx, &rows[i])
			if err != nil {
				return err
			}
			out = append(out, in)
		}
		return nil
	}))
	return out
}

func (b *bench) token(in *Invitation) string {
	b.t.Helper()
	address, err := b.linkTo(b.ctx, "bank", in, in.Channel)
	must(b.t, err)
	return strings.TrimPrefix(address, "https://bank.example/s/")
}

func value(item, v string) form.Values { return form.Map{item: {v}} }

// TestOneAsking goes from an event to events of answers: asked once, answered in
// taps, a case called for, and everything once however often it is repeated.
func TestOneAsking(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		b.publish("tx_csat", func(d *form.Document) { d.Asking.Sample = 1 })
		e := b.happened(1)
		old, history := b.happened(2), b.happened(3)
		old.At -= (8 * 24 * time.Hour).Microseconds()
		history.History = true
		b.feed(e, old, history)
		b.feed(e)
		if got := b.invitations(Waiting); len(got) != 1 {
			t.Fatalf("%d invitations wait, want 1", len(got))
		}
		b.fire()
		if got := b.invitations(Asked); len(got) != 0 {
			t.Fatal("asked before the delay")
		}
		testkit.Clock(db).Advance(time.Hour)
		b.fire()
		asked := b.invitations(Asked)
		if len(asked) != 1 || asked[0].Channel != "push" || asked[0].UserID != "C1" {
			t.Fatalf("asked %+v", asked)
		}
		token := b.token(asked[0])
		for range 2 { // a double tap
			v, err := b.Answer(b.ctx, token, "", "tc_score", "vi", value("tc_score", "1"))
			must(t, err)
			if next := v.Version.Document.Next(v.Seed(), v.Answers()); next.ID != "tc_reason_low" {
				t.Fatalf("next is %s", next.ID)
			}
		}
		for _, step := range [][2]string{{"tc_reason_low", "r_wait"}, {"tc_done", "no"}, {"tc_text", "Chờ quá lâu <script>"}} {
			_, err := b.Answer(b.ctx, token, "", step[0], "vi", value(step[0], step[1]))
			must(t, err)
		}
		if len(b.got) != 1 || len(b.got[0].Reactions) != 1 || b.got[0].ID != "C1" {
			t.Fatalf("followed %+v", b.got)
		}
		if got := b.invitations(Answered); len(got) != 1 {
			t.Fatalf("%d are answered", len(got))
		}
		b.log.fail = 1
		if _, err := b.Tell(b.ctx); err == nil {
			t.Fatal("a lost answer of the log was taken for one")
		}
		for range 3 {
			_, err := b.Tell(b.ctx)
			must(t, err)
		}
		if len(b.log.events) != 4 {
			t.Fatalf("%d events, want 4", len(b.log.events))
		}
		for _, e := range b.log.events {
			if e.UserID != "C1" || e.System != "core" || e.Unit != "B2" || e.Journey != "branch_visit" {
				t.Errorf("event %+v", e)
			}
		}
		wrong, err := b.Recount(b.ctx, "tx_csat", false)
		if err != nil || wrong != 0 {
			t.Errorf("%d tallies are wrong, %v", wrong, err)
		}
		p := Period{db.Now().Time().Add(-48 * time.Hour), db.Now().Time()}
		r, err := b.Result(b.ctx, "tx_csat", p)
		must(t, err)
		if r.Done != 1 || r.Items[0].N != 1 || r.Items[0].Estimate.Value != 1 {
			t.Errorf("result %+v", r.Items[0])
		}
	}, tables...)
}

// TestWhyNot keeps the reason of each who was not asked, waits where waiting helps,
// and is over when the invitation is.
func TestWhyNot(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		b.publish("tx_csat", func(d *form.Document) { d.Asking.Sample, d.Asking.Delay = 1, 0 })
		b.policy.answer = Judgement{Reason: "cap_full", Reasons: json.RawMessage(`[{"rule":"survey_month"}]`)}
		b.feed(b.happened(1))
		b.fire()
		got := b.invitations(NotAsked)
		if len(got) != 1 || got[0].Reason != "cap_full" || string(got[0].Reasons) != `[{"rule":"survey_month"}]` {
			t.Fatalf("%+v", got)
		}
		b.policy.answer = Judgement{Reason: "quiet_hours", Until: db.Now().Time().Add(5 * time.Hour)}
		b.feed(b.happened(2))
		b.fire()
		if got := b.invitations(Waiting); len(got) != 1 || got[0].Reason != "quiet_hours" {
			t.Fatalf("%+v", got)
		}
		testkit.Clock(db).Advance(5 * time.Hour)
		b.policy.answer = Judgement{Allowed: true}
		b.fire()
		if got := b.invitations(Asked); len(got) != 1 {
			t.Fatal("not asked after the quiet hours")
		}
		r, err := b.Report(b.ctx, "tx_csat", time.Time{})
		must(t, err)
		if len(r.Counts) != 2 {
			t.Errorf("counts %+v", r.Counts)
		}
	}, tables...)
}

// TestAnonymous looks for the person behind an anonymous answer in every table.
func TestAnonymous(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		d := b.publish("emp_pulse", func(d *form.Document) { d.Asking.ValidFor = 24 * time.Hour })
		record := uuid.NewString()
		must(t, b.DB.Write(b.ctx, func(ctx context.Context, tx store.Tx) error {
			_, err := b.Invite(ctx, tx, "emp_pulse", "round 1", record)
			return err
		}))
		b.fire()
		asked := b.invitations(Asked)
		if len(asked) != 1 {
			t.Fatal("not asked")
		}
		token, visit := b.token(asked[0]), uuid.NewString()
		v, err := b.Begin(b.ctx, token, visit)
		must(t, err)
		for steps := 0; ; steps++ {
			it := d.Next(v.Seed(), v.Answers())
			if it == nil {
				break
			}
			if steps > len(d.Items) {
				t.Fatal("the questionnaire does not end: answers are not found again")
			}
			in := value(it.ID, "3")
			if it.Type == form.Words {
				in = form.Map{}
			}
			v, err = b.Answer(b.ctx, token, visit, it.ID, "vi", in)
			must(t, err)
		}
		if v.Response.Completed.IsZero() {
			t.Fatal("not complete")
		}
		var rows []responseRow
		must(t, b.DB.Read(b.ctx, func(ctx context.Context, tx store.Tx) error { return tx.NewSelect().Model(&rows).Scan(ctx) }))
		if len(rows) != 1 || rows[0].CustomerID != "" || rows[0].Invitation != "" || rows[0].Who != nil || rows[0].ID != visit {
			t.Fatalf("%+v", rows)
		}
		if at := rows[0].Started.Time().In(b.Zone); at.Hour() != 0 || at.Minute() != 0 || rows[0].Completed != rows[0].Started {
			t.Errorf("the time of day was kept: %v", at)
		}
		// Another browser with the same link is told that it was answered.
		if v, err := b.Begin(b.ctx, token, uuid.NewString()); err != nil || v.Over != string(Answered) {
			t.Errorf("over %q, %v", v.Over, err)
		}
		r, err := b.Result(b.ctx, "emp_pulse", Period{db.Now().Time().Add(-24 * time.Hour), db.Now().Time()})
		must(t, err)
		for _, it := range r.Items {
			if it.N > 0 && (!it.Few || len(it.Answers) > 0) {
				t.Errorf("%s of %d people is shown", it.Item.ID, it.N)
			}
		}
	}, tables...)
}

// TestManyAtOnce lets many people answer at once, some twice and some changing
// their mind; the tallies equal a full recount.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		d := b.publish("rel_nps", nil)
		address, err := b.OpenLink(b.ctx, "bank", "rel_nps", "B1", "qr", db.Now().Time().Add(time.Hour))
		must(t, err)
		token := strings.TrimPrefix(address, "https://bank.example/s/")
		const people = 60
		var all sync.WaitGroup
		for n := range people {
			all.Go(func() {
				r := rand.New(rand.NewPCG(uint64(n), 1))
				visit := uuid.NewString()
				for range 12 {
					it := &d.Items[r.IntN(len(d.Items))]
					in := form.Map{}
					switch {
					case it.Type.Scored():
						in[it.ID] = []string{fmt.Sprint(r.IntN(11))}
					case it.Type == form.YesNo:
						in[it.ID] = []string{[]string{"yes", "no"}[r.IntN(2)]}
					case len(it.Options) > 0:
						in[it.ID] = []string{it.Options[r.IntN(len(it.Options))].ID}
					}
					var twice sync.WaitGroup
					for range 1 + r.IntN(2) {
						twice.Go(func() {
							if _, err := b.Answer(b.ctx, token, visit, it.ID, "vi", in); err != nil && errs.KindOf(err) != errs.KindInvalid {
								t.Error(err)
							}
						})
					}
					twice.Wait()
				}
			})
		}
		all.Wait()
		wrong, err := b.Recount(b.ctx, "rel_nps", false)
		if err != nil || wrong != 0 {
			t.Errorf("%d tallies are wrong, %v", wrong, err)
		}
		must(t, b.DB.Write(b.ctx, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.NewRaw("UPDATE survey_tally SET n = n + 1 WHERE dim = '' AND item = 'rn_score'").Exec(ctx)
			return err
		}))
		if wrong, err = b.Recount(b.ctx, "rel_nps", true); err != nil || wrong == 0 {
			t.Errorf("a broken tally was not found (%v)", err)
		}
		if wrong, err = b.Recount(b.ctx, "rel_nps", false); err != nil || wrong != 0 {
			t.Errorf("after mending %d are wrong, %v", wrong, err)
		}
	}, tables...)
}

// TestClosedAndForged refuses what must not count.
func TestClosedAndForged(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		b.publish("tx_csat", func(d *form.Document) { d.Asking.Sample, d.Asking.Delay = 1, 0 })
		b.feed(b.happened(1))
		b.fire()
		token := b.token(b.invitations(Asked)[0])
		if _, err := b.Begin(b.ctx, token[:len(token)-2]+"AA", ""); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("forged: %v", err)
		}
		if _, err := b.Answer(b.ctx, token, "", "rn_score", "vi", value("rn_score", "9")); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("another questionnaire's question: %v", err)
		}
		must(t, b.Close(b.ctx, "tx_csat"))
		if v, err := b.Answer(b.ctx, token, "", "tc_score", "vi", value("tc_score", "5")); errs.KindOf(err) != errs.KindConflict || v.Over != Closed {
			t.Errorf("closed: %v", err)
		}
		testkit.Clock(db).Advance(90 * 24 * time.Hour)
		if v, err := b.Begin(b.ctx, token, ""); err != nil || v.Over != string(Expired) {
			t.Errorf("expired: %v", err)
		}
	}, tables...)
}

// TestSampling wants the share that was asked for, whatever the ids look like, and
// the same draw each time.
func TestSampling(t *testing.T) {
	t.Parallel()
	for _, share := range []float64{0.1, 0.35, 0.9} {
		n := 0
		const all = 20_000
		for i := range all {
			if Sampled(share, "bank", "tx_csat", fmt.Sprint(i), "x") {
				n++
			}
		}
		if got := float64(n) / all; got < share-0.012 || got > share+0.012 {
			t.Errorf("%.3f of all were drawn, want %.2f", got, share)
		}
	}
}

// TestGaming finds the branch that asks only some, and accuses none of a bank
// whose branches differ by chance and a little more.
func TestGaming(t *testing.T) {
	t.Parallel()
	accused := 0
	const banks = 200
	for seed := range uint64(banks) {
		r := rand.New(rand.NewPCG(seed, 3))
		var units []UnitCount
		for n := range 40 {
			p := 0.35 + 0.02*r.NormFloat64()
			u := UnitCount{Unit: fmt.Sprint(n), Events: 400}
			for range 400 {
				if r.Float64() < p {
					u.Asked++
					if r.Float64() < 0.3 {
						u.Answered++
					}
				}
			}
			units = append(units, u)
		}
		if len(gaming(units)) > 0 {
			accused++
		}
		units[7].Asked, units[7].Answered = 40, 30
		found := gaming(units)
		if !slices.ContainsFunc(found, func(g Gaming) bool { return g.Unit == "7" && g.What == "asked" }) {
			t.Errorf("seed %d: the branch that asks one in ten is not found", seed)
		}
	}
	if share := float64(accused) / banks; share > 0.10 {
		t.Errorf("in %.0f %% of honest banks somebody is accused", 100*share)
	}
}
