package web

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"omote/internal/customer/segment"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/platform/scope"
	"omote/internal/ui"
)

func audienceLink(id string) string { return audiencePath + "/" + id }

func (p Pages) audiences(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all, err := p.Segments.Audiences(ctx)
	if err != nil {
		return err
	}
	t, _, err := p.teller(ctx)
	if err != nil {
		return err
	}
	f := i18n.Fmt(ctx)
	columns := []ui.Column{{Key: "name", Label: i18n.T(ctx, "segment.audience.name")}, {Key: "use", Label: i18n.T(ctx, "segment.audience.use")}, {Key: "channel", Label: i18n.T(ctx, "segment.audience.channel")},
		{Key: "members", Label: i18n.T(ctx, "segment.list.members"), Numeric: true}, {Key: "reached", Label: i18n.T(ctx, "segment.audience.reached"), Numeric: true}, {Key: "made", Label: i18n.T(ctx, "segment.versions.at")}}
	var rows []ui.Row
	for _, a := range all {
		name := t.segments[a.Segment]
		rows = append(rows, ui.Row{ID: a.ID, Cells: []ui.Cell{{Text: a.Name, Sub: name.In(i18n.Locale(ctx)), Href: audienceLink(a.ID)}, {Text: i18n.T(ctx, "segment.use."+a.Use)},
			{Text: i18n.T(ctx, "segment.channel."+a.Channel)}, {Text: f.Int(a.Figures.Members)}, {Text: reachText(ctx, a.Figures)}, {Text: ui.When(ctx, a.Made)}}})
	}
	page := ui.Page{Title: i18n.T(ctx, "segment.audience.title"), At: ui.NavSegments, Crumbs: crumbs(ctx), Finding: i18n.T(ctx, "segment.audience.finding")}
	if auth.Require(ctx, segment.PermEdit, scope.Root) == nil {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "segment.audience.new"), Href: audiencePath + "/new", Kind: ui.Ink, Key: "N"}}
	}
	table := ui.TableProps{Label: page.Title, Columns: columns, Rows: rows,
		Empty: ui.Empty(ui.EmptyProps{Title: i18n.T(ctx, "segment.audience.none"), Text: i18n.T(ctx, "segment.audience.none_text"), Acts: page.Actions})}
	return ui.Render(w, r, listPage(page, table))
}

// reachText is how many can be reached: a count, or an estimate with its range.
func reachText(ctx context.Context, e segment.Eligibility) string {
	f := i18n.Fmt(ctx)
	base := e.Members - e.Except
	switch {
	case !e.Decided || e.Asked == 0:
		return f.Int(0)
	case e.Asked == base:
		return f.Int(e.Reached)
	}
	low, high := segment.Wilson(e.Reached, e.Asked)
	return f.Int(int64(low*float64(base))) + " – " + f.Int(int64(high*float64(base)))
}

// audienceForm is an audience that is being made.
type audienceForm struct {
	a        segment.Audience
	segments []ui.Option
	figures  *segment.Eligibility
	wrong    ui.FieldErrors
}

func readAudience(r *http.Request) segment.Audience {
	a := segment.Audience{Name: strings.TrimSpace(r.FormValue("name")), Segment: r.FormValue("segment"), Use: r.FormValue("use"), Channel: r.FormValue("channel")}
	percent, err := strconv.ParseFloat(strings.Replace(r.FormValue("hold_out"), ",", ".", 1), 64)
	if a.HoldOut = percent / 100; err != nil && r.FormValue("hold_out") != "" {
		a.HoldOut = -1
	}
	a.Except = slices.DeleteFunc(r.Form["except"], func(s string) bool { return s == "" || s == a.Segment })
	return a
}

func (p Pages) newAudience(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid("segment.error.form", "", "the form cannot be read").Because(err)
	}
	a := readAudience(r)
	if !r.Form.Has("hold_out") {
		a.HoldOut, a.Use, a.Channel = 0.1, "service", "sms"
	}
	return p.renderAudience(w, r, http.StatusOK, &audienceForm{a: a})
}

func (p Pages) renderAudience(w http.ResponseWriter, r *http.Request, status int, form *audienceForm) error {
	ctx := r.Context()
	all, err := p.Segments.List(ctx, segment.Filter{Status: segment.Live})
	if err != nil {
		return err
	}
	for _, s := range all {
		form.segments = append(form.segments, ui.Option{Value: s.Version.Definition.ID, Label: s.Version.Definition.Name.In(i18n.Locale(ctx))})
	}
	if form.a.Segment != "" && len(form.wrong) == 0 {
		e, err := p.Segments.Estimate(ctx, form.a)
		switch k := errs.KindOf(err); {
		case err == nil:
			form.figures = &e
		case k == errs.KindDenied || k == errs.KindInvalid || k == errs.KindNotFound || k == errs.KindConflict:
			form.wrong = ui.ErrorsFrom(ctx, err)
		default:
			return err
		}
	}
	page := ui.Page{Title: i18n.T(ctx, "segment.audience.new"), At: ui.NavSegments, Crumbs: crumbs(ctx, ui.Link{Label: i18n.T(ctx, "segment.audience.title"), Href: audiencePath}),
		Finding: i18n.T(ctx, "segment.audience.new_finding")}
	return ui.RenderStatus(w, r, status, audienceFormPage(page, form))
}

func (p Pages) makeAudience(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid("segment.error.form", "", "the form cannot be read").Because(err)
	}
	a := readAudience(r)
	made, err := p.Segments.MakeAudience(r.Context(), a)
	if k := errs.KindOf(err); k == errs.KindInvalid || k == errs.KindDenied || k == errs.KindConflict {
		return p.renderAudience(w, r, http.StatusUnprocessableEntity, &audienceForm{a: a, wrong: ui.ErrorsFrom(r.Context(), err)})
	}
	if err != nil {
		return err
	}
	return see(w, r, audienceLink(made.ID))
}

func (p Pages) showAudience(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a, err := p.Segments.Audience(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	t, _, err := p.teller(ctx)
	if err != nil {
		return err
	}
	name := t.segments[a.Segment]
	page := ui.Page{Title: a.Name, At: ui.NavSegments, Crumbs: crumbs(ctx, ui.Link{Label: i18n.T(ctx, "segment.audience.title"), Href: audiencePath}),
		Finding: i18n.T(ctx, "segment.audience.says", "reached", reachText(ctx, a.Figures), "n", a.Figures.Members, "name", name.In(i18n.Locale(ctx))),
		Meta: []ui.Item{ui.Anchor(name.In(i18n.Locale(ctx)), segmentPath(a.Segment)), ui.Text(i18n.T(ctx, "segment.use."+a.Use)), ui.Text(i18n.T(ctx, "segment.channel."+a.Channel)),
			ui.Text(i18n.T(ctx, "segment.counted", "at", ui.When(ctx, a.Figures.At)))}}
	if auth.Require(ctx, segment.PermExport, scope.Root) == nil && a.Figures.Decided {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "segment.audience.export"), Href: audienceLink(a.ID) + "/export"}}
	}
	return ui.Render(w, r, audiencePage(page, a))
}

// steps are what remains of an audience, from its members to whom it treats.
func steps(ctx context.Context, e segment.Eligibility, holdOut float64) []ui.FunnelStep {
	if e.Members == 0 {
		return nil
	}
	base := e.Members - e.Except
	scale := 0.0
	if e.Asked > 0 {
		scale = float64(base) / float64(e.Asked)
	}
	all := float64(e.Members)
	reached := int64(float64(e.Reached)*scale + 0.5)
	held := int64(float64(e.HeldOut)*scale + 0.5)
	out := []ui.FunnelStep{{Name: i18n.T(ctx, "segment.list.members"), Share: 1, Count: e.Members}}
	add := func(key string, n, before int64, where string) {
		out = append(out, ui.FunnelStep{Name: i18n.T(ctx, key), Share: float64(n) / all, Count: n, Lost: float64(before-n) / all, Gone: before - n, Where: where})
	}
	add("segment.audience.left", base, e.Members, "")
	var why []string
	for _, reason := range slices.SortedFunc(maps.Keys(e.Reasons), func(a, b string) int { return int(e.Reasons[b] - e.Reasons[a]) }) {
		text := i18n.T(ctx, "segment.reach."+reason)
		if text == "segment.reach."+reason {
			text = reason
		}
		why = append(why, text+" **"+i18n.Fmt(ctx).Int(int64(float64(e.Reasons[reason])*scale+0.5))+"**")
	}
	add("segment.audience.reached", reached, base, strings.Join(why, " · "))
	if holdOut > 0 {
		add("segment.audience.treated", reached-held, reached, i18n.T(ctx, "segment.audience.held", "count", held))
	}
	return out
}

func (p Pages) exportAudience(w http.ResponseWriter, r *http.Request) error {
	var rows [][]string
	err := p.Segments.Recipients(r.Context(), r.PathValue("id"), func(one segment.Recipient) error {
		rows = append(rows, []string{one.CustomerID, strconv.FormatBool(one.HeldOut)})
		return nil
	})
	if err != nil {
		return err
	}
	return ui.WriteCSV(w, "audience-"+r.PathValue("id")+".csv", []ui.Column{{Label: "customer_id"}, {Label: "held_out"}}, func(yield func([]string) bool) {
		for _, row := range rows {
			if !yield(row) {
				return
			}
		}
	})
}

func channelOptions(ctx context.Context) (out []ui.Option) {
	for _, c := range segment.Channels {
		out = append(out, ui.Option{Value: c, Label: i18n.T(ctx, "segment.channel."+c)})
	}
	return out
}

// counting has the audience counted again when a choice changes.
func counting() templ.Attributes {
	return templ.Attributes{"hx-get": audiencePath + "/new", "hx-trigger": "change", "hx-include": "#aud-form", "hx-target": "#aud-count", "hx-select": "#aud-count", "hx-swap": "outerHTML"}
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func exceptText(ctx context.Context, except []string) string {
	if len(except) == 0 {
		return i18n.T(ctx, "segment.audience.nobody")
	}
	return strings.Join(except, ", ")
}
