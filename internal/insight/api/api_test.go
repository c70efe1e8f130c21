package api_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"omote/internal/insight"
	"omote/internal/insight/api"
	"omote/internal/insight/metric"
	"omote/internal/insight/packs"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/warehouse"
	"omote/internal/testkit"
)

// door is the API over a registry with answers of one week.
type door struct {
	t   *testing.T
	mux *http.ServeMux
}

func newDoor(t *testing.T) *door {
	t.Helper()
	db := testkit.SQLite(t, insight.Migrations, audit.Migrations)
	maker, err := pseudonym.New(t.Context(), testkit.Keys(t))
	if err != nil {
		t.Fatal(err)
	}
	w, err := warehouse.Open(t.Context(), warehouse.Options{Dir: t.TempDir(), Pseudonyms: maker, Clock: db.Clock(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	b := eventlog.Batch{First: 1, Last: 1}
	for i := range 300 {
		at := testkit.Epoch.Add(-time.Duration(i) * time.Hour).UnixMicro()
		b.Records = append(b.Records, eventlog.Record{Seq: 1, Index: i, Event: event.Event{Source: "app", MessageID: fmt.Sprint(i), Entity: scope.DefaultEntity,
			Kind: event.Track, Name: "survey_answered", UserID: fmt.Sprint(i), At: at, ReceivedAt: at, Unit: []string{"hn1", "sg1"}[i%2],
			Props: fmt.Appendf(nil, `{"instrument":"rel_nps","item":"rn_score","score":%d}`, i%11)}})
	}
	if err := w.Apply(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	svc := metric.NewService(db, w)
	p, err := metric.ParsePack(packs.Metrics)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := svc.Install(testkit.Context(t), p); err != nil {
		t.Fatal(err)
	}
	d := &door{t, http.NewServeMux()}
	api.Register(humago.New(d.mux, huma.DefaultConfig("test", "1")), svc)
	return d
}

// call sends a request as a person with a role and decodes the answer.
func (d *door) call(role auth.Role, method, path, body string, want int) map[string]any {
	d.t.Helper()
	r := httptest.NewRequestWithContext(auth.WithActor(d.t.Context(), auth.Actor{Kind: auth.Person, ID: string(role), Entity: scope.DefaultEntity,
		Grants: []auth.Grant{{Role: role, Unit: scope.Root}}}), method, "/api/v1/metrics"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, r)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != want {
		d.t.Fatalf("%s %s: %d, want %d: %s (%v)", method, path, w.Code, want, w.Body, err)
	}
	return out
}

func TestReading(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	list := d.call(auth.Analyst, "GET", "?q=nps&limit=2", "", 200)
	if len(list["items"].([]any)) != 2 || list["next"] == nil {
		t.Errorf("list: %v", list)
	}
	one := d.call(auth.Analyst, "GET", "/nps_relationship", "", 200)
	if one["version"] != 1.0 || one["definition"].(map[string]any)["answers"].(map[string]any)["instrument"] != "rel_nps" {
		t.Errorf("one: %v", one)
	}
	d.call(auth.Analyst, "GET", "/nothing", "", 404)
	const period = "from=2025-12-20&to=2026-01-06"
	s := d.call(auth.Analyst, "GET", "/nps_relationship/series?granularity=total&"+period, "", 200)
	p := s["points"].([]any)[0].(map[string]any)
	if p["state"] != "ok" || p["n"] != 300.0 || p["low"].(float64) >= p["value"].(float64) || p["high"].(float64) <= p["value"].(float64) {
		t.Errorf("series: %v", s)
	}
	s = d.call(auth.Analyst, "GET", "/nps_relationship/series?granularity=day&"+period, "", 200)
	for _, p := range s["points"].([]any) {
		if p := p.(map[string]any); p["state"] == "ok" || p["value"] != nil {
			t.Errorf("a day with few answers shows a figure: %v", p)
		}
	}
	f := d.call(auth.Analyst, "GET", "/nps_relationship/funnel?by=unit&"+period, "", 200)
	if len(f["points"].([]any)) != 2 || f["points"].([]any)[0].(map[string]any)["limits"] == nil {
		t.Errorf("funnel: %v", f)
	}
	where := url.QueryEscape(`{"field":"unit","eq":"hn1"}`)
	rows := d.call(auth.Analyst, "GET", "/nps_relationship/rows?limit=3&where="+where+"&"+period, "", 200)
	if len(rows["items"].([]any)) != 3 || rows["next"] == nil || rows["items"].([]any)[0].(map[string]any)["unit"] != "hn1" {
		t.Errorf("rows: %v", rows)
	}
	for _, path := range []string{
		"/nps_relationship/series?granularity=day&from=2026-01-01&to=2026-01-01",
		"/nps_relationship/series?granularity=year&" + period,
		"/nps_relationship/series?by=secret&" + period,
		"/nps_relationship/series?where=%7B&" + period,
		"/nps_relationship/series?from=2026-01-32&to=2026-02-01",
		"/nps_relationship/rows?after=x&" + period,
	} {
		d.call(auth.Analyst, "GET", path, "", 422)
	}
}

func TestProposing(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	def := `{"id":"nps_app","kind":"nps","name":{"en":"App NPS","vi":"NPS ứng dụng"},"unit":"points","direction":"higher","min_n":30,"owner":"digital_squad",
"fresh":"P7D","answers":{"instrument":"rel_nps","item":"rn_score","where":{"field":"channel","eq":"app"}}}`
	body := func(def string) string {
		return `{"definition":` + def + `,"reason":"the app is a channel of its own"}`
	}
	d.call(auth.Agent, "POST", "", body(def), 403)
	d.call(auth.Analyst, "POST", "", body(strings.Replace(def, `"min_n":30`, `"min_n":1`, 1)), 422)
	d.call(auth.Analyst, "POST", "", body(strings.Replace(def, `"min_n":30`, `"min_n":30,"surprise":1`, 1)), 422)
	made := d.call(auth.Analyst, "POST", "", body(def), 200)
	if made["status"] != "proposed" || made["version"] != 1.0 {
		t.Errorf("proposed: %v", made)
	}
	d.call(auth.Analyst, "POST", "", body(def), 409)
	if waiting := d.call(auth.Analyst, "GET", "/proposals", "", 200); len(waiting["items"].([]any)) != 1 {
		t.Errorf("waiting: %v", waiting)
	}
	preview := d.call(auth.Analyst, "POST", "/preview", `{"definition":`+def+`,"from":"2026-01-01","to":"2026-01-06","granularity":"total"}`, 200)
	if preview["points"].([]any)[0].(map[string]any)["state"] != "none" {
		t.Errorf("preview: %v", preview)
	}
	d.call(auth.Analyst, "POST", "/nps_app/versions/1/approve", `{}`, 403)
	d.call(auth.CXLead, "POST", "/nps_app/versions/1/reject", `{}`, 422)
	if ok := d.call(auth.CXLead, "POST", "/nps_app/versions/1/approve", `{"reason":"agreed"}`, 200); ok["status"] != "live" {
		t.Errorf("approved: %v", ok)
	}
	d.call(auth.CXLead, "POST", "/nps_app/versions/1/approve", `{}`, 409)
	d.call(auth.Analyst, "POST", "", body(strings.Replace(def, `"min_n":30`, `"min_n":40`, 1)), 200)
	changes := d.call(auth.Analyst, "GET", "/nps_app/compare?before=1&after=2&granularity=month&from=2026-01-01&to=2026-02-01", "", 200)
	if c := changes["changes"].([]any); len(c) != 1 || c[0].(map[string]any)["path"] != "min_n" {
		t.Errorf("changes: %v", changes)
	}
	d.call(auth.CXLead, "POST", "/nps_app/versions/2/withdraw", ``, 403)
	d.call(auth.Analyst, "POST", "/nps_app/versions/2/withdraw", ``, 200)
	if h := d.call(auth.Analyst, "GET", "/nps_app/versions", "", 200); len(h["items"].([]any)) != 2 {
		t.Errorf("history: %v", h)
	}
}
