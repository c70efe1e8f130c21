package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"omote/analytics/rule"
	"omote/internal/customer/segment"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/platform/scope"
	"omote/internal/ui"
	"omote/internal/ui/chart"
)

// showView is what the page of a segment shows.
type showView struct {
	v        *segment.Version
	versions []*segment.Version
	figures  *segment.Figures
	words    phrase
	exit     *phrase
	text     string
	names    map[string]segment.Text
	mayEdit  bool
	waits    *approval.Request // for a second person
}

func (p Pages) show(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	id := r.PathValue("id")
	n, _ := strconv.Atoi(r.URL.Query().Get("version"))
	v, err := p.Segments.Get(ctx, id, n)
	if err != nil {
		return err
	}
	view := showView{v: v, mayEdit: auth.Require(ctx, segment.PermEdit, scope.Root) == nil}
	if view.versions, err = p.Segments.Versions(ctx, id); err != nil {
		return err
	}
	if view.waits, err = p.Segments.Waiting(ctx, id, v.Version); err != nil {
		return err
	}
	if view.figures, err = p.Segments.Figures(ctx, id); err != nil {
		return err
	}
	t, _, err := p.teller(ctx)
	if err != nil {
		return err
	}
	view.names = t.segments
	parsed, err := rule.Parse(v.Definition.Rule)
	if err != nil {
		return segment.RuleError("rule", err)
	}
	view.words, view.text = t.tell(ctx, &parsed), parsed.Lines()
	if v.Definition.Exit != "" {
		if exit, err := rule.Parse(v.Definition.Exit); err == nil {
			said := t.tell(ctx, &exit)
			view.exit = &said
		}
	}
	return ui.Render(w, r, showPage(p.showHead(ctx, view), view))
}

func (p Pages) showHead(ctx context.Context, view showView) ui.Page {
	d := view.v.Definition
	page := ui.Page{Title: d.Name.In(i18n.Locale(ctx)), At: ui.NavSegments, Crumbs: crumbs(ctx), Finding: view.finding(ctx)}
	page.Meta = []ui.Item{ui.Text(statusWord(ctx, view.v.Status)), ui.Text(i18n.T(ctx, "segment.show.version", "version", view.v.Version)),
		ui.Text(i18n.T(ctx, "segment.show.owner", "owner", role(ctx, d.Owner)))}
	if view.figures.Filling {
		page.Meta = append(page.Meta, ui.Text(i18n.T(ctx, "segment.show.filling")))
	}
	if auth.Require(ctx, segment.PermMember, scope.Root) == nil && view.v.Status == segment.Live {
		page.Actions = append(page.Actions, ui.ButtonProps{Label: i18n.T(ctx, "segment.show.members"), Href: segmentPath(d.ID) + "/members", Kind: ui.Ink, Key: "M"})
	}
	if view.mayEdit {
		page.Actions = append(page.Actions, ui.ButtonProps{Label: i18n.T(ctx, "segment.show.edit"), Href: segmentPath(d.ID) + "/edit", Key: "E"})
		if view.v.Status == segment.Live {
			page.Actions = append(page.Actions, ui.ButtonProps{Label: i18n.T(ctx, "segment.show.audience"), Href: audiencePath + "/new?segment=" + d.ID, Key: "A"})
		}
	}
	return page
}

// finding says what the figures come to.
func (v showView) finding(ctx context.Context) string {
	f := i18n.Fmt(ctx)
	st := v.figures.Stability
	switch {
	case v.waits != nil:
		return i18n.T(ctx, "segment.show.waits", "at", ui.When(ctx, v.waits.Expires))
	case v.v.Status == segment.Draft:
		return i18n.T(ctx, "segment.show.draft")
	case v.v.Status == segment.Filling:
		return i18n.T(ctx, "segment.show.filling")
	case v.v.Status == segment.Retired:
		return i18n.T(ctx, "segment.show.retired")
	case st.Then >= 30:
		low, high := segment.Wilson(st.Still, st.Then)
		return i18n.T(ctx, "segment.show.finding", "share", f.Percent(float64(st.Still)/float64(st.Then), 0), "interval", f.PercentInterval(low, high, 0))
	}
	return i18n.T(ctx, "segment.show.young")
}

func (v showView) figure(ctx context.Context) ui.FigureProps {
	f := i18n.Fmt(ctx)
	props := ui.FigureProps{Value: f.Int(v.figures.Members)}
	if n := len(v.figures.Sizes); n > 0 {
		last := v.figures.Sizes[n-1]
		if last.Customers > 0 {
			props.Interval = i18n.T(ctx, "segment.show.share", "share", f.Percent(float64(v.figures.Members)/float64(last.Customers), 1), "n", last.Customers)
		}
		if last.Unknown > 0 {
			props.Note = i18n.T(ctx, "segment.show.unknown", "count", last.Unknown)
		}
	}
	return props
}

func (v showView) sizes(ctx context.Context, zone *time.Location) chart.TimeProps {
	f := i18n.Fmt(ctx)
	props := chart.TimeProps{ID: "sizes", Label: i18n.T(ctx, "segment.show.sizes"), Format: func(x float64) string { return f.Decimal(x, 0) }, FromZero: true, Cols: 8,
		ValueName: i18n.T(ctx, "segment.list.members")}
	for _, s := range v.figures.Sizes {
		props.Points = append(props.Points, chart.Point{At: s.At.In(zone), Value: float64(s.Members), N: s.Customers})
	}
	return props
}

func (v showView) overlap(ctx context.Context) chart.BarsProps {
	f := i18n.Fmt(ctx)
	props := chart.BarsProps{ID: "overlap", Label: i18n.T(ctx, "segment.show.overlap"), Max: 1, Format: func(x float64) string { return f.Percent(x, 0) }}
	for i, s := range v.figures.Overlap {
		if i == 8 || v.figures.Members == 0 {
			break
		}
		props.Items = append(props.Items, chart.BarItem{Name: v.names[s.ID].In(i18n.Locale(ctx)), Href: segmentPath(s.ID), Value: min(1, float64(s.Both)/float64(v.figures.Members)), N: s.Both})
	}
	return props
}

func (v showView) facts(ctx context.Context) []ui.KeyValue {
	f := i18n.Fmt(ctx)
	d, st := v.v.Definition, v.figures.Stability
	var out []ui.KeyValue
	add := func(key, value string) {
		if value != "" {
			out = append(out, ui.KeyValue{Key: i18n.T(ctx, key), Value: value})
		}
	}
	if st.Then > 0 {
		low, high := segment.Wilson(st.Still, st.Then)
		add("segment.show.stable", i18n.T(ctx, "segment.show.stable_value", "share", f.Percent(float64(st.Still)/float64(st.Then), 0), "interval", f.PercentInterval(low, high, 0), "n", st.Then))
	}
	add("segment.show.moved", i18n.T(ctx, "segment.show.moved_value", "in", st.Entered, "out", st.Departed))
	if d.Hold > 0 {
		add("segment.show.hold", f.Duration(d.Hold.Duration()))
	}
	add("segment.show.group", d.Group)
	var uses []string
	for _, u := range d.Uses {
		uses = append(uses, i18n.T(ctx, "segment.use."+u))
	}
	add("segment.show.uses", strings.Join(uses, ", "))
	add("segment.show.forbidden", strings.Join(d.Forbidden, ", "))
	add("segment.show.metrics", strings.Join(d.Metrics, ", "))
	if d.Review > 0 && !v.v.LiveAt.IsZero() {
		add("segment.show.review", f.Date(v.v.LiveAt.AddDate(0, 0, d.Review)))
	}
	return out
}

func (v showView) versionTable(ctx context.Context) ui.TableProps {
	columns := []ui.Column{{Key: "version", Label: i18n.T(ctx, "segment.versions.version")}, {Key: "status", Label: i18n.T(ctx, "segment.list.status")},
		{Key: "rule", Label: i18n.T(ctx, "segment.versions.rule"), Wide: true}, {Key: "reason", Label: i18n.T(ctx, "segment.versions.reason")}, {Key: "at", Label: i18n.T(ctx, "segment.versions.at")}}
	var rows []ui.Row
	for _, one := range v.versions {
		row := ui.Row{ID: strconv.Itoa(one.Version), Cells: []ui.Cell{
			{Text: strconv.Itoa(one.Version), Href: segmentPath(one.Definition.ID) + "?version=" + strconv.Itoa(one.Version)},
			{Text: statusWord(ctx, one.Status), Mute: one.Status != segment.Live}, {Text: one.Definition.Rule}, {Text: one.Reason}, {Text: ui.When(ctx, one.CreatedAt)}}}
		rows = append(rows, row)
	}
	return ui.TableProps{ID: "versions", Label: i18n.T(ctx, "segment.versions.title"), Columns: columns, Rows: rows}
}

func (p Pages) activate(w http.ResponseWriter, r *http.Request) error {
	n, _ := strconv.Atoi(r.FormValue("version"))
	waits, err := p.Segments.Activate(r.Context(), r.PathValue("id"), n)
	if err != nil {
		return err
	}
	at := segmentPath(r.PathValue("id"))
	if waits != "" {
		at += "?version=" + strconv.Itoa(n)
	}
	return see(w, r, at)
}

func (p Pages) retire(w http.ResponseWriter, r *http.Request) error {
	if err := p.Segments.Retire(r.Context(), r.PathValue("id"), r.FormValue("reason")); err != nil {
		return err
	}
	return see(w, r, segmentPath(r.PathValue("id")))
}

const memberPage = 50

func (p Pages) members(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	id := r.PathValue("id")
	v, err := p.Segments.Get(ctx, id, 0)
	if err != nil {
		return err
	}
	columns := []ui.Column{{Key: "customer", Label: i18n.T(ctx, "segment.members.customer")}, {Key: "since", Label: i18n.T(ctx, "segment.members.since")},
		{Key: "stay", Label: i18n.T(ctx, "segment.members.stay"), Numeric: true}, {Key: "cause", Label: i18n.T(ctx, "segment.members.cause")}}
	q := ui.QueryTable(r, "", columns, "")
	page, err := p.Segments.Members(ctx, id, q.After, memberPage)
	if err != nil {
		return err
	}
	ids := make([]string, len(page.Items))
	for i, m := range page.Items {
		ids[i] = m.CustomerID
	}
	names := map[string]string{}
	if p.Names != nil {
		if names, err = p.Names(ctx, ids); err != nil {
			return err
		}
	}
	f, now := i18n.Fmt(ctx), p.Clock.Now()
	var rows []ui.Row
	for _, m := range page.Items {
		cell := ui.Cell{Text: names[m.CustomerID], Sub: short(m.CustomerID)}
		if cell.Text == "" {
			cell = ui.Cell{Text: short(m.CustomerID)}
		}
		if p.CustomerPath != nil {
			cell.Href = p.CustomerPath(m.CustomerID)
		}
		rows = append(rows, ui.Row{ID: m.CustomerID, Cells: []ui.Cell{cell, {Text: ui.When(ctx, m.Entered)}, {Text: f.DurationShort(now.Sub(m.Entered).Truncate(time.Minute))},
			{Text: i18n.T(ctx, "segment.cause."+string(m.Cause))}}})
	}
	figures, err := p.Segments.Figures(ctx, id)
	if err != nil {
		return err
	}
	name := v.Definition.Name.In(i18n.Locale(ctx))
	head := ui.Page{Title: i18n.T(ctx, "segment.members.title"), At: ui.NavSegments, Crumbs: crumbs(ctx, ui.Link{Label: name, Href: segmentPath(id)}),
		Finding: i18n.T(ctx, "segment.members.finding", "count", figures.Members, "name", name), Meta: []ui.Item{ui.Text(i18n.T(ctx, "segment.members.masked"))}}
	if auth.Require(ctx, segment.PermExport, scope.Root) == nil {
		head.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "segment.members.export"), Href: segmentPath(id) + "/export"}}
	}
	table := ui.TableProps{Label: head.Title, Columns: columns, Rows: rows, Query: q, Next: page.Next, Prev: q.After != "",
		Empty: ui.Empty(ui.EmptyProps{Title: i18n.T(ctx, "segment.members.none"), Text: i18n.T(ctx, "segment.members.none_text")})}
	return ui.Render(w, r, listPage(head, table))
}

// short is as much of a customer's pseudonym as tells two apart on a page.
func short(id string) string { return strings.ToUpper(id[:min(8, len(id))]) }

// export gives all members as CSV: pseudonyms and when they entered.
func (p Pages) export(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	id := r.PathValue("id")
	var out [][]string
	err := p.Segments.Export(ctx, id, func(m segment.Member) error {
		out = append(out, []string{m.CustomerID, m.Entered.UTC().Format(time.RFC3339), string(m.Cause)})
		return nil
	})
	if err != nil {
		return err
	}
	columns := []ui.Column{{Label: "customer_id"}, {Label: "entered"}, {Label: "cause"}}
	return ui.WriteCSV(w, id+".csv", columns, func(yield func([]string) bool) {
		for _, row := range out {
			if !yield(row) {
				return
			}
		}
	})
}
