package web

import (
	"net/http"

	"omote/internal/feedback/survey"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// callsShown is how many calls the page offers.
const callsShown = 50

// calls is the list of calls, and the one that was begun.
type calls struct {
	list ui.TableProps
	one  *survey.Call
}

func (p Pages) calls(w http.ResponseWriter, r *http.Request) error { return p.renderCalls(w, r, nil) }

// call gives the number of one customer, notes that nobody answered, or that the
// customer does not want to.
func (p Pages) call(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid("feedback.survey.error.no_call", "act", "the form cannot be read")
	}
	ctx, id, customer, invitation := r.Context(), r.PathValue("id"), r.PostForm.Get("customer"), r.PostForm.Get("invitation")
	if act := r.PostForm.Get("act"); act == "missed" || act == "refused" {
		if err := p.Surveys.NotReached(ctx, id, customer, invitation, act == "refused"); err != nil {
			return err
		}
		http.Redirect(w, r, surveyPath(id)+"/calls?done=called", http.StatusSeeOther)
		return nil
	}
	one, err := p.Surveys.StartCall(ctx, id, customer, invitation)
	if err != nil {
		return err
	}
	return p.renderCalls(w, r, one)
}

func (p Pages) renderCalls(w http.ResponseWriter, r *http.Request, one *survey.Call) error {
	ctx := r.Context()
	v, err := p.load(r)
	if err != nil {
		return err
	}
	all, err := p.Surveys.Calls(ctx, v.version.Document.ID, callsShown)
	if err != nil {
		return err
	}
	c := calls{one: one, list: ui.TableProps{Label: i18n.T(ctx, "feedback.survey.tab.calls"), Columns: []ui.Column{{Key: "who", Label: i18n.T(ctx, "feedback.survey.call.who"), Wide: true},
		{Key: "since", Label: i18n.T(ctx, "feedback.survey.call.since")}, {Key: "until", Label: i18n.T(ctx, "feedback.survey.call.until")},
		{Key: "tries", Label: i18n.T(ctx, "feedback.survey.call.tries"), Numeric: true}, {Key: "do", Label: i18n.T(ctx, "feedback.survey.call.do")}}}}
	f := i18n.Fmt(ctx)
	for _, in := range all {
		why := i18n.T(ctx, "feedback.survey.call.first")
		if in.FollowUp > 0 {
			why = i18n.T(ctx, "feedback.survey.call.silent")
		}
		c.list.Rows = append(c.list.Rows, ui.Row{ID: in.ID, Cells: []ui.Cell{{Text: in.CustomerID[:min(8, len(in.CustomerID))], Sub: why, Href: "/customer/customers/" + httpx.PathEscape(in.CustomerID)},
			{Text: ui.When(ctx, in.Asked)}, {Text: ui.When(ctx, in.Expires)}, {Text: f.Int(in.Calls)}, {Node: callButton(surveyPath(v.version.Document.ID)+"/calls", in)}}})
	}
	c.list.Empty = ui.Empty(ui.EmptyProps{Title: i18n.T(ctx, "feedback.survey.call.none"), Text: i18n.T(ctx, "feedback.survey.call.none.text")})
	return ui.Render(w, r, callsPage(p.page(ctx, r, v), v, c))
}
