package web

import (
	"net/http"
	"strconv"

	"omote/internal/customer/retention"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// retentionView is the page of the retention rules.
type retentionView struct {
	rules []retention.Rule
	rows  ui.TableProps
	edit  bool
	wrong ui.FieldErrors
	kind  string
	days  string
	basis string
	waits int // rules that wait for a second person
}

func (p Pages) retentionShow(w http.ResponseWriter, r *http.Request) error {
	return p.renderRetention(w, r, http.StatusOK, retentionView{})
}

func (p Pages) renderRetention(w http.ResponseWriter, r *http.Request, status int, v retentionView) error {
	ctx := r.Context()
	var err error
	if v.rules, err = p.Retention.Rules(ctx); err != nil {
		return err
	}
	v.edit = auth.Can(ctx, retention.PermEdit)
	columns := []ui.Column{
		{Key: "kind", Label: i18n.T(ctx, "customer.retention.what"), Wide: true},
		{Key: "days", Label: i18n.T(ctx, "customer.retention.days"), Numeric: true},
		{Key: "due", Label: i18n.T(ctx, "customer.retention.due"), Numeric: true},
		{Key: "last", Label: i18n.T(ctx, "customer.retention.last"), Numeric: true},
		{Key: "basis", Label: i18n.T(ctx, "customer.retention.basis"), Wide: true},
	}
	v.rows = ui.TableProps{Label: i18n.T(ctx, "customer.retention.title"), Columns: columns, Query: ui.QueryTable(r, "", columns, "")}
	var due int64
	for _, rule := range v.rules {
		last, old := "–", "–"
		if !rule.LastRun.IsZero() {
			last = ui.When(ctx, rule.LastRun)
		}
		if rule.Due >= 0 {
			old = i18n.Fmt(ctx).Int(rule.Due)
			due += rule.Due
		}
		days := ui.Cell{Text: i18n.Fmt(ctx).Int(int64(rule.Days))}
		if rule.Waits != nil {
			days.Sub = i18n.T(ctx, "customer.retention.waits", "days", rule.Waits.Days)
			v.waits++
		}
		cell := ui.Cell{Text: last}
		if !rule.LastRun.IsZero() {
			cell.Sub = i18n.T(ctx, "customer.retention.taken", "count", rule.Taken)
		}
		v.rows.Rows = append(v.rows.Rows, ui.Row{ID: rule.Kind.ID, Cells: []ui.Cell{{Text: i18n.T(ctx, "customer.retention.kind."+rule.Kind.ID), Sub: i18n.T(ctx, "customer.retention.kind."+rule.Kind.ID+".note")},
			days, {Text: old}, cell, {Node: ui.Small(rule.Basis)}}})
	}
	v.rows.Rows = append(v.rows.Rows, ui.Row{ID: "log", Cells: []ui.Cell{{Text: i18n.T(ctx, "customer.retention.kind.log"), Sub: i18n.T(ctx, "customer.retention.kind.log.note")},
		{Text: i18n.Fmt(ctx).Decimal(p.LogRetention.Hours()/24, 0)}, {Text: "–"}, {Text: "–"}, {Node: ui.Small(i18n.T(ctx, "customer.retention.log.basis"))}}})
	page := ui.Page{Title: i18n.T(ctx, "customer.retention.title"), At: NavPrivacy, Finding: i18n.T(ctx, "customer.retention.finding", "count", due)}
	return ui.RenderStatus(w, r, status, retentionPage(page, v))
}

func (p Pages) retentionSave(w http.ResponseWriter, r *http.Request) error {
	if err := form(r); err != nil {
		return err
	}
	ctx := r.Context()
	v := retentionView{kind: r.PostForm.Get("kind"), days: r.PostForm.Get("days"), basis: r.PostForm.Get("basis")}
	days, _ := strconv.Atoi(v.days) // none is refused with the right range
	if err := p.Retention.Save(ctx, v.kind, days, v.basis); correctable(err) {
		v.wrong = ui.ErrorsFrom(ctx, err)
		return p.renderRetention(w, r, httpStatus(err), v)
	} else if err != nil {
		return err
	}
	return seeOther(w, r, retentionPath)
}
