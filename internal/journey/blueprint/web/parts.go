package web

import (
	"cmp"
	"context"

	"omote/internal/journey/blueprint"
	"omote/internal/journey/conform"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

func (v *homeView) fitMeta(ctx context.Context) []ui.Item {
	if v.report == nil || v.report.Cases == 0 {
		return nil
	}
	return []ui.Item{ui.Text(i18n.T(ctx, "blueprint.fit.meta", "version", v.report.Version)), ui.Text(i18n.T(ctx, "blueprint.fit.read", "at", ui.When(ctx, v.report.ReadAt)))}
}

func coverMeta(ctx context.Context, c conform.Coverage) []ui.Item {
	f := i18n.Fmt(ctx)
	return []ui.Item{ui.Text(i18n.T(ctx, "blueprint.cover.breadth", "value", f.Percent(c.Breadth, 0))), ui.Text(i18n.T(ctx, "blueprint.cover.depth", "value", f.Percent(c.Depth, 0)))}
}

// coverTable is the blind-spot map: steps as rows, kinds of signal as columns.
func coverTable(ctx context.Context, d *blueprint.Document, c conform.Coverage) ui.TableProps {
	t := ui.TableProps{ID: "cover", Label: i18n.T(ctx, "blueprint.cover.title"), KeepTable: true, Columns: []ui.Column{
		{Key: "step", Label: i18n.T(ctx, "blueprint.row.step")}, {Key: "reach", Label: i18n.T(ctx, "blueprint.cover.reach"), Numeric: true}}}
	for _, s := range conform.Signals {
		t.Columns = append(t.Columns, ui.Column{Key: string(s), Label: i18n.T(ctx, "blueprint.signal."+string(s))})
	}
	f := i18n.Fmt(ctx)
	for _, sc := range c.Steps {
		row := ui.Row{ID: sc.Step, Cells: []ui.Cell{{Text: stepNamed(ctx, d, sc.Step), Href: stepPath(d.Journey, sc.Step)}, {Text: f.Int(int64(sc.Reach))}}}
		for _, s := range conform.Signals {
			cell := ui.Cell{Text: "·", Mute: true}
			if sc.Has[s] {
				cell = ui.Cell{Text: "✓"}
				switch s {
				case conform.SignalScore:
					cell.Text = f.Int(sc.Scores)
				case conform.SignalWords:
					cell.Text = f.Int(sc.Words)
				}
			}
			row.Cells = append(row.Cells, cell)
		}
		if sc.Blind() && sc.Reach > 0 {
			row.Cells[0].Sub = i18n.T(ctx, "blueprint.cover.blind")
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func driftText(ctx context.Context, d *conform.Drift) string {
	f := i18n.Fmt(ctx)
	args := []any{"value", f.Decimal(d.Divergence, 3), "noise", f.Decimal(d.Noise, 3), "from", f.Date(d.Middle), "to", f.Date(d.To), "recent", d.RecentCases, "before", d.BeforeCases}
	switch {
	case d.Told():
		return i18n.T(ctx, "blueprint.drift.told", args...)
	case d.Divergence > d.Noise:
		return i18n.T(ctx, "blueprint.drift.small", args...)
	}
	return i18n.T(ctx, "blueprint.drift.noise", args...)
}

func edgeText(ctx context.Context, e conform.DriftEdge, labels map[string]string) string {
	name := func(event, none string) string {
		if event == "" {
			return i18n.T(ctx, "blueprint.drift."+none)
		}
		return cmp.Or(labels[event], event)
	}
	return name(e.Source, "start") + " → " + name(e.Target, "end")
}
