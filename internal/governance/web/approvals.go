package web

import (
	"context"
	"net/http"

	"omote/internal/platform/approval"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

func approvalPath(id string) string { return approvalsPath + "/" + httpx.PathEscape(id) }

type approvalsView struct {
	approval.List
	names map[string]string
}

// approvals is everything that waits for the reader, that they proposed, and that
// was decided.
func (p Pages) approvals(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	list, err := p.Approvals.List(ctx)
	if err != nil {
		return err
	}
	v := approvalsView{List: list, names: p.Names(ctx, actorsOf(list.Waiting, list.Mine, list.Past)...)}
	page := ui.Page{Title: i18n.T(ctx, "governance.approval.title"), At: NavApprovals, Layer: ui.LayerGuarantee}
	switch n := len(list.Waiting); {
	case n > 0:
		page.Finding = i18n.T(ctx, "governance.approval.finding", "count", n, "day", i18n.Fmt(ctx).Date(list.Waiting[0].Expires.In(p.Zone)))
	case len(list.Mine) > 0:
		page.Finding = i18n.T(ctx, "governance.approval.finding.none")
	}
	return ui.Render(w, r, approvalsPage(page, p, v))
}

func actorsOf(lists ...[]approval.Item) (refs []string) {
	for _, l := range lists {
		for _, it := range l {
			refs = append(refs, it.Maker)
			if it.Checker != "" {
				refs = append(refs, it.Checker)
			}
		}
	}
	return refs
}

// docket shows a proposal that waits for the reader.
func (p Pages) docket(ctx context.Context, v approvalsView, it approval.Item) ui.DocketProps {
	f := i18n.Fmt(ctx)
	left := it.Expires.Sub(p.Clock.Now())
	return ui.DocketProps{Due: i18n.T(ctx, "governance.approval.until", "day", f.Date(it.Expires.In(p.Zone))), Late: left < it.Expires.Sub(it.Proposed)/4,
		Question: it.Title.In(i18n.Locale(ctx)),
		Note:     i18n.T(ctx, "governance.approval.by", "name", who(v.names, it.Maker), "day", f.Date(it.Proposed.In(p.Zone))),
		Act:      ui.ButtonProps{Label: i18n.T(ctx, "governance.approval.look"), Href: approvalPath(it.ID)}}
}

func (p Pages) approvalTable(ctx context.Context, label string, v approvalsView, items []approval.Item, mine bool) ui.TableProps {
	t := ui.TableProps{Label: label, Columns: []ui.Column{
		{Key: "title", Label: i18n.T(ctx, "governance.approval.what")},
		{Key: "state", Label: i18n.T(ctx, "governance.approval.state"), Narrow: true},
		{Key: "who", Label: i18n.T(ctx, "governance.approval.checker")},
		{Key: "day", Label: i18n.T(ctx, "governance.approval.day"), Numeric: true},
	}}
	f := i18n.Fmt(ctx)
	for _, it := range items {
		person, day := ui.Cell{Text: "–", Mute: true}, it.Proposed
		if it.Checker != "" {
			person = ui.Cell{Text: who(v.names, it.Checker), Sub: it.Reason}
		}
		if !it.Decided.IsZero() {
			day = it.Decided
		}
		sub := ""
		if !mine {
			sub = i18n.T(ctx, "governance.approval.by", "name", who(v.names, it.Maker), "day", f.Date(it.Proposed.In(p.Zone)))
		}
		t.Rows = append(t.Rows, ui.Row{ID: it.ID, Cells: []ui.Cell{
			{Text: it.Title.In(i18n.Locale(ctx)), Sub: sub, Href: approvalPath(it.ID)},
			{Text: i18n.T(ctx, "governance.approval.state."+string(it.State)), Care: it.State == approval.Refused || it.State == approval.Expired},
			person, {Text: f.Date(day.In(p.Zone))}}})
	}
	return t
}

type approvalView struct {
	approval.Request
	names map[string]string
	why   string // why the reader may not decide; "" when they may
	mine  bool
	wrong ui.FieldErrors
	said  string // the reason as typed
}

// approval is one proposal with what the checker must know.
func (p Pages) approval(w http.ResponseWriter, r *http.Request) error {
	return p.renderApproval(w, r, http.StatusOK, "", nil)
}

func (p Pages) renderApproval(w http.ResponseWriter, r *http.Request, status int, said string, wrong ui.FieldErrors) error {
	ctx := r.Context()
	q, err := p.Approvals.Get(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	v := approvalView{Request: q, names: p.Names(ctx, q.Maker, q.Checker), wrong: wrong, said: said}
	if q.State == approval.Waiting {
		if v.mine, err = p.Approvals.IsMine(ctx, q); err != nil {
			return err
		}
		if err := p.Approvals.May(ctx, q); err != nil {
			if k := errs.KindOf(err); k != errs.KindDenied && k != errs.KindNotFound {
				return err
			}
			v.why = i18n.Error(ctx, err)
		}
	}
	page := ui.Page{Title: i18n.T(ctx, "governance.approval.one"), At: NavApprovals, Layer: ui.LayerGuarantee,
		Crumbs: []ui.Link{{Label: i18n.T(ctx, "governance.approval.title"), Href: approvalsPath}},
		Meta:   []ui.Item{ui.Text(i18n.T(ctx, "governance.approval.state."+string(q.State))), ui.Text(q.Kind), ui.Text(q.Object)}}
	return ui.RenderStatus(w, r, status, approvalPage(page, p, v))
}

func (v approvalView) facts(ctx context.Context, p Pages) []ui.KeyValue {
	f := i18n.Fmt(ctx)
	out := []ui.KeyValue{
		{Key: i18n.T(ctx, "governance.approval.maker"), Value: who(v.names, v.Maker)},
		{Key: i18n.T(ctx, "governance.approval.proposed"), Value: f.Date(v.Proposed.In(p.Zone))},
		{Key: i18n.T(ctx, "governance.approval.expires"), Value: f.Date(v.Expires.In(p.Zone))},
		{Key: i18n.T(ctx, "governance.approval.unit"), Value: v.Unit},
	}
	if v.Version > 0 {
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "governance.approval.version"), Value: f.Int(int64(v.Version))})
	}
	out = append(out, ui.KeyValue{Key: i18n.T(ctx, "governance.approval.permission"), Value: string(v.Permission)},
		ui.KeyValue{Key: i18n.T(ctx, "governance.approval.digest"), Value: v.Digest[:12]})
	if v.Checker != "" {
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "governance.approval.checker"), Value: who(v.names, v.Checker)},
			ui.KeyValue{Key: i18n.T(ctx, "governance.approval.decided"), Value: f.Date(v.Decided.In(p.Zone))})
	}
	return out
}

// decide approves or refuses.
func (p Pages) decide(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	verdict := approval.Verdict(r.FormValue("verdict") == "approve")
	if _, err := p.Approvals.Decide(ctx, r.PathValue("id"), verdict, r.FormValue("reason")); err != nil {
		if errs.KindOf(err) != errs.KindInvalid {
			return err
		}
		return p.renderApproval(w, r, http.StatusUnprocessableEntity, r.FormValue("reason"), ui.ErrorsFrom(ctx, err))
	}
	http.Redirect(w, r, approvalsPath, http.StatusSeeOther)
	return nil
}

// withdraw takes the reader's own proposal back.
func (p Pages) withdraw(w http.ResponseWriter, r *http.Request) error {
	if err := p.Approvals.Withdraw(r.Context(), r.PathValue("id"), r.FormValue("reason")); err != nil {
		return err
	}
	http.Redirect(w, r, approvalsPath, http.StatusSeeOther)
	return nil
}
