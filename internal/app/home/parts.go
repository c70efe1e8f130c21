package home

import (
	"context"

	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// partMeta leads to the whole list.
func partMeta(p part) []ui.Item {
	if p.Href == "" {
		return nil
	}
	return []ui.Item{ui.Anchor(p.All, p.Href)}
}

// partTable lists what waits.
func partTable(ctx context.Context, p part) ui.TableProps {
	t := ui.TableProps{ID: p.key, Label: p.Title, Columns: []ui.Column{{Key: "what", Label: i18n.T(ctx, "home.what")}, {Key: "due", Label: i18n.T(ctx, "home.due"), Numeric: true, Narrow: true}}}
	for _, it := range p.Items {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: it.Title, Sub: it.Note, Href: it.Href}, {Text: it.Due, Care: it.Late}}})
	}
	if more := p.Waits() - len(p.Items); more > 0 {
		t.Foot = i18n.T(ctx, "home.more", "count", more)
	}
	return t
}
