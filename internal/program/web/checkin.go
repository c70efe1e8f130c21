package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"omote/analytics/rollout"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/program/packs"
	"omote/internal/program/wave"
	"omote/internal/ui"
)

// maxTasks bounds the branches on one page: a champion has one.
const maxTasks = 12

// checkIn is the champion's page on the phone: one tap per behaviour.
func (p Pages) checkIn(w http.ResponseWriter, r *http.Request) error {
	return p.renderCheckIn(w, r, http.StatusOK, nil)
}

func (p Pages) renderCheckIn(w http.ResponseWriter, r *http.Request, status int, wrong ui.FieldErrors) error {
	ctx := r.Context()
	tasks, err := p.Waves.Today(ctx, maxTasks)
	if err != nil {
		return err
	}
	page := ui.Page{Title: i18n.T(ctx, "program.checkin.title"), At: ui.NavCampaigns}
	shown, left := oneTask(tasks, r.FormValue("unit")), 0
	if len(tasks) > 0 {
		left = len(tasks[shown].Wave.Behaviours) - len(tasks[shown].Answers)
	}
	switch {
	case len(tasks) == 0:
	case left == 0:
		page.Finding = i18n.T(ctx, "program.checkin.done")
	default:
		page.Finding = i18n.T(ctx, "program.checkin.left", "count", left)
	}
	return ui.RenderStatus(w, r, status, checkInPage(page, p, tasks, shown, wrong))
}

// oneTask is the branch that the page asks about: the one that is named, else the first
// that has not answered. Whoever sees many branches is asked about one at a time.
func oneTask(tasks []wave.Task, unit string) int {
	open := 0
	for i, t := range slices.Backward(tasks) {
		if t.Place.Unit == unit {
			return i
		}
		if len(t.Answers) < len(t.Wave.Behaviours) {
			open = i
		}
	}
	return open
}

// taskPath asks about one branch.
func taskPath(t wave.Task) string {
	return checkInPath + "?" + url.Values{"unit": {t.Place.Unit}}.Encode()
}

// checkInSave takes one tap. Sending it twice does what sending it once does.
func (p Pages) checkInSave(w http.ResponseWriter, r *http.Request) error {
	f := &form{r: r, zone: p.Zone}
	day, err := time.Parse(time.DateOnly, f.text("day"))
	if err != nil {
		err = errs.Invalid("program.checkin.error.day", "day", "%q is no day", f.text("day")).With("days", wave.LateDays)
	}
	said := f.text("said")
	c := wave.CheckIn{Unit: f.text("unit"), Day: day, Behaviour: f.text("behaviour"), Kept: said == "kept"}
	if !c.Kept {
		c.Reason = said
		if said == "missed" {
			c.Reason = ""
		}
	}
	if err == nil {
		_, err = p.Waves.CheckIn(r.Context(), f.text("wave"), c)
	}
	if err != nil {
		if correctable(err) {
			return p.renderCheckIn(w, r, http.StatusUnprocessableEntity, ui.ErrorsFrom(r.Context(), err))
		}
		return err
	}
	http.Redirect(w, r, checkInPath+"?"+url.Values{"unit": {c.Unit}}.Encode()+"#"+c.Behaviour, http.StatusSeeOther)
	return nil
}

// adopted tells whether the branch has taken the habit up, and how often it was kept
// on the last days on duty.
func adopted(kept []bool) (yes bool, times, of int) {
	if len(kept) == 0 {
		return false, 0, 0
	}
	all := rollout.Adopted(kept)
	last := kept[max(0, len(kept)-rollout.Of):]
	for _, k := range last {
		if k {
			times++
		}
	}
	return all[len(all)-1], times, len(last)
}

// maxDue bounds the list of observations.
const maxDue = 40

type observeView struct {
	wave.Doc
	due    []wave.Due
	chosen *wave.Due
	seat   int
	wrong  ui.FieldErrors
	form   *form
}

// observe is what an observer is asked to watch, and the checklist of one.
func (p Pages) observe(w http.ResponseWriter, r *http.Request) error {
	return p.renderObserve(w, r, http.StatusOK, nil)
}

func (p Pages) renderObserve(w http.ResponseWriter, r *http.Request, status int, wrong ui.FieldErrors) error {
	ctx := r.Context()
	v := observeView{wrong: wrong, form: &form{r: r, zone: p.Zone}}
	var err error
	if v.Doc, err = p.Waves.Get(ctx, r.PathValue("id")); err != nil {
		return err
	}
	if v.due, err = p.Waves.Due(ctx, v.ID, maxDue); err != nil {
		return err
	}
	unit, slot := v.form.text("unit"), v.form.text("slot")
	if i := slices.IndexFunc(v.due, func(d wave.Due) bool { return d.Unit == unit && d.ID == slot }); i >= 0 {
		v.chosen, v.seat = &v.due[i], v.due[i].Seats[0]
	}
	page := ui.Page{Title: i18n.T(ctx, "program.observe.title"), At: ui.NavCampaigns, Crumbs: []ui.Link{{Label: i18n.T(ctx, "program.wave.title"), Href: wavesPath}, {Label: say(ctx, v.Title), Href: pathOf(v.ID)}}}
	if v.chosen != nil {
		b, _ := p.Pack.Get(v.chosen.Behaviour)
		page.Title, page.Finding = say(ctx, b.Name()), i18n.T(ctx, "program.observe.finding", "cue", say(ctx, b.Cue.Words()))
	} else if len(v.due) > 0 {
		page.Finding = i18n.T(ctx, "program.observe.due", "count", len(v.due))
	}
	return ui.RenderStatus(w, r, status, observePage(page, p, v))
}

func (p Pages) observeSave(w http.ResponseWriter, r *http.Request) error {
	f := &form{r: r, zone: p.Zone}
	o := wave.Observation{Unit: f.text("unit"), Slot: f.text("slot"), Seat: f.whole("seat")}
	for k := 0; f.r.Form.Has("item" + strconv.Itoa(k)); k++ {
		o.Answers += f.text("item" + strconv.Itoa(k))
	}
	err := f.err
	if err == nil {
		_, err = p.Waves.Observe(r.Context(), r.PathValue("id"), o)
	}
	if err != nil {
		if correctable(err) {
			return p.renderObserve(w, r, http.StatusUnprocessableEntity, ui.ErrorsFrom(r.Context(), err))
		}
		return err
	}
	http.Redirect(w, r, pathOf(r.PathValue("id"))+"/observe", http.StatusSeeOther)
	return nil
}

var answers = []packs.Answer{packs.Yes, packs.No, packs.NotSeen}

func dueLabel(p Pages, d wave.Due, locale string) string {
	b, _ := p.Pack.Get(d.Behaviour)
	return b.Name().In(locale)
}

func dueTime(d wave.Due) string {
	minute := 0
	if d.Half {
		minute = 30
	}
	return fmt.Sprintf("%02d:%02d", d.Hour, minute)
}

func answerWord(a packs.Answer) string {
	switch a {
	case packs.Yes:
		return "yes"
	case packs.No:
		return "no"
	}
	return "not_seen"
}
