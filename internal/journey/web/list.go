package web

import (
	"context"
	"net/http"

	"omote/internal/journey/observed"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

func (p Pages) list(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	found, err := p.Observed.List(ctx)
	if err != nil {
		return err
	}
	page := ui.Page{Title: i18n.T(ctx, "journey.list.title"), At: ui.NavJourneys}
	if len(found) > 0 {
		var cases int64
		for _, j := range found {
			cases += j.Cases
		}
		page.Finding = i18n.T(ctx, "journey.list.finding", "count", len(found), "cases", cases)
	}
	return ui.Render(w, r, listPage(page, listTable(ctx, r, found)))
}

func listTable(ctx context.Context, r *http.Request, found []observed.Summary) ui.TableProps {
	columns := []ui.Column{
		{Key: "name", Label: i18n.T(ctx, "journey.word")},
		{Key: "cases", Label: i18n.T(ctx, "journey.cases"), Numeric: true},
		{Key: "events", Label: i18n.T(ctx, "journey.events"), Numeric: true},
		{Key: "first", Label: i18n.T(ctx, "journey.first"), Numeric: true},
		{Key: "last", Label: i18n.T(ctx, "journey.last"), Numeric: true},
	}
	t := ui.TableProps{Label: i18n.T(ctx, "journey.list.title"), Columns: columns, Query: ui.QueryTable(r, "", columns, "-cases")}
	f := i18n.Fmt(ctx)
	for _, j := range found {
		t.Rows = append(t.Rows, ui.Row{ID: j.Definition.Journey, Cells: []ui.Cell{
			{Text: j.Definition.Name.In(i18n.Locale(ctx)), Sub: j.Definition.Journey, Href: journeyPath(j.Definition.Journey)},
			{Text: f.Int(j.Cases)}, {Text: f.Int(j.Events)}, {Text: f.Date(j.First)}, {Text: f.Date(j.Last)}}})
	}
	return t
}
