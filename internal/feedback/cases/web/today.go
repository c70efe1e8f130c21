package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"omote/internal/feedback/cases"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// todayActs is how many things a champion's day holds.
const todayActs = 3

type todayView struct {
	acts  []todayAct
	more  int64
	place string
	day   string
	said  string
}

// todayAct is one call to make, with why and until when.
type todayAct struct {
	cases.Case
	left  string
	care  bool
	quote string
	why   string
	again bool // the title says what the quote says
}

// sameWords tells that a title is the beginning of the words.
func sameWords(title, words string) bool {
	return strings.HasPrefix(words, strings.TrimSuffix(title, " …")) && title != ""
}

// unsolved are the customer's words with the newest no.
func (v callView) unsolved() string {
	for _, f := range slices.Backward(v.FollowUps) {
		if v.Reopened > 0 && f.Answer == "unsolved" {
			return f.Words.Plain
		}
	}
	return ""
}

// today is the champion's page: the three cases where a call does most now, by how
// little time is left and how much it matters to the customer.
func (p Pages) today(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	own, err := p.Cases.List(ctx, cases.Query{Owner: me(ctx), Limit: 100})
	if err != nil {
		return err
	}
	free, err := p.Cases.List(ctx, cases.Query{Nobody: true, Limit: 100})
	if err != nil {
		return err
	}
	content, err := p.Cases.Content(ctx)
	if err != nil {
		return err
	}
	all := append(own.Items, free.Items...)
	slices.SortStableFunc(all, func(a, b cases.Case) int { return cmp.Compare(p.pull(b), p.pull(a)) })
	a, _ := auth.From(ctx)
	v := todayView{place: nameOf(p.Units(ctx), a.Place, a.Place), day: i18n.Fmt(ctx).Date(p.now()), said: said(w, r)}
	for _, c := range all[:min(len(all), todayActs)] {
		act := todayAct{Case: c, left: p.left(ctx, c.Due()), quote: c.Words.Plain, why: ruleName(ctx, content, c.NextRule)}
		act.again = sameWords(c.Title.Plain, act.quote)
		act.care = !c.Due().IsZero() && c.Due().Sub(p.Clock.Now()) < 2*time.Hour
		v.acts = append(v.acts, act)
	}
	v.more = int64(len(all) - len(v.acts))
	page := ui.Page{Title: i18n.T(ctx, "feedback.today.title", "count", len(v.acts)), At: ui.NavCases}
	return ui.Render(w, r, todayPage(page, v))
}

// pull is urgency times effect: the hours left, against how bad it is.
func (p Pages) pull(c cases.Case) float64 {
	hours := 200.0
	if !c.Due().IsZero() {
		hours = max(c.Due().Sub(p.Clock.Now()).Hours(), 0)
	}
	effect := float64(1 + slices.Index(cases.Severities, c.Severity) + min(c.Reopened, 2))
	return effect / (hours + 2)
}

type callView struct {
	showView
	wrong ui.FieldErrors
	words string
	cause string
	done  []string
	money string
	why   string
}

// call is one call on a phone: whom, what was said, and what came of it.
func (p Pages) call(w http.ResponseWriter, r *http.Request) error {
	return p.renderCall(w, r, http.StatusOK, callView{})
}

func (p Pages) renderCall(w http.ResponseWriter, r *http.Request, status int, v callView) error {
	ctx := r.Context()
	show, err := p.view(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	if show.IsOpen {
		if show.allow, err = p.Cases.Allowances(ctx, show.ID); err != nil {
			return err
		}
	}
	v.showView = show
	name := v.Name.Plain
	if name == "" {
		name = i18n.T(ctx, "feedback.case.unnamed")
	}
	return ui.RenderStatus(w, r, status, callPage(ui.Page{Title: i18n.T(ctx, "feedback.today.call", "name", name), At: ui.NavCases}, v))
}

// called carries out what came of a call: the contact, then the gesture, then the end
// of the case. What was done before a refusal stays done and is said.
func (p Pages) called(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("id")
	if err := r.ParseForm(); err != nil {
		return err
	}
	v := callView{words: trim(r.FormValue("words")), cause: r.FormValue("cause"), done: r.Form["actions"], money: trim(r.FormValue("amount")), why: trim(r.FormValue("reason"))}
	refuse := func(err error) error {
		if !refused(err) {
			return err
		}
		v.wrong = ui.ErrorsFrom(ctx, err)
		return p.renderCall(w, r, http.StatusUnprocessableEntity, v)
	}
	switch r.FormValue("do") {
	case "hand_on":
		return back(w, r, todayPath, p.handOn(ctx, id))
	case "not_reached":
		return back(w, r, todayPath, p.Cases.RecordContact(ctx, id, cases.Contact{Channel: "phone", Words: v.words}))
	}
	if v.cause == "" {
		return refuse(errs.Invalid("feedback.case.error.cause", "cause", "closing needs a root cause of the list"))
	}
	if len(v.done) == 0 {
		return refuse(errs.Invalid("feedback.case.error.action", "actions", "closing needs what was done"))
	}
	if r.FormValue("spoken") != "1" {
		if err := p.Cases.Assign(ctx, id, me(ctx)); err != nil {
			return refuse(err)
		}
		if err := p.Cases.RecordContact(ctx, id, cases.Contact{Reached: true, Channel: "phone", Words: v.words}); err != nil {
			return refuse(err)
		}
	}
	if v.money != "" {
		if err := p.give(r, id); err != nil {
			return refuse(err)
		}
		v.money, v.why = "", ""
	}
	if _, err := p.Cases.Close(ctx, id, p.resolution(r)); err != nil {
		return refuse(err)
	}
	return seeOther(w, r, todayPath)
}

// handOn leaves the case to others of the unit.
func (p Pages) handOn(ctx context.Context, id string) error {
	if err := p.Cases.Note(ctx, id, i18n.T(ctx, "feedback.today.handed_on")); err != nil {
		return err
	}
	return p.Cases.LetGo(ctx, id)
}
