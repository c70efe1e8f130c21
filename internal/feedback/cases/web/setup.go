package web

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"

	"omote/internal/feedback/cases"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

type setupView struct {
	packs     []packView
	calendars ui.TableProps
	ladders   []cases.Ladder
	signals   ui.TableProps
	edit      bool
}

type packView struct {
	cases.Pack
	table ui.TableProps
}

// setup shows what rules cases: clock rules with their sources, calendars, ladders,
// the rules that make cases.
func (p Pages) setup(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	content, err := p.Cases.Content(ctx)
	if err != nil {
		return err
	}
	v := setupView{ladders: content.Ladders(), edit: auth.Can(ctx, cases.PermSetup)}
	rules, unsigned := 0, 0
	for i, pack := range content.Packs(p.Clock.Now()) {
		v.packs = append(v.packs, packView{pack, p.rulesTable(ctx, r, fmt.Sprint("p", i), pack)})
		rules += len(pack.Rules)
		if pack.Legal() && pack.SignedBy == "" {
			unsigned++
		}
	}
	columns := []ui.Column{{Key: "name", Label: i18n.T(ctx, "feedback.setup.calendar"), Wide: true}, {Key: "zone", Label: i18n.T(ctx, "feedback.setup.zone")}, {Key: "week", Label: i18n.T(ctx, "feedback.setup.week"), Wide: true},
		{Key: "next", Label: i18n.T(ctx, "feedback.setup.next_off"), Wide: true}}
	v.calendars = ui.TableProps{ID: "c", Label: i18n.T(ctx, "feedback.setup.calendars"), Columns: columns, Query: ui.QueryTable(r, "c", columns, "name")}
	for _, spec := range content.Calendars() {
		cell := ui.Cell{Text: cases.Text{EN: spec.Name, VI: spec.LabelVI}.In(i18n.Locale(ctx)), Sub: fmt.Sprintf("%s@%d", spec.ID, spec.Version)}
		if v.edit {
			cell.Href = setupPath + "/" + cases.SettingCalendar + "/" + spec.ID
		}
		v.calendars.Rows = append(v.calendars.Rows, ui.Row{ID: spec.ID, Cells: []ui.Cell{cell, {Text: spec.Zone}, {Text: weekWords(ctx, spec)}, {Text: p.nextOff(ctx, content, spec.ID)}}})
	}
	columns = []ui.Column{{Key: "name", Label: i18n.T(ctx, "feedback.setup.rule"), Wide: true}, {Key: "when", Label: i18n.T(ctx, "feedback.setup.when"), Wide: true}, {Key: "kind", Label: i18n.T(ctx, "feedback.case.field.kind")},
		{Key: "severity", Label: i18n.T(ctx, "feedback.case.field.severity")}, {Key: "window", Label: i18n.T(ctx, "feedback.setup.window")}}
	v.signals = ui.TableProps{ID: "s", Label: i18n.T(ctx, "feedback.setup.signals"), Columns: columns, Query: ui.QueryTable(r, "s", columns, "name")}
	for _, rule := range content.Signals {
		v.signals.Rows = append(v.signals.Rows, ui.Row{ID: rule.ID, Cells: []ui.Cell{{Text: cases.Text{EN: rule.EN, VI: rule.VI}.In(i18n.Locale(ctx)), Sub: rule.ID}, {Text: rule.When}, {Text: word(ctx, "kind", string(rule.Kind))},
			{Text: word(ctx, "severity", string(rule.Severity))}, {Text: rule.Window}}})
	}
	page := ui.Page{Title: i18n.T(ctx, "feedback.setup.title"), At: ui.NavCases, Crumbs: []ui.Link{{Label: i18n.T(ctx, "feedback.case.queue"), Href: queuePath}},
		Finding: i18n.T(ctx, "feedback.setup.finding", "rules", rules, "packs", len(v.packs), "unsigned", unsigned)}
	return ui.Render(w, r, setupPage(page, v))
}

func (p Pages) rulesTable(ctx context.Context, r *http.Request, id string, pack cases.Pack) ui.TableProps {
	columns := []ui.Column{{Key: "name", Label: i18n.T(ctx, "feedback.setup.rule"), Wide: true}, {Key: "term", Label: i18n.T(ctx, "feedback.setup.term"), Narrow: true},
		{Key: "stop", Label: i18n.T(ctx, "feedback.setup.stop"), Wide: true}, {Key: "source", Label: i18n.T(ctx, "feedback.setup.source"), Wide: true}, {Key: "sure", Label: i18n.T(ctx, "feedback.setup.sure"), Narrow: true}}
	t := ui.TableProps{ID: id, Label: cases.Text{EN: pack.Name, VI: pack.LabelVI}.In(i18n.Locale(ctx)), Columns: columns, Query: ui.QueryTable(r, id, columns, "name")}
	for _, rule := range pack.Rules {
		var stops []string
		for _, m := range strings.Split(rule.Stop, " or ") {
			stops = append(stops, markName(ctx, m))
		}
		t.Rows = append(t.Rows, ui.Row{ID: rule.ID, Cells: []ui.Cell{{Text: rule.Label(i18n.Locale(ctx)), Sub: rule.ID + " · " + rule.Applies}, {Text: termWords(ctx, rule, pack)},
			{Text: strings.Join(stops, ", ")}, {Text: rule.Citation, Sub: rule.SourceNote}, {Text: i18n.T(ctx, "feedback.case.confidence."+rule.Confidence), Sub: i18n.T(ctx, "feedback.setup.checked", "day", rule.Checked), Care: rule.Confidence == "low"}}})
	}
	return t
}

// termWords is a rule's length in words: "7 working days".
func termWords(ctx context.Context, r cases.ClockRule, pack cases.Pack) string {
	n := r.Amount.N
	if r.Amount.Word != "" {
		n = r.DefaultAmount
	}
	if r.CautiousAmount > 0 && pack.SignedBy == "" {
		n = r.CautiousAmount
	}
	text := i18n.T(ctx, "feedback.case.amount", "amount", n, "unit", i18n.T(ctx, "feedback.case.unit."+r.Unit))
	if r.Extension.Allowed && r.Extension.Amount.N > 0 {
		text += " " + i18n.T(ctx, "feedback.case.amount.more", "amount", r.Extension.Amount.N, "unit", i18n.T(ctx, "feedback.case.unit."+r.Extension.Unit))
	}
	return text
}

func weekWords(ctx context.Context, spec cases.CalendarSpec) string {
	var out []string
	last := ""
	for _, day := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		shifts := strings.Join(spec.Week[day], ", ")
		name := i18n.T(ctx, "feedback.setup.day."+day)
		switch {
		case shifts == "":
		case shifts == last:
			i := len(out) - 1
			head, _, _ := strings.Cut(out[i], ": ")
			first, _, _ := strings.Cut(head, "–")
			out[i] = first + "–" + name + ": " + shifts
		default:
			out = append(out, name+": "+shifts)
		}
		last = shifts
	}
	return strings.Join(out, "; ")
}

// nextOff names the next three holidays that fall on a day that would be worked.
func (p Pages) nextOff(ctx context.Context, content *cases.Content, id string) string {
	c := content.Calendar(id)
	var out []string
	for d, left := c.Date(p.Clock.Now())+1, 400; left > 0 && len(out) < 3; d, left = d+1, left-1 {
		if c.Holiday(d) != "" {
			out = append(out, i18n.Fmt(ctx).Date(d.Start(c.Zone()).In(c.Zone())))
		}
	}
	if len(out) == 0 {
		return "—"
	}
	return strings.Join(out, ", ")
}

type settingView struct {
	kind, id, body, signed string
	wrong                  ui.FieldErrors
	pack                   bool
}

// setting is the text of one piece of content, to be changed into a new version.
func (p Pages) setting(w http.ResponseWriter, r *http.Request) error {
	kind, id := r.PathValue("kind"), r.PathValue("id")
	body, err := p.Cases.SettingText(r.Context(), kind, id)
	if err != nil {
		return err
	}
	return p.renderSetting(w, r, http.StatusOK, settingView{kind: kind, id: id, body: body})
}

func (p Pages) renderSetting(w http.ResponseWriter, r *http.Request, status int, v settingView) error {
	ctx := r.Context()
	v.pack = v.kind == cases.SettingPack
	page := ui.Page{Title: v.id, At: ui.NavCases, Finding: i18n.T(ctx, "feedback.setup.setting."+v.kind), Crumbs: []ui.Link{{Label: i18n.T(ctx, "feedback.case.queue"), Href: queuePath}, {Label: i18n.T(ctx, "feedback.setup.title"), Href: setupPath}}}
	return ui.RenderStatus(w, r, status, settingPage(page, v))
}

func (p Pages) saveSetting(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := settingView{kind: r.PathValue("kind"), id: r.PathValue("id"), body: strings.ReplaceAll(r.FormValue("body"), "\r\n", "\n"), signed: r.FormValue("signed")}
	if _, err := p.Cases.Publish(ctx, v.kind, v.id, v.body, v.signed); err != nil {
		if !refused(err) {
			return err
		}
		v.wrong = ui.ErrorsFrom(ctx, err)
		return p.renderSetting(w, r, http.StatusUnprocessableEntity, v)
	}
	return seeOther(w, r, setupPath)
}

// wilson is the 95 % score interval of a share.
func wilson(k, n int) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959964
	p, m := float64(k)/float64(n), float64(n)
	centre := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return max(0, centre-half), min(1, centre+half)
}

func packMeta(ctx context.Context, p packView, edit bool) []ui.Item {
	out := []ui.Item{ui.Text(p.Key()), ui.Text(i18n.T(ctx, "feedback.setup.since", "day", p.EffectiveFrom))}
	switch {
	case !p.Legal():
		out = append(out, ui.Text(i18n.T(ctx, "feedback.setup.own")))
	case p.SignedBy != "":
		out = append(out, ui.Text(i18n.T(ctx, "feedback.setup.signed_by", "name", p.SignedBy)))
	default:
		out = append(out, ui.Text(i18n.T(ctx, "feedback.case.unsigned")))
	}
	return append(out, editMeta(ctx, edit, setupPath+"/pack/"+p.ID)...)
}

func editMeta(ctx context.Context, edit bool, href string) []ui.Item {
	if !edit {
		return nil
	}
	return []ui.Item{ui.Anchor(i18n.T(ctx, "feedback.setup.edit"), href)}
}

// ladderSteps draws a ladder: who is told, when, and for how long the step waits.
func ladderSteps(ctx context.Context, l cases.Ladder) (out []ui.Step) {
	for _, s := range l.Steps {
		var on []string
		for _, t := range s.On {
			switch {
			case t.Warn > 0:
				on = append(on, i18n.T(ctx, "feedback.setup.on.warn", "n", t.Warn))
			case t.Breach:
				on = append(on, i18n.T(ctx, "feedback.setup.on.breach"))
			case t.Silence != "":
				on = append(on, i18n.T(ctx, "feedback.setup.on.silence", "time", t.Silence))
			case t.Severity != "":
				on = append(on, i18n.T(ctx, "feedback.setup.on.severity", "severity", word(ctx, "severity", string(t.Severity))))
			case t.Repeat:
				on = append(on, i18n.T(ctx, "feedback.setup.on.repeat"))
			}
		}
		on = append(on, i18n.T(ctx, "feedback.setup.waits", "time", s.Within))
		out = append(out, ui.Step{Title: cases.Text{EN: s.EN, VI: s.VI}.In(i18n.Locale(ctx)), Note: i18n.T(ctx, "role."+s.Role) + ". " + strings.Join(on, "; ")})
	}
	return out
}
