package contact

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"omote/internal/customer"
	"omote/internal/customer/consent"
	"omote/internal/customer/identity"
	"omote/internal/platform/audit"
	"omote/internal/platform/outbox"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
	"omote/internal/testkit/shared"
)

var migrations = []store.Migrations{customer.Migrations, sealed.Migrations, audit.Migrations, outbox.Migrations}

type desk struct {
	t        testing.TB
	ctx      context.Context
	db       *store.DB
	box      *sealed.Box
	consents *consent.Service
	contacts *Service
}

func newDesk(t testing.TB, db *store.DB) *desk {
	t.Helper()
	box, err := sealed.NewBox(db.Keys())
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, ctx: testkit.Context(t), db: db, box: box, consents: consent.NewService(db, box)}
	d.contacts = NewService(db, d.consents, identity.Reader{Box: box})
	d.consents.Follow(d.contacts)
	purposes, err := consent.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.consents.Install(d.ctx, purposes); err != nil {
		t.Fatal(err)
	}
	if err := d.contacts.Install(d.ctx, pack(t)); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) say(customer, purpose string, granted bool) {
	d.t.Helper()
	err := d.consents.Record(d.ctx, consent.Said{CustomerID: customer, Purpose: purpose, Channel: "*", Granted: granted, Source: consent.FromAPI, TextVersion: 1})
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) ask(r Request) (out Decision, err error) {
	err = d.db.Write(d.ctx, func(ctx context.Context, tx store.Tx) (err error) {
		out, err = d.contacts.Decide(ctx, tx, r)
		return err
	})
	return out, err
}

// outcome is one decision of the year.
type outcome struct {
	Request
	Decision
}

// TestAYear asks for contacts at random times of a year from several goroutines,
// with one kind far more frequent than the others. Afterwards every reservation
// is tested against the definition of every rule, every refusal against what it
// names, and every refusal by a cap against the kind's reserve. Contacts only add
// up, so what a refusal named stays true to the end.
func TestAYear(t *testing.T) {
	t.Parallel()
	requests := 900
	if shared.Verify() {
		requests = 40_000
	}
	testkit.Stores(t, func(t *testing.T, db *store.DB) { year(t, db, requests) }, migrations...)
}

func year(t *testing.T, db *store.DB, requests int) {
	d := newDesk(t, db)
	const customers = 4
	for i := range customers {
		if i != 0 { // the first never says yes
			d.say(fmt.Sprint("c", i), "marketing", true)
			d.say(fmt.Sprint("c", i), "profiling", true)
		}
	}
	excluded := "c1" // has a complaint all year
	err := db.Write(d.ctx, func(ctx context.Context, tx store.Tx) error {
		return d.contacts.Exclude(ctx, tx, excluded, ComplaintPending, "case/1", time.Time{})
	})
	if err != nil {
		t.Fatal(err)
	}
	begin := testkit.Epoch.AddDate(0, 0, 1)
	kinds := append(slices.Repeat([]string{"marketing"}, 12), "survey", "survey", "advice", "recovery", "service")
	channels := []string{"email", "sms", "call", "app"}
	var mu sync.Mutex
	var all []outcome
	var wg sync.WaitGroup
	const workers = 4
	for w := range workers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(3, uint64(w)))
			for n := range requests / workers {
				hour := float64(n) / float64(requests/workers) * 365 * 24
				r := Request{Customer: fmt.Sprint("c", rng.IntN(customers)), Kind: kinds[rng.IntN(len(kinds))], Channel: channels[rng.IntN(len(channels))],
					At: begin.Add(time.Duration((hour + rng.Float64()*72) * float64(time.Hour))).Truncate(time.Microsecond), Ref: fmt.Sprintf("%d/%d", w, n)}
				got, err := d.ask(r)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				all = append(all, outcome{r, got})
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	reserved := map[string][]Contact{}
	given := map[string]int{}
	p := pack(t)
	for _, o := range all {
		if o.Allowed {
			reserved[o.Customer] = append(reserved[o.Customer], Contact{Ref: o.Ref, Kind: o.Kind, Channel: o.Channel, Priority: p.Kind(o.Kind).Priority, At: o.At})
			given[o.Kind]++
		}
	}
	for customer, list := range reserved {
		for i := range p.Caps {
			if !windowOK(p, &p.Caps[i], list) {
				t.Errorf("the cap %s is broken for %s", p.Caps[i].ID, customer)
			}
		}
		for _, g := range p.Gaps {
			for i, a := range list {
				for _, b := range list[:i] {
					if g.to(a.Kind, a.Channel) && g.to(b.Kind, b.Channel) && a.At.Sub(b.At).Abs() < time.Duration(g.Hours)*time.Hour {
						t.Errorf("the gap %s is broken for %s: %v and %v", g.ID, customer, a.At, b.At)
					}
				}
			}
		}
	}
	for _, o := range all {
		checkOutcome(t, p, o, reserved[o.Customer], excluded)
	}
	for _, k := range []string{"marketing", "survey", "advice", "recovery", "service"} {
		if given[k] == 0 {
			t.Errorf("%s was never let through: the year shows nothing of it", k)
		}
	}
	t.Logf("%d decisions, let through: %v", len(all), given)
}

// asleep is the definition of the pack's quiet times for surveys, suggestions and
// offers, by the wall clock in Hanoi.
func asleep(kind, channel string, at time.Time) bool {
	local := at.In(time.FixedZone("Hanoi", 7*3600))
	minute := local.Hour()*60 + local.Minute()
	night := minute >= 20*60+30 || minute < 8*60
	switch {
	case kind == "service":
		return false
	case kind == "recovery":
		return night
	case channel == "call" && (local.Weekday() == time.Sunday || minute >= 17*60 || minute < 8*60):
		return true
	}
	return night || isHoliday(local)
}

func checkOutcome(t *testing.T, p *Policy, o outcome, list []Contact, excluded string) {
	t.Helper()
	asks := o.Kind == "marketing" || o.Kind == "advice"
	barred := asks && o.Customer == "c0"
	out := o.Customer == excluded && (asks || o.Kind == "survey")
	if o.Allowed && (asleep(o.Kind, o.Channel, o.At) || barred || out) {
		t.Errorf("%+v was let through", o.Request)
	}
	others := slices.DeleteFunc(slices.Clone(list), func(c Contact) bool { return c.Ref == o.Ref })
	for _, f := range o.Refusals() {
		true := false
		switch f.Sort {
		case "consent":
			true = barred
		case "exclusion":
			true = out && f.Rule == "complaint"
		case "quiet":
			true = asleep(o.Kind, o.Channel, o.At)
		case "gap":
			for _, c := range others {
				true = true || p.Gaps[0].to(c.Kind, c.Channel) && o.At.Sub(c.At).Abs() < time.Duration(p.Gaps[0].Hours)*time.Hour
			}
		case "cap":
			i := slices.IndexFunc(p.Caps, func(c Cap) bool { return c.ID == f.Rule })
			c := &p.Caps[i]
			true = !windowOK(p, c, append(slices.Clone(others), Contact{Kind: o.Kind, Channel: o.Channel, Priority: p.Kind(o.Kind).Priority, At: o.At}))
			if n := usedAtMost(c, others, o.Request); n < c.Reserve[o.Kind] {
				t.Errorf("%s starved: refused by %s with %d of its %d reserved slots used", o.Kind, f.Rule, n, c.Reserve[o.Kind])
			}
		}
		if !true {
			t.Errorf("%+v was refused by %+v, which is not so", o.Request, f)
		}
	}
}

func TestTheLastSlotIsGivenOnce(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		at := hanoi(t, "2026-03-10 10:00")
		var mu sync.Mutex
		allowed := 0
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				got, err := d.ask(Request{Customer: "a", Kind: "survey", Channel: "email", At: at.Add(time.Duration(i) * time.Minute)})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if got.Allowed {
					allowed++
				}
			})
		}
		wg.Wait()
		if allowed != 1 {
			t.Errorf("%d surveys in a month", allowed)
		}
	}, migrations...)
}

func TestReservationsFollowTheirRecord(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		at := hanoi(t, "2026-03-10 10:00")
		survey := func(customer, ref string) Decision {
			t.Helper()
			got, err := d.ask(Request{Customer: customer, Kind: "survey", Channel: "email", At: at, Ref: ref})
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if !survey("a", "1").Allowed || !survey("a", "1").Allowed {
			t.Fatal("asking again by the same ref was refused by its own reservation")
		}
		link := func(query string, args ...any) {
			t.Helper()
			err := db.Write(d.ctx, func(ctx context.Context, tx store.Tx) error {
				_, err := tx.NewRaw(query, args...).Exec(ctx)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		link("INSERT INTO customer_link VALUES ('bank', 'b', 'a', 1, NULL, 'test', 'test', 0)")
		if got := survey("b", "2"); got.Allowed || got.Why().Reason != TooSoon {
			t.Errorf("merged: %+v", got.Why())
		}
		link("UPDATE customer_link SET to_version = 2")
		if !survey("b", "2").Allowed {
			t.Error("after the unmerge the other record's contact still counted")
		}
		got, err := d.contacts.Explain(d.ctx, Request{Customer: "a", Kind: "survey", Channel: "email", At: at.Add(time.Hour)})
		if err != nil || got.Allowed || len(got.Reasons) < 5 || got.Retry.IsZero() {
			t.Errorf("%+v, %v", got, err)
		}
		if list, err := d.contacts.History(d.ctx, "a", 10); err != nil || len(list) != 1 || list[0].State != Reserved {
			t.Errorf("%+v, %v", list, err)
		}
	}, migrations...)
}

// sink is a channel that accepts everything.
type sink struct {
	mu   sync.Mutex
	sent []string
}

func (*sink) KeyWindow() time.Duration { return time.Hour }

func (s *sink) Send(_ context.Context, m outbox.Message) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, m.Key)
	return "ok", nil
}

// What is queued is void the moment a consent is withdrawn, what the gate refuses
// is void, what is only early waits, and a void message gives its place back.
func TestTheOutboxAsks(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		mail := &sink{}
		o := outbox.New(db, d.box, map[string]outbox.Sender{"email": mail}, outbox.Options{Gate: Gate{d.contacts}})
		d.consents.Follow(Queue{o, d.contacts})
		testkit.Clock(db).Set(hanoi(t, "2026-03-10 10:00"))
		d.say("a", "marketing", true)
		queue := func(customer, purpose, key string) {
			t.Helper()
			err := db.Write(d.ctx, func(ctx context.Context, tx store.Tx) error {
				_, err := o.Enqueue(ctx, tx, outbox.Message{CustomerID: customer, Channel: "email", Purpose: purpose, Key: key, Payload: []byte("{}")})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		states := func() string {
			t.Helper()
			var out []string
			err := db.Read(d.ctx, func(ctx context.Context, tx store.Tx) error {
				list, err := o.List(ctx, tx, "", "", 50)
				for _, m := range list {
					out = append(out, m.Key+" "+strings.TrimSpace(string(m.State)+" "+m.Reason))
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(out)
			return strings.Join(out, ", ")
		}
		queue("a", "marketing", "1")
		queue("a", "service", "2")
		queue("b", "marketing", "3") // never said yes
		d.say("a", "marketing", false)
		if _, err := o.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := states(), "1 void consent_withdrawn, 2 sent, 3 void consent_unknown"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		testkit.Clock(db).Set(hanoi(t, "2026-03-10 22:00"))
		queue("c", "survey", "4")
		if _, err := o.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := states(); !strings.Contains(got, "4 pending quiet_hours") {
			t.Error(got)
		}
		testkit.Clock(db).Set(hanoi(t, "2026-03-11 08:01"))
		if _, err := o.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := states(); !strings.Contains(got, "4 sent") {
			t.Error(got)
		}
		// A place that was taken at the decision is given back when the gate refuses.
		at := hanoi(t, "2026-03-12 10:00")
		if got, err := d.ask(Request{Customer: "e", Kind: "survey", Channel: "email", At: at, Ref: "5"}); err != nil || !got.Allowed {
			t.Fatalf("%+v %v", got, err)
		}
		queue("e", "survey", "5")
		err := db.Write(d.ctx, func(ctx context.Context, tx store.Tx) error {
			return d.contacts.Exclude(ctx, tx, "e", ComplaintPending, "case/2", time.Time{})
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := d.contacts.History(d.ctx, "e", 5)
		if err != nil || len(list) != 1 || list[0].State != Released || !strings.Contains(states(), "5 void excluded") {
			t.Errorf("%+v, %v; %s", list, err, states())
		}
	}, migrations...)
}
