package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"omote/analytics/stats"
	"omote/internal/feedback/form"
	"omote/internal/feedback/survey"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// weights is what the page of weighting shows.
type weights struct {
	settings survey.Weighting
	last     *survey.Raked
	may      bool
	margins  ui.TableProps
	scores   ui.TableProps
	dims     []ui.Option
	typed    string
	ratio    string
	wrong    ui.FieldErrors
	meta     []ui.Item
	none     bool // no answers yet
}

func (p Pages) weights(w http.ResponseWriter, r *http.Request) error {
	return p.renderWeights(w, r, nil)
}

// setWeights keeps the settings and weights anew.
func (p Pages) setWeights(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid("feedback.survey.error.weighting", "dims", "the form cannot be read")
	}
	s := survey.Weighting{Dims: r.PostForm["dims"]}
	s.MaxRatio, _ = strconv.ParseFloat(strings.Replace(strings.TrimSpace(r.PostForm.Get("max_ratio")), ",", ".", 1), 64)
	for _, line := range lines(r.PostForm.Get("typed")) {
		parts := strings.SplitN(line, "|", 3)
		for len(parts) < 3 {
			parts = append(parts, "")
		}
		share, _ := strconv.ParseFloat(strings.Replace(strings.TrimSpace(parts[2]), ",", ".", 1), 64)
		s.Typed = append(s.Typed, survey.TypedShare{Dim: strings.TrimSpace(parts[0]), Value: strings.TrimSpace(parts[1]), Share: share})
	}
	_, err := p.Surveys.SetWeighting(r.Context(), r.PathValue("id"), s, p.period())
	switch errs.KindOf(err) {
	case errs.KindInvalid:
		w.WriteHeader(http.StatusUnprocessableEntity)
		return p.renderWeights(w, r, ui.FieldErrors{{Field: "dims", Text: i18n.Error(r.Context(), err) + " " + err.Error()}})
	case errs.KindConflict:
		err = nil // no answers yet: the settings are kept
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, surveyPath(r.PathValue("id"))+"/weights?done=weighted", http.StatusSeeOther)
	return nil
}

func (p Pages) renderWeights(w http.ResponseWriter, r *http.Request, wrong ui.FieldErrors) error {
	ctx := r.Context()
	v, err := p.load(r)
	if err != nil {
		return err
	}
	if v.units, err = p.UnitNames(ctx); err != nil {
		return err
	}
	t := &weights{wrong: wrong, may: auth.Can(ctx, survey.PermEdit)}
	id := v.version.Document.ID
	if t.settings, t.last, err = p.Surveys.Weighting(ctx, id); err != nil {
		return err
	}
	for _, d := range form.Dimensions {
		t.dims = append(t.dims, ui.Option{Value: d, Label: i18n.T(ctx, "feedback.survey.dim."+d)})
	}
	var typed strings.Builder
	for _, one := range t.settings.Typed {
		typed.WriteString(one.Dim + " | " + one.Value + " | " + strconv.FormatFloat(one.Share, 'g', -1, 64) + "\n")
	}
	t.typed = typed.String()
	if t.settings.MaxRatio > 0 {
		t.ratio = strconv.FormatFloat(t.settings.MaxRatio, 'g', -1, 64)
	}
	page := p.page(ctx, r, v)
	if t.last != nil {
		at, err := p.Surveys.Computed(ctx, id)
		if err != nil {
			return err
		}
		t.meta = []ui.Item{ui.Text(i18n.T(ctx, "feedback.survey.weight.at", "at", ui.When(ctx, at)))}
		page.Finding = v.weightFinding(ctx, t.last)
		v.weightTables(ctx, t)
	}
	t.none = t.last == nil
	return ui.Render(w, r, weightsPage(page, v, t))
}

// weightFinding says what weighting changes.
func (v *view) weightFinding(ctx context.Context, r *survey.Raked) string {
	score, f := v.version.Document.Score(), i18n.Fmt(ctx)
	if score == nil {
		return ""
	}
	return i18n.T(ctx, "feedback.survey.weight.finding", "value", writeScore(ctx, score, r.Estimate.Value), "interval", writeInterval(ctx, score, r.Estimate.Low, r.Estimate.High),
		"raw", writeScore(ctx, score, r.Raw.Value), "n", f.Int(r.N), "eff", f.Int(int64(r.NEff)))
}

func (v *view) weightTables(ctx context.Context, t *weights) {
	f, r, score := i18n.Fmt(ctx), t.last, v.version.Document.Score()
	t.margins = ui.TableProps{Label: i18n.T(ctx, "feedback.survey.weight.margins"), Columns: []ui.Column{{Key: "value", Label: i18n.T(ctx, "feedback.survey.weight.value"), Wide: true},
		{Key: "known", Label: i18n.T(ctx, "feedback.survey.weight.known"), Numeric: true}, {Key: "answers", Label: i18n.T(ctx, "feedback.survey.weight.answers"), Numeric: true},
		{Key: "weighted", Label: i18n.T(ctx, "feedback.survey.weight.weighted"), Numeric: true}, {Key: "n", Label: i18n.T(ctx, "feedback.survey.why.n"), Numeric: true}}}
	for _, m := range r.Margins {
		name := m.Value
		if m.Dim == "unit" && v.units[name] != "" {
			name = v.units[name]
		}
		if name == "" {
			name = i18n.T(ctx, "feedback.survey.unknown")
		}
		sub := i18n.T(ctx, "feedback.survey.dim."+m.Dim)
		if m.Typed {
			sub += " · " + i18n.T(ctx, "feedback.survey.weight.typed")
		}
		t.margins.Rows = append(t.margins.Rows, ui.Row{Cells: []ui.Cell{{Text: name, Sub: sub}, {Text: f.Percent(m.Known, 1)}, {Text: f.Percent(m.Answers, 1)}, {Text: f.Percent(m.Weighted, 1)},
			{Text: f.Int(m.N), Care: m.N == 0}}})
	}
	t.scores = ui.TableProps{Label: i18n.T(ctx, "feedback.survey.weight.scores"), Columns: []ui.Column{{Key: "how", Label: i18n.T(ctx, "feedback.survey.weight.how"), Wide: true},
		{Key: "score", Label: i18n.T(ctx, "feedback.survey.list.score"), Numeric: true}, {Key: "interval", Label: i18n.T(ctx, "feedback.survey.list.interval"), Numeric: true}}}
	if score == nil {
		return
	}
	for _, one := range []struct {
		key string
		e   stats.Estimate
	}{{"raked", r.Estimate}, {"base", r.Base}, {"raw", r.Raw}} {
		t.scores.Rows = append(t.scores.Rows, ui.Row{Cells: []ui.Cell{{Text: i18n.T(ctx, "feedback.survey.weight.how."+one.key)}, {Text: writeScore(ctx, score, one.e.Value)},
			{Text: writeInterval(ctx, score, one.e.Low, one.e.High)}}})
	}
}

// spread is the facts of the weights.
func (t *weights) spread(ctx context.Context) []ui.KeyValue {
	f, r := i18n.Fmt(ctx), t.last
	return []ui.KeyValue{
		{Key: i18n.T(ctx, "feedback.survey.weight.n"), Value: f.Int(r.N)},
		{Key: i18n.T(ctx, "feedback.survey.weight.eff"), Value: f.Int(int64(r.NEff))},
		{Key: i18n.T(ctx, "feedback.survey.weight.deff"), Value: f.Decimal(r.DesignEffect(), 2)},
		{Key: i18n.T(ctx, "feedback.survey.weight.least"), Value: f.Decimal(r.Least, 2)},
		{Key: i18n.T(ctx, "feedback.survey.weight.most"), Value: f.Decimal(r.Most, 2)},
		{Key: i18n.T(ctx, "feedback.survey.weight.unmet"), Value: f.Percent(r.Unmet, 1)},
		{Key: i18n.T(ctx, "feedback.survey.weight.error"), Value: f.Percent(r.Error, 1)},
	}
}
