package web

import (
	"context"
	"math"
	"net/http"

	"omote/internal/governance/council"
	"omote/internal/governance/measure"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

type councilView struct {
	agenda, left []council.Item
	meetings     []council.MeetingDoc
	decisions    []council.Doc
	record       council.Record
	mirror       council.Mirror
	now          map[string]measure.Reading
	edit         bool
}

// council is the room: what to decide, what earlier decisions did, how well the
// council foresees.
func (p Pages) council(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	items, err := p.Council.Candidates(ctx)
	if err != nil {
		return err
	}
	v := councilView{edit: auth.Can(ctx, council.PermEdit)}
	v.agenda, v.left = council.Agenda(p.Pack, items)
	if v.meetings, err = p.Council.Meetings(ctx); err != nil {
		return err
	}
	if v.decisions, err = p.Council.Decisions(ctx); err != nil {
		return err
	}
	if v.now, err = p.Registry.Now(ctx); err != nil {
		return err
	}
	v.record, v.mirror = council.Calibration(v.decisions), council.MirrorOf(v.decisions)
	page := ui.Page{Title: i18n.T(ctx, "governance.council.title"), At: ui.NavDecisions}
	if len(v.decisions)+len(v.agenda)+len(v.left) > 0 {
		page.Finding = p.councilFinding(ctx, v)
	}
	if v.edit {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "governance.decision.new"), Href: decisionsPath + "/new", Key: "N"}}
	}
	return ui.Render(w, r, councilPage(page, p, v))
}

func (p Pages) councilFinding(ctx context.Context, v councilView) string {
	text := i18n.T(ctx, "governance.council.finding", "count", len(v.agenda))
	switch v.record.Verdict {
	case "few":
		return text + " " + i18n.T(ctx, "governance.council.record.few", "n", v.record.N)
	default:
		return text + " " + i18n.T(ctx, "governance.council.record."+string(v.record.Verdict), "held", v.record.Held, "n", v.record.N)
	}
}

func itemMeta(ctx context.Context, i council.Item) string {
	return i18n.T(ctx, "governance.council.item."+i.Kind)
}

func (p Pages) itemDocket(ctx context.Context, i council.Item) ui.DocketProps {
	d := ui.DocketProps{Due: itemMeta(ctx, i), Question: say(ctx, i.Title), Act: ui.ButtonProps{Label: i18n.T(ctx, "governance.council.read"), Href: i.Href},
		Note: i18n.T(ctx, "governance.council.item.note", "minutes", i.Minutes, "score", i18n.Fmt(ctx).Decimal(i.Score, 2))}
	if i.Grade > 0 {
		d.Evidence = ui.Grade(ui.EvidenceGrade(i.Grade))
	}
	if i.Low != 0 || i.High != 0 {
		d.Worth = ui.Rich(p.span(ctx, i.Low, i.High))
	}
	return d
}

// past are the decisions in force, newest first.
func (v councilView) past() (out []council.Doc) {
	for i := len(v.decisions) - 1; i >= 0; i-- {
		if d := v.decisions[i]; d.State == council.Decided || d.State == council.Scored {
			out = append(out, d)
		}
	}
	return out
}

func (v councilView) refusals() (out []council.Doc) {
	for i := len(v.decisions) - 1; i >= 0; i-- {
		if d := v.decisions[i]; d.State == council.Refused {
			out = append(out, d)
		}
	}
	return out
}

// unitOf is the unit of the metric that a forecast speaks of.
func (v councilView) unitOf(metric string) string { return v.now[metric].Unit }

// said writes a forecast.
func said(ctx context.Context, unit string, f *council.Forecast) string {
	if f == nil {
		return "–"
	}
	if f.Chance != nil {
		return i18n.T(ctx, "governance.decision.said.chance", "chance", i18n.Fmt(ctx).Percent(*f.Chance, 0), "value", figure(ctx, unit, f.Reach))
	}
	return figure(ctx, unit, f.Low) + " – " + figure(ctx, unit, f.High) + " (" + i18n.Fmt(ctx).Percent(f.Level, 0) + ")"
}

// became writes an outcome.
func became(ctx context.Context, unit string, o *council.Outcome) string {
	switch {
	case o == nil:
		return "–"
	case !o.Known:
		return i18n.T(ctx, "governance.decision.unknown")
	}
	return "**" + figure(ctx, unit, o.Value) + "** " + figure(ctx, unit, o.Low) + " – " + figure(ctx, unit, o.High)
}

func verdictOf(ctx context.Context, d council.Doc) (ui.MetricState, string) {
	o := d.Body.Outcome
	switch {
	case d.Body.Forecast == nil:
		return ui.Few, i18n.T(ctx, "governance.decision.verdict.none")
	case o == nil:
		return ui.Few, i18n.T(ctx, "governance.decision.verdict.early", "day", i18n.Fmt(ctx).Date(d.Body.Review))
	case !o.Known:
		return ui.Few, i18n.T(ctx, "governance.decision.unknown")
	case o.Held:
		return ui.Better, i18n.T(ctx, "governance.decision.verdict.held")
	}
	return ui.Noise, i18n.T(ctx, "governance.decision.verdict.missed")
}

func (p Pages) pastTable(ctx context.Context, v councilView) ui.TableProps {
	t := ui.TableProps{ID: "past", Label: i18n.T(ctx, "governance.council.past"), Columns: []ui.Column{{Key: "day", Label: i18n.T(ctx, "governance.decision.decided"), Narrow: true},
		{Key: "what", Label: i18n.T(ctx, "governance.decision.word")}, {Key: "said", Label: i18n.T(ctx, "governance.decision.said")},
		{Key: "did", Label: i18n.T(ctx, "governance.decision.did")}, {Key: "box", Label: i18n.T(ctx, "governance.decision.box")}, {Key: "score", Label: i18n.T(ctx, "governance.decision.score")}}}
	f := i18n.Fmt(ctx)
	for _, d := range v.past() {
		unit := ""
		var box ui.Cell
		if fc := d.Body.Forecast; fc != nil {
			unit = v.unitOf(fc.Metric)
			if fc.Chance == nil {
				o := council.Outcome{}
				if d.Body.Outcome != nil {
					o = *d.Body.Outcome
				}
				box.Node = forecastBox(fc.Low, fc.Mid, fc.High, o.Value, o.Low, o.High, o.Known)
			}
		}
		sub := ""
		if d.Body.Overrode {
			sub = i18n.T(ctx, "governance.decision.overrode")
		}
		state, word := verdictOf(ctx, d)
		metric := ""
		if d.Body.Forecast != nil {
			metric = d.Body.Forecast.Metric
			if r, ok := v.now[metric]; ok {
				metric = say(ctx, r.Name)
			}
		}
		t.Rows = append(t.Rows, ui.Row{ID: d.ID, Cells: []ui.Cell{{Text: f.Date(d.Body.Decided.In(p.Zone))}, {Text: say(ctx, d.Body.Title), Sub: sub, Href: pathOf(decisionsPath, d.ID)},
			{Text: said(ctx, unit, d.Body.Forecast), Sub: metric}, {Text: became(ctx, unit, d.Body.Outcome)}, box, {Node: ui.StateNamed(state, word)}}})
	}
	return t
}

func (p Pages) refusalTable(ctx context.Context, v councilView) ui.TableProps {
	t := ui.TableProps{ID: "refusals", Label: i18n.T(ctx, "governance.council.refusals"), Columns: []ui.Column{{Key: "what", Label: i18n.T(ctx, "governance.refusal.request")},
		{Key: "why", Label: i18n.T(ctx, "governance.refusal.reason")}, {Key: "worth", Label: i18n.T(ctx, "governance.refusal.worth"), Numeric: true},
		{Key: "review", Label: i18n.T(ctx, "governance.refusal.review"), Numeric: true}}}
	f := i18n.Fmt(ctx)
	for _, d := range v.refusals() {
		r := d.Body.Refusal
		reason, _ := p.Pack.Refusal(r.Reason)
		worth := "–"
		if r.Value != 0 || r.Cost != 0 {
			worth = p.short(ctx, r.Value-r.Cost)
		}
		t.Rows = append(t.Rows, ui.Row{ID: d.ID, Cells: []ui.Cell{{Text: r.Request, Href: pathOf(decisionsPath, d.ID)}, {Text: say(ctx, reason.Text())}, {Text: worth},
			{Text: f.Date(d.Body.Review.In(p.Zone)), Care: !p.Clock.Now().Before(d.Body.Review)}}})
	}
	return t
}

// mirrorText compares decisions against the rank with the others.
func mirrorText(ctx context.Context, m council.Mirror) string {
	if m.Decisions == 0 {
		return i18n.T(ctx, "governance.council.mirror.none")
	}
	f := i18n.Fmt(ctx)
	return i18n.T(ctx, "governance.council.mirror.text", "over", m.Overrides, "n", m.Decisions, "low", f.Percent(m.Share.Low, 0), "high", f.Percent(m.Share.High, 0),
		"heldover", m.HeldOver, "scoredover", m.ScoredOver, "heldwith", m.HeldWith, "scoredwith", m.ScoredWith)
}

func recordFacts(ctx context.Context, r council.Record) []ui.KeyValue {
	f := i18n.Fmt(ctx)
	out := []ui.KeyValue{{Key: i18n.T(ctx, "governance.council.record.n"), Value: f.Int(int64(r.N))}}
	if r.N > 0 {
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "governance.council.record.said"), Value: f.Percent(r.Said, 0)},
			ui.KeyValue{Key: i18n.T(ctx, "governance.council.record.hit"), Value: "**" + f.Percent(r.Hit.Value, 0) + "** " + f.PercentInterval(r.Hit.Low, r.Hit.High, 0)})
	}
	if !math.IsNaN(r.Skill) {
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "governance.council.record.skill"), Value: f.Decimal(r.Skill, 2)})
	}
	if r.Events > 0 {
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "governance.council.record.brier"), Value: f.Decimal(r.Brier, 2) + " (" + f.Int(int64(r.Events)) + ")"})
	}
	return append(out, ui.KeyValue{Key: i18n.T(ctx, "governance.council.record.waiting"), Value: f.Int(int64(r.Waiting))},
		ui.KeyValue{Key: i18n.T(ctx, "governance.council.record.unknown"), Value: f.Int(int64(r.Unknown))})
}

func (p Pages) meetingPlan(w http.ResponseWriter, r *http.Request) error {
	f := &form{r: r, zone: p.Zone}
	day := f.day("day")
	if f.err != nil {
		return f.err
	}
	m, err := p.Council.Plan(r.Context(), day, f.text("kind"))
	if err != nil {
		return err
	}
	http.Redirect(w, r, pathOf(councilPath, m.ID), http.StatusSeeOther)
	return nil
}

type meetingView struct {
	council.MeetingDoc
	names     map[string]string
	decisions []council.Doc
	quorum    string // why it may not decide; "" when it may
	edit      bool
	wrong     ui.FieldErrors
}

// meeting is a session: its pack, who is there, and what it decided.
func (p Pages) meeting(w http.ResponseWriter, r *http.Request) error {
	return p.renderMeeting(w, r, http.StatusOK, nil)
}

func (p Pages) renderMeeting(w http.ResponseWriter, r *http.Request, status int, wrong ui.FieldErrors) error {
	ctx := r.Context()
	m, err := p.Council.Meeting(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	v := meetingView{MeetingDoc: m, edit: auth.Can(ctx, council.PermEdit), wrong: wrong}
	all, err := p.Council.Decisions(ctx)
	if err != nil {
		return err
	}
	for _, d := range all {
		if d.Ref == m.ID {
			v.decisions = append(v.decisions, d)
		}
	}
	var refs []string
	for _, s := range m.Body.Seats {
		refs = append(refs, s.Person)
	}
	v.names = p.Names(ctx, refs...)
	if err := m.Body.Quorum(); err != nil {
		v.quorum = i18n.Error(ctx, err)
	}
	page := ui.Page{Title: i18n.T(ctx, "governance.council.meeting", "day", i18n.Fmt(ctx).Date(m.Body.Day.In(p.Zone))), At: ui.NavDecisions,
		Crumbs:  []ui.Link{{Label: i18n.T(ctx, "governance.council.title"), Href: councilPath}},
		Finding: i18n.T(ctx, "governance.council.meeting.finding", "count", len(m.Body.Agenda), "left", len(m.Body.Left)),
		Meta:    []ui.Item{ui.Text(i18n.T(ctx, "governance.council.state."+m.State)), ui.Text(i18n.T(ctx, "governance.council.kind."+m.Body.Kind))}}
	return ui.RenderStatus(w, r, status, meetingPage(page, p, v))
}

func (p Pages) meetingAct(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("id")
	var err error
	switch r.PathValue("act") {
	case "attendance":
		if err = r.ParseForm(); err == nil {
			err = p.Council.Attend(ctx, id, r.Form["present"])
		}
	case "open":
		err = p.Council.OpenMeeting(ctx, id)
	case "close":
		err = p.Council.CloseMeeting(ctx, id)
	default:
		return errs.NotFound("http.error.not_found", "there is nothing at %s", r.URL.Path)
	}
	if err != nil {
		if !correctable(err) {
			return err
		}
		return p.renderMeeting(w, r, http.StatusUnprocessableEntity, ui.ErrorsFrom(ctx, err))
	}
	http.Redirect(w, r, pathOf(councilPath, id), http.StatusSeeOther)
	return nil
}
