package web

import (
	"context"
	"math"
	"net/http"

	"omote/analytics/stats"
	"omote/internal/feedback/voice"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

type tableView struct {
	at     string
	figure ui.FigureProps
	text   string
	table  ui.TableProps
}

// units lays what staff say beside what their customers say.
func (p Pages) units(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	t, err := p.Voices.Units(ctx)
	if err != nil {
		return err
	}
	names := p.Units(ctx)
	v := tableView{at: "units", text: i18n.T(ctx, "feedback.voice.units.text"), figure: ui.FigureProps{Value: "–", Note: i18n.T(ctx, "feedback.voice.units.too_few", "count", t.Rank.N)}}
	if !math.IsNaN(t.Rank.Value) {
		f := i18n.Fmt(ctx)
		v.figure = ui.FigureProps{Value: f.Decimal(t.Rank.Value, 2), Interval: i18n.T(ctx, "feedback.voice.interval", "low", f.Decimal(t.Rank.Low, 2), "high", f.Decimal(t.Rank.High, 2)),
			Note: i18n.T(ctx, "feedback.voice.units.note", "count", t.Rank.N)}
	}
	v.table = ui.TableProps{Label: i18n.T(ctx, "feedback.voice.tab.units"), Columns: []ui.Column{
		{Key: "unit", Label: i18n.T(ctx, "feedback.voice.column.unit"), Wide: true},
		{Key: "staff", Label: i18n.T(ctx, "feedback.voice.units.staff"), Numeric: true},
		{Key: "customers", Label: i18n.T(ctx, "feedback.voice.units.customers"), Numeric: true},
	}, Foot: i18n.T(ctx, "feedback.voice.units.few", "count", t.Few)}
	for _, b := range t.Units {
		staff := score(ctx, b.Staff, 0)
		if b.Staff.Few {
			staff = ui.Cell{Text: i18n.T(ctx, "feedback.voice.units.hidden"), Mute: true}
		}
		v.table.Rows = append(v.table.Rows, ui.Row{Cells: []ui.Cell{{Text: nameOf(names, b.Staff.Path, b.Unit)}, staff, score(ctx, b.Customers, 2)}})
	}
	v.table.Empty = ui.Empty(ui.EmptyProps{Title: i18n.T(ctx, "feedback.voice.units.empty"), Text: i18n.T(ctx, "feedback.voice.units.empty.text")})
	return ui.Render(w, r, figurePage(ui.Page{Title: i18n.T(ctx, "feedback.voice.tab.units"), At: ui.NavVoices}, v))
}

// score is a unit's score with its interval and number.
func score(ctx context.Context, u voice.UnitScore, digits int) ui.Cell {
	if u.N == 0 {
		return ui.Cell{Text: "–", Mute: true}
	}
	f := i18n.Fmt(ctx)
	return ui.Cell{Text: f.Decimal(u.Estimate.Value, digits), Sub: i18n.T(ctx, "feedback.voice.interval.n", "low", f.Decimal(u.Estimate.Low, digits), "high", f.Decimal(u.Estimate.High, digits), "count", u.N)}
}

// advocacy lays what customers promise beside what they did.
func (p Pages) advocacy(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a, err := p.Voices.Advocacy(ctx)
	if err != nil {
		return err
	}
	f := i18n.Fmt(ctx)
	v := tableView{at: "advocacy", text: i18n.T(ctx, "feedback.voice.advocacy.text", "days", a.Days), figure: ui.FigureProps{Value: "–"}}
	v.table = ui.TableProps{Label: i18n.T(ctx, "feedback.voice.tab.advocacy"), Columns: []ui.Column{
		{Key: "group", Label: i18n.T(ctx, "feedback.voice.advocacy.said"), Wide: true},
		{Key: "asked", Label: i18n.T(ctx, "feedback.voice.advocacy.customers"), Numeric: true},
		{Key: "share", Label: i18n.T(ctx, "feedback.voice.advocacy.did"), Numeric: true},
		{Key: "later", Label: i18n.T(ctx, "feedback.voice.advocacy.people"), Numeric: true},
	}, Foot: i18n.T(ctx, "feedback.voice.advocacy.unsaid", "unsaid", a.Unsaid, "all", a.All)}
	for _, g := range a.Groups {
		if g.Group == "promoters" {
			v.figure = ui.FigureProps{Value: f.Percent(g.Referred.Value, 1), Interval: interval(ctx, g.Referred), Note: i18n.T(ctx, "feedback.voice.advocacy.note", "count", g.Asked)}
		}
		v.table.Rows = append(v.table.Rows, ui.Row{Cells: []ui.Cell{{Text: i18n.T(ctx, "feedback.voice.advocacy.group."+g.Group)}, {Text: f.Int(g.Asked)},
			{Text: f.Percent(g.Referred.Value, 1), Sub: interval(ctx, g.Referred)}, {Text: f.Int(g.Later)}}})
	}
	v.table.Empty = ui.Empty(ui.EmptyProps{Title: i18n.T(ctx, "feedback.voice.advocacy.empty"), Text: i18n.T(ctx, "feedback.voice.advocacy.empty.text")})
	return ui.Render(w, r, figurePage(ui.Page{Title: i18n.T(ctx, "feedback.voice.tab.advocacy"), At: ui.NavVoices}, v))
}

func interval(ctx context.Context, e stats.Estimate) string {
	f := i18n.Fmt(ctx)
	return i18n.T(ctx, "feedback.voice.interval", "low", f.Percent(e.Low, 1), "high", f.Percent(e.High, 1))
}
