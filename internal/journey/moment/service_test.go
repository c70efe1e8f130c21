package moment_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"omote/internal/journey/blueprint"
	"omote/internal/journey/moment"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/i18n"
	"omote/internal/platform/jobs"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/warehouse"
	"omote/internal/testkit"
)

func TestMigrations(t *testing.T) {
	t.Parallel()
	testkit.CheckMigrations(t, moment.Migrations)
}

func TestTexts(t *testing.T) {
	t.Parallel()
	if err := i18n.Check(moment.Locales()); err != nil {
		t.Error(err)
	}
}

// harm is what the planted trouble adds to the chance of a complaint.
const harm = 0.15

// lives writes the loan journeys of customers: trouble at the decision brings
// complaints, slow quotes bring none. Without harm, neither does.
func lives(t *testing.T, w *warehouse.Warehouse, customers int, harm float64, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	b := eventlog.Batch{First: seed, Last: seed}
	add := func(customer int, name string, at time.Time, props string) {
		e := event.Event{Source: "core", System: "core", MessageID: fmt.Sprintf("%d-%d", seed, len(b.Records)), Entity: scope.DefaultEntity, Kind: event.Track, Name: name,
			UserID: fmt.Sprintf("c%d", customer), At: at.UnixMicro(), ReceivedAt: at.UnixMicro(), Unit: []string{"hn1", "sg1"}[customer%2], Channel: "mobile_app"}
		if name != "complaint_filed" && name != "relationship_ended" {
			e.Journey, e.Case = "personal_loan", fmt.Sprintf("loan-%d-%d", seed, customer)
		}
		if props != "" {
			e.Props = []byte(props)
		}
		b.Records = append(b.Records, eventlog.Record{Seq: seed, Index: len(b.Records), Event: e})
	}
	start := testkit.Epoch.AddDate(-1, 0, 0)
	for c := range customers {
		at := start.Add(time.Duration(random.IntN(300*24)) * time.Hour)
		add(c, "loan_quote_viewed", at, "")
		at = at.Add(time.Duration(1+random.IntN(400)) * time.Hour)
		add(c, "loan_application_started", at, "")
		at = at.Add(5 * time.Hour)
		add(c, "loan_documents_submitted", at, "")
		at = at.Add(time.Hour)
		add(c, "loan_application_completed", at, "")
		at = at.Add(20 * time.Hour)
		chance := 0.03
		if random.IntN(3) == 0 {
			add(c, "loan_document_requested_again", at, "")
			at, chance = at.Add(10*time.Hour), chance+harm
		}
		add(c, "loan_decision_made", at, "")
		if random.IntN(2) == 0 {
			add(c, "survey_answered", at.Add(time.Hour), fmt.Sprintf(`{"instrument":"tx_csat","item":"tc_score","score":%d,"trigger_event":"loan_decision_made","comment":"cau chuyen %d","language":"vi","polarity":"negative"}`, 1+random.IntN(5), c))
		}
		if random.Float64() < chance {
			add(c, "complaint_filed", at.Add(time.Duration(24+random.IntN(200))*time.Hour), "")
		}
	}
	if err := w.Apply(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// maps are the built-in templates, with no map of the bank's own.
type maps []blueprint.Template

func (m maps) Templates(context.Context) ([]blueprint.Template, error) { return m, nil }
func (m maps) Live(context.Context) ([]blueprint.Version, error)       { return nil, nil }

type rig struct {
	s *moment.Service
	w *warehouse.Warehouse
}

func withRig(t *testing.T, fn func(t *testing.T, r rig)) {
	t.Helper()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		maker, err := pseudonym.New(t.Context(), testkit.Keys(t))
		if err != nil {
			t.Fatal(err)
		}
		w, err := warehouse.Open(t.Context(), warehouse.Options{Dir: t.TempDir(), Pseudonyms: maker, Clock: db.Clock(), Logger: slog.New(slog.DiscardHandler), Mask: func(s string) string { return s }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Close() })
		templates, err := blueprint.LoadTemplates(func(event string) blueprint.Text { return blueprint.Text{EN: event, VI: event} })
		if err != nil {
			t.Fatal(err)
		}
		var s *moment.Service
		j := jobs.New(db, jobs.Options{Kinds: []jobs.Kind{jobs.Define(moment.JobKind, 1, func(ctx context.Context, run *jobs.Run, _ struct{}) error { return s.Test(ctx, run) })}})
		s = moment.NewService(db, w, moment.FromMaps{Maps: maps(templates)}, j)
		fn(t, rig{s, w})
	}, moment.Migrations, audit.Migrations, jobs.Migrations)
}

func as(t *testing.T, role auth.Role) context.Context {
	return auth.WithActor(t.Context(), auth.Actor{Kind: auth.Person, ID: string(role), Entity: scope.DefaultEntity, Grants: []auth.Grant{{Role: role, Unit: scope.Root}}})
}

// The planted moment is proven and priced, the idle one is not; a later test on
// other data demotes it, and the history keeps both.
func TestProvenAndDemoted(t *testing.T) {
	t.Parallel()
	withRig(t, func(t *testing.T, r rig) {
		lead := as(t, auth.CXLead)
		if all, err := r.s.Overview(lead, ""); err != nil || all.Ready || len(all.Steps) != 0 {
			t.Fatalf("before any test: %+v, %v", all, err)
		}
		lives(t, r.w, 1800, harm, 1)
		if err := r.s.Test(testkit.Context(t), nil); err != nil {
			t.Fatal(err)
		}
		all, err := r.s.Overview(lead, "")
		if err != nil || !all.Ready || all.Run.Customers != 1800 {
			t.Fatalf("overview: %+v, %v", all.Run, err)
		}
		found := finding(t, all, "loan_decision_made")
		if found.Verdict != "proven" || found.Effect.Low > harm || found.Effect.High < harm {
			t.Errorf("planted: %s %+v", found.Verdict, found.Effect)
		}
		if f := finding(t, all, "loan_application_started"); f.Verdict == "proven" {
			t.Errorf("idle: %s %+v", f.Verdict, f.Effect)
		}
		if f := finding(t, all, "loan_quote_viewed"); f.Verdict != "insufficient" {
			t.Errorf("a step at which nothing can go wrong is %s", f.Verdict)
		}
		r.checkPains(t, lead)
		r.checkCurveAndChoice(t, lead)

		// Two more years in which the trouble does no harm.
		lives(t, r.w, 9000, -0.03, 2)
		testkitAdvance(t, r)
		if err := r.s.Test(testkit.Context(t), nil); err != nil {
			t.Fatal(err)
		}
		d, err := r.s.Step(lead, "personal_loan", "loan_decision_made")
		if err != nil {
			t.Fatal(err)
		}
		f := d.Findings[slices.IndexFunc(d.Findings, func(f moment.Finding) bool { return f.Outcome == moment.Complaint })]
		if !f.Demoted() || f.Was != "proven" || f.Verdict == "proven" {
			t.Errorf("not demoted: %s, was %q, %+v", f.Verdict, f.Was, f.Effect)
		}
		kept := map[string]int{}
		for _, x := range d.History {
			if x.Outcome == moment.Complaint {
				kept[x.Verdict]++
			}
		}
		if kept["proven"] != 1 || len(kept) != 2 {
			t.Errorf("history: %v", kept)
		}
	})
}

// testkitAdvance moves the clock, so that the next test has another time.
func testkitAdvance(t *testing.T, r rig) {
	t.Helper()
	r.w.Clock().(interface{ Advance(time.Duration) }).Advance(24 * time.Hour)
}

func finding(t *testing.T, all *moment.Overview, step string) moment.Finding {
	t.Helper()
	for _, s := range all.Steps {
		if s.Event != step {
			continue
		}
		for _, f := range s.Findings {
			if f.Outcome == moment.Complaint {
				return f
			}
		}
	}
	t.Fatalf("nothing was found about %s", step)
	return moment.Finding{}
}

func (r rig) checkPains(t *testing.T, lead context.Context) {
	t.Helper()
	pains, _, _, err := r.s.Pains(lead, "")
	if err != nil || len(pains) < 2 {
		t.Fatalf("pains: %v, %v", pains, err)
	}
	top := pains[0]
	if top.Event != "loan_document_requested_again" || !top.Expected.Above() || top.Rank != 1 {
		t.Errorf("first is %s: %+v", top.ID, top.Expected)
	}
	if d := top.Harm[0]; d.Outcome != moment.Complaint || d.Effect.Low > harm || d.Effect.High < harm {
		t.Errorf("harm: %+v", d)
	}
	one, quotes, _, err := r.s.Pain(lead, top.ID)
	if err != nil || one.ID != top.ID || len(quotes) == 0 || quotes[0].Words == "" || quotes[0].Language != "vi" {
		t.Errorf("one pain: %v, %d quotes, %v", one.ID, len(quotes), err)
	}
	if _, _, _, err := r.s.Pain(lead, "nothing"); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("a pain that is not there: %v", err)
	}
}

func (r rig) checkCurveAndChoice(t *testing.T, lead context.Context) {
	t.Helper()
	points, _, err := r.s.Curve(lead, "personal_loan")
	if err != nil || len(points) != 10 {
		t.Fatalf("curve: %d points, %v", len(points), err)
	}
	for _, p := range points {
		if p.Score.Known != (p.Step == "loan_decision_made") {
			t.Errorf("%s has a score: %v", p.Step, p.Score.Known)
		}
		if p.Score.Known && (p.Score.Value < 0.4 || p.Score.Value > 0.6 || p.Score.Low >= p.Score.High || p.Negative.Value != 1) {
			t.Errorf("%s: %+v, negative %+v", p.Step, p.Score, p.Negative)
		}
	}
	c, err := r.s.Choose(lead, moment.UsualChoice())
	if err != nil || len(c.Journeys) != 1 || c.Journeys[0].Chosen != 1 || !c.Journeys[0].InSet || c.Journeys[0].Stated {
		t.Fatalf("choice: %+v, %v", c, err)
	}
	if j := c.Journeys[0]; j.Seen != 5 || j.Steps != 10 || j.Asked != 1 || j.Cases != 1800 || !j.Loss.Known || j.Loss.Low <= 0 {
		t.Errorf("summary: %+v", j.Summary)
	}
	if err := r.s.SetFeasibility(lead, "personal_loan", moment.Merit{Low: 0.5, Mid: 0.4, High: 1}); errs.KindOf(err) != errs.KindInvalid {
		t.Errorf("a range upside down: %v", err)
	}
	if err := r.s.SetFeasibility(lead, "personal_loan", moment.Merit{Low: 0.2, Mid: 0.4, High: 0.5}); err != nil {
		t.Fatal(err)
	}
	if c, err = r.s.Choose(lead, moment.UsualChoice()); err != nil || !c.Journeys[0].Stated || c.Journeys[0].Merits[moment.ByFeasibility].Mid != 0.4 {
		t.Errorf("stated: %+v, %v", c.Journeys[0], err)
	}
	bad := moment.UsualChoice()
	bad.Weights[moment.ByValue] = moment.WeightRange{Low: 3, High: 1}
	if _, err := r.s.Choose(lead, bad); errs.KindOf(err) != errs.KindInvalid {
		t.Errorf("a weight upside down: %v", err)
	}
}

func TestWorthAndPermissions(t *testing.T) {
	t.Parallel()
	withRig(t, func(t *testing.T, r rig) {
		lead, champion := as(t, auth.CXLead), as(t, auth.Champion)
		w, err := r.s.Worth(champion)
		if err != nil || !w.Assumed {
			t.Fatalf("worth: %+v, %v", w, err)
		}
		if err := r.s.SetWorth(champion, w); errs.KindOf(err) != errs.KindDenied {
			t.Errorf("a champion states the worth: %v", err)
		}
		for _, bad := range []moment.Range{{Low: 5, Mid: 4, High: 9}, {Low: -1, Mid: 0, High: 1}, {Low: 1, Mid: 2, High: 1 << 60}} {
			x := w
			x.Left = bad
			if err := r.s.SetWorth(lead, x); errs.KindOf(err) != errs.KindInvalid {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		w.Left = moment.Range{Low: 1, Mid: 2, High: 3}
		if err := r.s.SetWorth(lead, w); err != nil {
			t.Fatal(err)
		}
		if got, err := r.s.Worth(lead); err != nil || got.Assumed || got.Left != w.Left {
			t.Errorf("worth: %+v, %v", got, err)
		}
		if _, err := r.s.Start(champion); errs.KindOf(err) != errs.KindDenied {
			t.Errorf("a champion starts a test: %v", err)
		}
		if _, err := r.s.Start(lead); err != nil {
			t.Fatal(err)
		}
		if _, err := r.s.Start(lead); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("a second test while one waits: %v", err)
		}
		if _, err := r.s.Overview(t.Context(), ""); errs.KindOf(err) != errs.KindUnauthenticated {
			t.Errorf("nobody reads: %v", err)
		}
		// Without any event a test finds nothing, and says so.
		if err := r.s.Test(testkit.Context(t), nil); err != nil {
			t.Fatal(err)
		}
		if all, err := r.s.Overview(lead, ""); err != nil || !all.Ready || len(all.Steps) != 0 {
			t.Errorf("of nothing: %+v, %v", all, err)
		}
	})
}
