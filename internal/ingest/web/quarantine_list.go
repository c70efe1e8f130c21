package web

import (
	"net/http"

	"omote/internal/ingest/plan"
	"omote/internal/ingest/quarantine"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// held is what the page of the quarantine shows.
type held struct {
	filter quarantine.Filter
	groups []quarantine.Group
	rows   ui.TableProps
	open   int64
	edit   bool
}

func (p Pages) quarantineList(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	q := r.URL.Query()
	h := held{filter: quarantine.Filter{Source: q.Get("source"), Reason: plan.Reason(q.Get("reason")), ImportID: q.Get("import"), State: quarantine.Open},
		edit: auth.Can(ctx, quarantine.PermEdit)}
	var err error
	if h.groups, err = p.Quarantine.Groups(ctx, quarantine.Filter{State: quarantine.Open}); err != nil {
		return err
	}
	if h.open, err = p.Quarantine.Count(ctx, h.filter); err != nil {
		return err
	}
	columns := []ui.Column{
		{Key: "reason", Label: i18n.T(ctx, "ingest.quarantine.reason")},
		{Key: "raw", Label: i18n.T(ctx, "ingest.quarantine.raw"), Wide: true},
		{Key: "source", Label: i18n.T(ctx, "ingest.quarantine.source")},
		{Key: "at", Label: i18n.T(ctx, "ingest.import.at"), Numeric: true},
	}
	h.rows = ui.TableProps{Label: i18n.T(ctx, "ingest.tab.quarantine"), Columns: columns, Query: ui.QueryTable(r, "", columns, "")}
	found, err := p.Quarantine.List(ctx, h.filter, h.rows.Query.After, pageSize+1)
	if err != nil {
		return err
	}
	if len(found) > pageSize {
		found = found[:pageSize]
		h.rows.Next = found[pageSize-1].ID
	}
	for _, row := range found {
		cell := ui.Cell{Text: row.Source}
		if row.ImportID != "" {
			cell = ui.Cell{Text: i18n.T(ctx, "ingest.quarantine.import"), Href: importsPath + "/" + row.ImportID + "#quarantine"}
		}
		raw := row.Raw.Plain
		if len([]rune(raw)) > 160 {
			raw = string([]rune(raw)[:160]) + "…"
		}
		h.rows.Rows = append(h.rows.Rows, ui.Row{ID: row.ID, Cells: []ui.Cell{
			{Text: i18n.T(ctx, "ingest.reason."+string(row.Reason)), Sub: row.Field}, {Node: ui.Small(raw)}, cell,
			{Text: ui.When(ctx, row.At.Time())}}})
	}
	page := ui.Page{Title: i18n.T(ctx, "ingest.quarantine.title"), At: ui.NavData, Finding: i18n.T(ctx, "ingest.quarantine.finding", "count", h.open)}
	return ui.Render(w, r, quarantinePage(page, h))
}

func (p Pages) quarantineDrop(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid("ingest.error.form", "", "the form cannot be read").Because(err)
	}
	f := quarantine.Filter{Source: r.FormValue("source"), Reason: plan.Reason(r.FormValue("reason")), ImportID: r.FormValue("import")}
	if _, err := p.Quarantine.Drop(r.Context(), f, r.FormValue("why")); err != nil {
		return err
	}
	return seeOther(w, r, quarantinePath)
}
