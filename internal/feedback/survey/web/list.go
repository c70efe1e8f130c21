package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"omote/internal/feedback/survey"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

const listPath = "/feedback/surveys"

func surveyPath(id string) string { return listPath + "/" + id }

// shownDays is the period of the figures on pages.
const shownDays = 90

func (p Pages) period() survey.Period {
	now := p.Clock.Now()
	return survey.Period{From: now.Add(-shownDays * 24 * time.Hour), To: now}
}

func (p Pages) list(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all, err := p.Surveys.List(ctx)
	if err != nil {
		return err
	}
	f, locale := i18n.Fmt(ctx), i18n.Locale(ctx)
	t := ui.TableProps{Label: i18n.T(ctx, "feedback.survey.list.title"), Columns: []ui.Column{
		{Key: "name", Label: i18n.T(ctx, "feedback.survey.list.name"), Wide: true},
		{Key: "state", Label: i18n.T(ctx, "feedback.survey.list.state")},
		{Key: "sample", Label: i18n.T(ctx, "feedback.survey.list.sample"), Numeric: true},
		{Key: "n", Label: i18n.T(ctx, "feedback.survey.list.n"), Numeric: true},
		{Key: "score", Label: i18n.T(ctx, "feedback.survey.list.score"), Numeric: true},
		{Key: "interval", Label: i18n.T(ctx, "feedback.survey.list.interval"), Numeric: true}}}
	live := 0
	for _, v := range all {
		d := v.Document
		res, err := p.Surveys.Result(ctx, d.ID, p.period())
		if err != nil {
			return err
		}
		value, interval := scoreOf(ctx, res)
		sample := f.Percent(d.Asking.Sample, 0)
		if d.Asking.Sample == 0 {
			sample = "–"
		}
		if v.State == survey.Live {
			live++
		}
		t.Rows = append(t.Rows, ui.Row{ID: d.ID, Cells: []ui.Cell{{Text: d.Name.In(locale), Sub: d.Purpose.In(locale), Href: surveyPath(d.ID)},
			{Text: i18n.T(ctx, "feedback.survey.state."+string(v.State)), Mute: v.State == survey.Retired}, {Text: sample}, {Text: f.Int(res.Done)}, {Text: value}, {Text: interval}}})
	}
	t.Empty = ui.Empty(ui.EmptyProps{Title: i18n.T(ctx, "feedback.survey.list.none"), Text: i18n.T(ctx, "feedback.survey.list.none.text")})
	page := ui.Page{Title: i18n.T(ctx, "feedback.survey.list.title"), At: ui.NavSurveys, Finding: i18n.T(ctx, "feedback.survey.list.finding", "count", live),
		Meta: []ui.Item{ui.Text(i18n.T(ctx, "feedback.survey.days", "days", shownDays))}}
	if auth.Can(ctx, survey.PermEdit) {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "feedback.survey.import"), Href: listPath + "/import"}, {Label: i18n.T(ctx, "feedback.survey.new"), Href: listPath + "/new/edit", Kind: ui.Ink, Key: "N"}}
	}
	return ui.Render(w, r, tablePage(page, t))
}

// scoreOf writes the score and its interval; "" where it is not shown.
func scoreOf(ctx context.Context, res *survey.Result) (value, interval string) {
	score := res.Document.Score()
	if score == nil {
		return "", ""
	}
	for _, it := range res.Items {
		if it.Item.ID == score.ID && it.Part == "" && !it.Few && it.N > 0 {
			return writeScore(ctx, score, it.Estimate.Value), writeInterval(ctx, score, it.Estimate.Low, it.Estimate.High)
		}
	}
	return "–", ""
}

func (p Pages) published(ctx context.Context, r *http.Request) *ui.ToastProps {
	switch done := r.URL.Query().Get("done"); done {
	case "saved", "proposed", "closed", "weighted", "called":
		return &ui.ToastProps{Text: i18n.T(ctx, "feedback.survey.done."+done)}
	}
	return nil
}

// initial makes the first letter a capital.
func initial(s string) string {
	if s == "" {
		return s
	}
	r := []rune(s)
	return strings.ToUpper(string(r[:1])) + string(r[1:])
}
