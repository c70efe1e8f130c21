package web

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"omote/internal/journey/blueprint"
	"omote/internal/journey/conform"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// conformView is how the cases of a journey, or of a part of it, fit the map.
type conformView struct {
	d      *blueprint.Document
	r      *conform.Report
	part   conform.Part
	units  map[string]string
	labels map[string]string
}

// dims are the ways to split the cases.
var dims = []string{"channel", "unit", "product", conform.BySegment}

func (p Pages) conformance(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("journey")
	v := &conformView{part: conform.Part{Column: r.URL.Query().Get("by"), Value: r.URL.Query().Get("value")}}
	if v.part.Column != "" && !slices.Contains(dims, v.part.Column) {
		return errs.Invalid("blueprint.error.value", "by", "cases cannot be split by %q", v.part.Column).With("field", v.part.Column)
	}
	live, err := p.Maps.Version(ctx, id, 0)
	if err != nil {
		return err
	}
	v.d = live.Document
	if v.r, err = p.Conform.Conformance(ctx, id, v.part); err != nil {
		return err
	}
	if p.UnitNames != nil {
		if v.units, err = p.UnitNames(ctx); err != nil {
			return err
		}
	}
	if v.labels, err = p.eventLabels(ctx); err != nil {
		return err
	}
	name := nameOf(ctx, v.d)
	f := i18n.Fmt(ctx)
	page := ui.Page{Title: i18n.T(ctx, "blueprint.fit.page", "name", name), At: NavAtlas, Crumbs: crumbs(ctx, ui.Link{Label: name, Href: homePath(id)})}
	if v.r.Cases > 0 {
		e := v.r.Fitness
		page.Finding = i18n.T(ctx, "blueprint.fit.finding", "count", v.r.Cases, "value", f.Decimal(e.Value, 2), "range", f.Interval(e.Low, e.High, 2), "perfect", f.Percent(share(v.r.Perfect, v.r.Cases), 1))
		page.Meta = []ui.Item{ui.Text(i18n.T(ctx, "blueprint.fit.meta", "version", v.r.Version)), ui.Text(i18n.T(ctx, "blueprint.fit.open", "count", v.r.Open)),
			ui.Text(i18n.T(ctx, "blueprint.fit.read", "at", ui.When(ctx, v.r.ReadAt)))}
	}
	page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "blueprint.home.observed"), Href: observedPath + "/" + id, Key: "O"}}
	return ui.Render(w, r, conformPage(page, v))
}

func (v *conformView) steps(ctx context.Context) ui.TableProps {
	return stepTable(ctx, v.d, v.r.Steps, "steps")
}

// groups lists the parts of a dimension, largest first; those whose interval
// lies wholly below the whole are marked.
func (v *conformView) groups(ctx context.Context, by string) ui.TableProps {
	f := i18n.Fmt(ctx)
	t := ui.TableProps{ID: by, Label: i18n.T(ctx, "blueprint.by."+by), Columns: []ui.Column{{Key: "name", Label: i18n.T(ctx, "blueprint.by."+by)},
		{Key: "fit", Label: i18n.T(ctx, "blueprint.row.fit"), Numeric: true}, {Key: "n", Label: i18n.T(ctx, "blueprint.atlas.cases"), Numeric: true}}}
	list := v.r.Groups[by]
	for _, g := range list[:min(len(list), 25)] {
		value := ui.Cell{Text: fitText(ctx, g.Fitness.Value)}
		if g.Fitness.Valid() {
			value.Sub = f.Interval(g.Fitness.Low, g.Fitness.High, 2)
			value.Care = g.Fitness.N >= 30 && g.Fitness.High < v.r.Fitness.Low
		}
		if g.Fitness.N < 5 {
			value = ui.Cell{Text: i18n.T(ctx, "blueprint.few"), Mute: true}
		}
		cell := ui.Cell{Text: v.groupName(ctx, by, g.Name)}
		if slices.Contains(dims, by) {
			cell.Href = homePath(v.d.Journey) + "/conformance?" + url.Values{"by": {by}, "value": {g.Name}}.Encode()
		}
		t.Rows = append(t.Rows, ui.Row{ID: g.Name, Cells: []ui.Cell{cell, value, {Text: f.Int(g.Fitness.N)}}})
	}
	return t
}

func (v *conformView) groupName(ctx context.Context, by, name string) string {
	switch by {
	case "channel":
		return channelName(ctx, name)
	case "unit":
		return cmp.Or(v.units[name], name)
	case "outcome":
		return i18n.T(ctx, "blueprint.outcome."+name)
	case conform.BySegment:
		for _, s := range v.r.Segments {
			if s.ID == name {
				return s.Name.In(i18n.Locale(ctx))
			}
		}
	}
	return name
}

func (v *conformView) extras(ctx context.Context) ui.TableProps {
	f := i18n.Fmt(ctx)
	t := ui.TableProps{ID: "extras", Label: i18n.T(ctx, "blueprint.extras"), Columns: []ui.Column{{Key: "event", Label: i18n.T(ctx, "blueprint.extras.event")},
		{Key: "why", Label: i18n.T(ctx, "blueprint.extras.why")}, {Key: "events", Label: i18n.T(ctx, "blueprint.extras.n"), Numeric: true}, {Key: "cases", Label: i18n.T(ctx, "blueprint.atlas.cases"), Numeric: true}}}
	for _, x := range v.r.Extras {
		t.Rows = append(t.Rows, ui.Row{ID: x.Event + x.Kind, Cells: []ui.Cell{{Text: cmp.Or(v.labels[x.Event], x.Event), Sub: x.Event},
			{Text: i18n.T(ctx, "blueprint.extra."+extraKeys[x.Kind])}, {Text: f.Int(int64(x.Events))}, {Text: f.Int(int64(x.Cases)), Sub: f.Percent(share(x.Cases, v.r.Cases), 1)}}})
	}
	return t
}

var extraKeys = map[string]string{"unknown": "unknown", "exception": "exception", "repeated": "repeated", "out of order": "apart"}

// fit gives the script the conformance of the draft, step by step.
func (p Pages) fit(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	j, err := p.Maps.Get(ctx, r.PathValue("journey"))
	if err != nil {
		return err
	}
	type cell struct {
		Text  string `json:"text"`
		Title string `json:"title"`
	}
	out := struct {
		Steps map[string]cell `json:"steps"`
		All   string          `json:"all"`
		None  string          `json:"none"`
	}{Steps: map[string]cell{}, None: i18n.T(ctx, "blueprint.fit.cannot")}
	report, err := p.Conform.Draft(ctx, j.Draft)
	if err != nil && errs.KindOf(err) == errs.KindInternal {
		return err
	}
	if err == nil && report.Cases > 0 {
		f := i18n.Fmt(ctx)
		out.All = i18n.T(ctx, "blueprint.fit.whole", "value", f.Decimal(report.Fitness.Value, 2), "count", report.Cases)
		for _, s := range report.Steps {
			if should := s.Done + s.Skipped; should > 0 {
				out.Steps[s.Step] = cell{Text: fitText(ctx, s.Fitness.Value), Title: i18n.T(ctx, "blueprint.fit.cell", "done", s.Done, "skipped", s.Skipped, "late", s.Late)}
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(out)
}
