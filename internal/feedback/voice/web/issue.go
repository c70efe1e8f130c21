package web

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"omote/analytics/stats"
	"omote/internal/feedback/voice"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
	"omote/internal/ui/chart"
)

const issuesPath = "/feedback/issues"

// issuePath is the page of an issue.
func issuePath(i voice.Issue) string {
	q := url.Values{}
	for name, v := range map[string]string{"journey": i.Journey, "step": i.Step, "unit": i.Unit} {
		if v != "" {
			q.Set(name, v)
		}
	}
	if len(q) == 0 {
		return issuesPath + "/" + i.Theme
	}
	return issuesPath + "/" + i.Theme + "?" + q.Encode()
}

func issueOf(r *http.Request) voice.Issue {
	v := r.URL.Query()
	return voice.Issue{Theme: r.PathValue("theme"), Journey: v.Get("journey"), Step: v.Get("step"), Unit: v.Get("unit")}
}

func themeName(ctx context.Context, theme string) string {
	return i18n.T(ctx, "feedback.voice.theme."+theme)
}

// where names an issue's journey and step.
func (p Pages) where(ctx context.Context, i voice.Issue, journeys map[string]string) string {
	out := nameOf(journeys, i.Journey, i18n.T(ctx, "feedback.voice.issue.anywhere"))
	if i.Step != "" {
		out += " · " + p.Steps(ctx, i.Step)
	}
	return out
}

type issuesView struct{ table ui.TableProps }

// issues lists what customers speak of unhappily.
func (p Pages) issues(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	list, err := p.Voices.Issues(ctx, r.URL.Query().Get("unit"))
	if err != nil {
		return err
	}
	journeys := p.Journeys(ctx)
	columns := []ui.Column{{Key: "theme", Label: i18n.T(ctx, "feedback.voice.issue.theme"), Wide: true}, {Key: "now", Label: i18n.T(ctx, "feedback.voice.issue.now"), Numeric: true},
		{Key: "before", Label: i18n.T(ctx, "feedback.voice.issue.before"), Numeric: true}, {Key: "change", Label: i18n.T(ctx, "feedback.voice.issue.change"), Numeric: true},
		{Key: "kinds", Label: i18n.T(ctx, "feedback.voice.issue.kinds"), Numeric: true}}
	f := i18n.Fmt(ctx)
	v := issuesView{table: ui.TableProps{Label: i18n.T(ctx, "feedback.voice.tab.issues"), Columns: columns, Query: ui.QueryTable(r, "", columns, "-now"), Foot: i18n.T(ctx, "feedback.voice.issue.foot")}}
	for _, s := range list {
		v.table.Rows = append(v.table.Rows, ui.Row{ID: issuePath(s.Issue), Cells: []ui.Cell{{Text: themeName(ctx, s.Theme), Sub: p.where(ctx, s.Issue, journeys), Href: issuePath(s.Issue)},
			{Text: f.Int(s.Now)}, {Text: f.Decimal(float64(s.Before)/3, 1)}, changeCell(ctx, s.Change, s.Moved), {Text: i18n.T(ctx, "feedback.voice.issue.of", "n", s.Kinds, "all", len(voice.Kinds))}}})
	}
	v.table.Empty = ui.Empty(ui.EmptyProps{Title: i18n.T(ctx, "feedback.voice.issue.empty"), Text: i18n.T(ctx, "feedback.voice.issue.empty.text")})
	page := ui.Page{Title: i18n.T(ctx, "feedback.voice.tab.issues"), At: ui.NavVoices}
	if len(list) > 0 {
		page.Finding = i18n.T(ctx, "feedback.voice.issue.finding", "theme", themeName(ctx, list[0].Theme), "where", p.where(ctx, list[0].Issue, journeys), "count", list[0].Now)
	}
	return ui.Render(w, r, issuesPage(page, v))
}

// changeCell is a change of a share in points, with its interval.
func changeCell(ctx context.Context, c stats.Comparison, moved int) ui.Cell {
	d := c.Difference
	if d.N == 0 || math.IsNaN(d.Value) {
		return ui.Cell{Text: "–", Mute: true}
	}
	f := i18n.Fmt(ctx)
	return ui.Cell{Text: i18n.T(ctx, "feedback.voice.points", "value", signed(ctx, 100*d.Value)), Care: moved > 0,
		Sub: i18n.T(ctx, "feedback.voice.interval", "low", f.Decimal(100*d.Low, 1), "high", f.Decimal(100*d.High, 1))}
}

func signed(ctx context.Context, v float64) string {
	s := i18n.Fmt(ctx).Decimal(v, 1)
	if v > 0 {
		return "+" + s
	}
	return s
}

type issueView struct {
	voice.IssueView
	figure    ui.FigureProps
	sources   ui.TableProps
	units     ui.TableProps
	told      ui.TableProps
	notice    voice.Notice
	concerned int
	since     string
	wrong     ui.FieldErrors
	may       bool
	all       string
	reply     string
	sent      bool
	action    string
}

// issue lays one issue side by side in every source.
func (p Pages) issue(w http.ResponseWriter, r *http.Request) error {
	return p.renderIssue(w, r, http.StatusOK, issueView{notice: voice.Notice{Since: p.Clock.Now().AddDate(0, 0, -90)}, sent: r.URL.Query().Has("told")})
}

func (p Pages) renderIssue(w http.ResponseWriter, r *http.Request, status int, v issueView) error {
	ctx := r.Context()
	i := issueOf(r)
	var err error
	if v.IssueView, err = p.Voices.Issue(ctx, i); err != nil {
		return err
	}
	if v.may = auth.Can(ctx, voice.PermTell); v.may {
		if v.concerned, err = p.Voices.Concerned(ctx, i, v.notice.Since); err != nil {
			return err
		}
	}
	f, units := i18n.Fmt(ctx), p.Units(ctx)
	v.action, v.since = issuePath(i), v.notice.Since.In(p.Zone).Format(time.DateOnly)
	v.figure = ui.FigureProps{Value: f.Int(v.Customers), Unit: i18n.T(ctx, "feedback.voice.issue.customers"), Note: i18n.T(ctx, "feedback.voice.issue.window")}
	if !math.IsNaN(v.All.Value) {
		state := ui.Noise
		switch {
		case v.All.Low > 1:
			state = ui.Worse
		case v.All.High < 1:
			state = ui.Better
		}
		v.figure.State = &state
		v.all = i18n.T(ctx, "feedback.voice.issue.all", "times", f.Decimal(v.All.Value, 1), "low", f.Decimal(v.All.Low, 1), "high", f.Decimal(v.All.High, 1), "agree", v.Agree)
	}
	if v.Reply.N > 0 {
		v.reply = i18n.T(ctx, "feedback.voice.issue.reply", "share", f.Percent(v.Reply.Value, 0), "count", v.Reply.N)
	}
	v.sources = p.sources(ctx, v.IssueView)
	v.units = ui.TableProps{Label: i18n.T(ctx, "feedback.voice.issue.units"), Columns: []ui.Column{{Key: "unit", Label: i18n.T(ctx, "feedback.voice.column.unit"), Wide: true},
		{Key: "now", Label: i18n.T(ctx, "feedback.voice.issue.now"), Numeric: true}, {Key: "before", Label: i18n.T(ctx, "feedback.voice.issue.before"), Numeric: true}}}
	for _, u := range v.Units[:min(len(v.Units), 12)] {
		v.units.Rows = append(v.units.Rows, ui.Row{Cells: []ui.Cell{{Text: nameOf(units, u.Unit, i18n.T(ctx, "feedback.voice.issue.bank")), Href: issuePath(u.Issue)}, {Text: f.Int(u.Now)}, {Text: f.Decimal(float64(u.Before)/3, 1)}}})
	}
	v.told = p.toldTable(ctx, v.Told)
	page := ui.Page{Title: themeName(ctx, i.Theme), At: ui.NavVoices, Crumbs: []ui.Link{{Label: i18n.T(ctx, "feedback.voice.title"), Href: listPath}, {Label: i18n.T(ctx, "feedback.voice.tab.issues"), Href: issuesPath}},
		Meta: []ui.Item{ui.Text(p.where(ctx, i, p.Journeys(ctx))), ui.Text(nameOf(units, i.Unit, i18n.T(ctx, "feedback.voice.issue.bank")))}}
	return ui.RenderStatus(w, r, status, issuePage(page, v))
}

// sources is the table in which every way of listening stands beside the others.
func (p Pages) sources(ctx context.Context, v voice.IssueView) ui.TableProps {
	f := i18n.Fmt(ctx)
	t := ui.TableProps{Label: i18n.T(ctx, "feedback.voice.issue.side"), Columns: []ui.Column{{Key: "kind", Label: i18n.T(ctx, "feedback.voice.issue.source"), Wide: true},
		{Key: "now", Label: i18n.T(ctx, "feedback.voice.issue.share"), Numeric: true}, {Key: "before", Label: i18n.T(ctx, "feedback.voice.issue.past"), Numeric: true},
		{Key: "change", Label: i18n.T(ctx, "feedback.voice.issue.change"), Numeric: true}, {Key: "weeks", Label: i18n.T(ctx, "feedback.voice.issue.weeks"), Narrow: true}}, Foot: i18n.T(ctx, "feedback.voice.issue.bias")}
	share := func(e stats.Estimate) ui.Cell {
		if e.N == 0 {
			return ui.Cell{Text: "–", Mute: true}
		}
		return ui.Cell{Text: f.Percent(e.Value, 1), Sub: i18n.T(ctx, "feedback.voice.interval.n", "low", f.Percent(e.Low, 1), "high", f.Percent(e.High, 1), "count", e.N)}
	}
	moved := func(c stats.Comparison) int {
		if c.Difference.N > 0 && c.Difference.Low > 0 {
			return 1
		}
		return 0
	}
	for _, row := range v.Rows {
		weeks := ui.Cell{Text: "–", Mute: true}
		if row.Hits > 0 {
			weeks = ui.Cell{Node: chart.Spark(chart.SparkProps{Values: row.Weeks, BandLow: math.NaN(), BandHigh: math.NaN(), Width: 110, Height: 32})}
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: i18n.T(ctx, "feedback.voice.issue.kind."+string(row.Kind)), Sub: i18n.T(ctx, "feedback.voice.issue.hits", "count", row.Hits)},
			share(row.Now), share(row.Before), changeCell(ctx, row.Change, moved(row.Change)), weeks}})
	}
	if d := v.Deeds; d != nil {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: i18n.T(ctx, "feedback.voice.issue.deeds"), Sub: i18n.T(ctx, "feedback.voice.issue.deeds.text")}, share(d.Now), share(d.Before), changeCell(ctx, d.Change, moved(d.Change)), {Text: "–", Mute: true}}})
	}
	if v.Staff != nil {
		cell := score(ctx, *v.Staff, 0)
		if v.Staff.Few {
			cell = ui.Cell{Text: i18n.T(ctx, "feedback.voice.units.hidden"), Mute: true}
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: i18n.T(ctx, "feedback.voice.issue.staff"), Sub: i18n.T(ctx, "feedback.voice.issue.staff.text")}, cell, {Text: "–", Mute: true}, {Text: "–", Mute: true}, {Text: "–", Mute: true}}})
	}
	return t
}

// toldTable is what was told to whom.
func (p Pages) toldTable(ctx context.Context, list []voice.NoticeView) ui.TableProps {
	f := i18n.Fmt(ctx)
	t := ui.TableProps{Label: i18n.T(ctx, "feedback.voice.notice.told"), Columns: []ui.Column{{Key: "text", Label: i18n.T(ctx, "feedback.voice.notice.what"), Wide: true},
		{Key: "share", Label: i18n.T(ctx, "feedback.voice.notice.reached"), Numeric: true}, {Key: "rest", Label: i18n.T(ctx, "feedback.voice.notice.rest")}}}
	for _, n := range list {
		text := n.TextVI
		if i18n.Locale(ctx) == "en" {
			text = n.TextEN
		}
		reached := stats.Proportion(n.Told, n.Concerned, stats.DefaultLevel)
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: text, Sub: ui.When(ctx, n.At)}, {Text: f.Percent(reached.Value, 0), Sub: i18n.T(ctx, "feedback.voice.notice.of", "told", n.Told, "count", n.Concerned)},
			{Text: i18n.T(ctx, "feedback.voice.notice.not", "held", n.Held, "waiting", n.Waiting, "unreachable", n.Unreachable), Mute: true}}})
	}
	return t
}

// tell keeps a notice to those who spoke of the issue; it leaves within a minute.
func (p Pages) tell(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	n := voice.Notice{Issue: issueOf(r), TextVI: strings.TrimSpace(r.FormValue("text_vi")), TextEN: strings.TrimSpace(r.FormValue("text_en"))}
	if day, err := time.ParseInLocation(time.DateOnly, r.FormValue("since"), p.Zone); err == nil {
		n.Since = day
	}
	if _, err := p.Voices.Tell(ctx, n); err != nil {
		if !refused(err) {
			return err
		}
		if n.Since.IsZero() {
			n.Since = p.Clock.Now().AddDate(0, 0, -90)
		}
		return p.renderIssue(w, r, http.StatusUnprocessableEntity, issueView{notice: n, wrong: ui.ErrorsFrom(ctx, err)})
	}
	to := issuePath(n.Issue)
	if strings.Contains(to, "?") {
		to += "&told"
	} else {
		to += "?told"
	}
	http.Redirect(w, r, to+"#notice", http.StatusSeeOther)
	return nil
}
