package web

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"omote/analytics/rollout"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/program/packs"
	"omote/internal/program/wave"
	"omote/internal/ui"
)

type waveView struct {
	wave.Doc
	readings []wave.Reading
	last     *wave.Reading
	final    bool // the effect is that of the final reading
	said     []wave.CheckIn
	edit     bool
	wrong    ui.FieldErrors
	act      string // the form that wrong belongs to
	form     *form
	names    map[string]string
	change   string // title of the initiative
	now      time.Time
}

// wave is one campaign: did it help?
func (p Pages) wave(w http.ResponseWriter, r *http.Request) error {
	return p.renderWave(w, r, http.StatusOK, nil)
}

func (p Pages) read(r *http.Request) (v waveView, err error) {
	ctx := r.Context()
	v.now = p.Clock.Now()
	if v.Doc, err = p.Waves.Get(ctx, r.PathValue("id")); err != nil {
		return v, err
	}
	if v.readings, err = p.Waves.Readings(ctx, v.ID); err != nil {
		return v, err
	}
	for i := range v.readings {
		v.last = &v.readings[i]
		v.final = v.final || v.last.Final
	}
	if v.State == wave.Drawn {
		v.said, err = p.Waves.CheckIns(ctx, v.ID)
	}
	v.edit = auth.Can(ctx, wave.PermEdit)
	v.form = &form{r: r, zone: p.Zone}
	return v, err
}

func (p Pages) renderWave(w http.ResponseWriter, r *http.Request, status int, wrong ui.FieldErrors) error {
	ctx := r.Context()
	v, err := p.read(r)
	if err != nil {
		return err
	}
	v.wrong, v.act, v.names = wrong, r.PathValue("act"), p.Names(ctx, v.CreatedBy)
	if v.Initiative != "" {
		changes, err := p.Changes(ctx)
		if err != nil {
			return err
		}
		for _, c := range changes {
			if c.ID == v.Initiative {
				v.change = say(ctx, c.Title)
			}
		}
	}
	page := ui.Page{Title: say(ctx, v.Title), At: ui.NavCampaigns, Crumbs: []ui.Link{{Label: i18n.T(ctx, "program.wave.title"), Href: wavesPath}}, Finding: p.finding(ctx, v),
		Meta: []ui.Item{ui.Text(p.phase(ctx, v.Doc)), ui.Text(i18n.T(ctx, "program.wave.branches.n", "count", len(v.Places), "cohorts", v.Design.Cohorts))}}
	if !v.Drawn.IsZero() {
		page.Meta = append(page.Meta, ui.Text(i18n.T(ctx, "program.wave.drawn", "day", p.day(ctx, v.Drawn))))
	}
	if v.State == wave.Drawn {
		page.Actions = append(page.Actions, ui.ButtonProps{Label: i18n.T(ctx, "program.wave.plan"), Href: pathOf(v.ID) + "/plan"})
		if auth.Can(ctx, wave.PermCheckIn) {
			page.Actions = append(page.Actions, ui.ButtonProps{Label: i18n.T(ctx, "program.observe.title"), Href: pathOf(v.ID) + "/observe"},
				ui.ButtonProps{Label: i18n.T(ctx, "program.checkin.title"), Href: checkInPath})
		}
	}
	return ui.RenderStatus(w, r, status, wavePage(page, p, v))
}

// wrongIn gives the errors of one of the page's forms.
func (v waveView) wrongIn(act string) ui.FieldErrors {
	if v.act == act {
		return v.wrong
	}
	return nil
}

// finding is the one sentence of the page.
func (p Pages) finding(ctx context.Context, v waveView) string {
	switch {
	case v.State == wave.Draft && v.Reason != "":
		return i18n.T(ctx, "program.wave.finding.sent_back", "why", v.Reason)
	case v.State == wave.Draft:
		return i18n.T(ctx, "program.wave.finding.draft", "weeks", v.Weeks())
	case v.State == wave.Waiting:
		return i18n.T(ctx, "program.wave.finding.waiting")
	case v.State == wave.Stopped:
		return i18n.T(ctx, "program.wave.finding.stopped", "why", v.Reason)
	case v.last == nil && !auth.Can(ctx, wave.PermEdit) && len(v.Places) > 0 && len(v.Places) < 3:
		return i18n.T(ctx, "program.wave.finding.branch", "day", p.day(ctx, v.Begins(v.Places[0].Cohort)))
	case v.last == nil || v.last.Effect == nil:
		return i18n.T(ctx, "program.wave.finding.early")
	}
	r := *v.last
	e, _ := r.Better()
	key := "program.wave.finding.none"
	switch {
	case e.Low > 0:
		key = "program.wave.finding.better"
	case e.High < 0:
		key = "program.wave.finding.worse"
	}
	out := i18n.T(ctx, key, "metric", say(ctx, r.Name), "effect", change(ctx, r.Unit, r.Effect.Value), "low", change(ctx, r.Unit, r.Effect.Low), "high", change(ctx, r.Unit, r.Effect.High))
	if !v.final {
		out += " " + i18n.T(ctx, "program.wave.finding.interim", "day", p.day(ctx, v.Look()))
	}
	return out
}

func (p Pages) measureFigure(ctx context.Context, r wave.Reading, e *rollout.Effect, unit string) ui.FigureProps {
	if e == nil {
		return ui.FigureProps{Value: "–", Note: i18n.T(ctx, "program.wave.few")}
	}
	f := i18n.Fmt(ctx)
	return ui.FigureProps{Value: change(ctx, unit, e.Value),
		Interval: i18n.T(ctx, "program.interval", "level", f.Percent(e.Level, 0), "low", change(ctx, unit, e.Low), "high", change(ctx, unit, e.High)),
		Note: i18n.T(ctx, "program.wave.compared", "n", f.Int(int64(e.N)), "waiting", f.Int(int64(e.Waiting)), "weeks", e.Weeks, "base", level(ctx, unit, e.Baseline),
			"p", f.Decimal(e.P, 3))}
}

// facts stand beside the effect.
func (p Pages) facts(ctx context.Context, v waveView) (out []ui.KeyValue) {
	f := i18n.Fmt(ctx)
	add := func(key, value string) {
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "program.wave.fact."+key), Value: value})
	}
	if v.last != nil {
		r := *v.last
		if r.Behaviour != nil {
			add("behaviour", "**"+change(ctx, "share", r.Behaviour.Value)+"** "+change(ctx, "share", r.Behaviour.Low)+" – "+change(ctx, "share", r.Behaviour.High))
		}
		if mid, least, most, ok := v.CostPerPoint(r); ok {
			text := "**" + p.short(ctx, mid) + "** " + p.short(ctx, least) + " – "
			if math.IsInf(most, 1) {
				text = "**" + p.short(ctx, mid) + "** " + i18n.T(ctx, "program.wave.fact.no_bound", "least", p.short(ctx, least))
			} else {
				text += p.short(ctx, most)
			}
			add("cost_per_point", text)
		}
		if r.Asked > 0 {
			add("checkins", f.Percent(math.Min(1, float64(r.CheckedIn)/float64(r.Asked)), 0)+" · n = "+f.Int(int64(r.Asked)))
		}
		if !math.IsNaN(r.Agreement.Value) && r.Agreement.N > 0 {
			add("agreement", "**"+f.Decimal(r.Agreement.Value, 2)+"** "+f.Decimal(r.Agreement.Low, 2)+" – "+f.Decimal(r.Agreement.High, 2)+" · n = "+f.Int(r.Agreement.N))
		}
		add("observations", f.Int(int64(r.Observations)))
		add("retained", p.retained(ctx, v))
	}
	if v.Cost > 0 {
		add("cost", p.short(ctx, float64(v.Cost)))
	}
	add("dropped", strconv.Itoa(v.Dropped()))
	if v.change != "" {
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "program.wave.initiative"), Node: ui.A(ui.Link{Label: v.change, Href: "/governance/initiatives/" + v.Initiative})})
	}
	return out
}

func (p Pages) retained(ctx context.Context, v waveView) string {
	f := i18n.Fmt(ctx)
	switch r := v.last.Retained; {
	case r == nil:
		return i18n.T(ctx, "program.wave.fact.retained.later", "day", p.day(ctx, v.Begins(0).AddDate(0, 0, v.Follow+wave.Window/2)))
	case !r.Known:
		return i18n.T(ctx, "program.wave.fact.retained.none", "low", f.Percent(r.Gain.Low, 0), "high", f.Percent(r.Gain.High, 0))
	default:
		return "**" + f.Percent(r.Share.Value, 0) + "** " + f.Percent(r.Share.Low, 0) + " – " + f.Percent(r.Share.High, 0) + " · n = " + f.Int(r.Share.N)
	}
}

// trust is what must hold for the effect to be believed.
func (p Pages) trust(ctx context.Context, v waveView) ui.TableProps {
	t := ui.TableProps{ID: "trust", Label: i18n.T(ctx, "program.wave.trust"), Columns: []ui.Column{{Key: "what", Label: i18n.T(ctx, "program.wave.trust.what")}, {Key: "held", Label: i18n.T(ctx, "program.wave.trust.held")}}}
	row := func(key string, ok bool, args ...any) {
		t.Rows = append(t.Rows, ui.Row{ID: key, Cells: []ui.Cell{{Text: i18n.T(ctx, "program.wave.trust."+key)}, {Text: i18n.T(ctx, "program.wave.trust."+key+map[bool]string{true: ".yes", false: ".no"}[ok], args...), Care: !ok}}})
	}
	row("order", v.Verify() == nil, "seed", strconv.FormatUint(v.Design.Seed, 16))
	row("early", true)
	if v.last != nil && v.last.Before != nil {
		b := v.last.Before
		row("before", b.Low <= 0 && b.High >= 0, "value", change(ctx, v.last.Unit, b.Value), "low", change(ctx, v.last.Unit, b.Low), "high", change(ctx, v.last.Unit, b.High))
	}
	row("dropped", v.Dropped() == 0, "count", v.Dropped())
	row("look", true, "day", p.day(ctx, v.Look()))
	return t
}

// cohortRows are the calendar by cohort.
func cohortRows(ctx context.Context, v waveView) (out []calendarRow) {
	for c := range v.Design.Cohorts + 1 {
		if c == v.Design.Cohorts {
			if v.Design.HoldOut == 0 {
				break
			}
			c = rollout.HeldOut
		}
		n := 0
		for _, p := range v.Places {
			if p.Cohort == c {
				n++
			}
		}
		if n == 0 {
			continue
		}
		out = append(out, calendarRow{Group: cohortName(ctx, c), Name: i18n.T(ctx, "program.wave.branches.count", "count", n), Cohort: c,
			Share: v.Shares(v.said, v.now, func(p wave.Place) bool { return p.Cohort == c })})
	}
	return out
}

func cohortName(ctx context.Context, c int) string {
	if c == rollout.HeldOut {
		return i18n.T(ctx, "program.wave.held_out")
	}
	return i18n.T(ctx, "program.wave.cohort", "n", c+1)
}

// branchRows are the calendar by branch, in the order of the draw: never by result.
func branchRows(ctx context.Context, v waveView) (out []calendarRow) {
	for c := range v.Design.Cohorts + 1 {
		if c == v.Design.Cohorts {
			c = rollout.HeldOut
		}
		first := true
		for _, p := range v.Places {
			if p.Cohort != c {
				continue
			}
			row := calendarRow{Name: p.Name, Cohort: c, Out: p.Out, Share: v.Shares(v.said, v.now, func(o wave.Place) bool { return o.Code == p.Code })}
			if first {
				row.Group, first = cohortName(ctx, c), false
			}
			out = append(out, row)
		}
	}
	return out
}

// plan is who starts when.
func (p Pages) plan(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v, err := p.read(r)
	if err != nil {
		return err
	}
	page := ui.Page{Title: i18n.T(ctx, "program.wave.plan"), At: ui.NavCampaigns, Crumbs: []ui.Link{{Label: i18n.T(ctx, "program.wave.title"), Href: wavesPath}, {Label: say(ctx, v.Title), Href: pathOf(v.ID)}},
		Finding: i18n.T(ctx, "program.wave.plan.finding", "count", len(v.Places), "weeks", v.Weeks(), "day", p.day(ctx, v.Look()))}
	return ui.Render(w, r, planPage(page, p, v))
}

func (p Pages) placeTable(ctx context.Context, v waveView) ui.TableProps {
	t := ui.TableProps{ID: "places", Label: i18n.T(ctx, "program.wave.branches"), Columns: []ui.Column{{Key: "name", Label: i18n.T(ctx, "program.wave.branch")}, {Key: "stratum", Label: i18n.T(ctx, "program.wave.stratum")},
		{Key: "cohort", Label: i18n.T(ctx, "program.wave.cohort.label")}, {Key: "begin", Label: i18n.T(ctx, "program.wave.begins"), Numeric: true}, {Key: "base", Label: i18n.T(ctx, "program.wave.baseline"), Numeric: true},
		{Key: "out", Label: i18n.T(ctx, "program.wave.out")}}}
	for _, pl := range v.Places {
		base := ui.Cell{Text: "–", Mute: true}
		if pl.N >= 30 {
			base = ui.Cell{Text: level(ctx, v.unit(), pl.Baseline), Sub: "n = " + strconv.FormatInt(pl.N, 10)}
		} else if pl.N > 0 {
			base.Sub = "n = " + strconv.FormatInt(pl.N, 10)
		}
		out := ui.Cell{}
		if !pl.Out.IsZero() {
			out = ui.Cell{Text: p.day(ctx, pl.Out), Sub: pl.Why, Care: true}
		}
		t.Rows = append(t.Rows, ui.Row{ID: pl.Code, Cells: []ui.Cell{{Text: pl.Name, Sub: pl.Unit}, {Text: pl.Stratum}, {Text: cohortName(ctx, pl.Cohort)}, {Text: p.day(ctx, v.Begins(pl.Cohort))}, base, out}})
	}
	return t
}

func (v waveView) unit() string {
	if v.last != nil {
		return v.last.Unit
	}
	return "share"
}

func (v waveView) placeOptions() (out []ui.Option) {
	for _, p := range v.Places {
		if p.Out.IsZero() {
			out = append(out, ui.Option{Value: p.Unit, Label: p.Name})
		}
	}
	return out
}

// adoptionTable is what the curve shows, in figures.
func adoptionTable(ctx context.Context, r wave.Reading) ui.TableProps {
	f := i18n.Fmt(ctx)
	t := ui.TableProps{ID: "adoption", Label: i18n.T(ctx, "program.wave.adoption"), Columns: []ui.Column{{Key: "cohort", Label: i18n.T(ctx, "program.wave.cohort.label")}}, KeepTable: true}
	days := []int{5, 10, 20, 30, 40}
	for _, d := range days {
		t.Columns = append(t.Columns, ui.Column{Key: "d" + strconv.Itoa(d), Label: i18n.T(ctx, "program.wave.day", "n", d), Numeric: true})
	}
	for c, points := range r.Adoption {
		row := ui.Row{ID: strconv.Itoa(c), Cells: []ui.Cell{{Text: cohortName(ctx, c)}}}
		for _, d := range days {
			cell := ui.Cell{Text: "–", Mute: true}
			if d <= len(points) {
				e := points[d-1]
				cell = ui.Cell{Text: f.Percent(e.Value, 0), Sub: f.Percent(e.Low, 0) + " – " + f.Percent(e.High, 0) + " · n = " + strconv.FormatInt(e.N, 10)}
			}
			row.Cells = append(row.Cells, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (p Pages) behaviourCards(v waveView) (out []packs.Behaviour) {
	for _, id := range v.Behaviours {
		if b, ok := p.Pack.Get(id); ok {
			out = append(out, b)
		}
	}
	return out
}

// act does one thing to a campaign.
func (p Pages) act(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("id")
	f := &form{r: r, zone: p.Zone}
	var err error
	next := pathOf(id)
	switch r.PathValue("act") {
	case "proposal":
		_, err = p.Waves.Propose(ctx, id)
	case "reading":
		_, err = p.Waves.Read(ctx, id)
	case "drop-out":
		err = p.Waves.DropOut(ctx, id, f.text("unit"), f.text("reason"))
	case "stop":
		err = p.Waves.Stop(ctx, id, f.text("reason"))
	case "value":
		m := wave.Money{Kept: f.span("kept"), Margin: f.span("margin"), Reach: f.span("reach"), Months: f.whole("months"), Rate: f.number("rate"), Fade: f.number("fade"), Method: f.text("method")}
		var line string
		if err = f.err; err == nil {
			if line, err = p.Waves.EnterValue(ctx, id, m); err == nil {
				next = "/governance/ledger/" + line
			}
		}
	default:
		return errs.NotFound("program.wave.error.not_found", "a campaign does not %s", r.PathValue("act"))
	}
	if err != nil {
		if correctable(err) {
			return p.renderWave(w, r, http.StatusUnprocessableEntity, ui.ErrorsFrom(ctx, err))
		}
		return err
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}
