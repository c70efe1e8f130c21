package web

import (
	"context"
	"maps"
	"slices"

	"omote/internal/ingest/files"
	"omote/internal/ingest/quarantine"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// previewShown is how many rows of a file the draft shows.
const previewShown = 8

func modeValue(history bool) string {
	if history {
		return "history"
	}
	return "live"
}

// table is the beginning of the file.
func (d draft) table(ctx context.Context) ui.TableProps {
	t := ui.TableProps{Label: i18n.T(ctx, "ingest.draft.preview"), Dense: true, KeepTable: true}
	for _, c := range d.columns {
		t.Columns = append(t.Columns, ui.Column{Key: c, Label: c})
	}
	for i := range d.rows[:min(len(d.rows), previewShown)] {
		row := ui.Row{}
		for _, c := range d.columns {
			v, ok := d.rows[i].Get(c)
			row.Cells = append(row.Cells, ui.Cell{Text: short(v.Text), Mute: !ok || v.Kind == files.Null})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func short(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

func (res result) counts(ctx context.Context) []ui.KeyValue {
	f := i18n.Fmt(ctx)
	return []ui.KeyValue{
		{Key: i18n.T(ctx, "ingest.result.rows"), Value: f.Int(res.im.ReadRows)},
		{Key: i18n.T(ctx, "ingest.import.accepted"), Value: "**" + f.Int(res.im.Accepted) + "**"},
		{Key: i18n.T(ctx, "ingest.import.duplicates"), Value: f.Int(res.im.Duplicates)},
		{Key: i18n.T(ctx, "ingest.import.quarantined"), Value: f.Int(res.im.Quarantined)},
	}
}

func droppedPairs(ctx context.Context, dropped map[string]int64) (out []ui.KeyValue) {
	for _, name := range slices.Sorted(maps.Keys(dropped)) {
		out = append(out, ui.KeyValue{Key: name, Value: i18n.T(ctx, "ingest.result.values", "count", dropped[name])})
	}
	return out
}

func groupTable(ctx context.Context, groups []quarantine.Group) ui.TableProps {
	t := ui.TableProps{Label: i18n.T(ctx, "ingest.tab.quarantine"), Columns: []ui.Column{
		{Key: "reason", Label: i18n.T(ctx, "ingest.quarantine.reason")},
		{Key: "field", Label: i18n.T(ctx, "ingest.quarantine.field")},
		{Key: "source", Label: i18n.T(ctx, "ingest.quarantine.source")},
		{Key: "n", Label: i18n.T(ctx, "ingest.quarantine.rows"), Numeric: true},
	}}
	for _, g := range groups {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{
			{Text: i18n.T(ctx, "ingest.reason."+string(g.Reason))}, {Text: g.Field, Mute: g.Field == ""}, {Text: g.Source}, {Text: i18n.Fmt(ctx).Int(g.N)}}})
	}
	return t
}
