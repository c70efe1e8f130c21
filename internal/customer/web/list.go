package web

import (
	"context"
	"net/http"
	"strings"

	"omote/analytics/stats"
	"omote/internal/customer/profile"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// listView is the search with what it found, or the figures over all customers.
type listView struct {
	query  string
	table  ui.TableProps
	found  int
	more   bool
	wrong  string
	counts profile.Counts
	facts  []ui.KeyValue
	joined ui.FigureProps
}

func (p Pages) list(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := listView{query: strings.TrimSpace(r.URL.Query().Get("q"))}
	page := ui.Page{Title: i18n.T(ctx, "customer.list.title"), At: ui.NavCustomers}
	status := http.StatusOK
	if v.query != "" {
		found, err := p.Profile.Find(ctx, v.query, 0)
		switch errs.KindOf(err) {
		case errs.KindTooLarge:
			v.wrong, status = i18n.Error(ctx, err), http.StatusUnprocessableEntity
		default:
			if err != nil {
				return err
			}
		}
		v.found, v.more = len(found.Items), found.More
		v.table = p.foundTable(ctx, r, found)
		page.Finding = i18n.T(ctx, "customer.list.found", "count", len(found.Items))
		if found.More {
			page.Finding = i18n.T(ctx, "customer.list.found.more", "n", len(found.Items))
		}
		return ui.RenderStatus(w, r, status, listPage(page, v))
	}
	var err error
	if v.counts, err = p.Profile.Counts(ctx); err != nil {
		return err
	}
	c, f := v.counts, i18n.Fmt(ctx)
	if c.Customers > 0 {
		page.Finding = i18n.T(ctx, "customer.list.finding", "count", c.Customers, "records", c.Records, "systems", c.Systems)
	}
	v.facts = []ui.KeyValue{
		{Key: i18n.T(ctx, "customer.list.records"), Value: f.Int(c.Records)},
		{Key: i18n.T(ctx, "customer.list.merged"), Value: f.Int(c.Merged)},
		{Key: i18n.T(ctx, "customer.list.per"), Value: f.Decimal(ratio(c.Records, c.Customers), 2)},
	}
	if c.Devices > 0 {
		share := stats.Proportion(c.Joined, c.Devices, 0.95)
		v.joined = ui.FigureProps{Value: f.Percent(ratio(c.Joined, c.Devices), 1), Interval: f.PercentInterval(share.Low, share.High, 1),
			Note: i18n.T(ctx, "customer.list.joined.note", "count", c.Devices, "prospects", c.Prospects())}
	}
	return ui.Render(w, r, listPage(page, v))
}

func ratio(a, b int64) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func (p Pages) foundTable(ctx context.Context, r *http.Request, found profile.Results) ui.TableProps {
	columns := []ui.Column{
		{Key: "name", Label: i18n.T(ctx, "customer.word"), Wide: true},
		{Key: "phone", Label: word(ctx, "attribute", "phone"), Numeric: true},
		{Key: "citizen", Label: word(ctx, "attribute", "citizen_id"), Numeric: true},
		{Key: "born", Label: word(ctx, "attribute", "birth_date"), Numeric: true},
		{Key: "place", Label: word(ctx, "attribute", "address")},
		{Key: "systems", Label: i18n.T(ctx, "customer.systems")},
		{Key: "seen", Label: i18n.T(ctx, "customer.last_seen"), Numeric: true},
	}
	t := ui.TableProps{Label: i18n.T(ctx, "customer.list.title"), Columns: columns, Query: ui.QueryTable(r, "", columns, "")}
	for _, s := range found.Items {
		name := s.Name
		if name == "" {
			name = i18n.T(ctx, "customer.nameless")
		}
		sub := ""
		switch {
		case s.Closed:
			sub = i18n.T(ctx, "customer.closed.short")
		case s.Prospect:
			sub = i18n.T(ctx, "customer.prospect")
		}
		t.Rows = append(t.Rows, ui.Row{ID: s.ID, Cells: []ui.Cell{
			{Text: name, Sub: sub, Href: customerPath(s.ID)},
			{Text: s.Value("phone")}, {Text: s.Value("citizen_id")}, {Text: s.Value("birth_date")}, {Text: s.Value("address")},
			{Text: systems(ctx, s.Systems())}, {Text: p.ago(ctx, s.LastSeen)}}})
	}
	return t
}

func systems(ctx context.Context, names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = word(ctx, "system", n)
	}
	return strings.Join(out, ", ")
}
