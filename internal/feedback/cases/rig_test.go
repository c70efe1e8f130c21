package cases_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"omote/internal/feedback/cases"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/outbox"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/platform/timer"
	"omote/internal/testkit"
)

var migrations = []store.Migrations{sealed.Migrations, audit.Migrations, timer.Migrations, cases.Migrations}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rig is the service with an owner in one branch, and the letters it sent.
type rig struct {
	*cases.Service
	t      testing.TB
	db     *store.DB
	timers *timer.Timers
	agent  context.Context // agent in /north/b1/
	owner  context.Context // case owner in /north/
	lead   context.Context // CX lead of the bank
	post   *post
}

type post struct {
	letters []cases.CustomerMessage
	hooks   []outbox.Message
}

func (p *post) Letter(_ context.Context, _ store.Tx, m cases.CustomerMessage) error {
	p.letters = append(p.letters, m)
	return nil
}

func (p *post) Enqueue(_ context.Context, _ store.Tx, m outbox.Message) (string, error) {
	p.hooks = append(p.hooks, m)
	return m.Key, m.Validate()
}

func actor(t testing.TB, id, unit string, role auth.Role) context.Context {
	return auth.WithActor(t.Context(), auth.Actor{Kind: auth.Person, ID: id, Entity: scope.DefaultEntity, Grants: []auth.Grant{{Role: role, Unit: unit}}})
}

func newRig(t testing.TB, db *store.DB) *rig {
	t.Helper()
	box, err := sealed.NewBox(testkit.Keys(t))
	must(t, err)
	timers := timer.New(db, timer.Options{})
	p := &post{}
	s := cases.NewService(cases.Deps{DB: db, Box: box, Timers: timers, Clock: db.Clock(), Messenger: p, Outbox: p, BaseURL: "https://bank.example", Bank: "Example Bank"})
	return &rig{Service: s, t: t, db: db, timers: timers, post: p, agent: actor(t, "agent1", "/north/b1/", auth.Agent), owner: actor(t, "owner1", "/north/", auth.CaseOwner),
		lead: actor(t, "lead1", "/", auth.CXLead)}
}

// at sets the time, in Hanoi, and lets everything fire that is due.
func (r *rig) at(text string) {
	r.t.Helper()
	to, err := time.ParseInLocation("2006-01-02 15:04", text, hanoi)
	must(r.t, err)
	testkit.Clock(r.db).Set(to)
	r.fire()
}

func (r *rig) fire() {
	r.t.Helper()
	for n := 1; n > 0; {
		var err error
		n, err = r.timers.Step(r.t.Context())
		must(r.t, err)
	}
	must(r.t, r.db.Read(testkit.Context(r.t), func(ctx context.Context, tx store.Tx) error {
		failed, err := r.timers.GivenUp(ctx, tx, 5)
		if err == nil && len(failed) > 0 {
			err = fmt.Errorf("given up: %+v", failed)
		}
		s, serr := r.timers.Stats(ctx, tx)
		if serr == nil && s.Overdue > 0 {
			serr = fmt.Errorf("overdue: %+v", s)
		}
		return errors.Join(err, serr)
	}))
}

var hanoi = time.FixedZone("ICT", 7*60*60)

func complaint() cases.Intake {
	return cases.Intake{Kind: cases.Complaint, Severity: cases.Medium, Channel: "phone", Product: "debit_card", Reason: "charged_twice", Title: "Trừ tiền hai lần", Words: "Một tuần rồi không ai gọi lại cho tôi.",
		Name: "Nguyễn Văn Mẫu", Phone: "0900 000 001", Email: "mau@example.com", Locale: "vi", CustomerID: "c1"}
}

func (r *rig) open(in cases.Intake) cases.View {
	r.t.Helper()
	id, err := r.Open(r.agent, in)
	must(r.t, err)
	return r.get(id)
}

func (r *rig) get(id string) cases.View {
	r.t.Helper()
	v, err := r.Get(r.agent, id)
	must(r.t, err)
	return v
}

func clockOf(t testing.TB, v cases.View, rule string) cases.ClockView {
	t.Helper()
	for _, k := range v.Clocks {
		if k.Clock.Rule == rule {
			return k
		}
	}
	var have []string
	for _, k := range v.Clocks {
		have = append(have, k.Clock.Rule)
	}
	t.Fatalf("the case has no clock %s; it has %s", rule, strings.Join(have, ", "))
	return cases.ClockView{}
}

func local(m store.Micros) string { return m.Time().In(hanoi).Format("2006-01-02 15:04") }

func wantKind(t testing.TB, err error, kind errs.Kind) {
	t.Helper()
	if errs.KindOf(err) != kind || err == nil {
		t.Fatalf("got %v, want an error of kind %s", err, kind)
	}
}
