package web

import (
	"cmp"
	"context"
	"fmt"
	"html"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"omote/analytics/assess"
	"omote/internal/governance/maturity"
	"omote/internal/governance/packs"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// assessments leads to the last published assessment, or to the one that is open.
func (p Pages) assessments(w http.ResponseWriter, r *http.Request) error {
	return p.renderAssessments(w, r, http.StatusOK, nil)
}

type assessmentsView struct {
	all   []maturity.Doc
	edit  bool
	wrong ui.FieldErrors
	form  *form
}

func (p Pages) renderAssessments(w http.ResponseWriter, r *http.Request, status int, wrong ui.FieldErrors) error {
	ctx := r.Context()
	all, err := p.Maturity.List(ctx)
	if err != nil {
		return err
	}
	v := assessmentsView{all: all, edit: auth.Can(ctx, maturity.PermEdit), wrong: wrong, form: &form{r: r, zone: p.Zone}}
	page := ui.Page{Title: i18n.T(ctx, "governance.maturity.title"), At: NavMaturity, Layer: ui.LayerGuarantee}
	if last, err := p.Maturity.Latest(ctx); err != nil {
		return err
	} else if last != nil {
		page.Finding = p.maturityFinding(ctx, *last)
	}
	return ui.RenderStatus(w, r, status, assessmentsPage(page, p, v))
}

func (p Pages) assessmentTable(ctx context.Context, all []maturity.Doc) ui.TableProps {
	f := i18n.Fmt(ctx)
	t := ui.TableProps{Label: i18n.T(ctx, "governance.maturity.title"), Columns: []ui.Column{{Key: "title", Label: i18n.T(ctx, "governance.maturity.round")}, {Key: "state", Label: i18n.T(ctx, "governance.approval.state")},
		{Key: "stage", Label: i18n.T(ctx, "governance.maturity.stage"), Numeric: true}, {Key: "said", Label: i18n.T(ctx, "governance.maturity.claimed"), Numeric: true},
		{Key: "score", Label: i18n.T(ctx, "governance.maturity.allowed"), Numeric: true}, {Key: "raters", Label: i18n.T(ctx, "governance.maturity.raters"), Numeric: true}}}
	for k := len(all) - 1; k >= 0; k-- {
		d := all[k]
		row := ui.Row{ID: d.ID, Cells: []ui.Cell{{Text: say(ctx, d.Body.Title), Sub: f.Date(d.Created.In(p.Zone)), Href: pathOf(maturityPath, d.ID)}, {Text: i18n.T(ctx, "governance.maturity.state."+d.State)}}}
		if o := d.Body.Outcome; o != nil && d.State == maturity.Published {
			row.Cells = append(row.Cells, ui.Cell{Text: "**" + strconv.Itoa(o.Stage) + "**"}, ui.Cell{Text: f.Decimal(o.Claimed, 1)},
				ui.Cell{Text: f.Decimal(o.Overall, 1), Sub: f.Decimal(o.Low, 1) + " – " + f.Decimal(o.High, 1)}, ui.Cell{Text: strconv.Itoa(o.Raters)})
		} else {
			row.Cells = append(row.Cells, ui.Cell{Text: "–", Mute: true}, ui.Cell{Text: "–", Mute: true}, ui.Cell{Text: "–", Mute: true}, ui.Cell{Text: "–", Mute: true})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (p Pages) assessmentBegin(w http.ResponseWriter, r *http.Request) error {
	f := &form{r: r, zone: p.Zone}
	title, until := f.words("title"), f.day("until")
	err := f.err
	var d maturity.Doc
	if err == nil {
		d, err = p.Maturity.Begin(r.Context(), title, until, nil)
	}
	if err != nil {
		if correctable(err) {
			return p.renderAssessments(w, r, http.StatusUnprocessableEntity, ui.ErrorsFrom(r.Context(), err))
		}
		return err
	}
	http.Redirect(w, r, pathOf(maturityPath, d.ID), http.StatusSeeOther)
	return nil
}

// named finds a name of the instrument.
func named(ctx context.Context, list []packs.Named, id string) string {
	for _, n := range list {
		if n.ID == id {
			return say(ctx, n.Name)
		}
	}
	return id
}

func (p Pages) levelName(ctx context.Context, stage int) string {
	if stage < 1 || stage > len(p.Instrument.Levels) {
		return "–"
	}
	return say(ctx, p.Instrument.Levels[stage-1].Name)
}

func (p Pages) maturityFinding(ctx context.Context, d maturity.Doc) string {
	o, f := d.Body.Outcome, i18n.Fmt(ctx)
	return i18n.T(ctx, "governance.maturity.finding", "stage", o.Stage, "name", p.levelName(ctx, o.Stage), "claimed", f.Decimal(o.Claimed, 1), "score", f.Decimal(o.Overall, 1),
		"low", f.Decimal(o.Low, 1), "high", f.Decimal(o.High, 1), "pillar", named(ctx, p.Instrument.Pillars, o.Weakest))
}

type assessmentView struct {
	maturity.View
	edit, may bool
	wrong     ui.FieldErrors
	form      *form
	out       *assess.Outcome // nil while it is not the reader's to see
	names     map[string]string
}

// assessment is one round: how it stands, or its report.
func (p Pages) assessment(w http.ResponseWriter, r *http.Request) error {
	return p.renderAssessment(w, r, http.StatusOK, nil)
}

func (p Pages) renderAssessment(w http.ResponseWriter, r *http.Request, status int, wrong ui.FieldErrors) error {
	ctx := r.Context()
	v := assessmentView{edit: auth.Can(ctx, maturity.PermEdit), wrong: wrong, form: &form{r: r, zone: p.Zone}}
	var err error
	if v.View, err = p.Maturity.Get(ctx, r.PathValue("id")); err != nil {
		return err
	}
	v.may = v.State == maturity.Open && auth.Can(ctx, maturity.PermRate)
	if v.State == maturity.Published || v.State == maturity.Waiting && (v.edit || auth.Can(ctx, maturity.PermApprove)) {
		v.out = v.Body.Outcome
	}
	f := i18n.Fmt(ctx)
	page := ui.Page{Title: say(ctx, v.Body.Title), At: NavMaturity, Layer: ui.LayerGuarantee, Crumbs: []ui.Link{{Label: i18n.T(ctx, "governance.maturity.title"), Href: maturityPath}},
		Meta: []ui.Item{ui.Text(i18n.T(ctx, "governance.maturity.state."+v.State))}}
	if v.out != nil {
		page.Finding = p.maturityFinding(ctx, v.Doc)
		page.Meta = append(page.Meta, ui.Text(i18n.T(ctx, "governance.maturity.meta", "raters", v.out.Raters, "version", v.Body.Instrument, "day", f.Date(v.Body.Closed.In(p.Zone)))))
		if v.out.Alpha.N > 4 && !math.IsNaN(v.out.Alpha.Low) {
			page.Meta = append(page.Meta, ui.Text(i18n.T(ctx, "governance.maturity.alpha", "alpha", f.Decimal(v.out.Alpha.Value, 2), "low", f.Decimal(v.out.Alpha.Low, 2), "high", f.Decimal(v.out.Alpha.High, 2))))
		}
		if v.Before != nil {
			page.Meta = append(page.Meta, ui.Text(i18n.T(ctx, "governance.maturity.before", "day", f.Date(v.Before.Body.Closed.In(p.Zone)), "stage", v.Before.Body.Outcome.Stage)))
		}
	} else if v.Progress == nil {
		page.Finding = i18n.T(ctx, "governance.maturity.finding.rate", "day", f.Date(v.Body.Until.In(p.Zone)))
	} else {
		n := 0
		for _, g := range v.Progress {
			n += g.N
		}
		page.Finding = i18n.T(ctx, "governance.maturity.finding.open", "count", n, "day", f.Date(v.Body.Until.In(p.Zone)))
	}
	if v.may {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "governance.maturity.rate"), Href: pathOf(maturityPath, v.ID) + "/rate", Kind: ui.Ink}}
	}
	return ui.RenderStatus(w, r, status, assessmentPage(page, p, v))
}

// pillars draws three marks of a level: ring = claimed, disc = allowed by evidence,
// square = seen by the platform.
func (p Pages) pillars(ctx context.Context, o *assess.Outcome) templ.Component {
	const width, left, right, row = 1100.0, 250.0, 210.0, 50.0
	f := i18n.Fmt(ctx)
	x := func(v float64) float64 { return left + (width-left-right)*(v-1)/(assess.Top-1) }
	var b strings.Builder
	height := 30 + row*float64(len(o.Pillars))
	for k := 1; k <= assess.Top; k++ {
		anchor := "a-m"
		if k == 1 {
			anchor = ""
		}
		fmt.Fprintf(&b, `<path class="k-grid" d="M%.1f 22V%.1f"/><text x="%.1f" y="14" class="%s">%d %s</text>`, x(float64(k)), height-6, x(float64(k)), anchor, k, html.EscapeString(p.levelName(ctx, k)))
	}
	worst, gap := -1, 0.25
	for k, r := range o.Pillars {
		if r.Known && r.Claimed-r.Score > gap {
			worst, gap = k, r.Claimed-r.Score
		}
	}
	for k, r := range o.Pillars {
		y := 30 + row*float64(k) + row/2
		fmt.Fprintf(&b, `<text class="lb" x="0" y="%.1f">%s</text><path d="M0 %.1fH%g" stroke="var(--line)"/>`, y+4, html.EscapeString(named(ctx, p.Instrument.Pillars, r.Pillar)), y+row/2, width)
		if !r.Known {
			fmt.Fprintf(&b, `<text x="%.1f" y="%.1f">%s</text>`, left, y+4, html.EscapeString(i18n.T(ctx, "governance.maturity.unknown")))
			continue
		}
		line, text := `stroke="var(--edge)" stroke-width="1.25" stroke-dasharray="3 3"`, "lbs"
		if k == worst {
			line, text = `stroke="var(--warm)" stroke-width="3"`, "lbs fill-warm"
		}
		fmt.Fprintf(&b, `<path d="M%.1f %.1fH%.1f" stroke="var(--ink-3)" stroke-width="1"/>`, x(r.Low), y+9, x(r.High))
		fmt.Fprintf(&b, `<path d="M%.1f %.1fH%.1f" %s/><circle cx="%.1f" cy="%.1f" r="6" fill="var(--sheet)" stroke="var(--ink-2)" stroke-width="1.5"/>`, x(r.Score), y, x(r.Claimed), line, x(r.Claimed), y)
		seen := i18n.T(ctx, "governance.maturity.not_seen")
		if r.Auto > 0 {
			fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="10" height="10" fill="var(--sheet)" stroke="var(--ink)" stroke-width="1.5"/>`, x(r.Auto)-5, y-5)
			seen = i18n.T(ctx, "governance.maturity.seen", "level", f.Decimal(r.Auto, 1))
		}
		fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="5" fill="var(--ink)"/><text class="%s" x="%.1f" y="%.1f">%s</text><text x="%.1f" y="%.1f">%s</text>`, x(r.Score), y, text, width-right+34, y-2,
			html.EscapeString(i18n.T(ctx, "governance.maturity.said_counts", "claimed", f.Decimal(r.Claimed, 1), "score", f.Decimal(r.Score, 1))), width-right+34, y+14, html.EscapeString(seen))
	}
	out := fmt.Sprintf(`<figure class="chart"><div class="scroll" tabindex="0"><svg width="%g" height="%g" viewBox="0 0 %g %g" role="img" aria-label="%s">%s</svg></div></figure>`, width, height, width, height,
		html.EscapeString(i18n.T(ctx, "governance.maturity.pillars")), b.String())
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, out)
		return err
	})
}

// groupMean is what a group says of a pillar: the mean of its indicators; known is
// false where none has enough raters.
func groupMean(in assess.Instrument, o *assess.Outcome, pillar, group string) (mean float64, n int, known bool) {
	sum, count := 0.0, 0
	for k, i := range in.Indicators {
		if i.Pillar != pillar {
			continue
		}
		for _, g := range o.Indicators[k].Groups {
			if g.Group == group && !g.Hidden {
				sum += g.Mean
				count++
				n = max(n, g.N)
			}
		}
	}
	if count == 0 {
		return 0, n, false
	}
	return sum / float64(count), n, true
}

// ratersOf is how many of a group answered the question that most answered.
func ratersOf(o *assess.Outcome, group string) (n int) {
	for _, r := range o.Indicators {
		for _, g := range r.Groups {
			if g.Group == group {
				n = max(n, g.N)
			}
		}
	}
	return n
}

func levelClass(v float64) string { return "lv" + strconv.Itoa(min(assess.Top, max(1, int(v+0.5)))) }

// checks are what the platform saw.
func (p Pages) checks(ctx context.Context, v assessmentView) ui.TableProps {
	f := i18n.Fmt(ctx)
	t := ui.TableProps{ID: "checks", Label: i18n.T(ctx, "governance.maturity.checks"), Columns: []ui.Column{{Key: "what", Label: i18n.T(ctx, "governance.maturity.indicator")},
		{Key: "next", Label: i18n.T(ctx, "governance.maturity.needed")}, {Key: "seen", Label: i18n.T(ctx, "governance.maturity.saw"), Numeric: true}, {Key: "said", Label: i18n.T(ctx, "governance.maturity.claimed"), Numeric: true},
		{Key: "level", Label: i18n.T(ctx, "governance.maturity.level"), Numeric: true}}}
	for k, i := range p.Instrument.Score.Indicators {
		r := v.out.Indicators[k]
		if r.Auto == 0 {
			continue
		}
		next := ui.Cell{Text: i18n.T(ctx, "governance.maturity.top"), Mute: true}
		if r.Auto < assess.Top {
			next = ui.Cell{Text: i18n.T(ctx, "governance.maturity.for", "share", f.Percent(i.Thresholds[r.Auto-1], 0), "level", r.Auto+1), Mute: true}
		}
		claimed := ui.Cell{Text: "–", Mute: true}
		if r.Known {
			claimed = ui.Cell{Text: f.Decimal(r.Claimed, 1), Care: r.Contradicted()}
		}
		yes := int64(math.Round(r.Check.Value * float64(r.Check.N)))
		t.Rows = append(t.Rows, ui.Row{ID: i.ID, Cells: []ui.Cell{{Text: say(ctx, p.Instrument.Questions[k].Name), Sub: named(ctx, p.Instrument.Pillars, i.Pillar)}, next,
			{Text: "**" + f.Percent(r.Check.Value, 0) + "**", Sub: f.Int(yes) + " / " + f.Int(r.Check.N)}, claimed, {Text: strconv.Itoa(r.Auto)}}})
	}
	return t
}

// indicators are all of them, with evidence, interval and confidence.
func (p Pages) indicators(ctx context.Context, v assessmentView) ui.TableProps {
	f := i18n.Fmt(ctx)
	t := ui.TableProps{ID: "indicators", Label: i18n.T(ctx, "governance.maturity.indicators"), Columns: []ui.Column{{Key: "what", Label: i18n.T(ctx, "governance.maturity.indicator")},
		{Key: "said", Label: i18n.T(ctx, "governance.maturity.claimed"), Numeric: true}, {Key: "score", Label: i18n.T(ctx, "governance.maturity.allowed"), Numeric: true},
		{Key: "proof", Label: i18n.T(ctx, "governance.maturity.proof")}, {Key: "agree", Label: i18n.T(ctx, "governance.maturity.agreement"), Numeric: true},
		{Key: "sure", Label: i18n.T(ctx, "governance.maturity.confidence"), Numeric: true}, {Key: "change", Label: i18n.T(ctx, "governance.maturity.change"), Numeric: true}}}
	for k, q := range p.Instrument.Questions {
		r := v.out.Indicators[k]
		row := ui.Row{ID: q.ID, Cells: []ui.Cell{{Text: say(ctx, q.Name), Sub: named(ctx, p.Instrument.Pillars, q.Pillar)}}}
		if !r.Known {
			for range 6 {
				row.Cells = append(row.Cells, ui.Cell{Text: "–", Mute: true})
			}
			t.Rows = append(t.Rows, row)
			continue
		}
		score := ui.Cell{Text: "**" + f.Decimal(r.Score, 1) + "**", Sub: f.Decimal(r.Low, 1) + " – " + f.Decimal(r.High, 1) + " · n = " + strconv.Itoa(r.N)}
		claimed := ui.Cell{Text: f.Decimal(r.Claimed, 1), Care: r.Contradicted()}
		if r.Polarised {
			claimed = ui.Cell{Text: i18n.T(ctx, "governance.maturity.polarised"), Care: true}
			score = ui.Cell{Text: "–", Mute: true, Sub: i18n.T(ctx, "governance.maturity.calibrate")}
		}
		proof := ui.Cell{Text: say(ctx, p.Instrument.Grades[min(r.Grade, len(p.Instrument.Grades)-1)].Name)}
		if note := v.Body.Proofs[q.ID].Note; note != "" {
			proof.Sub = note
		}
		moved := ui.Cell{Text: "–", Mute: true}
		if v.Before != nil && k < len(v.Before.Body.Outcome.Indicators) {
			moved.Text = i18n.T(ctx, "governance.maturity.no_change")
			if diff, known := assess.Change(v.Before.Body.Outcome.Indicators[k], r); known {
				moved = ui.Cell{Text: f.Signed(diff, 1), Care: diff < 0}
			}
		}
		row.Cells = append(row.Cells, claimed, score, proof, ui.Cell{Text: f.Decimal(r.Agreement, 2), Sub: i18n.T(ctx, "governance.maturity.agreement."+r.Word), Care: r.Word == assess.Contested},
			ui.Cell{Text: f.Decimal(r.Confidence, 2)}, moved)
		t.Rows = append(t.Rows, row)
	}
	return t
}

// maxBlind is how many blind spots are named.
const maxBlind = 6

// blind are indicators where those who lead see more than others, or than the
// platform, the largest first; all is how many there are.
func (p Pages) blind(ctx context.Context, v assessmentView) (out []ui.KeyValue, all int) {
	f := i18n.Fmt(ctx)
	var size []float64
	for k, q := range p.Instrument.Questions {
		r := v.out.Indicators[k]
		var words []string
		if r.Perception != nil && *r.Perception >= 1 {
			words = append(words, i18n.T(ctx, "governance.maturity.blind.perception", "gap", f.Decimal(*r.Perception, 1)))
		}
		if r.Contradicted() {
			words = append(words, i18n.T(ctx, "governance.maturity.blind.system", "claimed", f.Decimal(r.Claimed, 1), "seen", r.Auto, "share", f.Percent(r.Check.Value, 0), "n", f.Int(r.Check.N)))
		}
		if len(words) == 0 {
			continue
		}
		gap := 0.0
		if r.Perception != nil {
			gap = *r.Perception
		}
		if r.Contradicted() {
			gap = max(gap, r.Gap)
		}
		at, _ := slices.BinarySearchFunc(size, gap, func(have, want float64) int { return cmp.Compare(want, have) })
		size = slices.Insert(size, at, gap)
		out = slices.Insert(out, at, ui.KeyValue{Key: say(ctx, q.Name), Value: strings.Join(words, " ")})
	}
	return out[:min(len(out), maxBlind)], len(out)
}

func (p Pages) roadmap(v assessmentView) []assess.Result {
	list := assess.Roadmap(p.Instrument.Score, v.out.Indicators)
	return list[:min(len(list), 8)]
}

func (p Pages) questionName(ctx context.Context, id string) string {
	q, _ := p.Instrument.Question(id)
	return say(ctx, q.Name)
}

func questionsOf(m *packs.Maturity, pillar string) (out []packs.Question) {
	for _, q := range m.Questions {
		if q.Pillar == pillar {
			out = append(out, q)
		}
	}
	return out
}

type rateView struct {
	maturity.View
	form  *form
	wrong ui.FieldErrors
}

// chosen is what stands in the form: what was sent, else what was answered before.
func (v rateView) chosen(id string) string {
	if s := v.form.text(id); s != "" {
		return s
	}
	if a := v.Mine[id]; a != 0 {
		return strconv.Itoa(a)
	}
	return ""
}

// rate is the questionnaire.
func (p Pages) rate(w http.ResponseWriter, r *http.Request) error {
	return p.renderRate(w, r, http.StatusOK, nil)
}

func (p Pages) renderRate(w http.ResponseWriter, r *http.Request, status int, wrong ui.FieldErrors) error {
	ctx := r.Context()
	v := rateView{form: &form{r: r, zone: p.Zone}, wrong: wrong}
	var err error
	if v.View, err = p.Maturity.Get(ctx, r.PathValue("id")); err != nil {
		return err
	}
	if v.State != maturity.Open {
		return errs.Conflict("governance.maturity.error.closed", "the assessment is %s", v.State)
	}
	actor, _ := auth.From(ctx)
	page := ui.Page{Title: i18n.T(ctx, "governance.maturity.rate"), At: NavMaturity, Layer: ui.LayerGuarantee, Crumbs: []ui.Link{{Label: i18n.T(ctx, "governance.maturity.title"), Href: maturityPath}, {Label: say(ctx, v.Body.Title), Href: pathOf(maturityPath, v.ID)}},
		Finding: i18n.T(ctx, "governance.maturity.rate.finding", "group", named(ctx, p.Instrument.Groups, maturity.GroupOf(actor)))}
	return ui.RenderStatus(w, r, status, ratePage(page, p, v))
}

func (p Pages) rateSave(w http.ResponseWriter, r *http.Request) error {
	f := &form{r: r, zone: p.Zone}
	answers := map[string]int{}
	for _, q := range p.Instrument.Questions {
		if f.text(q.ID) != "" {
			answers[q.ID] = f.whole(q.ID)
		}
	}
	err := f.err
	if err == nil {
		err = p.Maturity.Rate(r.Context(), r.PathValue("id"), answers)
	}
	if err != nil {
		if correctable(err) {
			return p.renderRate(w, r, http.StatusUnprocessableEntity, ui.ErrorsFrom(r.Context(), err))
		}
		return err
	}
	http.Redirect(w, r, pathOf(maturityPath, r.PathValue("id")), http.StatusSeeOther)
	return nil
}

func (p Pages) prove(w http.ResponseWriter, r *http.Request) error {
	f := &form{r: r, zone: p.Zone}
	grade := f.whole("grade")
	err := f.err
	if err == nil {
		err = p.Maturity.Prove(r.Context(), r.PathValue("id"), f.text("indicator"), grade, f.text("note"))
	}
	return p.assessmentDone(w, r, err)
}

func (p Pages) assessmentClose(w http.ResponseWriter, r *http.Request) error {
	_, err := p.Maturity.Close(r.Context(), r.PathValue("id"))
	return p.assessmentDone(w, r, err)
}

func (p Pages) assessmentDone(w http.ResponseWriter, r *http.Request, err error) error {
	if err != nil {
		if correctable(err) {
			return p.renderAssessment(w, r, http.StatusUnprocessableEntity, ui.ErrorsFrom(r.Context(), err))
		}
		return err
	}
	http.Redirect(w, r, pathOf(maturityPath, r.PathValue("id")), http.StatusSeeOther)
	return nil
}

// proofOptions are indicators and grades for the form of evidence.
func (p Pages) proofOptions(ctx context.Context) (indicators, grades []ui.Option) {
	for _, q := range p.Instrument.Questions {
		indicators = append(indicators, ui.Option{Value: q.ID, Label: say(ctx, q.Name)})
	}
	for k, g := range p.Instrument.Grades[:3] {
		grades = append(grades, ui.Option{Value: strconv.Itoa(k), Label: say(ctx, g.Name)})
	}
	return indicators, grades
}
