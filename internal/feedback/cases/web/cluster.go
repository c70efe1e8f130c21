package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"omote/internal/feedback/cases"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
	"omote/internal/ui/chart"
)

const clustersPath = queuePath + "/clusters"

// clusters are problems with more cases than their past explains.
func (p Pages) clusters(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	found, err := p.Cases.Clusters(ctx, 100)
	if err != nil {
		return err
	}
	content, err := p.Cases.Content(ctx)
	if err != nil {
		return err
	}
	f := i18n.Fmt(ctx)
	columns := []ui.Column{{Key: "cause", Label: i18n.T(ctx, "feedback.cluster.problem"), Wide: true}, {Key: "n", Label: i18n.T(ctx, "feedback.cluster.observed"), Numeric: true},
		{Key: "expected", Label: i18n.T(ctx, "feedback.cluster.expected"), Numeric: true}, {Key: "customers", Label: i18n.T(ctx, "feedback.cluster.customers"), Numeric: true},
		{Key: "at", Label: i18n.T(ctx, "feedback.cluster.at"), Narrow: true}, {Key: "state", Label: i18n.T(ctx, "feedback.cluster.state"), Narrow: true}}
	t := ui.TableProps{Label: i18n.T(ctx, "feedback.cluster.title"), Columns: columns, Query: ui.QueryTable(r, "", columns, "-at"),
		Empty: ui.Empty(ui.EmptyProps{Kind: ui.EmptyGood, Title: i18n.T(ctx, "feedback.cluster.none"), Text: i18n.T(ctx, "feedback.cluster.none.text")})}
	for _, c := range found {
		t.Rows = append(t.Rows, ui.Row{ID: c.ID, Cells: []ui.Cell{{Text: problemName(ctx, content, c.Cause), Sub: productName(ctx, c.Product), Href: clustersPath + "/" + c.ID}, {Text: f.Int(c.Observed), Care: c.State == cases.ClusterFound},
			{Text: f.Decimal(c.Expected, 1) + " (≤ " + f.Decimal(c.Bound, 0) + ")"}, {Text: f.Int(c.Customers)}, {Text: f.Date(c.At.In(p.Zone))},
			{Text: i18n.T(ctx, "feedback.cluster.state."+string(c.State)), Mute: c.State == cases.ClusterExplained}}})
	}
	page := ui.Page{Title: i18n.T(ctx, "feedback.cluster.title"), At: ui.NavCases, Crumbs: []ui.Link{{Label: i18n.T(ctx, "feedback.case.queue"), Href: queuePath}}, Finding: i18n.T(ctx, "feedback.cluster.rule")}
	return ui.Render(w, r, clustersPage(page, t))
}

func (p Pages) findClusters(w http.ResponseWriter, r *http.Request) error {
	_, err := p.Cases.FindClusters(r.Context())
	return back(w, r, clustersPath, err)
}

type clusterView struct {
	cases.ClusterView
	content  *cases.Content
	table    ui.TableProps
	weeks    chart.BarsProps
	said     string
	may      bool
	held     string
	people   map[string]string
	problem  string
	agreedAs string
}

// cluster is the page of a huddle: how many more than usual, the cases themselves, what
// was agreed on, and the change that comes of it.
func (p Pages) cluster(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	found, err := p.Cases.Cluster(ctx, r.PathValue("cluster"))
	if err != nil {
		return err
	}
	v := clusterView{ClusterView: found, said: said(w, r), may: auth.Can(ctx, cases.PermLead), people: p.People(ctx)}
	if v.content, err = p.Cases.Content(ctx); err != nil {
		return err
	}
	v.problem, v.agreedAs = problemName(ctx, v.content, v.Cause), problemName(ctx, v.content, v.Agreed)
	f := i18n.Fmt(ctx)
	for i, n := range v.Weeks {
		state := ui.Noise
		if float64(n) > v.Bound {
			state = ui.Worse
		}
		start := v.At.AddDate(0, 0, -7*(len(v.Weeks)-i)).In(p.Zone)
		v.weeks.Items = append(v.weeks.Items, chart.BarItem{Name: i18n.T(ctx, "feedback.cluster.week", "from", f.Date(start)), Value: float64(n), N: n, State: state})
	}
	v.weeks.ID, v.weeks.Label = "weeks", i18n.T(ctx, "feedback.cluster.weeks")
	units := p.Units(ctx)
	columns := []ui.Column{{Key: "case", Label: i18n.T(ctx, "feedback.case.column.case")}, {Key: "problem", Label: i18n.T(ctx, "feedback.case.column.problem"), Wide: true},
		{Key: "unit", Label: i18n.T(ctx, "feedback.case.column.unit")}, {Key: "state", Label: i18n.T(ctx, "feedback.case.column.state"), Narrow: true}}
	v.table = ui.TableProps{Label: i18n.T(ctx, "feedback.cluster.cases"), Columns: columns, Query: ui.QueryTable(r, "", columns, "case")}
	for _, c := range v.Seen[:min(len(v.Seen), 200)] {
		v.table.Rows = append(v.table.Rows, ui.Row{ID: c.ID, Cells: []ui.Cell{{Text: c.Ref(), Sub: f.Date(c.Opened.Time().In(p.Zone)), Href: casePath(c.ID)}, {Text: c.Title.Plain, Sub: word(ctx, "channel", c.Channel)},
			{Text: nameOf(units, c.Unit, c.Unit)}, {Text: word(ctx, "state", string(c.State))}}})
	}
	v.table.Foot = i18n.T(ctx, "feedback.cluster.foot", "shown", len(v.table.Rows), "count", len(v.Cases))
	if !v.Held.IsZero() {
		v.held = i18n.T(ctx, "feedback.cluster.held", "who", nameOf(v.people, strings.TrimPrefix(v.By, "account:"), v.By), "when", ui.When(ctx, v.Held))
	}
	page := ui.Page{Title: v.problem, At: ui.NavCases, Crumbs: []ui.Link{{Label: i18n.T(ctx, "feedback.case.queue"), Href: queuePath}, {Label: i18n.T(ctx, "feedback.cluster.title"), Href: clustersPath}},
		Finding: i18n.T(ctx, "feedback.cluster.finding", "n", f.Int(v.Observed), "customers", f.Int(v.Customers), "expected", f.Decimal(v.Expected, 1), "bound", f.Decimal(v.Bound, 0)),
		Meta:    []ui.Item{ui.Text(productName(ctx, v.Product)), ui.Text(nameOf(units, v.Unit, v.Unit)), ui.Text(i18n.T(ctx, "feedback.cluster.state."+string(v.State)))}}
	return ui.Render(w, r, clusterPage(page, v))
}

func (v clusterView) causes(ctx context.Context) []ui.Option {
	out := []ui.Option{{Label: i18n.T(ctx, "feedback.case.choose")}}
	for _, c := range v.content.Causes {
		out = append(out, ui.Option{Value: c.ID, Label: c.In(i18n.Locale(ctx))})
	}
	return out
}

// huddle keeps what was agreed on, or proposes the change.
func (p Pages) huddle(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("cluster")
	if r.FormValue("do") == "propose" {
		days, _ := strconv.Atoi(trim(r.FormValue("days")))
		initiative, err := p.Cases.ProposeChange(ctx, id, cases.Change{TitleEN: trim(r.FormValue("title_en")), TitleVI: trim(r.FormValue("title_vi")), Why: trim(r.FormValue("why")), Days: days})
		if err == nil {
			return seeOther(w, r, "/governance/initiatives/"+initiative)
		}
		return back(w, r, clustersPath+"/"+id, err)
	}
	err := p.Cases.Huddle(ctx, id, cases.Huddle{Cause: r.FormValue("cause"), Words: r.FormValue("words"), Explained: r.FormValue("explained") == "1"})
	return back(w, r, clustersPath+"/"+id, err)
}

// productName names a product; the bank's own codes come with its feeds.
func productName(ctx context.Context, product string) string {
	if product == "" {
		return ""
	}
	if key := "feedback.case.product." + product; i18n.From(ctx).Has(key) {
		return i18n.T(ctx, key)
	}
	return strings.ReplaceAll(product, "_", " ")
}

func problemName(ctx context.Context, content *cases.Content, id string) string {
	for _, c := range content.Causes {
		if c.ID == id {
			return c.In(i18n.Locale(ctx))
		}
	}
	if i18n.From(ctx).Has("feedback.case.reason." + id) {
		return i18n.T(ctx, "feedback.case.reason."+id)
	}
	return id
}
