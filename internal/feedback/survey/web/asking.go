package web

import (
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"omote/analytics/stats"
	"omote/internal/feedback/form"
	"omote/internal/feedback/survey"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

var nan = math.NaN()

// askingView is how the asking of a survey went.
type askingView struct {
	customer              string
	counts, units, gaming ui.TableProps
	one                   []ui.TableProps
	silent                ui.TableProps
}

func (p Pages) asking(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v, err := p.load(r)
	if err != nil {
		return err
	}
	if v.units, err = p.UnitNames(ctx); err != nil {
		return err
	}
	f := i18n.Fmt(ctx)
	a := &askingView{customer: strings.TrimSpace(r.URL.Query().Get("customer"))}
	a.counts = ui.TableProps{Label: i18n.T(ctx, "feedback.survey.why"), Columns: []ui.Column{{Key: "what", Label: i18n.T(ctx, "feedback.survey.why.what"), Wide: true},
		{Key: "n", Label: i18n.T(ctx, "feedback.survey.why.n"), Numeric: true}}}
	for _, c := range v.report.Counts {
		a.counts.Rows = append(a.counts.Rows, ui.Row{Cells: []ui.Cell{{Text: i18n.T(ctx, "feedback.survey.ask."+string(c.State)), Sub: p.reason(r, c.Reason)}, {Text: f.Int(c.N)}}})
	}
	name := func(unit string) string {
		if v.units[unit] != "" {
			return v.units[unit]
		}
		return unit
	}
	a.units = ui.TableProps{Label: i18n.T(ctx, "feedback.survey.units"), Dense: true, Columns: []ui.Column{{Key: "unit", Label: i18n.T(ctx, "feedback.survey.dim.unit"), Wide: true},
		{Key: "events", Label: i18n.T(ctx, "feedback.survey.units.events"), Numeric: true}, {Key: "asked", Label: i18n.T(ctx, "feedback.survey.units.asked"), Numeric: true},
		{Key: "answered", Label: i18n.T(ctx, "feedback.survey.units.answered"), Numeric: true}}}
	for _, u := range v.report.Units {
		a.units.Rows = append(a.units.Rows, ui.Row{Cells: ui.Cells(name(u.Unit), f.Int(u.Events), f.Int(u.Asked), f.Int(u.Answered))})
	}
	a.gaming = ui.TableProps{Label: i18n.T(ctx, "feedback.survey.gaming"), Columns: []ui.Column{{Key: "unit", Label: i18n.T(ctx, "feedback.survey.dim.unit"), Wide: true},
		{Key: "what", Label: i18n.T(ctx, "feedback.survey.gaming.what")}, {Key: "rate", Label: i18n.T(ctx, "feedback.survey.gaming.rate"), Numeric: true},
		{Key: "others", Label: i18n.T(ctx, "feedback.survey.gaming.others"), Numeric: true}}}
	for _, g := range v.report.Gaming {
		a.gaming.Rows = append(a.gaming.Rows, ui.Row{Cells: []ui.Cell{{Text: name(g.Unit)}, {Text: i18n.T(ctx, "feedback.survey.gaming."+g.What)},
			{Text: f.Percent(g.Rate.Value, 0), Sub: f.PercentInterval(g.Rate.Low, g.Rate.High, 0), Care: true}, {Text: f.Percent(g.Expected, 0)}}})
	}
	if a.silent, err = p.silent(r, v); err != nil {
		return err
	}
	if a.customer != "" {
		if a.one, err = p.whyNot(r, v.version.Document.ID, a.customer); err != nil {
			return err
		}
	}
	return ui.Render(w, r, askingPage(p.page(ctx, r, v), v, a))
}

// silent tells by channel who was asked, reached and answered.
func (p Pages) silent(r *http.Request, v *view) (t ui.TableProps, err error) {
	ctx, f := r.Context(), i18n.Fmt(r.Context())
	all, err := p.Surveys.Silent(ctx, v.version.Document.ID, "channel", v.report.Since)
	t = ui.TableProps{Label: i18n.T(ctx, "feedback.survey.silent"), Columns: []ui.Column{{Key: "channel", Label: i18n.T(ctx, "feedback.survey.dim.channel"), Wide: true},
		{Key: "asked", Label: i18n.T(ctx, "feedback.survey.units.asked"), Numeric: true}, {Key: "delivered", Label: i18n.T(ctx, "feedback.survey.silent.delivered"), Numeric: true},
		{Key: "failed", Label: i18n.T(ctx, "feedback.survey.silent.failed"), Numeric: true}, {Key: "answered", Label: i18n.T(ctx, "feedback.survey.units.answered"), Numeric: true},
		{Key: "rate", Label: i18n.T(ctx, "feedback.survey.silent.rate"), Numeric: true}}}
	for _, c := range all {
		if c.Asked == 0 {
			continue
		}
		name := c.Value
		if l := i18n.From(ctx); l.Has("feedback.survey.channel." + name) {
			name = l.T("feedback.survey.channel." + name)
		}
		rate := stats.Proportion(c.Answered, c.Asked, 0.95)
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: name}, {Text: f.Int(c.Asked)}, {Text: f.Int(c.Delivered)}, {Text: f.Int(c.Failed), Care: c.Failed > 0}, {Text: f.Int(c.Answered)},
			{Text: f.Percent(rate.Value, 0), Sub: f.PercentInterval(rate.Low, rate.High, 0)}}})
	}
	return t, err
}

// reason says why somebody was not asked; the words of the contact policy have
// their own texts.
func (p Pages) reason(r *http.Request, reason string) string {
	if reason == "" {
		return ""
	}
	l := i18n.From(r.Context())
	for _, prefix := range []string{"feedback.survey.reason.", "customer.contact.reason.", "customer.consent.reason."} {
		if key := prefix + strings.TrimPrefix(reason, "consent_"); l.Has(key) {
			return l.T(key)
		}
	}
	return reason
}

// finding is a rule's word as the contact policy keeps it.
type finding struct {
	Rule, Sort, Reason, What string
	Met                      bool
	Used, Limit              int
	Until                    time.Time
}

// whyNot shows every asking of one customer with every rule met and not met.
func (p Pages) whyNot(r *http.Request, id, customer string) (out []ui.TableProps, err error) {
	ctx := r.Context()
	records, err := p.RecordsOf(ctx, customer)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(records, customer) {
		records = append(records, customer)
	}
	all, err := p.Surveys.WhyNot(ctx, id, records)
	if err != nil {
		return nil, err
	}
	for _, in := range all {
		t := ui.TableProps{Label: ui.When(ctx, in.Created), Columns: []ui.Column{{Key: "rule", Label: i18n.T(ctx, "feedback.survey.one.rule"), Wide: true},
			{Key: "met", Label: i18n.T(ctx, "feedback.survey.one.met")}}}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: i18n.T(ctx, "feedback.survey.ask."+string(in.State)), Sub: ui.When(ctx, in.Created)}, {Text: p.reason(r, in.Reason)}}})
		var rules []finding
		if len(in.Reasons) > 0 {
			if err := json.Unmarshal(in.Reasons, &rules); err != nil {
				return nil, err
			}
		}
		for _, f := range rules {
			t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: f.Rule, Sub: p.reason(r, f.Reason)}, {Text: i18n.T(ctx, "feedback.survey.one.met."+map[bool]string{true: "yes", false: "no"}[f.Met]), Care: !f.Met}}})
		}
		out = append(out, t)
	}
	return out, nil
}

// answersPage shows how many responses at a time.
const answersShown = 50

func (p Pages) answers(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v, err := p.load(r)
	if err != nil {
		return err
	}
	d := v.version.Document
	t := ui.TableProps{Label: i18n.T(ctx, "feedback.survey.tab.answers"), Columns: []ui.Column{{Key: "at", Label: i18n.T(ctx, "feedback.survey.answers.at"), Narrow: true},
		{Key: "score", Label: i18n.T(ctx, "feedback.survey.list.score"), Numeric: true}, {Key: "words", Label: i18n.T(ctx, "feedback.survey.answers.words"), Wide: true},
		{Key: "from", Label: i18n.T(ctx, "feedback.survey.answers.from")}, {Key: "flags", Label: i18n.T(ctx, "feedback.survey.answers.flags")}},
		Empty: ui.Empty(ui.EmptyProps{Title: i18n.T(ctx, "feedback.survey.empty"), Text: i18n.T(ctx, "feedback.survey.empty.text")})}
	var before time.Time
	if after := r.URL.Query().Get("after"); after != "" {
		before, _ = time.Parse(time.RFC3339Nano, after)
	}
	if d.Anonymity == form.Known {
		all, err := p.Surveys.Recent(ctx, d.ID, before, answersShown)
		if err != nil {
			return err
		}
		for _, one := range all {
			t.Rows = append(t.Rows, p.answerRow(r, d, one))
		}
		if len(all) == answersShown {
			t.Next = all[len(all)-1].Completed.Format(time.RFC3339Nano)
		}
	}
	t.Query = ui.QueryTable(r, "", t.Columns, "")
	return ui.Render(w, r, answersPage(p.page(ctx, r, v), v, t))
}

func (p Pages) answerRow(r *http.Request, d *form.Document, one *survey.Response) ui.Row {
	ctx := r.Context()
	score := ""
	if one.Score != nil {
		score = i18n.Fmt(ctx).Int(*one.Score)
	}
	var said, flags []string
	var files []ui.Link
	for i := range d.Items {
		it := &d.Items[i]
		a := one.Answers[it.ID]
		if a.Text != "" {
			said = append(said, a.Text)
		}
		for _, c := range a.Chosen {
			said = append(said, answerName(ctx, it, c))
		}
		if a.File != nil {
			files = append(files, ui.Link{Label: a.File.Name, Href: surveyPath(d.ID) + "/files/" + a.File.ID})
		}
	}
	for _, f := range one.Flags {
		flags = append(flags, i18n.T(ctx, "feedback.survey.flag."+f))
	}
	return ui.Row{ID: one.ID, Cells: []ui.Cell{{Text: ui.When(ctx, one.Completed)}, {Text: score}, {Node: voiceAndFiles(strings.Join(said, " · "), one.Locale, files)},
		{Text: one.Channel, Sub: one.Unit}, {Text: strings.Join(flags, ", ")}}}
}
