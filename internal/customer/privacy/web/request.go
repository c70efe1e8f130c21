package web

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"omote/internal/customer/erasure"
	"omote/internal/customer/request"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

func (p Pages) requestList(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all := r.URL.Query().Get("show") == "all"
	found, err := p.Requests.List(ctx, request.Filter{Open: !all}, 500)
	if err != nil {
		return err
	}
	sum, err := p.Requests.Summary(ctx)
	if err != nil {
		return err
	}
	columns := []ui.Column{
		{Key: "kind", Label: i18n.T(ctx, "customer.request.kind"), Wide: true},
		{Key: "state", Label: i18n.T(ctx, "customer.request.state")},
		{Key: "clock", Label: i18n.T(ctx, "customer.request.clock")},
		{Key: "received", Label: i18n.T(ctx, "customer.request.received"), Numeric: true},
		{Key: "due", Label: i18n.T(ctx, "customer.request.due"), Numeric: true},
	}
	empty := ui.Empty(ui.EmptyProps{Kind: ui.EmptyGood, Title: i18n.T(ctx, "customer.request.none"), Text: i18n.T(ctx, "customer.request.none.text")})
	rows := ui.TableProps{Label: i18n.T(ctx, "customer.request.title"), Columns: columns, Query: ui.QueryTable(r, "", columns, ""), Empty: empty}
	for _, q := range found {
		rows.Rows = append(rows.Rows, ui.Row{ID: q.ID, Cells: []ui.Cell{
			{Text: i18n.T(ctx, "customer.request.kind."+string(q.Kind)), Sub: q.Jurisdiction + " · " + i18n.T(ctx, "customer.request.intake."+q.Intake), Href: requestsPath + "/" + q.ID},
			{Text: i18n.T(ctx, "customer.request.state."+string(q.State))}, {Node: ui.Clock(p.clock(ctx, q))},
			{Text: p.day(ctx, q.Received.Add(time.Second))}, {Text: p.day(ctx, q.Due), Care: q.Late(p.Clock.Now())}}})
	}
	page := ui.Page{Title: i18n.T(ctx, "customer.request.title"), At: NavPrivacy}
	switch {
	case sum.Late > 0:
		page.Finding = i18n.T(ctx, "customer.request.finding.late", "count", sum.Late, "open", sum.Open)
	case sum.Soon > 0:
		page.Finding = i18n.T(ctx, "customer.request.finding.soon", "count", sum.Soon, "open", sum.Open)
	case sum.Open > 0:
		page.Finding = i18n.T(ctx, "customer.request.finding.open", "count", sum.Open)
	default:
		page.Finding = i18n.T(ctx, "customer.request.finding.none")
	}
	if auth.Can(ctx, request.PermEdit) {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "customer.request.new"), Href: requestsPath + "/new", Key: "N", Kind: ui.Ink}}
	}
	chips := []ui.ChipProps{{Label: i18n.T(ctx, "customer.request.show.open"), Href: requestsPath, Pressed: !all}, {Label: i18n.T(ctx, "customer.request.show.all"), Href: requestsPath + "?show=all", Pressed: all}}
	return ui.Render(w, r, requestsPage(page, chips, rows))
}

// clock is the deadline that comes first.
func (p Pages) clock(ctx context.Context, q request.Request) ui.ClockProps {
	now := p.Clock.Now()
	next := q.Next()
	switch {
	case !q.State.Open():
		if !q.Due.IsZero() && !q.Ended.Before(q.Due) {
			return ui.ClockProps{Label: i18n.T(ctx, "customer.request.clock.met_late"), Used: 1, State: ui.ClockLate}
		}
		return ui.ClockProps{Label: i18n.T(ctx, "customer.request.clock.met"), Used: 1, State: ui.ClockMet}
	case next.IsZero():
		return ui.ClockProps{Label: i18n.T(ctx, "customer.request.clock.none")}
	}
	total := next.Sub(q.Received)
	used := min(1, max(0, float64(now.Sub(q.Received))/float64(total)))
	what := "customer.request.clock.done"
	if q.Replied.IsZero() && !q.ReplyDue.IsZero() {
		what = "customer.request.clock.reply"
	}
	c := ui.ClockProps{Used: used}
	if left := next.Sub(now); left > 0 {
		c.Label = i18n.T(ctx, what, "left", i18n.Fmt(ctx).DurationShort(left))
		if used >= 0.75 {
			c.State = ui.ClockSoon
		}
		return c
	}
	c.State, c.Label = ui.ClockLate, i18n.T(ctx, what+".late", "late", i18n.Fmt(ctx).DurationShort(now.Sub(next)))
	return c
}

// newRequest is the form of a request.
type newRequest struct {
	n     request.New
	wrong ui.FieldErrors
	rules []request.Pack
}

func (p Pages) requestNew(w http.ResponseWriter, r *http.Request) error {
	f := newRequest{n: request.New{Customer: r.URL.Query().Get("customer"), Kind: request.Access, Jurisdiction: "VN", Intake: "branch", Locale: "vi"}}
	return p.renderNew(w, r, http.StatusOK, f)
}

func (p Pages) renderNew(w http.ResponseWriter, r *http.Request, status int, f newRequest) error {
	ctx := r.Context()
	f.rules = p.Requests.Rules.Jurisdictions()
	page := ui.Page{Title: i18n.T(ctx, "customer.request.new"), At: NavPrivacy, Finding: i18n.T(ctx, "customer.request.new.finding"),
		Crumbs: []ui.Link{{Label: i18n.T(ctx, "customer.request.title"), Href: requestsPath}}}
	return ui.RenderStatus(w, r, status, requestNewPage(page, f))
}

func (p Pages) requestOpen(w http.ResponseWriter, r *http.Request) error {
	if err := form(r); err != nil {
		return err
	}
	ctx := r.Context()
	get := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	f := newRequest{n: request.New{Customer: get("customer"), Kind: request.Kind(get("kind")), Jurisdiction: get("jurisdiction"), Intake: get("intake"), Locale: get("locale"),
		ThirdParty: get("third_party") == "1", Wish: get("wish")}}
	if day := get("received"); day != "" {
		at, err := time.ParseInLocation(time.DateOnly, day, p.Zone)
		if err != nil {
			f.wrong = ui.ErrorsFrom(ctx, errs.Invalid("customer.request.error.day", "received", "%q is no day", day).With("value", day))
			return p.renderNew(w, r, http.StatusUnprocessableEntity, f)
		}
		if now := p.Clock.Now(); at.Format(time.DateOnly) == now.In(p.Zone).Format(time.DateOnly) {
			at = now
		}
		f.n.Received = at
	}
	made, err := p.Requests.Open(ctx, f.n)
	if correctable(err) {
		f.wrong = ui.ErrorsFrom(ctx, err)
		return p.renderNew(w, r, httpStatus(err), f)
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, requestsPath+"/"+made.ID)
}

// requestView is one request with what can be done about it.
type requestView struct {
	request.Request
	pages       Pages
	edit        bool
	decide      bool
	wrong       ui.FieldErrors
	letter      request.Letter
	letterWrong bool
	max         int // longest extension; 0 for none
	citation    string
	confidence  string
	erasure     *erasure.Certificate
	waits       *approval.Request // an order to erase that waits for a second person
	steps       []ui.KeyValue
}

func (p Pages) requestShow(w http.ResponseWriter, r *http.Request) error {
	return p.renderRequest(w, r, http.StatusOK, nil)
}

func (p Pages) renderRequest(w http.ResponseWriter, r *http.Request, status int, wrong ui.FieldErrors) error {
	ctx := r.Context()
	found, err := p.Requests.Get(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	v := requestView{Request: found, pages: p, edit: auth.Can(ctx, request.PermEdit), decide: auth.Can(ctx, request.PermDecide), wrong: wrong}
	if rule := p.Requests.Rule(found); rule != nil {
		v.citation, v.confidence = rule.Citation, rule.Confidence
		if found.ExtendedFrom.IsZero() && found.State.Open() && p.Clock.Now().Before(found.Due) {
			v.max = p.Requests.MaxExtension(found)
		}
	}
	if v.letter, err = p.Requests.Letter(found, p.Zone); err != nil {
		return err
	}
	if found.Erasure != "" && auth.Can(ctx, erasure.PermRead) {
		c, err := p.Erasures.Get(ctx, found.Erasure)
		if err != nil {
			return err
		}
		v.erasure = &c
	}
	if found.Kind == request.Erase && found.Erasure == "" && auth.Can(ctx, erasure.PermRead) {
		if v.waits, err = p.Erasures.Waits(ctx, found.Customer); err != nil {
			return err
		}
	}
	for _, s := range found.Steps {
		text := "**" + i18n.T(ctx, "customer.request.act."+s.Act) + "** · " + p.who(ctx, s.By)
		if s.Note != "" {
			text += ": " + s.Note
		}
		v.steps = append(v.steps, ui.KeyValue{Key: ui.When(ctx, s.At), Value: text})
	}
	page := ui.Page{Title: i18n.T(ctx, "customer.request.kind."+string(found.Kind)), At: NavPrivacy, Crumbs: []ui.Link{{Label: i18n.T(ctx, "customer.request.title"), Href: requestsPath}},
		Finding: p.requestFinding(ctx, found),
		Meta: []ui.Item{ui.Text(i18n.T(ctx, "customer.request.state."+string(found.State))), ui.Text(found.Jurisdiction), ui.Text(i18n.T(ctx, "customer.request.intake."+found.Intake)),
			{Label: short(found.Customer), Href: standingPath(found.Customer)}}}
	return ui.RenderStatus(w, r, status, requestPage(page, v))
}

func (p Pages) requestFinding(ctx context.Context, q request.Request) string {
	now := p.Clock.Now()
	switch {
	case !q.State.Open():
		return i18n.T(ctx, "customer.request.one.over", "state", i18n.T(ctx, "customer.request.state."+string(q.State)), "day", p.day(ctx, q.Ended.Add(time.Second)))
	case q.Late(now):
		return i18n.T(ctx, "customer.request.one.late", "day", p.day(ctx, q.Next()))
	case q.Checked.IsZero() && q.Kind != request.Withdraw && q.Kind != request.Object:
		return i18n.T(ctx, "customer.request.one.check", "day", p.day(ctx, q.Next()))
	case q.Replied.IsZero() && !q.ReplyDue.IsZero():
		return i18n.T(ctx, "customer.request.one.reply", "day", p.day(ctx, q.ReplyDue))
	}
	return i18n.T(ctx, "customer.request.one.do", "day", p.day(ctx, q.Due))
}

func (p Pages) requestAct(w http.ResponseWriter, r *http.Request) error {
	if err := form(r); err != nil {
		return err
	}
	ctx, id := r.Context(), r.PathValue("id")
	get := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	var err error
	switch r.PathValue("act") {
	case "check":
		err = p.Requests.Check(ctx, id, get("method"), get("note"))
	case "reply":
		err = p.Requests.Reply(ctx, id, get("note"))
	case "extend":
		amount, _ := strconv.Atoi(get("amount")) // none is refused with the right range
		err = p.Requests.Extend(ctx, id, amount, get("reason"))
	case "note":
		err = p.Requests.Note(ctx, id, get("note"))
	case "erase":
		err = p.Requests.OrderErasure(ctx, id)
	case "complete":
		err = p.Requests.Complete(ctx, id, get("answer"))
	case "refuse":
		err = p.Requests.Refuse(ctx, id, get("ground"), get("refusal"))
	case "lift":
		err = p.Requests.Lift(ctx, id, get("reason"))
	default:
		return errs.NotFound("customer.request.error.not_found", "there is no act %q", r.PathValue("act"))
	}
	if correctable(err) {
		return p.renderRequest(w, r, httpStatus(err), ui.ErrorsFrom(ctx, err))
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, requestsPath+"/"+id)
}

// requestCopy gives the person's data out as one file.
func (p Pages) requestCopy(w http.ResponseWriter, r *http.Request) error {
	var out bytes.Buffer // whole before the first byte leaves: an error must not look like a file
	if err := p.Requests.WriteAccess(r.Context(), r.PathValue("id"), &out); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="data-`+short(r.PathValue("id"))[:8]+`.zip"`)
	w.Header().Set("Cache-Control", "no-store")
	_, err := out.WriteTo(w)
	return err
}

func options(ctx context.Context, prefix string, values []string) (out []ui.Option) {
	for _, v := range values {
		out = append(out, ui.Option{Value: v, Label: i18n.T(ctx, prefix+v)})
	}
	return out
}

func kindChoices(ctx context.Context) (out []ui.Option) {
	for _, k := range request.Kinds {
		out = append(out, ui.Option{Value: string(k), Label: i18n.T(ctx, "customer.request.kind."+string(k)), Note: i18n.T(ctx, "customer.request.kind."+string(k)+".note")})
	}
	return out
}

// gives reports whether the request gives data out.
func (v requestView) gives() bool {
	return slices.Contains([]request.Kind{request.Access, request.Provide}, v.Kind)
}
