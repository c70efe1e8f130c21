package metric_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"omote/internal/insight"
	"omote/internal/insight/metric"
	"omote/internal/insight/packs"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/warehouse"
	"omote/internal/testkit"
)

// withServices runs fn with a registry on each store; the warehouse is DuckDB,
// since the other is covered where metrics are computed.
func withServices(t *testing.T, fn func(t *testing.T, s *metric.Service, w *warehouse.Warehouse)) {
	t.Helper()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		maker, err := pseudonym.New(t.Context(), testkit.Keys(t))
		if err != nil {
			t.Fatal(err)
		}
		w, err := warehouse.Open(t.Context(), warehouse.Options{Dir: t.TempDir(), Pseudonyms: maker, Clock: db.Clock(), Logger: slog.New(slog.DiscardHandler),
			Mask: func(string) string { return "masked" }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Close() })
		fn(t, metric.NewService(db, w), w)
	}, insight.Migrations, audit.Migrations)
}

// person acts with a role in the whole entity.
func person(t *testing.T, id string, role auth.Role) context.Context {
	return auth.WithActor(t.Context(), auth.Actor{Kind: auth.Person, ID: id, Entity: scope.DefaultEntity, Grants: []auth.Grant{{Role: role, Unit: scope.Root}}})
}

func install(t *testing.T, s *metric.Service) *metric.Pack {
	t.Helper()
	p, err := metric.ParsePack(packs.Metrics)
	if err != nil {
		t.Fatal(err)
	}
	added, changed, err := s.Install(testkit.Context(t), p)
	if err != nil || added != len(p.Metrics) || changed != 0 {
		t.Fatalf("%d added, %d changed, %v", added, changed, err)
	}
	return p
}

func TestInstallingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	withServices(t, func(t *testing.T, s *metric.Service, _ *warehouse.Warehouse) {
		p := install(t, s)
		if added, changed, err := s.Install(testkit.Context(t), p); err != nil || added+changed != 0 {
			t.Errorf("the second time: %d added, %d changed, %v", added, changed, err)
		}
		p.Version++
		p.Metrics[0].MinN++
		if added, changed, err := s.Install(testkit.Context(t), p); err != nil || added != 0 || changed != 1 {
			t.Errorf("a changed pack: %d added, %d changed, %v", added, changed, err)
		}
		waiting, err := s.Proposals(testkit.Context(t))
		if err != nil || len(waiting) != 1 || waiting[0].Definition.ID != p.Metrics[0].ID {
			t.Errorf("waiting: %v, %v", waiting, err)
		}
	})
}

func TestListSearchesWithAndWithoutDiacritics(t *testing.T) {
	t.Parallel()
	withServices(t, func(t *testing.T, s *metric.Service, _ *warehouse.Warehouse) {
		p := install(t, s)
		lead := person(t, "lead", auth.CXLead)
		for query, want := range map[string]string{"khieu nai": "nps_recovery", "KHIẾU NẠI": "nps_recovery", "relationship nps": "nps_relationship"} {
			page, _, err := s.List(lead, metric.Filter{Query: query, Limit: 200})
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, v := range page {
				found = found || v.Definition.ID == want
			}
			if !found || len(page) == len(p.Metrics) {
				t.Errorf("%q finds %d metrics, %s: %t", query, len(page), want, found)
			}
		}
		seen, after := 0, ""
		for {
			page, next, err := s.List(lead, metric.Filter{After: after, Limit: 7})
			if err != nil {
				t.Fatal(err)
			}
			seen += len(page)
			if after = next; next == "" {
				break
			}
		}
		if seen != len(p.Metrics) {
			t.Errorf("pages hold %d of %d metrics", seen, len(p.Metrics))
		}
		if page, _, err := s.List(lead, metric.Filter{Kind: metric.NPS}); err != nil || len(page) != 3 {
			t.Errorf("%d NPS metrics, %v", len(page), err)
		}
		if _, _, err := s.List(t.Context(), metric.Filter{}); errs.KindOf(err) != errs.KindUnauthenticated {
			t.Errorf("nobody lists: %v", err)
		}
	})
}

func TestASecondPersonDecides(t *testing.T) {
	t.Parallel()
	withServices(t, func(t *testing.T, s *metric.Service, _ *warehouse.Warehouse) {
		install(t, s)
		lead, other, analyst := person(t, "lead", auth.CXLead), person(t, "other", auth.CXLead), person(t, "analyst", auth.Analyst)
		old, err := s.Get(lead, "nps_relationship", 0)
		if err != nil {
			t.Fatal(err)
		}
		d := old.Definition
		if _, err := s.Propose(lead, d, "no change"); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("an unchanged proposal: %v", err)
		}
		d.MinN = 150
		if _, err := s.Propose(lead, d, " "); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("a proposal without a reason: %v", err)
		}
		if _, err := s.Propose(person(t, "x", auth.Agent), d, "why"); errs.KindOf(err) != errs.KindDenied {
			t.Errorf("an agent proposes: %v", err)
		}
		v, err := s.Propose(lead, d, "the branches are larger now")
		if err != nil || v.Version != 2 {
			t.Fatal(v, err)
		}
		if _, err := s.Propose(other, d, "me too"); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("a second proposal: %v", err)
		}
		if _, err := s.Approve(lead, d.ID, 2, "mine"); errs.KindOf(err) != errs.KindDenied {
			t.Errorf("approving one's own: %v", err)
		}
		if _, err := s.Approve(analyst, d.ID, 2, "fine"); errs.KindOf(err) != errs.KindDenied {
			t.Errorf("approving without the permission: %v", err)
		}
		if _, err := s.Withdraw(other, d.ID, 2); errs.KindOf(err) != errs.KindDenied {
			t.Errorf("withdrawing somebody else's: %v", err)
		}
		if now, err := s.Get(lead, d.ID, 0); err != nil || now.Version != 1 {
			t.Errorf("a proposal is in force: %v, %v", now, err)
		}
		if _, err := s.Approve(other, d.ID, 2, "right"); err != nil {
			t.Fatal(err)
		}
		if now, err := s.Get(lead, d.ID, 0); err != nil || now.Version != 2 || now.Definition.MinN != 150 || now.DecidedBy == now.CreatedBy {
			t.Errorf("after approval: %+v, %v", now, err)
		}
		if _, err := s.Approve(other, d.ID, 2, "again"); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("approving twice: %v", err)
		}
		history, err := s.Versions(lead, d.ID)
		if err != nil || len(history) != 2 || history[1].Status != metric.Retired {
			t.Errorf("history: %v, %v", history, err)
		}
		d.MinN = 160
		if _, err := s.Propose(lead, d, "again"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Reject(other, d.ID, 3, " "); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("refusing without a reason: %v", err)
		}
		if _, err := s.Reject(other, d.ID, 3, "too many"); err != nil {
			t.Error(err)
		}
		d.ID, d.Counter = "new_one", "nothing_like_it"
		if _, err := s.Propose(lead, d, "new"); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("a counter-metric that is not there: %v", err)
		}
		ask := metric.Ask{Period: metric.Period{From: metric.DateOf(2026, 1, 1), To: metric.DateOf(2026, 2, 1)}, Granularity: metric.Month}
		c, err := s.Compare(lead, "nps_relationship", 1, 2, ask)
		if err != nil || len(c.Changes) != 1 || c.Changes[0].Path != "min_n" || c.BeforeResult.Version != 1 || c.AfterResult.Version != 2 {
			t.Errorf("comparison: %+v, %v", c, err)
		}
	})
}

// answers puts survey answers into the warehouse: 40 promoters in one unit, 10
// detractors in another, 3 answers in a third, and skipped ones everywhere.
func answers(t *testing.T, w *warehouse.Warehouse) {
	t.Helper()
	b := eventlog.Batch{First: 1, Last: 1}
	add := func(unit, score string, n int) {
		for range n {
			i := len(b.Records)
			at := testkit.Epoch.Add(-time.Duration(i) * time.Minute).UnixMicro()
			b.Records = append(b.Records, eventlog.Record{Seq: 1, Index: i, Event: event.Event{Source: "app", MessageID: fmt.Sprint(i), Entity: scope.DefaultEntity,
				Kind: event.Track, Name: "survey_answered", UserID: fmt.Sprint(i), At: at, ReceivedAt: at, Unit: unit,
				Props: fmt.Appendf(nil, `{"instrument":"rel_nps","item":"rn_score","score":%s,"verbatim":"gọi tôi"}`, score)}})
		}
	}
	add("hn1", "9", 150)
	add("sg1", "2", 120)
	add("da1", "5", 3)
	for _, u := range []string{"hn1", "sg1", "da1"} {
		add(u, "null", 50)
	}
	if err := w.Apply(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func TestFiguresRowsAndFunnel(t *testing.T) {
	t.Parallel()
	withServices(t, func(t *testing.T, s *metric.Service, w *warehouse.Warehouse) {
		install(t, s)
		answers(t, w)
		lead := person(t, "lead", auth.CXLead)
		period := metric.Period{From: metric.DateOf(2026, 1, 1), To: metric.DateOf(2026, 2, 1)}
		r, err := s.Compute(lead, "nps_relationship", 0, metric.Ask{Period: period, Granularity: metric.Month})
		if err != nil {
			t.Fatal(err)
		}
		if p := r.Points[0]; p.Est.N != 273 || math.Abs(p.Est.Value-100*27.0/273) > 1e-9 || p.Est.Low >= p.Est.Value || p.Est.High <= p.Est.Value {
			t.Errorf("NPS %+v", p)
		}
		if r.Stale || !r.Latest.Equal(testkit.Epoch) || r.Version != 1 {
			t.Errorf("fresh: %+v", r)
		}
		f, err := s.Funnel(lead, "nps_relationship", 0, period, "unit", nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Points) != 2 || f.Points[0].Group != "hn1" || f.Points[0].Est.Value <= f.Points[0].Limits.High998 || f.Points[1].Est.Value >= f.Points[1].Limits.Low998 {
			t.Errorf("funnel: %+v", f)
		}
		pages, after, seen := 0, "", map[string]bool{}
		for {
			page, next, err := s.Rows(lead, "nps_relationship", 0, metric.RowsAsk{Period: period, By: "unit", Group: "hn1", After: after, Limit: 60})
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range page {
				seen[row.EventID] = true
				if row.Comment != "masked" || row.Unit != "hn1" || row.Score == nil {
					t.Fatalf("row %+v", row)
				}
			}
			pages++
			if after = next; next == "" {
				break
			}
		}
		if pages != 3 || len(seen) != 150 {
			t.Errorf("%d rows on %d pages", len(seen), pages)
		}
		if _, _, err := s.Rows(lead, "nps_relationship", 0, metric.RowsAsk{Period: period, By: "unit", Group: "da1"}); errs.KindOf(err) != errs.KindDenied {
			t.Errorf("rows of a small group: %v", err)
		}
		if _, _, err := s.Rows(lead, "nps_relationship", 0, metric.RowsAsk{Period: period, After: "xx"}); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("a wrong cursor: %v", err)
		}
		if _, _, err := s.Rows(lead, "enps", 0, metric.RowsAsk{Period: period}); errs.KindOf(err) != errs.KindDenied {
			t.Errorf("rows of an anonymous metric: %v", err)
		}
	})
}

func TestWrongQuestionsAreRefused(t *testing.T) {
	t.Parallel()
	withServices(t, func(t *testing.T, s *metric.Service, _ *warehouse.Warehouse) {
		install(t, s)
		lead := person(t, "lead", auth.CXLead)
		good := metric.Ask{Period: metric.Period{From: metric.DateOf(2026, 1, 1), To: metric.DateOf(2026, 2, 1)}, Granularity: metric.Month}
		for name, change := range map[string]func(*metric.Ask){
			"period":      func(a *metric.Ask) { a.Period.To = a.Period.From },
			"granularity": func(a *metric.Ask) { a.Granularity = "year" },
			"too many":    func(a *metric.Ask) { a.Period.From, a.Granularity = metric.DateOf(2000, 1, 1), metric.Day },
			"by":          func(a *metric.Ask) { a.By = "case_key" },
			"level":       func(a *metric.Ask) { a.Level = 2 },
			"where":       func(a *metric.Ask) { a.Where = &metric.Expr{Field: "customer_name", Eq: "x"} },
		} {
			ask := good
			change(&ask)
			if _, err := s.Compute(lead, "nps_relationship", 0, ask); errs.KindOf(err) != errs.KindInvalid && errs.KindOf(err) != errs.KindTooLarge {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := s.Compute(lead, "nothing", 0, good); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("an unknown metric: %v", err)
		}
		if _, err := metric.ParsePack([]byte("metrics: [{id: x, surprise: 1}]")); err == nil || !strings.Contains(err.Error(), "surprise") {
			t.Errorf("an unknown member: %v", err)
		}
	})
}
