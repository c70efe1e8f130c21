package program_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"omote/analytics/rollout"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/program"
	"omote/internal/program/wave"
	"omote/internal/testkit"
)

func TestMigrations(t *testing.T) {
	t.Parallel()
	testkit.CheckMigrations(t, program.Migrations)
}

// zone is that of the bank; the manual clock starts on a Monday at 9 there.
var zone = time.FixedZone("ICT", 7*3600)

// rig is the module on a store with an invented bank of 24 branches.
type rig struct {
	t         *testing.T
	db        *store.DB
	auth      *auth.Service
	approvals *approval.Service
	*program.Program
	lift    float64 // what the campaign adds to the share of satisfied customers
	begun   func(code string, week time.Time) bool
	entries []wave.Entry
	lead    context.Context
	council context.Context
}

func (r *rig) Branches(context.Context) (out []wave.Branch, err error) {
	for i := range 24 {
		region := fmt.Sprintf("r%d", i%3)
		out = append(out, wave.Branch{Unit: fmt.Sprintf("/%s/b%02d/", region, i), Code: fmt.Sprintf("b%02d", i), Name: fmt.Sprintf("Branch %d", i), Region: region})
	}
	return out, nil
}

func (r *rig) Measures(context.Context) ([]wave.Measure, error) { return nil, nil }

func (r *rig) Outcome(_ context.Context, metric string, from, to time.Time) (out wave.Outcome, err error) {
	if metric != "csat_branch" {
		return out, errs.NotFound("metric.error.not_found", "no metric %s", metric)
	}
	out = wave.Outcome{Metric: metric, Version: 1, Name: words("Satisfaction"), Unit: "share", Latest: to}
	for w := from; w.Before(to); w = w.AddDate(0, 0, 7) {
		for i := range 24 {
			code := fmt.Sprintf("b%02d", i)
			rnd := rand.New(rand.NewPCG(uint64(i), uint64(w.Unix())))
			p := 0.6 + 0.005*float64(i)
			if r.begun != nil && r.begun(code, w) {
				p += r.lift
			}
			c := wave.Cell{Code: code, Week: w, N: 20}
			for range c.N {
				if rnd.Float64() < p {
					c.Sum++
				}
			}
			out.Cells = append(out.Cells, c)
		}
	}
	return out, nil
}

func (r *rig) Changes(context.Context) ([]wave.Change, error) { return nil, nil }

func (r *rig) Enter(_ context.Context, e wave.Entry) (string, error) {
	r.entries = append(r.entries, e)
	return "line-1", nil
}

func each(t *testing.T, fn func(r *rig)) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		box, err := sealed.NewBox(db.Keys())
		must(t, err)
		r := &rig{t: t, db: db}
		r.auth, err = auth.New(t.Context(), db, box, auth.Options{})
		must(t, err)
		r.approvals = approval.New(db, r.auth)
		r.Program, err = program.New(program.Deps{Store: db, Approvals: r.approvals, Outcomes: r, Places: r, Ledger: r, Draw: func() uint64 { return 42 }})
		must(t, err)
		r.lead, r.council = r.person("lead@example.com", "/", auth.CXLead), r.person("council@example.com", "/", auth.Council)
		fn(r)
	}, sealed.Migrations, audit.Migrations, auth.Migrations, approval.Migrations, program.Migrations)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func words(en string) approval.Text { return approval.Text{VI: en + " (vi)", EN: en} }

func (r *rig) person(email, unit string, roles ...auth.Role) context.Context {
	r.t.Helper()
	var grants []auth.Grant
	for _, role := range roles {
		grants = append(grants, auth.Grant{Role: role, Unit: unit})
	}
	var id string
	must(r.t, r.db.Write(testkit.Context(r.t), func(ctx context.Context, tx store.Tx) error {
		a, err := r.auth.AddAccount(ctx, tx, auth.NewAccount{Email: email, Name: "Lan Example", Locale: "vi", Grants: grants})
		id = a.ID
		return err
	}))
	return auth.WithActor(r.t.Context(), auth.Actor{Kind: auth.Person, ID: id, Entity: scope.DefaultEntity, Grants: grants})
}

func (r *rig) refused(what string, err error, key string) {
	r.t.Helper()
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Key != key {
		r.t.Errorf("%s: want %s, got %v", what, key, err)
	}
}

func (r *rig) days(n int) { testkit.Clock(r.db).Advance(time.Duration(n) * 24 * time.Hour) }

func (r *rig) draft() wave.Wave {
	now := testkit.Clock(r.db).Now().In(zone)
	start := time.Date(now.Year(), now.Month(), now.Day()+7, 0, 0, 0, 0, zone) // next Monday
	return wave.Wave{Title: words("A word when the wait grows"), Behaviours: []string{"b_wait_word", "b_one_list"}, Metric: "csat_branch", Start: start,
		Design: rollout.Design{Cohorts: 3, Every: 3, HoldOut: 0.25, Match: true}, Days: 60, Follow: 120, PerWeek: 3, Cost: 240_000_000, Currency: "VND"}
}

// started plans a campaign, has it approved, and goes to its first Monday.
func (r *rig) started() wave.Doc {
	r.t.Helper()
	d, err := r.Waves.Plan(r.lead, "/", nil, r.draft())
	must(r.t, err)
	q, err := r.Waves.Propose(r.lead, d.ID)
	must(r.t, err)
	_, err = r.approvals.Decide(r.council, q.ID, approval.Approve, "")
	must(r.t, err)
	r.days(7)
	d, err = r.Waves.Get(r.lead, d.ID)
	must(r.t, err)
	r.begun = func(code string, week time.Time) bool {
		for _, p := range d.Places {
			if p.Code == code {
				return p.Cohort >= 0 && !week.Before(d.Begins(p.Cohort))
			}
		}
		return false
	}
	return d
}

func TestStartNeedsTwoAndChance(t *testing.T) {
	each(t, func(r *rig) {
		d, err := r.Waves.Plan(r.lead, "/", nil, r.draft())
		must(r.t, err)
		if len(d.Places) != 24 || d.Places[0].N != 200 || d.Design.Seed != 0 || d.State != wave.Draft {
			r.t.Fatalf("draft %+v", d)
		}
		for _, p := range d.Places {
			if p.Cohort != rollout.HeldOut {
				r.t.Fatal("a draft has an order already")
			}
		}
		q, err := r.Waves.Propose(r.lead, d.ID)
		must(r.t, err)
		_, err = r.approvals.Decide(r.lead, q.ID, approval.Approve, "")
		r.refused("the maker checks", err, "approval.error.own")
		_, err = r.approvals.Decide(r.council, q.ID, approval.Refuse, "Too soon after the last one")
		must(r.t, err)
		if d, _ = r.Waves.Get(r.lead, d.ID); d.State != wave.Draft || d.Reason == "" {
			r.t.Errorf("after a refusal: %s, %q", d.State, d.Reason)
		}
		q, err = r.Waves.Propose(r.lead, d.ID)
		must(r.t, err)
		_, err = r.approvals.Decide(r.council, q.ID, approval.Approve, "")
		must(r.t, err)
		d, err = r.Waves.Get(r.lead, d.ID)
		must(r.t, err)
		count := map[int]int{}
		for _, p := range d.Places {
			count[p.Cohort]++
		}
		if d.State != wave.Drawn || d.Design.Seed != 42 || count[0] != 6 || count[1] != 6 || count[2] != 6 || count[rollout.HeldOut] != 6 || d.Verify() != nil {
			r.t.Errorf("drawn %s %v", d.State, count)
		}
		_, err = r.Waves.Propose(r.lead, d.ID)
		r.refused("twice", err, "program.wave.error.state")
	})
}

func TestPlansThatDoNotHold(t *testing.T) {
	each(t, func(r *rig) {
		for name, x := range map[string]struct {
			key    string
			change func(*wave.Wave)
		}{
			"three behaviours":  {"program.wave.error.behaviours", func(w *wave.Wave) { w.Behaviours = []string{"b_greet", "b_restate", "b_one_list"} }},
			"unknown behaviour": {"program.wave.error.behaviours", func(w *wave.Wave) { w.Behaviours = []string{"b_smile_always"} }},
			"a Tuesday":         {"program.wave.error.start", func(w *wave.Wave) { w.Start = w.Start.AddDate(0, 0, 1) }},
			"nobody waits":      {"program.wave.error.design", func(w *wave.Wave) { w.Design = rollout.Design{Cohorts: 1, Every: 1} }},
			"too many cohorts":  {"program.wave.error.places", func(w *wave.Wave) { w.Design.Cohorts = 12 }},
			"one language":      {"program.wave.error.title", func(w *wave.Wave) { w.Title.VI = " " }},
			"no follow-up":      {"program.wave.error.follow", func(w *wave.Wave) { w.Follow = 60 }},
			"no such metric":    {"metric.error.not_found", func(w *wave.Wave) { w.Metric = "joy" }},
		} {
			w := r.draft()
			x.change(&w)
			_, err := r.Waves.Plan(r.lead, "/", nil, w)
			r.refused(name, err, x.key)
		}
		_, err := r.Waves.Plan(r.lead, "/", []string{"b01", "b99"}, r.draft())
		r.refused("a branch that is not there", err, "program.wave.error.place")
		_, err = r.Waves.Plan(r.council, "/", nil, r.draft())
		if errs.KindOf(err) != errs.KindDenied {
			r.t.Errorf("the council plans: %v", err)
		}
		late, err := r.Waves.Plan(r.lead, "/", nil, r.draft())
		must(r.t, err)
		r.days(30)
		_, err = r.Waves.Propose(r.lead, late.ID)
		r.refused("after its first Monday", err, "program.wave.error.past")
	})
}

func today(r *rig) time.Time {
	y, m, d := testkit.Clock(r.db).Now().In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func placeIn(d wave.Doc, cohort int) wave.Place {
	return d.Places[slices.IndexFunc(d.Places, func(p wave.Place) bool { return p.Cohort == cohort })]
}

func TestCheckIn(t *testing.T) {
	each(t, func(r *rig) {
		d := r.started()
		first, second := placeIn(d, 0), placeIn(d, 1)
		champion := r.person("champion@example.com", first.Unit, auth.Champion)
		tasks, err := r.Waves.Today(champion, 10)
		must(r.t, err)
		if len(tasks) != 1 || tasks[0].Of != 1 || len(tasks[0].Wave.Behaviours) != 2 || len(tasks[0].Answers) != 0 {
			r.t.Fatalf("tasks %+v", tasks)
		}
		tap := wave.CheckIn{Unit: first.Unit, Day: today(r), Behaviour: "b_wait_word", Kept: true}
		for i, want := range []int{1, 0} {
			n, err := r.Waves.CheckIn(champion, d.ID, tap)
			must(r.t, err)
			if n != want {
				r.t.Errorf("tap %d changed %d", i+1, n)
			}
		}
		tap.Kept, tap.Reason = false, "too_busy"
		n, err := r.Waves.CheckIn(champion, d.ID, tap)
		must(r.t, err)
		tasks, err = r.Waves.Today(champion, 10)
		must(r.t, err)
		if n != 1 || tasks[0].Answers["b_wait_word"].Reason != "too_busy" {
			r.t.Errorf("the later word does not hold: %+v", tasks[0].Answers)
		}
		other := tap
		other.Unit = second.Unit
		_, err = r.Waves.CheckIn(champion, d.ID, other)
		r.refused("another branch", err, "program.error.unit")
		_, err = r.Waves.CheckIn(r.lead, d.ID, other)
		r.refused("a branch that has not begun", err, "program.checkin.error.not_yet")
		for name, x := range map[string]struct {
			key    string
			change func(*wave.CheckIn)
		}{
			"tomorrow":           {"program.checkin.error.day", func(c *wave.CheckIn) { c.Day = c.Day.AddDate(0, 0, 1) }},
			"last week":          {"program.checkin.error.day", func(c *wave.CheckIn) { c.Day = c.Day.AddDate(0, 0, -7) }},
			"another behaviour":  {"program.checkin.error.behaviour", func(c *wave.CheckIn) { c.Behaviour = "b_greet" }},
			"a reason for doing": {"program.checkin.error.reason", func(c *wave.CheckIn) { c.Kept = true }},
			"a free reason":      {"program.checkin.error.reason", func(c *wave.CheckIn) { c.Reason = "rain" }},
		} {
			c := tap
			x.change(&c)
			_, err := r.Waves.CheckIn(champion, d.ID, c)
			r.refused(name, err, x.key)
		}
		seen, err := r.Waves.Get(champion, d.ID)
		must(r.t, err)
		if len(seen.Places) != 1 {
			r.t.Errorf("a champion sees %d branches", len(seen.Places))
		}
		if all, err := r.Waves.Readings(champion, d.ID); err != nil || len(all) != 0 {
			r.t.Errorf("a champion reads all branches: %v, %v", all, err)
		}
		if _, err := r.Waves.Read(champion, d.ID); errs.KindOf(err) != errs.KindDenied {
			r.t.Errorf("a champion has it read: %v", err)
		}
	})
}

func TestObserve(t *testing.T) {
	each(t, func(r *rig) {
		d := r.started()
		r.days(5) // Saturday: the week's observations are all due
		first := placeIn(d, 0)
		one, two := r.person("one@example.com", first.Unit, auth.Champion), r.person("two@example.com", "/", auth.CXLead)
		due, err := r.Waves.Due(one, d.ID, 100)
		must(r.t, err)
		if len(due) < 3 {
			r.t.Fatalf("%d due", len(due))
		}
		blind := slices.IndexFunc(due, func(x wave.Due) bool { return x.Blind })
		if blind < 0 { // of some branch
			all, err := r.Waves.Due(r.lead, d.ID, 1000)
			must(r.t, err)
			i := slices.IndexFunc(all, func(x wave.Due) bool { return x.Blind })
			due, blind = all, i
			one = r.lead
		}
		x := due[blind]
		b, _ := r.Pack.Get(x.Behaviour)
		o := wave.Observation{Unit: x.Unit, Slot: x.ID, Seat: 1, Answers: strings.Repeat("y", len(b.Items))}
		for i, want := range []int{1, 0} {
			n, err := r.Waves.Observe(one, d.ID, o)
			must(r.t, err)
			if n != want {
				r.t.Errorf("sent %d times, added %d", i+1, n)
			}
		}
		o.Seat = 2
		_, err = r.Waves.Observe(one, d.ID, o)
		r.refused("both observers are one person", err, "program.observe.error.same")
		_, err = r.Waves.Observe(two, d.ID, o)
		must(r.t, err)
		o.Slot = "20250106-1"
		_, err = r.Waves.Observe(two, d.ID, o)
		r.refused("a time that was not drawn", err, "program.observe.error.slot")
		o.Slot, o.Seat, o.Answers = x.ID, 1, "y"
		_, err = r.Waves.Observe(r.person("three@example.com", "/", auth.CXLead), d.ID, o)
		r.refused("an item without an answer", err, "program.observe.error.answers")
	})
}

// live has the champions check in and the observers watch until the day.
func (r *rig) live(d wave.Doc, until time.Time) {
	r.t.Helper()
	system := testkit.Context(r.t)
	first := time.Date(d.Start.Year(), d.Start.Month(), d.Start.Day(), 0, 0, 0, 0, time.UTC)
	var said []wave.CheckIn
	var seen []wave.Observation
	for _, p := range d.Places {
		rnd := rand.New(rand.NewPCG(7, uint64(len(p.Code))+uint64(p.Code[1])*256+uint64(p.Code[2])))
		for week := first.AddDate(0, 0, -14); week.Before(until); week = week.AddDate(0, 0, 7) {
			for _, s := range d.SlotsOf(p, week) {
				if !s.Day.Before(until) {
					continue
				}
				prob, begin := 0.3, time.Date(d.Begins(p.Cohort).Year(), d.Begins(p.Cohort).Month(), d.Begins(p.Cohort).Day(), 0, 0, 0, 0, time.UTC)
				if since := s.Day.Sub(begin).Hours() / 24; p.Cohort >= 0 && since >= 0 {
					prob = 0.8
					if since > 75 {
						prob = 0.65
					}
				}
				good := rnd.Float64() < prob
				b, _ := r.Pack.Get(s.Behaviour)
				for seat := 1; seat <= 2; seat++ {
					if seat == 2 && !s.Blind {
						continue
					}
					a := strings.Repeat("n", len(b.Items))
					if good != (rnd.Float64() < 0.05) {
						a = strings.Repeat("y", len(b.Items))
					}
					seen = append(seen, wave.Observation{Unit: p.Unit, Slot: s.ID, Seat: seat, Answers: a})
				}
			}
		}
		if p.Cohort < 0 {
			continue
		}
		for day := first; day.Before(until); day = day.AddDate(0, 0, 1) {
			if at := d.Local(day); day.Weekday() == time.Sunday || day.Weekday() == time.Saturday || !d.Active(p, at) {
				continue
			}
			for _, b := range d.Behaviours {
				said = append(said, wave.CheckIn{Unit: p.Unit, Day: day, Behaviour: b, Kept: rnd.Float64() < 0.75})
			}
		}
	}
	_, err := r.Waves.CheckIn(system, d.ID, said...)
	must(r.t, err)
	_, err = r.Waves.Observe(system, d.ID, seen...)
	must(r.t, err)
}

func TestTheWholeWay(t *testing.T) {
	each(t, func(r *rig) {
		r.lift = 0.15
		d := r.started()
		money := wave.Money{Kept: wave.Range{Low: 0.02, Mid: 0.03, High: 0.04}, Margin: wave.Range{Low: 9e5, Mid: 1e6, High: 1.1e6}, Months: 12, Rate: 0.1, Fade: 0.2, Method: "Finance, version 7"}
		r.days(28)
		r.live(d, today(r))
		early, err := r.Waves.Read(r.lead, d.ID)
		must(r.t, err)
		if early.Final || early.Effect == nil {
			r.t.Fatalf("after four weeks: %+v", early)
		}
		_, err = r.Waves.EnterValue(r.lead, d.ID, money)
		r.refused("an interim reading into the ledger", err, "program.wave.error.interim")

		// To the day of the design, and a week beyond: the nightly work was late.
		testkit.Clock(r.db).Set(d.Look().AddDate(0, 0, 7).Add(10 * time.Hour))
		r.live(d, today(r))
		final, err := r.Waves.Read(r.lead, d.ID)
		must(r.t, err)
		e := final.Effect
		if !final.Final || e == nil || !(e.Low <= r.lift && r.lift <= e.High) || e.Low <= 0 || final.Behaviour == nil || final.Behaviour.Low <= 0.2 {
			r.t.Fatalf("final %+v, effect %+v, behaviour %+v", final.Final, e, final.Behaviour)
		}
		if final.Agreement.N < 10 || final.Agreement.Value < 0.6 || final.Asked == 0 || len(final.Adoption) != 3 || len(final.Steps) < 3 {
			r.t.Errorf("agreement %+v, asked %d, %d curves, %d steps", final.Agreement, final.Asked, len(final.Adoption), len(final.Steps))
		}
		if b := final.Before; b == nil || b.Low > 0 || b.High < 0 {
			r.t.Errorf("before anybody began: %+v", b)
		}
		if mid, least, most, ok := d.CostPerPoint(final); !ok || !(least < mid && mid < most) {
			r.t.Errorf("a point costs %v, %v to %v", mid, least, most)
		}

		line, err := r.Waves.EnterValue(r.lead, d.ID, money)
		must(r.t, err)
		if line != "line-1" || len(r.entries) != 1 || r.entries[0].Reading.Effect.Value != e.Value {
			r.t.Errorf("entered %q, %d entries", line, len(r.entries))
		}
		_, err = r.Waves.EnterValue(r.lead, d.ID, money)
		r.refused("twice into the ledger", err, "program.wave.error.entered")

		// What is final does not move, whatever the figures say later.
		r.lift = 0
		testkit.Clock(r.db).Set(d.Over().Add(10 * time.Hour))
		r.live(d, today(r))
		late, err := r.Waves.Read(r.lead, d.ID)
		must(r.t, err)
		if late.Effect.Value != e.Value || late.Final {
			r.t.Errorf("the final effect moved: %v, then %v", e.Value, late.Effect.Value)
		}
		if k := late.Retained; k == nil || !k.Known || !(k.Share.Low <= 0.7 && 0.7 <= k.Share.High) || k.Share.Value > 0.95 {
			r.t.Errorf("of fifty points thirty-five remained: %+v", k)
		}
	})
}

func TestDropOutStaysInTheComparison(t *testing.T) {
	each(t, func(r *rig) {
		d := r.started()
		p := placeIn(d, 0)
		r.refused("without a reason", r.Waves.DropOut(r.lead, d.ID, p.Unit, " "), "program.wave.error.reason")
		must(r.t, r.Waves.DropOut(r.lead, d.ID, p.Unit, "The branch moves house"))
		r.refused("twice", r.Waves.DropOut(r.lead, d.ID, p.Unit, "The branch moves house"), "program.wave.error.out")
		_, err := r.Waves.CheckIn(r.lead, d.ID, wave.CheckIn{Unit: p.Unit, Day: today(r), Behaviour: "b_one_list", Kept: true})
		r.refused("a check-in after it", err, "program.checkin.error.not_yet")
		r.days(56)
		got, err := r.Waves.Read(r.lead, d.ID)
		must(r.t, err)
		if got.Effect == nil || got.Effect.Units < 6 {
			r.t.Errorf("the branch left the comparison: %+v", got.Effect)
		}
		must(r.t, r.Waves.Stop(r.lead, d.ID, "Another campaign began at once"))
		_, err = r.Waves.Read(r.lead, d.ID)
		r.refused("reading a stopped campaign", err, "program.wave.error.state")
	})
}

// Somebody moves a branch to another cohort in the database: no reading is taken.
func TestTamperedOrderIsRefused(t *testing.T) {
	each(t, func(r *rig) {
		d := r.started()
		r.days(28)
		_, err := r.Waves.Read(r.lead, d.ID)
		must(r.t, err)
		must(r.t, r.db.Write(testkit.Context(r.t), func(ctx context.Context, tx store.Tx) error {
			var raw string
			if err := tx.NewSelect().Table("program_wave").Column("body").Scan(ctx, &raw); err != nil {
				return err
			}
			i := strings.Index(raw, `"cohort"`)
			for rest := raw[i:]; ; {
				colon := strings.IndexByte(rest, ':')
				end := colon + 1 + strings.IndexAny(rest[colon+1:], ",}")
				if strings.TrimSpace(rest[colon+1:end]) != "0" {
					raw = raw[:len(raw)-len(rest)] + rest[:colon+1] + "0" + rest[end:]
					break
				}
				k := strings.Index(rest[1:], `"cohort"`)
				rest = rest[1+k:]
			}
			_, err := tx.ExecContext(ctx, "UPDATE program_wave SET body = ?", raw)
			return err
		}))
		_, err = r.Waves.Read(r.lead, d.ID)
		r.refused("a branch was moved", err, "program.wave.error.tampered")
	})
}

func TestUnitMoved(t *testing.T) {
	each(t, func(r *rig) {
		d := r.started()
		p := placeIn(d, 0)
		_, err := r.Waves.CheckIn(r.lead, d.ID, wave.CheckIn{Unit: p.Unit, Day: today(r), Behaviour: "b_one_list", Kept: true})
		must(r.t, err)
		to := "/new/" + p.Code + "/"
		must(r.t, r.db.Write(testkit.Context(r.t), func(ctx context.Context, tx store.Tx) error {
			return program.Follower{}.UnitMoved(ctx, tx, p.Unit, to)
		}))
		got, err := r.Waves.Get(r.lead, d.ID)
		must(r.t, err)
		if _, ok := got.Place(to); !ok || got.Verify() != nil {
			r.t.Error("the branch did not move, or its place in the order was lost")
		}
		said, err := r.Waves.CheckIns(r.lead, d.ID)
		must(r.t, err)
		if len(said) != 1 || said[0].Unit != to {
			r.t.Errorf("check-ins %+v", said)
		}
	})
}
