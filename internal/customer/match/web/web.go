// Package web is the page of the data steward: pairs of records that may be one
// person, one at a time, side by side, answered by a key.
package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"omote/analytics/linkage"
	"omote/internal/customer/identity"
	"omote/internal/customer/match"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/ui"
)

// Pages are the pages of the review.
type Pages struct {
	Match *match.Service
	Clock clock.Clock
	Zone  *time.Location
}

// NavReview is the review's entry of the navigation.
const NavReview = "review"

// Path is where the review stands.
const Path = "/customer/review"

// Routes adds the pages.
func (p Pages) Routes(r *httpx.Router) {
	r.Handle("GET /customer/review", identity.PermRead, p.review)
	r.Handle("POST /customer/review/runs", identity.PermEdit, p.start)
	r.Handle("POST /customer/review/{id}/answer", identity.PermEdit, p.answer)
	r.Handle("POST /customer/review/{id}/undo", identity.PermEdit, p.undo)
	r.Handle("POST /customer/review/{id}/reveal", identity.PermRead, p.reveal)
}

// view is the queue with the pair that is looked at.
type view struct {
	match.Queue
	ctx   context.Context
	pages Pages
	pair  *match.Detail
	next  string // the pair after it
	edit  bool
	wrong ui.FieldErrors
}

func (p Pages) review(w http.ResponseWriter, r *http.Request) error {
	return p.render(w, r, http.StatusOK, r.URL.Query().Get("pair"), "", nil)
}

func (p Pages) render(w http.ResponseWriter, r *http.Request, status int, pair, purpose string, wrong ui.FieldErrors) error {
	ctx := r.Context()
	q, err := p.Match.Queue(ctx)
	if err != nil {
		return err
	}
	v := &view{Queue: q, ctx: ctx, pages: p, edit: auth.Require(ctx, identity.PermEdit, scope.Root) == nil, wrong: wrong}
	if pair == "" && len(q.Pairs) > 0 {
		pair = q.Pairs[0].ID
	}
	if pair != "" {
		d, err := p.Match.Get(ctx, pair, purpose)
		if err != nil {
			return err
		}
		v.pair = &d
		at := slices.IndexFunc(q.Pairs, func(o match.Pair) bool { return o.ID == pair })
		if at+1 < len(q.Pairs) {
			v.next = q.Pairs[at+1].ID
		} else if len(q.Pairs) > 0 && q.Pairs[0].ID != pair {
			v.next = q.Pairs[0].ID
		}
	}
	page := ui.Page{Title: i18n.T(ctx, "customer.review.title"), At: NavReview, Layer: ui.LayerPlatform, Finding: v.finding(), Toast: p.toast(r)}
	return ui.RenderStatus(w, r, status, reviewPage(page, v))
}

// toast tells what the answer before did, with the way back.
func (p Pages) toast(r *http.Request) *ui.ToastProps {
	q := r.URL.Query()
	switch done := q.Get("done"); done {
	case "same", "different":
		return &ui.ToastProps{Text: i18n.T(r.Context(), "customer.review.done."+done), UndoHref: pairPath(q.Get("of")) + "/undo"}
	case "undone", "started", "settled":
		return &ui.ToastProps{Text: i18n.T(r.Context(), "customer.review.done."+done)}
	}
	return nil
}

func pairPath(id string) string { return Path + "/" + httpx.PathEscape(id) }

func (p Pages) answer(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	same := r.FormValue("answer") == "same"
	if !same && r.FormValue("answer") != "different" {
		return errs.Invalid("customer.review.error.answer", "answer", "the answer is same or different")
	}
	pair, err := p.Match.Answer(ctx, r.PathValue("id"), match.Answer{Same: same, Reason: strings.TrimSpace(r.FormValue("reason"))})
	if err != nil {
		if k := errs.KindOf(err); k == errs.KindInvalid || k == errs.KindTooLarge {
			return p.render(w, r, http.StatusUnprocessableEntity, r.PathValue("id"), "", ui.ErrorsFrom(ctx, err))
		}
		return err
	}
	http.Redirect(w, r, Path+"?done="+string(pair.State)+"&of="+httpx.PathEscape(pair.ID), http.StatusSeeOther)
	return nil
}

func (p Pages) undo(w http.ResponseWriter, r *http.Request) error {
	pair, err := p.Match.Undo(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	http.Redirect(w, r, Path+"?done=undone&pair="+httpx.PathEscape(pair.ID), http.StatusSeeOther)
	return nil
}

func (p Pages) start(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.Match.Start(r.Context(), match.Limits{}); err != nil {
		return err
	}
	http.Redirect(w, r, Path+"?done=started", http.StatusSeeOther)
	return nil
}

// reveal shows identifiers whole for a stated purpose.
func (p Pages) reveal(w http.ResponseWriter, r *http.Request) error {
	purpose := strings.TrimSpace(r.FormValue("purpose"))
	if purpose == "" || len(purpose) > identity.MaxReason {
		err := errs.Invalid("customer.review.error.purpose", "purpose", "say what you need the whole values for")
		return p.render(w, r, http.StatusUnprocessableEntity, r.PathValue("id"), "", ui.ErrorsFrom(r.Context(), err))
	}
	return p.render(w, r, http.StatusOK, r.PathValue("id"), purpose, nil)
}

func (v *view) finding() string {
	switch {
	case v.Last == nil && !v.Running:
		return i18n.T(v.ctx, "customer.review.finding.none")
	case v.Waiting == 0:
		return i18n.T(v.ctx, "customer.review.finding.empty")
	}
	return i18n.T(v.ctx, "customer.review.finding", "count", v.Waiting)
}

func (v *view) percent(p float64) string { return i18n.Fmt(v.ctx).Percent(p, 1) }

func (v *view) date(m store.Micros) string {
	return i18n.Fmt(v.ctx).DateTime(m.Time().In(v.pages.Zone), v.pages.Clock.Now().In(v.pages.Zone))
}

// compared lists the fields side by side with what each says.
func (v *view) compared() ui.TableProps {
	t := ui.TableProps{Label: i18n.T(v.ctx, "customer.review.compared"), KeepTable: false, Columns: []ui.Column{
		{Key: "field", Label: i18n.T(v.ctx, "customer.review.field"), Narrow: true},
		{Key: "a", Label: i18n.T(v.ctx, "customer.review.one", "count", v.pair.RecordsA)},
		{Key: "b", Label: i18n.T(v.ctx, "customer.review.other", "count", v.pair.RecordsB)},
		{Key: "says", Label: i18n.T(v.ctx, "customer.review.says"), Wide: true},
	}}
	for _, s := range v.pair.Why.Steps {
		t.Rows = append(t.Rows, ui.Row{ID: s.Field, Cells: []ui.Cell{
			{Text: i18n.T(v.ctx, "customer.review.field."+s.Field)}, valueCell(s.Left), valueCell(s.Right),
			{Text: v.level(s.Level), Sub: v.says(s), Care: s.Bits <= -3, Mute: s.Level == linkage.Missing}}})
	}
	return t
}

func valueCell(s string) ui.Cell {
	if s == "" {
		return ui.Cell{Text: "–", Mute: true}
	}
	return ui.Cell{Text: ui.PlainText(s)}
}

// level says in words how two values agree.
func (v *view) level(name string) string {
	return i18n.T(v.ctx, "customer.review.level."+strings.NewReplacer(" ", "_", ",", "", "@", "at").Replace(name))
}

// says tells what a field's agreement is worth, and why.
func (v *view) says(s linkage.Step) string {
	if s.Level == linkage.Missing {
		return i18n.T(v.ctx, "customer.review.weight.none")
	}
	word := "little"
	switch b := s.Bits; {
	case b >= 8:
		word = "strongly_for"
	case b >= 3:
		word = "clearly_for"
	case b >= 1:
		word = "weakly_for"
	case b <= -8:
		word = "strongly_against"
	case b <= -3:
		word = "clearly_against"
	case b <= -1:
		word = "weakly_against"
	}
	parts := []string{i18n.T(v.ctx, "customer.review.weight."+word)}
	if s.Rare >= 2 {
		parts = append(parts, i18n.T(v.ctx, "customer.review.rare"))
	}
	if s.Rare <= -2 {
		parts = append(parts, i18n.T(v.ctx, "customer.review.common"))
	}
	if s.Tied <= -1 {
		parts = append(parts, i18n.T(v.ctx, "customer.review.tied"))
	}
	return strings.Join(parts, "; ")
}

func (v *view) facts() []ui.KeyValue {
	f := i18n.Fmt(v.ctx)
	out := []ui.KeyValue{
		{Key: i18n.T(v.ctx, "customer.review.found"), Value: i18n.T(v.ctx, "customer.review.origin."+v.pair.Origin) + ", " + v.date(v.pair.FoundAt)},
		{Key: i18n.T(v.ctx, "customer.review.automatic"), Value: i18n.T(v.ctx, "customer.review.from", "share", v.percent(v.pair.Model.Upper))},
	}
	if v.pair.State != match.Waiting {
		out = append(out, ui.KeyValue{Key: i18n.T(v.ctx, "customer.review.state"), Value: i18n.T(v.ctx, "customer.review.state."+string(v.pair.State))})
	}
	if v.Answers > 0 {
		out = append(out, ui.KeyValue{Key: i18n.T(v.ctx, "customer.review.learnt"), Value: i18n.T(v.ctx, "customer.review.learnt.text", "right", f.Int(int64(v.Right)), "count", v.Answers)})
	}
	return out
}

// list is the queue.
func (v *view) list() ui.TableProps {
	t := ui.TableProps{Label: i18n.T(v.ctx, "customer.review.queue"), Columns: []ui.Column{
		{Key: "who", Label: i18n.T(v.ctx, "customer.review.pair")},
		{Key: "chance", Label: i18n.T(v.ctx, "customer.review.chance"), Numeric: true},
		{Key: "found", Label: i18n.T(v.ctx, "customer.review.found"), Numeric: true},
	}}
	if more := v.Waiting - int64(len(v.Pairs)); more > 0 {
		t.Foot = i18n.T(v.ctx, "customer.review.more", "count", more)
	}
	name := func(record string) string {
		if n := v.Names[record]; n != "" {
			return ui.PlainText(n)
		}
		return i18n.T(v.ctx, "customer.review.nameless")
	}
	for _, p := range v.Pairs {
		t.Rows = append(t.Rows, ui.Row{ID: p.ID, Open: v.pair != nil && p.ID == v.pair.ID, Cells: []ui.Cell{
			{Text: name(p.RecordA) + " · " + name(p.RecordB), Href: Path + "?pair=" + httpx.PathEscape(p.ID)},
			{Text: v.percent(p.Probability)}, {Text: v.date(p.FoundAt)}}})
	}
	return t
}

func (v *view) lastRun() []ui.KeyValue {
	f := i18n.Fmt(v.ctx)
	m := v.Last
	return []ui.KeyValue{
		{Key: i18n.T(v.ctx, "customer.review.run.at"), Value: v.date(m.At)},
		{Key: i18n.T(v.ctx, "customer.review.run.records"), Value: f.Int(m.Records)},
		{Key: i18n.T(v.ctx, "customer.review.run.people"), Value: f.Int(m.People)},
		{Key: i18n.T(v.ctx, "customer.review.run.merged"), Value: f.Int(m.Merged)},
		{Key: i18n.T(v.ctx, "customer.review.run.waiting"), Value: f.Int(m.Waiting)},
		{Key: i18n.T(v.ctx, "customer.review.run.coverage"), Value: v.percent(m.Coverage)},
	}
}

// answers are the three ways to go on, each with its key.
func (v *view) answers() []ui.ButtonProps {
	out := []ui.ButtonProps{
		{Label: i18n.T(v.ctx, "customer.review.same"), Kind: ui.Ink, Key: "S", Submit: true, Name: "answer", Value: "same"},
		{Label: i18n.T(v.ctx, "customer.review.different"), Key: "D", Submit: true, Name: "answer", Value: "different"},
	}
	if v.next != "" {
		out = append(out, ui.ButtonProps{Label: i18n.T(v.ctx, "customer.review.later"), Kind: ui.BareButton, Key: "L", Href: Path + "?pair=" + httpx.PathEscape(v.next)})
	}
	return out
}
