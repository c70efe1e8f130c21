package web

import (
	"context"
	"net/http"

	"omote/internal/ingest/imports"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// pageSize is how many rows a list shows at once.
const pageSize = 50

func (p Pages) importList(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	columns := importColumns(ctx)
	query := ui.QueryTable(r, "", columns, "")
	found, err := p.Imports.List(ctx, query.After, pageSize+1)
	if err != nil {
		return err
	}
	table := ui.TableProps{Label: i18n.T(ctx, "ingest.import.many"), Columns: columns, Query: query}
	if len(found) > pageSize {
		found = found[:pageSize]
		table.Next = found[pageSize-1].ID
	}
	for i := range found {
		table.Rows = append(table.Rows, p.importRow(ctx, &found[i]))
	}
	page := ui.Page{Title: i18n.T(ctx, "ingest.import.title"), At: ui.NavData, Finding: finding(ctx, found)}
	if auth.Can(ctx, imports.PermEdit) {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "ingest.import.new"), Href: importsPath + "/new", Kind: ui.Ink, Key: "N"}}
	}
	return ui.Render(w, r, importListPage(page, table))
}

func importColumns(ctx context.Context) []ui.Column {
	return []ui.Column{
		{Key: "file", Label: i18n.T(ctx, "ingest.import.file")},
		{Key: "state", Label: i18n.T(ctx, "ingest.import.state")},
		{Key: "accepted", Label: i18n.T(ctx, "ingest.import.accepted"), Numeric: true},
		{Key: "duplicates", Label: i18n.T(ctx, "ingest.import.duplicates"), Numeric: true},
		{Key: "quarantined", Label: i18n.T(ctx, "ingest.import.quarantined"), Numeric: true},
		{Key: "at", Label: i18n.T(ctx, "ingest.import.at"), Numeric: true},
	}
}

func (p Pages) importRow(ctx context.Context, im *imports.Import) ui.Row {
	f := i18n.Fmt(ctx)
	return ui.Row{ID: im.ID, Cells: []ui.Cell{
		{Text: im.FileName, Sub: i18n.T(ctx, modeKey(im)), Href: importsPath + "/" + im.ID},
		{Text: i18n.T(ctx, "ingest.state."+string(im.State)), Care: im.State == imports.Failed},
		{Text: f.Int(im.Accepted)},
		{Text: f.Int(im.Duplicates)},
		{Text: f.Int(im.Quarantined), Care: im.Quarantined > 0},
		{Text: ui.When(ctx, im.CreatedAt.Time())},
	}}
}

func modeKey(im *imports.Import) string {
	if im.History {
		return "ingest.mode.history"
	}
	return "ingest.mode.live"
}

// finding says what the list shows in one sentence.
func finding(ctx context.Context, found []imports.Import) string {
	running, held := 0, int64(0)
	for i := range found {
		if found[i].State.Running() {
			running++
		}
		held += found[i].Quarantined
	}
	switch {
	case len(found) == 0:
		return ""
	case running > 0:
		return i18n.T(ctx, "ingest.import.finding.running", "count", running)
	case held > 0:
		return i18n.T(ctx, "ingest.import.finding.held", "count", held)
	}
	return i18n.T(ctx, "ingest.import.finding.calm")
}
