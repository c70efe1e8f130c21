package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"omote/internal/app"
	"omote/internal/customer/identity"
	"omote/internal/platform/auth"
	"omote/internal/platform/event"
	"omote/internal/platform/i18n"
	"omote/internal/platform/scope"
	"omote/internal/testkit/browser"
	"omote/internal/ui"
)

// bankOfTwo feeds two invented people whom several systems know, with a year of
// events, a survey answer and a device.
func bankOfTwo(t *testing.T, a *app.App, ctx context.Context) {
	t.Helper()
	now := time.Now().Add(-time.Hour)
	var events []event.Event
	n := 0
	add := func(e event.Event) {
		n++
		e.Entity, e.MessageID = scope.DefaultEntity, fmt.Sprintf("m%d", n)
		e.Source, e.ReceivedAt = e.System, now.UnixMicro()+int64(n)
		if e.At == 0 {
			e.At = now.UnixMicro()
		}
		events = append(events, e)
	}
	says := func(system, id, traits string) {
		add(event.Event{Kind: event.Identify, System: system, UserID: id, Traits: json.RawMessage(traits)})
	}
	says("core", "C100", `{"name":"Nguyễn Thị Hồng","phone":"0903004321","citizen_id":"901199003456","birth_date":"1985-03-09","address":"12 Phố Ví Dụ, Phường Mẫu, Hà Nội","gender":"F","created_at":"2019-04-30"}`)
	says("crm", "700001", `{"name":"NGUYEN THI HONG","phone":"+84 903 004 321","birth_date":"1985-09-03","email":"hong@vi-du.example","preferred_channel":"zalo"}`)
	says("card", "K55", `{"name":"NGUYEN T HONG","phone":"0903004321","citizen_id":"901199003456"}`)
	says("core", "C200", `{"name":"Nguyễn Văn Mẫu","phone":"0903008888","citizen_id":"901199009999","address":"12 phố ví dụ, phường mẫu, hà nội"}`)
	for i := range 120 {
		add(event.Event{Kind: event.Track, Name: "transfer_credited", System: "core", UserID: "C100", At: now.Add(-time.Duration(i) * 60 * time.Hour).UnixMicro(), Channel: "mobile_app",
			Journey: "everyday_transfer", Case: fmt.Sprint("k", i), Amount: 1_250_000, Currency: "VND"})
	}
	add(event.Event{Kind: event.Track, Name: "complaint_filed", System: "crm", UserID: "700001", At: now.Add(-50 * time.Hour).UnixMicro(), Channel: "contact_centre", Journey: "complaint", Case: "kn1"})
	add(event.Event{Kind: event.Track, Name: "survey_answered", System: "crm", UserID: "700001", At: now.Add(-40 * time.Hour).UnixMicro(), Channel: "zalo",
		Props: json.RawMessage(`{"instrument":"rel_nps","item":"rn_score","score":3,"comment":"Chờ lâu quá, gọi ba lần mới gặp được người"}`)})
	add(event.Event{Kind: event.Track, Name: "month_end_recorded", System: "core", UserID: "C100", At: now.Add(-300 * time.Hour).UnixMicro(), Currency: "VND",
		Props: json.RawMessage(`{"revenue":412000,"cost_to_serve":98000,"products":["current_account","debit_card"]}`)})
	add(event.Event{Kind: event.Page, Name: "login_succeeded", System: "app", UserID: "A9", AnonymousID: "d1", Channel: "mobile_app"})
	receipt, err := a.Log.Append(ctx, events)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{a.State.Name(), a.Warehouse.Name()} {
		if err := a.Log.WaitFor(ctx, name, receipt); err != nil {
			t.Fatal(err)
		}
	}
}

// customersIn counts the customers behind facts as metrics do.
func customersIn(t *testing.T, s *running) (n int64) {
	t.Helper()
	rows, err := s.Warehouse.Query(s.ctx, `SELECT count(DISTINCT customer_id) FROM {event_customer}`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func waitCustomers(t *testing.T, s *running, want int64) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		got := customersIn(t, s)
		if got == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the warehouse counts %d customers, want %d", got, want)
		}
	}
}

// TestWarehouseFollowsMergesAndUnmerges counts customers by facts while people
// merge, unmerge and undo.
func TestWarehouseFollowsMergesAndUnmerges(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	bankOfTwo(t, s.App, s.ctx)
	id := func(record string) string { return s.Names.Record(scope.DefaultEntity, record).String() }
	decide := identity.NewService(s.Store)
	waitCustomers(t, s, 3) // Hồng of three systems, Mẫu, and the app's user with their device
	merged, err := decide.Merge(s.ctx, identity.Pair{A: id("core:C200"), B: id("crm:700001")}, "test")
	if err != nil {
		t.Fatal(err)
	}
	waitCustomers(t, s, 2)
	if _, err := decide.Unmerge(s.ctx, id("core:C100"), []string{id("card:K55")}, "test"); err != nil {
		t.Fatal(err)
	}
	waitCustomers(t, s, 3)
	h, err := decide.History(s.ctx, id("core:C100"))
	if err != nil {
		t.Fatal(err)
	}
	for _, act := range []string{h.Acts[0].ID, merged.ID} {
		if _, err := decide.Undo(s.ctx, act, "test"); err != nil {
			t.Fatal(err)
		}
	}
	waitCustomers(t, s, 3)
}

// TestStewardAndAgent follows two tasks in a real browser: an agent finds a
// customer by name and number and reads their story; a steward takes a record
// out and back.
func TestStewardAndAgent(t *testing.T) {
	b := browser.Start(t)
	s := start(t, t.TempDir())
	session := addPerson(t, s)
	bankOfTwo(t, s.App, s.ctx)
	base := "http://" + s.address
	signed := func(v browser.Viewport, lang, theme string) *browser.Page {
		p := b.Open(base, v)
		p.Goto("/sign-in")
		p.Cookie((&auth.Web{}).CookieName(), session)
		p.Cookie(i18n.CookieName, lang)
		p.Cookie(ui.ThemeCookie, theme)
		return p
	}
	p := signed(browser.Desk, "en", "light")
	p.Goto("/customer/customers")
	p.Type("main input[name=q]", "hong nguyen")
	p.Press("Enter")
	p.WaitText("Nguyễn Thị Hồng")
	p.Shot("customers-found")
	p.ClickText("Nguyễn Thị Hồng")
	p.WaitText("Timeline")
	customer := p.Path()
	if text := p.Text("main"); strings.Contains(text, "0903004321") || strings.Contains(text, "901199003456") || !strings.Contains(text, "321") {
		t.Error("identifiers are not masked")
	}
	p.ClickText("Identifiers are masked. State a purpose to see them")
	p.Click(`form[action$="/purpose"] button[type=submit]`)
	p.WaitText("Identifiers are shown for")
	if text := p.Text("main"); !strings.Contains(text, "0903004321") || strings.Contains(text, "901199003456") {
		t.Error("serving opens the phone and not the citizen id")
	}
	p.WaitText("Chờ lâu quá")
	p.AssertSound()
	p.Goto(customer + "/identity")
	p.WaitText("same citizen id")
	p.Click("#record-1")
	p.Type("#unmerge-reason", "the card is her mother's")
	p.ClickText("Take out")
	p.WaitText("Undo")
	p.Shot("identity-unmerged")
	p.ClickText("Undo")
	p.WaitText("taken back by")
	p.AssertSound()
	for _, l := range looks() {
		p := signed(l.view, l.lang, l.theme)
		for name, path := range map[string]string{"customers": "/customer/customers", "customers-query": "/customer/customers?q=4321", "customers-none": "/customer/customers?q=xyz",
			"customer": customer, "customer-complaints": customer + "?journey=complaint", "customer-identity": customer + "/identity"} {
			p.Goto(path)
			p.AssertSound()
			p.Shot(strings.Join([]string{name, l.size, l.lang, l.theme}, "-"))
		}
	}
}
