package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"omote/analytics/rollout"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/program/packs"
	"omote/internal/program/wave"
	"omote/internal/ui"
)

// waves are the bank's campaigns.
func (p Pages) waves(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all, err := p.Waves.List(ctx)
	if err != nil {
		return err
	}
	page := ui.Page{Title: i18n.T(ctx, "program.wave.title"), At: ui.NavCampaigns}
	t := ui.TableProps{Label: page.Title, Columns: []ui.Column{{Key: "title", Label: i18n.T(ctx, "program.wave.word")}, {Key: "phase", Label: i18n.T(ctx, "program.wave.phase")},
		{Key: "branches", Label: i18n.T(ctx, "program.wave.branches"), Numeric: true}, {Key: "effect", Label: i18n.T(ctx, "program.wave.effect"), Numeric: true},
		{Key: "look", Label: i18n.T(ctx, "program.wave.look"), Numeric: true}}}
	running := 0
	for _, d := range all {
		if d.State == wave.Drawn && d.Phase(p.Clock.Now()) == wave.Running {
			running++
		}
		last, err := p.lastReading(ctx, d.ID)
		if err != nil {
			return err
		}
		effect := ui.Cell{Text: "–", Mute: true}
		if last != nil && last.Effect != nil {
			effect = ui.Cell{Text: "**" + change(ctx, last.Unit, last.Effect.Value) + "**", Sub: change(ctx, last.Unit, last.Effect.Low) + " – " + change(ctx, last.Unit, last.Effect.High)}
		}
		t.Rows = append(t.Rows, ui.Row{ID: d.ID, Cells: []ui.Cell{{Text: say(ctx, d.Title), Sub: p.Waves.BehaviourNames(d.Wave, i18n.Locale(ctx)), Href: pathOf(d.ID)},
			{Text: p.phase(ctx, d)}, {Text: strconv.Itoa(len(d.Places)), Sub: i18n.T(ctx, "program.wave.cohorts", "count", d.Design.Cohorts)}, effect, {Text: p.day(ctx, d.Look())}}})
	}
	if len(all) > 0 {
		page.Finding = i18n.T(ctx, "program.wave.finding", "count", running, "all", len(all))
	}
	if auth.Can(ctx, wave.PermCheckIn) {
		page.Actions = append(page.Actions, ui.ButtonProps{Label: i18n.T(ctx, "program.checkin.title"), Href: checkInPath})
	}
	page.Actions = append(page.Actions, ui.ButtonProps{Label: i18n.T(ctx, "program.behaviour.title"), Href: "/program/behaviours"})
	if auth.Can(ctx, wave.PermEdit) {
		page.Actions = append(page.Actions, ui.ButtonProps{Label: i18n.T(ctx, "program.wave.new"), Href: wavesPath + "/new", Key: "N"})
	}
	return ui.Render(w, r, wavesPage(page, t))
}

func (p Pages) lastReading(ctx context.Context, id string) (*wave.Reading, error) {
	all, err := p.Waves.Readings(ctx, id)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[len(all)-1], nil
}

// phase says how a wave stands in words.
func (p Pages) phase(ctx context.Context, d wave.Doc) string {
	if d.State != wave.Drawn {
		return i18n.T(ctx, "program.wave.state."+string(d.State))
	}
	now := p.Clock.Now()
	phase := d.Phase(now)
	return i18n.T(ctx, "program.wave.phase."+string(phase), "day", max(1, 1+int(now.Sub(d.Start).Hours()/24)), "start", p.day(ctx, d.Start), "over", p.day(ctx, d.Over()))
}

type waveForm struct {
	behaviours, metrics, units, changes []ui.Option
	form                                *form
	chosen                              []string
	wrong                               ui.FieldErrors
}

func (p Pages) waveNew(w http.ResponseWriter, r *http.Request) error {
	return p.renderForm(w, r, http.StatusOK, nil)
}

func (p Pages) renderForm(w http.ResponseWriter, r *http.Request, status int, wrong ui.FieldErrors) error {
	ctx := r.Context()
	v := waveForm{form: &form{r: r, zone: p.Zone}, wrong: wrong, chosen: r.Form["behaviours"]}
	for _, b := range p.Pack.Behaviours {
		v.behaviours = append(v.behaviours, ui.Option{Value: b.ID, Label: say(ctx, b.Name())})
	}
	all, err := p.Outcomes.Measures(ctx)
	if err != nil {
		return err
	}
	for _, m := range all {
		v.metrics = append(v.metrics, ui.Option{Value: m.ID, Label: say(ctx, m.Name)})
	}
	if v.units, err = p.Units(ctx); err != nil {
		return err
	}
	v.changes = []ui.Option{{Label: "–"}}
	changes, err := p.Changes(ctx)
	if err != nil {
		return err
	}
	for _, c := range changes {
		v.changes = append(v.changes, ui.Option{Value: c.ID, Label: say(ctx, c.Title)})
	}
	page := ui.Page{Title: i18n.T(ctx, "program.wave.new"), At: ui.NavCampaigns, Crumbs: []ui.Link{{Label: i18n.T(ctx, "program.wave.title"), Href: wavesPath}},
		Finding: i18n.T(ctx, "program.wave.new.finding")}
	return ui.RenderStatus(w, r, status, waveFormPage(page, v, nextMonday(p.Clock.Now().In(p.Zone))))
}

func nextMonday(t time.Time) string {
	return t.AddDate(0, 0, 1+(7-int(t.Weekday()))%7).Format(time.DateOnly)
}

// wavePlan drafts a campaign.
func (p Pages) wavePlan(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	ctx := r.Context()
	f := &form{r: r, zone: p.Zone}
	one := wave.Wave{Why: f.text("why"), Behaviours: r.Form["behaviours"], Metric: f.text("metric"), Initiative: f.text("initiative"), Start: f.day("start"),
		Design: rollout.Design{Cohorts: f.whole("cohorts"), Every: f.whole("every"), HoldOut: f.number("hold_out"), Match: f.text("match") != ""},
		Days:   f.whole("days"), Follow: f.whole("follow"), PerWeek: f.whole("per_week"), Cost: f.money("cost", p.Currency), Currency: p.Currency}
	one.Title.VI, one.Title.EN = f.text("title.vi"), f.text("title.en")
	err := f.err
	var d wave.Doc
	if err == nil {
		d, err = p.Waves.Plan(ctx, f.or("unit", "/"), nil, one)
	}
	if err != nil {
		if correctable(err) {
			return p.renderForm(w, r, http.StatusUnprocessableEntity, ui.ErrorsFrom(ctx, err))
		}
		return err
	}
	http.Redirect(w, r, pathOf(d.ID), http.StatusSeeOther)
	return nil
}

// behaviours is the catalogue: value, behaviour, cue, checklist.
func (p Pages) behaviours(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	page := ui.Page{Title: i18n.T(ctx, "program.behaviour.title"), At: ui.NavCampaigns, Crumbs: []ui.Link{{Label: i18n.T(ctx, "program.wave.title"), Href: wavesPath}},
		Finding: i18n.T(ctx, "program.behaviour.finding", "count", len(p.Pack.Behaviours))}
	return ui.Render(w, r, behavioursPage(page, p.Pack))
}

func behavioursOf(pack *packs.Behaviours, value string) (out []packs.Behaviour) {
	for _, b := range pack.Behaviours {
		if b.Value == value {
			out = append(out, b)
		}
	}
	return out
}
