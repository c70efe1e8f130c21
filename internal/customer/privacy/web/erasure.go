package web

import (
	"net/http"
	"strings"
	"time"

	"omote/internal/customer/erasure"
	"omote/internal/platform/auth"
	platform "omote/internal/platform/erasure"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// erasuresView is the page of erasures and holds.
type erasuresView struct {
	erasures, holds ui.TableProps
	run             bool
	wrong           ui.FieldErrors
	standing        []erasure.Hold
	n               erasure.NewHold
}

func (p Pages) erasureList(w http.ResponseWriter, r *http.Request) error {
	return p.renderErasures(w, r, http.StatusOK, erasuresView{n: erasure.NewHold{Customer: r.URL.Query().Get("customer")}})
}

func (p Pages) renderErasures(w http.ResponseWriter, r *http.Request, status int, v erasuresView) error {
	ctx := r.Context()
	all, err := p.Erasures.All(ctx, "", 200)
	if err != nil {
		return err
	}
	if v.standing, err = p.Erasures.Holds(ctx, 500); err != nil {
		return err
	}
	v.run = auth.Can(ctx, erasure.PermRun)
	columns := []ui.Column{
		{Key: "at", Label: i18n.T(ctx, "customer.erasure.at")},
		{Key: "state", Label: i18n.T(ctx, "customer.erasure.state")},
		{Key: "deleted", Label: i18n.T(ctx, "customer.erasure.action.deleted"), Numeric: true},
		{Key: "unlinked", Label: i18n.T(ctx, "customer.erasure.unlinked"), Numeric: true},
		{Key: "held", Label: i18n.T(ctx, "customer.erasure.held"), Numeric: true},
		{Key: "complete", Label: i18n.T(ctx, "customer.erasure.complete"), Numeric: true},
	}
	v.erasures = ui.TableProps{ID: "erasures", Label: i18n.T(ctx, "customer.erasure.title"), Columns: columns, Query: ui.QueryTable(r, "erasures", columns, ""),
		Empty: ui.Empty(ui.EmptyProps{Kind: ui.EmptyFirst, Title: i18n.T(ctx, "customer.erasure.none"), Text: i18n.T(ctx, "customer.erasure.none.text")})}
	running := 0
	for _, c := range all {
		if c.State == erasure.Running {
			running++
		}
		complete := "–"
		if at := c.Complete(); !at.IsZero() {
			complete = ui.When(ctx, at)
		}
		v.erasures.Rows = append(v.erasures.Rows, ui.Row{ID: c.ID, Cells: []ui.Cell{{Text: ui.When(ctx, c.At), Href: erasuresPath + "/" + c.ID}, {Text: i18n.T(ctx, "customer.erasure.state."+string(c.State))},
			{Text: i18n.Fmt(ctx).Int(c.Count(platform.Deleted))}, {Text: i18n.Fmt(ctx).Int(c.Count(platform.Unlinked))}, {Text: i18n.Fmt(ctx).Int(int64(len(c.Held)))}, {Text: complete}}})
	}
	page := ui.Page{Title: i18n.T(ctx, "customer.erasure.title"), At: NavPrivacy,
		Finding: i18n.T(ctx, "customer.erasure.finding", "all", len(all), "running", running, "holds", len(holdIDs(v.standing)))}
	return ui.RenderStatus(w, r, status, erasuresPage(page, v))
}

// holdIDs are the holds, each with its first record: one hold may cover several.
func holdIDs(all []erasure.Hold) (out []erasure.Hold) {
	seen := map[string]bool{}
	for _, h := range all {
		if !seen[h.ID] {
			seen[h.ID] = true
			out = append(out, h)
		}
	}
	return out
}

func (p Pages) erasureShow(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	c, err := p.Erasures.Get(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	columns := []ui.Column{
		{Key: "place", Label: i18n.T(ctx, "customer.erasure.place"), Wide: true},
		{Key: "action", Label: i18n.T(ctx, "customer.erasure.action")},
		{Key: "count", Label: i18n.T(ctx, "customer.erasure.count"), Numeric: true},
		{Key: "until", Label: i18n.T(ctx, "customer.erasure.until"), Numeric: true},
	}
	lines := ui.TableProps{Label: i18n.T(ctx, "customer.erasure.certificate"), Columns: columns, Query: ui.QueryTable(r, "", columns, ""), Dense: true, KeepTable: true}
	for _, l := range c.Lines {
		count, until, why := "–", "–", ""
		if l.Count > 0 || l.Action == platform.Deleted || l.Action == platform.Unlinked {
			count = i18n.Fmt(ctx).Int(l.Count)
		}
		if !l.Until.IsZero() {
			until = ui.When(ctx, l.Until)
		}
		if l.Why != "" {
			why = i18n.From(ctx).T(l.Why)
		}
		lines.Rows = append(lines.Rows, ui.Row{ID: l.Place, Cells: []ui.Cell{{Text: l.Place, Sub: why}, {Text: i18n.T(ctx, "customer.erasure.action."+string(l.Action))}, {Text: count}, {Text: until}}})
	}
	page := ui.Page{Title: i18n.T(ctx, "customer.erasure.certificate"), At: NavPrivacy, Crumbs: []ui.Link{{Label: i18n.T(ctx, "customer.erasure.title"), Href: erasuresPath}},
		Meta: []ui.Item{ui.Text(ui.When(ctx, c.At)), ui.Text(p.who(ctx, c.MadeBy)), ui.Text(c.ID)}}
	switch {
	case c.State == erasure.Running:
		page.Finding = i18n.T(ctx, "customer.erasure.one.running")
	case len(c.Held) > 0:
		page.Finding = i18n.T(ctx, "customer.erasure.one.held", "count", len(c.Held), "deleted", c.Count(platform.Deleted))
	default:
		page.Finding = i18n.T(ctx, "customer.erasure.one.done", "deleted", c.Count(platform.Deleted), "unlinked", c.Count(platform.Unlinked), "at", ui.When(ctx, c.Complete()))
	}
	return ui.Render(w, r, erasurePage(page, c, lines))
}

func (p Pages) holdPut(w http.ResponseWriter, r *http.Request) error {
	if err := form(r); err != nil {
		return err
	}
	ctx := r.Context()
	v := erasuresView{n: erasure.NewHold{Customer: strings.TrimSpace(r.PostForm.Get("customer")), Reason: erasure.HoldReason(r.PostForm.Get("reason")), Basis: r.PostForm.Get("basis")}}
	at, err := time.ParseInLocation(time.DateOnly, r.PostForm.Get("review_at"), p.Zone)
	if err != nil {
		err = errs.Invalid("customer.erasure.error.review", "review_at", "%q is no day", r.PostForm.Get("review_at"))
	} else {
		v.n.ReviewAt = at
		_, err = p.Erasures.Hold(ctx, v.n)
	}
	if correctable(err) {
		v.wrong = ui.ErrorsFrom(ctx, err)
		return p.renderErasures(w, r, httpStatus(err), v)
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, erasuresPath)
}

func (p Pages) holdEnd(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.Erasures.EndHold(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	return seeOther(w, r, erasuresPath)
}
