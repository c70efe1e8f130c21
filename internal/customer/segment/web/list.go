package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/a-h/templ"

	"omote/internal/customer/segment"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/platform/scope"
	"omote/internal/ui"
	"omote/internal/ui/chart"
)

func listColumns(ctx context.Context) []ui.Column {
	return []ui.Column{
		{Key: "name", Label: i18n.T(ctx, "segment.list.name"), Sortable: true},
		{Key: "members", Label: i18n.T(ctx, "segment.list.members"), Numeric: true, Sortable: true},
		{Key: "share", Label: i18n.T(ctx, "segment.list.share"), Numeric: true},
		{Key: "trend", Label: i18n.T(ctx, "segment.list.trend"), Optional: true},
		{Key: "status", Label: i18n.T(ctx, "segment.list.status"), Sortable: true},
		{Key: "owner", Label: i18n.T(ctx, "segment.list.owner"), Optional: true},
	}
}

func (p Pages) list(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	columns := listColumns(ctx)
	q := ui.QueryTable(r, "", columns, "-members")
	status := segment.Status(r.URL.Query().Get("status"))
	all, err := p.Segments.List(ctx, segment.Filter{})
	if err != nil {
		return err
	}
	shown, err := p.Segments.List(ctx, segment.Filter{Query: q.Filter, Status: status})
	if err != nil {
		return err
	}
	shown = slices.DeleteFunc(shown, func(s segment.Summary) bool { return s.Version.Definition.Group == segment.LifeGroup })
	lang := i18n.Locale(ctx)
	slices.SortStableFunc(shown, func(a, b segment.Summary) int {
		c := 0
		switch q.Sort {
		case "members":
			c = cmp.Compare(a.Members, b.Members)
		case "status":
			c = cmp.Compare(a.Version.Status, b.Version.Status)
		case "name":
			c = cmp.Compare(a.Version.Definition.Name.In(lang), b.Version.Definition.Name.In(lang))
		}
		if q.Desc {
			c = -c
		}
		return c
	})
	if q.CSV {
		return ui.WriteCSV(w, "segments.csv", columns[:5], func(yield func([]string) bool) {
			for _, s := range shown {
				d := s.Version.Definition
				if !yield([]string{d.ID, i18n.Fmt(ctx).Decimal(float64(s.Members), 0), "", "", string(s.Version.Status)}) {
					return
				}
			}
		})
	}
	customers := customersOf(all)
	var rows []ui.Row
	for _, s := range shown {
		rows = append(rows, listRow(ctx, s, customers))
	}
	live, life := 0, int64(0)
	for _, s := range all {
		if s.Version.Definition.Group == segment.LifeGroup {
			life++
		} else if s.Version.Status == segment.Live {
			live++
		}
	}
	page := ui.Page{Title: i18n.T(ctx, "segment.list.title"), At: ui.NavSegments, Finding: i18n.T(ctx, "segment.list.finding", "count", live, "n", customers),
		Meta: []ui.Item{ui.Anchor(i18n.T(ctx, "segment.life.title"), lifePath), ui.Anchor(i18n.T(ctx, "segment.overlap.title"), listPath+"/overlap"),
			ui.Anchor(i18n.T(ctx, "segment.audience.title"), audiencePath)}}
	if auth.Require(ctx, segment.PermEdit, scope.Root) == nil {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "segment.list.new"), Href: listPath + "/new", Kind: ui.Ink, Key: "N"}}
	}
	table := ui.TableProps{Label: i18n.T(ctx, "segment.list.title"), Columns: columns, Rows: rows, Query: q, Filter: i18n.T(ctx, "segment.list.search"), Choice: true, CSV: true,
		Foot: i18n.T(ctx, "segment.list.foot", "n", len(rows)), Actions: statusChips(ctx, status),
		Empty: ui.Empty(ui.EmptyProps{Kind: ui.EmptyFiltered, Title: i18n.T(ctx, "segment.list.none"), Text: i18n.T(ctx, "segment.list.none_text"),
			Acts: []ui.ButtonProps{{Label: i18n.T(ctx, "segment.list.all"), Href: listPath}}})}
	return ui.Render(w, r, listPage(page, table))
}

func statusChips(ctx context.Context, chosen segment.Status) templ.Component {
	chips := []ui.ChipProps{{Label: i18n.T(ctx, "segment.list.all"), Href: listPath, Pressed: chosen == ""}}
	for _, s := range []segment.Status{segment.Live, segment.Draft, segment.Retired} {
		chips = append(chips, ui.ChipProps{Label: statusWord(ctx, s), Href: listPath + "?status=" + string(s), Pressed: chosen == s})
	}
	return ui.Filters(ui.FiltersProps{Chips: chips})
}

// customersOf is how many customers there are, by the newest count.
func customersOf(all []segment.Summary) (n int64) {
	for _, s := range all {
		if len(s.Trend) > 0 {
			n = max(n, s.Trend[len(s.Trend)-1].Customers)
		}
	}
	return n
}

func listRow(ctx context.Context, s segment.Summary, customers int64) ui.Row {
	d := s.Version.Definition
	f := i18n.Fmt(ctx)
	status := ui.Cell{Text: statusWord(ctx, s.Version.Status), Mute: s.Version.Status != segment.Live}
	if s.Draft {
		status.Sub = i18n.T(ctx, "segment.list.draft", "version", s.Newest)
	}
	share := ui.Cell{Text: "–", Mute: true}
	if customers > 0 {
		share = ui.Cell{Text: f.Percent(float64(s.Members)/float64(customers), 1)}
	}
	return ui.Row{ID: d.ID, Cells: []ui.Cell{
		{Text: d.Name.In(i18n.Locale(ctx)), Sub: d.Intent.In(i18n.Locale(ctx)), Href: segmentPath(d.ID)},
		{Text: f.Int(s.Members)}, share, {Node: trend(s.Trend)}, status, {Text: role(ctx, d.Owner)},
	}}
}

// role is the name of a role that answers for something, its id where it has none.
func role(ctx context.Context, id string) string {
	key := "segment.role." + id
	if text := i18n.T(ctx, key); text != key {
		return text
	}
	return id
}

func trend(sizes []segment.Size) templ.Component {
	props := chart.SparkProps{Width: 110, Height: 30}
	for _, s := range sizes {
		props.Values = append(props.Values, float64(s.Members))
	}
	return chart.Spark(props)
}

// overlap shows how many members each two segments share.
func (p Pages) overlap(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all, err := p.Segments.List(ctx, segment.Filter{Status: segment.Live})
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(s segment.Summary) bool { return s.Version.Definition.Group == segment.LifeGroup || s.Members == 0 })
	slices.SortFunc(all, func(a, b segment.Summary) int { return cmp.Compare(b.Members, a.Members) })
	n, at, err := p.Segments.Matrix(ctx)
	if err != nil {
		return err
	}
	f, lang := i18n.Fmt(ctx), i18n.Locale(ctx)
	columns := []ui.Column{{Key: "name", Label: i18n.T(ctx, "segment.overlap.of")}}
	for i := range all {
		columns = append(columns, ui.Column{Key: all[i].Version.Definition.ID, Label: all[i].Version.Definition.Name.In(lang), Numeric: true})
	}
	var rows []ui.Row
	worst, worstShare := [2]string{}, 0.0
	for _, a := range all {
		row := ui.Row{ID: a.Version.Definition.ID, Cells: []ui.Cell{{Text: a.Version.Definition.Name.In(lang), Sub: f.Int(a.Members), Href: segmentPath(a.Version.Definition.ID)}}}
		for _, b := range all {
			if a.Version.Definition.ID == b.Version.Definition.ID {
				row.Cells = append(row.Cells, ui.Cell{Text: "–", Mute: true})
				continue
			}
			share := float64(n[[2]string{a.Version.Definition.ID, b.Version.Definition.ID}]) / float64(a.Members)
			if share > worstShare && share < 1 {
				worst, worstShare = [2]string{a.Version.Definition.Name.In(lang), b.Version.Definition.Name.In(lang)}, share
			}
			row.Cells = append(row.Cells, ui.Cell{Text: f.Percent(share, 0), Mute: share == 0})
		}
		rows = append(rows, row)
	}
	page := ui.Page{Title: i18n.T(ctx, "segment.overlap.title"), At: ui.NavSegments, Crumbs: crumbs(ctx)}
	if worstShare > 0 {
		page.Finding = i18n.T(ctx, "segment.overlap.finding", "share", f.Percent(worstShare, 0), "a", worst[0], "b", worst[1])
	}
	if !at.IsZero() {
		page.Meta = []ui.Item{ui.Text(i18n.T(ctx, "segment.counted", "at", ui.When(ctx, at)))}
	}
	return ui.Render(w, r, overlapPage(page, ui.TableProps{Label: page.Title, Columns: columns, Rows: rows, Query: ui.QueryTable(r, "", columns, ""), KeepTable: true, Dense: true,
		Foot: i18n.T(ctx, "segment.overlap.foot"), Empty: ui.Empty(ui.EmptyProps{Title: i18n.T(ctx, "segment.overlap.empty"), Text: i18n.T(ctx, "segment.overlap.empty_text")})}))
}
