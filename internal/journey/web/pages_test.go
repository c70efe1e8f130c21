package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"omote/analytics/rule"
	"omote/internal/journey"
	journeyapi "omote/internal/journey/api"
	"omote/internal/journey/belong"
	"omote/internal/journey/blueprint"
	blueprintweb "omote/internal/journey/blueprint/web"
	"omote/internal/journey/definition"
	"omote/internal/journey/moment"
	"omote/internal/journey/observed"
	"omote/internal/journey/web"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/jobs"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/warehouse"
	"omote/internal/testkit"
	"omote/internal/ui"
)

// maps are the built-in templates, with no map of the bank's own.
type maps []blueprint.Template

func (m maps) Templates(context.Context) ([]blueprint.Template, error) { return m, nil }
func (m maps) Live(context.Context) ([]blueprint.Version, error)       { return nil, nil }

// Version has the template of the card journey in force, with a step that nobody
// ever makes and a standard that most cases break.
func (m maps) Version(_ context.Context, journey string, _ int) (blueprint.Version, error) {
	for _, t := range m {
		if t.Document.Journey == journey {
			d := t.Document.Clone()
			d.Stages[0].Steps = append(d.Stages[0].Steps, blueprint.Step{ID: "thanks", Name: blueprint.Text{EN: "Thanks said", VI: "Lời cảm ơn"}, Events: []string{"thanks_said"}})
			for _, s := range d.Steps() {
				if s.ID == "card_delivered" {
					s.MaxWait = blueprint.Duration(time.Hour)
				}
			}
			return blueprint.Version{Number: 3, Document: d}, nil
		}
	}
	return blueprint.Version{}, errs.NotFound("x", "x")
}

// Definitions implements definition.Source.
func (m maps) Definitions(context.Context) (map[string]definition.Definition, error) {
	out := map[string]definition.Definition{}
	for _, t := range m {
		out[t.Document.Journey] = t.Document.Definition()
	}
	return out, nil
}

// site serves the pages over a small bank.
type site struct {
	t      *testing.T
	router *httpx.Router
	bundle *i18n.Bundle
	rule   string // of the segment last offered
	api    *http.ServeMux
	maps   maps
	seen   *observed.Service
}

// segments are "branch", the first hundred customers, and "pair", two of them.
type segments struct{ customers []string }

func (s segments) Segments(context.Context) ([]belong.Segment, error) {
	return []belong.Segment{{ID: "branch", Name: definition.Text{EN: "Branch people", VI: "Khách tại quầy"}}, {ID: "pair", Name: definition.Text{EN: "A pair", VI: "Hai khách"}}}, nil
}

func (s segments) Members(_ context.Context, id string, yield func(string)) error {
	n := map[string]int{"branch": 100, "pair": 2}[id]
	for _, c := range s.customers[:n] {
		yield(c)
	}
	return nil
}

// customersOf lists the customers with a card journey, each of whom has one case.
func customersOf(t *testing.T, w *warehouse.Warehouse) (out []string) {
	t.Helper()
	rows, err := w.Query(testkit.Context(t), `SELECT CAST(customer_id AS VARCHAR) FROM {event_customer} WHERE journey = 'card_activation' GROUP BY 1 ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		out = append(out, id)
	}
	return out
}

func newSite(t *testing.T) *site { return newSiteOf(t, fillWarehouse) }

// newSiteOf serves the pages over facts that fill writes.
func newSiteOf(t *testing.T, fill func(t *testing.T, w *warehouse.Warehouse)) *site {
	t.Helper()
	db := testkit.SQLite(t, journey.Migrations, moment.Migrations, audit.Migrations, jobs.Migrations)
	maker, err := pseudonym.New(t.Context(), testkit.Keys(t))
	if err != nil {
		t.Fatal(err)
	}
	w, err := warehouse.Open(t.Context(), warehouse.Options{Dir: t.TempDir(), Pseudonyms: maker, Clock: db.Clock(), Logger: slog.New(slog.DiscardHandler), Mask: func(s string) string { return s }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	fill(t, w)
	templates, err := blueprint.LoadTemplates(func(event string) blueprint.Text { return blueprint.Text{EN: event, VI: event} })
	if err != nil {
		t.Fatal(err)
	}
	definitions := definition.NewService(maps(templates))
	moments := moment.NewService(db, w, moment.FromMaps{Maps: maps(templates)}, jobs.New(db, jobs.Options{}))
	if err := moments.Test(testkit.Context(t), nil); err != nil {
		t.Fatal(err)
	}
	s := &site{t: t}
	if s.bundle, err = i18n.New(ui.Locales(), journey.Locales(), observed.Locales(), moment.Locales(), blueprintweb.Locales()); err != nil {
		t.Fatal(err)
	}
	s.router = httpx.NewRouter(func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, err.Error(), httpx.Status(err))
	})
	label := func(_ context.Context, name string) string { return "«" + name + "»" }
	seen := observed.NewService(w, definitions, db.Clock())
	seen.Source = segments{customersOf(t, w)}
	web.Pages{Observed: seen, Label: label, Zone: time.UTC, Segment: func(_ context.Context, rule, _ string) string { s.rule = rule; return "/made" },
		Maps: maps(templates), Worth: moments.Worth, Currency: "VND"}.Routes(s.router)
	s.api, s.maps, s.seen = http.NewServeMux(), templates, seen
	journeyapi.Observed{Service: seen, Worth: moments.Worth, Zone: time.UTC}.Register(humago.New(s.api, huma.DefaultConfig("test", "1")))
	web.MomentPages{Moments: moments, Label: label, Currency: "VND", Zone: time.UTC}.Routes(s.router)
	return s
}

// fillWarehouse writes card journeys with two units, three channels and answers.
func fillWarehouse(t *testing.T, w *warehouse.Warehouse) {
	t.Helper()
	random := rand.New(rand.NewPCG(4, 4))
	b := eventlog.Batch{First: 1, Last: 1}
	add := func(c int, name, channel, unit string, at time.Time, props string) {
		e := event.Event{Source: "core", System: "core", MessageID: fmt.Sprint(len(b.Records)), Entity: scope.DefaultEntity, Kind: event.Track, Name: name, UserID: fmt.Sprintf("c%d", c),
			At: at.UnixMicro(), ReceivedAt: at.UnixMicro(), Unit: unit, Channel: channel, Product: "debit_card", Journey: "card_activation", Case: fmt.Sprintf("card-%d", c), Props: []byte(props)}
		b.Records = append(b.Records, eventlog.Record{Seq: 1, Index: len(b.Records), Event: e})
	}
	start := testkit.Epoch.AddDate(0, -8, 0)
	for c := range 400 {
		at := start.Add(time.Duration(random.IntN(230*24)) * time.Hour)
		channel := []string{"mobile_app", "branch"}[random.IntN(2)]
		add(c, "card_requested", channel, "hn1", at, "")
		at = at.Add(time.Duration(1+random.IntN(40)) * time.Hour)
		add(c, "card_approved", "back_office", "cards", at, "")
		if random.IntN(10) == 0 {
			continue
		}
		at = at.Add(time.Duration(20+random.IntN(60)) * time.Hour)
		add(c, "card_dispatched", "courier", "cards", at, "")
		at = at.Add(time.Duration(20+random.IntN(200)) * time.Hour)
		if random.IntN(3) == 0 {
			add(c, "card_delivery_failed", "courier", "sg1", at, "")
			at = at.Add(48 * time.Hour)
			if random.IntN(3) == 0 {
				add(c, "complaint_filed", "call", "hn1", at.Add(time.Hour), "")
			}
		}
		add(c, "card_delivered", "courier", "sg1", at, "")
		if random.IntN(4) == 0 {
			continue
		}
		add(c, "card_activated", "mobile_app", "hn1", at.Add(5*time.Hour), "")
		if random.IntN(2) == 0 {
			add(c, "survey_answered", "sms", "hn1", at.Add(9*time.Hour), fmt.Sprintf(`{"instrument":"tx_csat","item":"tc_score","score":%d,"trigger_event":"card_activated","comment":"giao chậm","language":"vi","polarity":"negative"}`, 1+random.IntN(5)))
		}
		add(c, "card_first_purchase", "pos", "hn1", at.Add(30*time.Hour), "")
	}
	if err := w.Apply(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func (s *site) get(role auth.Role, lang, path string) *httptest.ResponseRecorder {
	return s.send(role, lang, httptest.NewRequest(http.MethodGet, path, nil))
}

func (s *site) send(role auth.Role, lang string, r *http.Request) *httptest.ResponseRecorder {
	ctx := auth.WithActor(r.Context(), auth.Actor{Kind: auth.Person, ID: string(role), Entity: scope.DefaultEntity, Grants: []auth.Grant{{Role: role, Unit: scope.Root}}})
	ctx = i18n.With(ctx, s.bundle.Localizer(lang))
	w := httptest.NewRecorder()
	s.router.ServeHTTP(w, r.WithContext(ctx))
	return w
}

const card = "/journey/observed/card_activation"

// Every view answers in both languages, says something, and gives its rows as CSV.
func TestEveryView(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	views := map[string]string{ // and what must stand on it
		card: "«card_delivered»", card + "?show=feeling&detail=1": "«card_delivered»", card + "?show=p90&with=card_activated&longer=24&outcome=succeeded": "«card_activated»",
		card + "?lay=design": "never seen", card + "?lay=design&show=cost&detail=5": "assumed", card + "?lay=design&show=feeling&channel=courier&detail=1": "version 3", card + "?show=cost": "assumed",
		card + "/funnel": "«card_activated»", card + "/funnel?step=card_requested&step=card_delivered%7Ccard_activated&mode=any&within=400": "400",
		card + "/variants": "CSV", card + "/compare": "CSV", card + "/compare?side=channel&a=mobile_app&b=branch": "mobile_app", card + "/compare?side=with&a=card_delivery_failed": "«card_delivery_failed»",
		card + "/compare?side=outcome&a=succeeded&b=abandoned": "q", card + "/compare?side=unit": "hn1", card + "/handoffs": "cards", card + "/handoffs?between=channel&show=lost": "courier", card + "/handoffs?show=back": "%",
		card + "/channels": "mobile_app", card + "/now": "«card", card + "/replay": "data-replay", card + "/cases": "card-", card + "/cases?stopped=2": "card-",
		card + "/funnel?step=nothing&step=never": "«nothing»", card + "?by=customer&silence=48": "«card_delivered»", "/journey/observed/all?by=customer": "«card_delivered»",
		card + "/feeling": "«card_activated»", "/journey/moments": "«card_delivered»", "/journey/moments?verdict=insufficient": "«card", "/journey/moments/card_activation/card_delivered": "«card_delivered»",
		"/journey/pains": "«card_delivery_failed»", "/journey/pains/card_activation.card_delivered.failed.card_delivery_failed": "giao chậm", "/journey/pains/worth": "VND", "/journey/choose": "100%",
		"/journey/choose?value.low=0&value.high=9&n=1": "100%",
	}
	for path, want := range views {
		for _, lang := range []string{"en", "vi"} {
			w := s.get(auth.CXLead, lang, path)
			body := w.Body.String()
			want := want
			if lang == "vi" {
				if said := map[string]string{"never seen": "chưa từng thấy", "assumed": "giả định", "version 3": "phiên bản 3"}[want]; said != "" {
					want = said
				}
			}
			if w.Code != http.StatusOK || !strings.Contains(body, want) || strings.Contains(body, "%!") || strings.Contains(body, "NaN") {
				t.Errorf("%s in %s: %d, wants %q: %.300s", path, lang, w.Code, want, body)
			}
			if i := strings.Index(body, "observed."); i >= 0 {
				t.Errorf("%s in %s shows a key: %.80s", path, lang, body[i:])
			}
		}
	}
	for _, path := range []string{"/funnel", "/variants", "/compare", "/handoffs", "/channels", "/now", "/replay", "/cases"} {
		w := s.get(auth.CXLead, "en", card+path+"?format=csv")
		if lines := strings.Count(w.Body.String(), "\n"); w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv") || lines < 2 {
			t.Errorf("%s as CSV: %d, %d lines: %.200s", path, w.Code, lines, w.Body)
		}
	}
	for _, path := range []string{"/journey/moments", "/journey/pains", "/journey/choose"} {
		if w := s.get(auth.CXLead, "vi", path+"?format=csv"); w.Code != http.StatusOK || strings.Count(w.Body.String(), "\n") < 2 {
			t.Errorf("%s as CSV: %d %.200s", path, w.Code, w.Body)
		}
	}
}

// A filter that leaves nothing says so on every view, and shows the way back.
func TestNothingLeft(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, view := range []string{"", "/funnel", "/variants", "/compare", "/handoffs", "/channels", "/now", "/replay", "/cases"} {
		w := s.get(auth.CXLead, "en", card+view+"?channel=nowhere")
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "No case fits the filter") {
			t.Errorf("%s: %d %.200s", view, w.Code, w.Body)
		}
	}
	for path, want := range map[string]int{"/journey/observed/nothing/funnel": 404, card + "/funnel?from=never": 422, "/journey/moments/x/y": 404, "/journey/pains/x": 404, "/journey/choose?value.low=5&value.high=1": 422} {
		if w := s.get(auth.CXLead, "en", path); w.Code != want && !(want == 422 && w.Code == 400) {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}

// Whoever may not see customers sees cases without them.
func TestCustomersAreMasked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if body := s.get(auth.Council, "en", card+"/cases").Body.String(); !strings.Contains(body, "masked") || strings.Contains(body, "beginning of their pseudonym") {
		t.Error("the council sees customers")
	}
	if body := s.get(auth.CXLead, "en", card+"/cases").Body.String(); !strings.Contains(body, "beginning of their pseudonym") || strings.Contains(body, "your role does not see them") {
		t.Error("the CX lead does not see customers")
	}
}

// Forms are carried out, and what is wrong comes back with what was typed.
func TestForms(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	post := func(role auth.Role, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return s.send(role, "en", r)
	}
	if w := post(auth.CXLead, "/journey/pains/worth", "complaint.low=5&complaint.mid=3&complaint.high=9&left.low=1&left.mid=2&left.high=3&contact.low=1&contact.mid=2&contact.high=3"); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "rises from low") {
		t.Errorf("a range upside down: %d", w.Code)
	}
	if w := post(auth.CXLead, "/journey/pains/worth", "complaint.low=100.000&complaint.mid=200000&complaint.high=900000&left.low=1&left.mid=2&left.high=3&contact.low=1&contact.mid=2&contact.high=3"); w.Code != http.StatusSeeOther {
		t.Errorf("worth: %d %s", w.Code, w.Body)
	}
	if body := s.get(auth.CXLead, "en", "/journey/pains/worth").Body.String(); !strings.Contains(body, `value="100000"`) {
		t.Error("the worth was not kept")
	}
	if w := post(auth.CXLead, "/journey/choose/feasibility", "journey=card_activation&feasibility.low=2&feasibility.mid=4,5&feasibility.high=6"); w.Code != http.StatusSeeOther {
		t.Errorf("feasibility: %d %s", w.Code, w.Body)
	}
	if w := post(auth.Champion, "/journey/moments/test", ""); w.Code != httpx.Status(errs.Denied("x", "x")) {
		t.Errorf("a champion tests: %d", w.Code)
	}
}

// Cases are filtered and compared by segment; a part so small that it shows
// single customers, and the list of its cases, need the right to see members.
func TestBySegment(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if body := s.get(auth.Analyst, "vi", card+"?segment=branch").Body.String(); !strings.Contains(body, "còn 100 trong 400 hồ sơ") || !strings.Contains(body, "Khách tại quầy") {
		t.Errorf("the segment's cases are not filtered: %.600s", body)
	}
	if body := s.get(auth.Analyst, "en", card+"/compare?side=segment&a=branch").Body.String(); !strings.Contains(body, "A 100 · B 300") {
		t.Error("the segment is not compared with all others")
	}
	if body := s.get(auth.Analyst, "en", card+"/funnel?segment=branch&by=customer").Body.String(); !strings.Contains(body, "100") {
		t.Error("the segment is not found where a case is a customer")
	}
	for path, want := range map[string][2]int{
		card + "?segment=pair": {403, 200}, card + "/cases?segment=branch": {403, 200}, card + "/now?segment=branch&format=csv": {403, 200},
		card + "?segment=never": {422, 422}, card + "/now?segment=branch": {200, 200},
	} {
		for i, role := range []auth.Role{auth.Analyst, auth.CXLead} {
			if w := s.get(role, "en", path); w.Code != want[i] {
				t.Errorf("%s as %s: %d, want %d", path, role, w.Code, want[i])
			}
		}
	}
}

// The customers behind a list of cases become a segment by a rule that says what
// the list says.
func TestCasesBecomeASegment(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const of = `[journey = "card_activation"]`
	for path, want := range map[string]string{
		"/cases": `did card_requested` + of + ` within 90d`,
		"/cases?stopped=1&step=card_delivered&step=card_activated%7Ccard_first_purchase":         `did card_delivered` + of + ` within 90d and no card_activated|card_first_purchase within 90d`,
		"/cases?with=card_delivery_failed&without=card_activated&channel=courier&segment=branch": `did card_delivery_failed[journey = "card_activation", channel = "courier"] within 90d and no card_activated within 90d and in branch`,
	} {
		if w := s.get(auth.CXLead, "en", card+path); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `href="/made"`) {
			t.Errorf("%s: %d, no way to a segment", path, w.Code)
		}
		if s.rule != want {
			t.Errorf("%s:\n%s, want\n%s", path, s.rule, want)
		}
		if _, err := rule.Parse(s.rule); err != nil {
			t.Errorf("%s: %v", s.rule, err)
		}
	}
}

// ask calls an operation and decodes its answer.
func ask[T any](s *site, role auth.Role, path string, want int) (out T) {
	s.t.Helper()
	ctx := auth.WithActor(s.t.Context(), auth.Actor{Kind: auth.Person, ID: string(role), Entity: scope.DefaultEntity, Grants: []auth.Grant{{Role: role, Unit: scope.Root}}})
	w := httptest.NewRecorder()
	s.api.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/journeys"+path, nil))
	if w.Code != want {
		s.t.Errorf("%s: %d, want %d: %.300s", path, w.Code, want, w.Body)
	}
	if want == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			s.t.Errorf("%s: %v", path, err)
		}
	}
	return out
}

// The operations answer what the pages show, and their numbers agree with each
// other.
func TestOperations(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	type part struct {
		Cases   int
		Events  int
		Whole   int `json:"all_cases"`
		Filters []journeyapi.JourneyLeft
	}
	list := ask[struct{ Items []journeyapi.ObservedJourney }](s, auth.Analyst, "", 200)
	if len(list.Items) != 1 || list.Items[0].Journey != "card_activation" || list.Items[0].Cases != 400 {
		t.Errorf("list: %+v", list)
	}
	m := ask[struct {
		Part  part
		Nodes []journeyapi.JourneyMapNode
		Edges []journeyapi.JourneyMapEdge
	}](s, auth.Analyst, "/card_activation/map", 200)
	starts, moves, felt := 0, 0, 0
	for _, n := range m.Nodes {
		starts += n.Starts
		felt += n.Scores
	}
	for _, e := range m.Edges {
		moves += e.Count
	}
	if m.Part.Cases != 400 || starts != 400 || moves != m.Part.Events-400 || felt == 0 || m.Edges[0].Wait.Median <= 0 {
		t.Errorf("map: %+v, %d starts, %d moves, %d scores", m.Part, starts, moves, felt)
	}
	v := ask[struct {
		Variants int
		Items    []journeyapi.JourneyWayTaken
	}](s, auth.Analyst, "/card_activation/variants?limit=1000", 200)
	cases := 0
	for _, x := range v.Items {
		cases += x.Cases
	}
	if cases != 400 || len(v.Items) != v.Variants || v.Items[0].Path[0] != "card_requested" {
		t.Errorf("variants: %d cases in %d of %d", cases, len(v.Items), v.Variants)
	}
	const steps = "step=card_requested&step=card_delivered&step=card_activated"
	f := ask[struct {
		Items []journeyapi.JourneyFunnelStep
	}](s, auth.Analyst, "/card_activation/funnel?"+steps, 200)
	stopped := ask[struct {
		Total int
		Items []journeyapi.JourneyCaseItem
	}](s, auth.Analyst, "/card_activation/cases?stopped=2&limit=5&"+steps, 200)
	if len(f.Items) != 3 || f.Items[0].Cases != 400 || f.Items[1].Lost != stopped.Total || len(stopped.Items) != 5 || f.Items[1].Cases-f.Items[2].Cases != f.Items[1].Lost+f.Items[1].Open {
		t.Errorf("funnel %+v; %d stopped", f.Items, stopped.Total)
	}
	h := ask[struct{ Items []journeyapi.JourneyHandoff }](s, auth.Analyst, "/card_activation/handoffs", 200)
	if len(h.Items) < 2 || h.Items[0].From == h.Items[0].To || h.Items[0].Lost.N != int64(h.Items[0].Count) {
		t.Errorf("handoffs: %+v", h.Items)
	}
	c := ask[struct {
		Items []journeyapi.JourneyMoveDifference
	}](s, auth.Analyst, "/card_activation/compare?side=channel&a=mobile_app&b=branch&with=card_requested", 200)
	if len(c.Items) == 0 {
		t.Errorf("compare: %+v", c)
	}
	bySegment := ask[struct {
		A int `json:"cases_a"`
		B int `json:"cases_b"`
	}](s, auth.Analyst, "/card_activation/compare?side=segment&a=branch", 200)
	if bySegment.A != 100 || bySegment.B != 300 {
		t.Errorf("compare by segment: %+v", bySegment)
	}
	now := ask[struct {
		Total int
		Steps []journeyapi.JourneyOpenAt
		Items []journeyapi.JourneyOpenCase
	}](s, auth.Analyst, "/card_activation/now?limit=1000", 200)
	open := 0
	for _, x := range now.Steps {
		open += x.Cases
	}
	if now.Total == 0 || open != now.Total || len(now.Items) != now.Total {
		t.Errorf("now: %d in %+v, %d listed", now.Total, now.Steps, len(now.Items))
	}
	filtered := ask[struct{ Part part }](s, auth.Analyst, "/card_activation/map?from=2000-01-01&to=2100-01-01&channel=courier&hide=card_approved&hide=card_delivered", 200)
	if n := len(filtered.Part.Filters); n != 3 || filtered.Part.Whole != 400 {
		t.Errorf("filters: %+v", filtered.Part)
	}
	for path, want := range map[string]int{"/nothing/map": 404, "/card_activation/map?from=never": 422, "/card_activation/funnel?mode=never": 422, "/card_activation/compare?side=unit&a=x&b=y": 422,
		"/card_activation/cases?segment=branch": 403, "/card_activation/map?segment=pair": 403, "/card_activation/map?channel=nowhere": 200, "/card_activation/now?channel=nowhere": 200,
		"/card_activation/cases?channel=nowhere": 200, "/card_activation/variants?channel=nowhere": 200, "/card_activation/handoffs?channel=nowhere": 200, "/card_activation/compare?channel=nowhere": 200, "/card_activation/funnel?channel=nowhere": 200} {
		ask[struct{}](s, auth.Analyst, path, want)
	}
}

// The designed journey lies over what happened: each step once, what is wrong with
// it beside it, and the cost of handling by channel.
func TestDesignOverObserved(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	body := s.get(auth.Analyst, "en", card+"?lay=design&show=time").Body.String()
	for _, want := range []string{"Thanks said", "never seen", "≤ 1", "cases that are over fit the design", "late 100%"} {
		if !strings.Contains(body, want) {
			t.Errorf("the overlay lacks %q", want)
		}
	}
	if plain := s.get(auth.Analyst, "en", card).Body.String(); !strings.Contains(plain, "lay=design") || strings.Contains(plain, "Thanks said") {
		t.Error("the plain map shows the design, or no way to it")
	}
}
