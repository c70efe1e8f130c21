package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"omote/internal/feedback/form"
	"omote/internal/feedback/survey"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
	"omote/internal/ui/chart"
)

// view is what the page of a survey shows.
type view struct {
	version  *survey.Version
	versions []*survey.Version
	result   *survey.Result
	dim      string
	groups   []survey.GroupResult
	units    map[string]string
	report   *survey.Report
	raked    *survey.Raked
	flagged  map[string]int64
}

func (p Pages) show(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v, err := p.load(r)
	if err != nil {
		return err
	}
	v.dim = r.URL.Query().Get("by")
	if !slices.Contains(survey.Dims, v.dim) {
		v.dim = survey.Dims[0]
	}
	if v.groups, err = p.Surveys.Groups(ctx, v.version.Document.ID, v.dim, v.result.Period); err != nil {
		return err
	}
	if v.units, err = p.UnitNames(ctx); err != nil {
		return err
	}
	if _, v.raked, err = p.Surveys.Weighting(ctx, v.version.Document.ID); err != nil {
		return err
	}
	if v.flagged, err = p.Surveys.Flagged(ctx, v.version.Document.ID, v.result.Period.From); err != nil {
		return err
	}
	page := p.page(ctx, r, v)
	page.Draws = true
	return ui.Render(w, r, showPage(page, v))
}

// load reads what every page of a survey needs.
func (p Pages) load(r *http.Request) (*view, error) {
	ctx, id := r.Context(), r.PathValue("id")
	v := &view{}
	var err error
	if v.versions, err = p.Surveys.Versions(ctx, id); err != nil {
		return nil, err
	}
	v.version = v.versions[0]
	for _, one := range v.versions {
		if one.State == survey.Live {
			v.version = one
		}
	}
	if v.result, err = p.Surveys.Result(ctx, id, p.period()); err != nil {
		return nil, err
	}
	v.report, err = p.Surveys.Report(ctx, id, v.result.Period.From)
	return v, err
}

func (p Pages) page(ctx context.Context, r *http.Request, v *view) ui.Page {
	d := v.version.Document
	page := ui.Page{Title: d.Name.In(i18n.Locale(ctx)), At: ui.NavSurveys, Crumbs: []ui.Link{{Label: i18n.T(ctx, "feedback.survey.list.title"), Href: listPath}},
		Finding: v.finding(ctx), Toast: p.published(ctx, r), Meta: []ui.Item{ui.Text(i18n.T(ctx, "feedback.survey.state."+string(v.version.State))),
			ui.Text(i18n.T(ctx, "feedback.survey.version", "n", v.version.Version)), ui.Text(i18n.T(ctx, "feedback.survey.days", "days", shownDays))}}
	if auth.Can(ctx, survey.PermEdit) {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "feedback.survey.edit"), Href: surveyPath(d.ID) + "/edit", Kind: ui.Ink, Key: "E"}}
	}
	return page
}

// finding says the score and how many stand behind it.
func (v *view) finding(ctx context.Context) string {
	value, interval := scoreOf(ctx, v.result)
	switch {
	case v.result.Done == 0:
		return i18n.T(ctx, "feedback.survey.finding.none")
	case interval == "":
		return i18n.T(ctx, "feedback.survey.finding.few", "count", v.result.Done)
	}
	return i18n.T(ctx, "feedback.survey.finding", "value", value, "interval", interval, "count", v.result.Done)
}

func (v *view) tabs(ctx context.Context, at string) []ui.Tab {
	base := surveyPath(v.version.Document.ID)
	tabs := []ui.Tab{{Label: i18n.T(ctx, "feedback.survey.tab.results"), Href: base, Current: at == "results"},
		{Label: i18n.T(ctx, "feedback.survey.tab.asking"), Href: base + "/asking", Current: at == "asking"}}
	if v.version.Document.Score() != nil {
		tabs = append(tabs, ui.Tab{Label: i18n.T(ctx, "feedback.survey.tab.weights"), Href: base + "/weights", Current: at == "weights"})
	}
	if auth.Can(ctx, survey.PermAnswers) && v.version.Document.Anonymity == form.Known {
		tabs = append(tabs, ui.Tab{Label: i18n.T(ctx, "feedback.survey.tab.answers"), Href: base + "/answers", Current: at == "answers"})
	}
	if a := v.version.Document.Asking; auth.Can(ctx, survey.PermAnswers) && (a.FollowUp > 0 || slices.Contains(a.Channels, survey.CallChannel)) {
		tabs = append(tabs, ui.Tab{Label: i18n.T(ctx, "feedback.survey.tab.calls"), Href: base + "/calls", Current: at == "calls"})
	}
	if auth.Can(ctx, survey.PermEdit) {
		tabs = append(tabs, ui.Tab{Label: i18n.T(ctx, "feedback.survey.tab.share"), Href: base + "/share", Current: at == "share"})
	}
	return tabs
}

func writeScore(ctx context.Context, it *form.Item, x float64) string {
	if it.Type == form.NPS {
		return i18n.Fmt(ctx).Signed(x, 0)
	}
	return i18n.Fmt(ctx).Decimal(x, 2)
}

func writeInterval(ctx context.Context, it *form.Item, low, high float64) string {
	if it.Type == form.NPS {
		return i18n.Fmt(ctx).Interval(low, high, 0)
	}
	return i18n.Fmt(ctx).Interval(low, high, 2)
}

func (v *view) chart(ctx context.Context) chart.TimeProps {
	score := v.version.Document.Score()
	c := chart.TimeProps{ID: "days", Label: ui.PlainText(v.finding(ctx)), Format: func(x float64) string { return writeScore(ctx, score, x) }, Cols: 8}
	for _, d := range v.result.Daily {
		e := d.Estimate
		point := chart.Point{At: d.Day, Value: e.Value, Low: e.Low, High: e.High, N: e.N, BandLow: nan, BandHigh: nan}
		if e.N < fewAnswers {
			point.State = ui.Few
		}
		c.Points = append(c.Points, point)
	}
	return c
}

// fewAnswers is the number of a day's answers below which its point is hollow.
const fewAnswers = 10

func (v *view) groupBars(ctx context.Context) chart.BarsProps {
	score := v.version.Document.Score()
	b := chart.BarsProps{ID: "groups", Label: i18n.T(ctx, "feedback.survey.by", "dim", i18n.T(ctx, "feedback.survey.dim."+v.dim)),
		Format: func(x float64) string { return writeScore(ctx, score, x) }}
	for _, g := range v.groups {
		if g.Few || len(b.Items) == 20 {
			continue
		}
		name := g.Value
		if v.dim == "unit" && v.units[name] != "" {
			name = v.units[name]
		}
		if name == "" {
			name = i18n.T(ctx, "feedback.survey.unknown")
		}
		b.Items = append(b.Items, chart.BarItem{Name: name, Value: g.Estimate.Value, Low: g.Estimate.Low, High: g.Estimate.High, N: g.N})
	}
	return b
}

func (v *view) dimChips(ctx context.Context) (out []ui.ChipProps) {
	for _, d := range survey.Dims {
		out = append(out, ui.ChipProps{Label: i18n.T(ctx, "feedback.survey.dim."+d), Href: surveyPath(v.version.Document.ID) + "?by=" + d, Pressed: d == v.dim})
	}
	return out
}

// itemBars draws a question's answers as shares of those who answered it.
func itemBars(ctx context.Context, d *form.Document, it survey.ItemResult) chart.BarsProps {
	f := i18n.Fmt(ctx)
	b := chart.BarsProps{ID: "item-" + it.Item.ID + it.Part, Label: itemTitle(ctx, d, it), Format: func(x float64) string { return f.Percent(x, 0) }, Max: 1}
	for _, a := range it.Answers {
		b.Items = append(b.Items, chart.BarItem{Name: answerName(ctx, it.Item, a.Answer), Value: a.Share.Value, Low: a.Share.Low, High: a.Share.High, N: a.N})
	}
	return b
}

func itemTitle(ctx context.Context, d *form.Document, it survey.ItemResult) string {
	text := d.Fill(it.Item.Text, form.Reader{Locale: i18n.Locale(ctx), Fills: map[string]string{"thing": "…", "do_thing": "…"}})
	switch {
	case it.Part == "":
		return text
	case it.Item.Type == form.Paired:
		return text + " · " + i18n.T(ctx, "feedback.survey.part."+it.Part)
	}
	for _, row := range it.Item.Rows {
		if row.ID == it.Part {
			return text + " · " + row.Text.In(i18n.Locale(ctx))
		}
	}
	return text
}

func answerName(ctx context.Context, it *form.Item, answer string) string {
	if it.Type == form.YesNo {
		return i18n.T(ctx, "feedback.survey.page."+answer)
	}
	for _, o := range it.Options {
		if o.ID == answer {
			return o.Text.In(i18n.Locale(ctx))
		}
	}
	return answer
}

// flags says how many responses carry a quality flag.
func (v *view) flags(ctx context.Context) string {
	var parts []string
	for _, flag := range survey.Flags {
		if n := v.flagged[flag]; n > 0 {
			parts = append(parts, i18n.Fmt(ctx).Int(n)+" "+i18n.T(ctx, "feedback.survey.flag."+flag))
		}
	}
	if len(parts) == 0 {
		return "0"
	}
	return strings.Join(parts, ", ")
}

func (v *view) facts(ctx context.Context) []ui.KeyValue {
	d, f := v.version.Document, i18n.Fmt(ctx)
	var asked, answered int64
	for _, c := range v.report.Counts {
		switch c.State {
		case survey.Asked, survey.Expired:
			asked += c.N
		case survey.Answered:
			asked, answered = asked+c.N, answered+c.N
		}
	}
	rate := "–"
	if asked > 0 {
		rate = f.Percent(float64(answered)/float64(asked), 0)
	}
	return []ui.KeyValue{
		{Key: i18n.T(ctx, "feedback.survey.fact.asked"), Value: f.Int(asked)},
		{Key: i18n.T(ctx, "feedback.survey.fact.rate"), Value: rate},
		{Key: i18n.T(ctx, "feedback.survey.fact.done"), Value: f.Int(v.result.Done)},
		{Key: i18n.T(ctx, "feedback.survey.fact.flagged"), Value: v.flags(ctx)},
		{Key: i18n.T(ctx, "feedback.survey.fact.sample"), Value: f.Percent(d.Asking.Sample, 0)},
		{Key: i18n.T(ctx, "feedback.survey.fact.delay"), Value: f.Duration(d.Asking.Delay)},
		{Key: i18n.T(ctx, "feedback.survey.fact.valid"), Value: f.Duration(d.Asking.ValidFor)},
		{Key: i18n.T(ctx, "feedback.survey.fact.contact"), Value: d.Asking.Contact},
		{Key: i18n.T(ctx, "feedback.survey.fact.anonymity"), Value: i18n.T(ctx, "feedback.survey.anonymity."+string(d.Anonymity))},
	}
}
