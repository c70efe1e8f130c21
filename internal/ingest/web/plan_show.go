package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"omote/internal/ingest/plan"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// violationDays is how far back the page counts what broke the plan.
const violationDays = 30

// planView is what the page shows.
type planView struct {
	plan       *plan.Plan
	table      ui.TableProps
	violations []plan.Count
	versions   []plan.Version
	editing    bool
	body       string
	note       string
	wrong      ui.FieldErrors
}

func (p Pages) planShow(w http.ResponseWriter, r *http.Request) error {
	return p.renderPlan(w, r, http.StatusOK, planView{editing: r.URL.Query().Has("edit")})
}

func (p Pages) renderPlan(w http.ResponseWriter, r *http.Request, status int, v planView) error {
	ctx := r.Context()
	var err error
	if v.plan, err = p.Plan.Current(ctx); err != nil {
		return err
	}
	if v.violations, err = p.Plan.Violations(ctx, violationDays); err != nil {
		return err
	}
	if v.versions, err = p.Plan.Versions(ctx); err != nil {
		return err
	}
	if v.editing && v.body == "" {
		raw, err := yaml.Marshal(v.plan)
		if err != nil {
			return err
		}
		v.body = string(raw)
	}
	v.table = planTable(ctx, r, v.plan)
	page := ui.Page{Title: i18n.T(ctx, "ingest.plan.title"), At: ui.NavData, Finding: planFinding(ctx, v),
		Meta: []ui.Item{ui.Text(i18n.T(ctx, "ingest.plan.version", "version", int(v.plan.Version))), ui.Text(i18n.T(ctx, "ingest.plan.unknown."+string(v.plan.Unknown))),
			ui.Text(i18n.T(ctx, "ingest.plan.violations."+string(v.plan.Violations)))}}
	if auth.Can(ctx, plan.PermEdit) && !v.editing {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "ingest.plan.edit"), Href: planPath + "?edit", Kind: ui.Ink, Key: "E"}}
	}
	return ui.RenderStatus(w, r, status, planPage(page, v))
}

func planFinding(ctx context.Context, v planView) string {
	var n int64
	for _, c := range v.violations {
		n += c.N
	}
	if n == 0 {
		return i18n.T(ctx, "ingest.plan.finding.calm", "events", len(v.plan.Events))
	}
	return i18n.T(ctx, "ingest.plan.finding.broken", "count", n, "days", violationDays)
}

// planTable lists the declared events that the filter lets through.
func planTable(ctx context.Context, r *http.Request, p *plan.Plan) ui.TableProps {
	columns := []ui.Column{
		{Key: "event", Label: i18n.T(ctx, "ingest.field.event")},
		{Key: "properties", Label: i18n.T(ctx, "ingest.plan.properties"), Wide: true},
		{Key: "personal", Label: i18n.T(ctx, "ingest.plan.personal"), Wide: true},
	}
	t := ui.TableProps{Label: i18n.T(ctx, "ingest.plan.events"), Columns: columns, Query: ui.QueryTable(r, "", columns, "event"),
		Filter: i18n.T(ctx, "ingest.plan.filter")}
	needle := strings.ToLower(t.Query.Filter)
	for _, e := range slices.SortedFunc(slices.Values(p.Events), func(a, b plan.Event) int { return strings.Compare(a.Name, b.Name) }) {
		if len(t.Rows) == pageSize {
			t.Next = t.Rows[pageSize-1].ID
			break
		}
		if e.Name <= t.Query.After {
			continue
		}
		label := e.Label.EN
		if strings.HasPrefix(i18n.Locale(ctx), "vi") {
			label = e.Label.VI
		}
		if needle != "" && !strings.Contains(strings.ToLower(e.Name+" "+label), needle) {
			continue
		}
		var open, personal []string
		for _, q := range e.Properties {
			text := q.Name + " " + string(q.Type)
			if q.Required {
				text = "**" + text + "**"
			}
			if q.Personal {
				personal = append(personal, text)
			} else {
				open = append(open, text)
			}
		}
		t.Rows = append(t.Rows, ui.Row{ID: e.Name, Cells: []ui.Cell{{Text: label, Sub: e.Name}, {Text: strings.Join(open, ", ")}, {Text: strings.Join(personal, ", ")}}})
	}
	t.Foot = i18n.T(ctx, "ingest.plan.foot", "shown", len(t.Rows), "all", len(p.Events))
	return t
}

func (p Pages) planSave(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := planView{editing: true, body: r.FormValue("body"), note: strings.TrimSpace(r.FormValue("note"))}
	based, err := strconv.ParseUint(r.FormValue("version"), 10, 32)
	if err != nil {
		return errs.Invalid("ingest.error.form", "version", "the form does not say which version it edits")
	}
	next, err := plan.Parse([]byte(v.body))
	if err == nil && v.note == "" {
		err = errs.Invalid("ingest.error.note", "note", "say in a few words what changed")
	}
	if err == nil {
		_, err = p.Plan.Save(ctx, next, uint32(based), v.note)
	}
	switch errs.KindOf(err) {
	case errs.KindInvalid, errs.KindConflict, errs.KindTooLarge:
		v.wrong = ui.ErrorsFrom(ctx, err)
		for i := range v.wrong {
			if v.wrong[i].Field != "note" {
				v.wrong[i].Field = "body"
			}
		}
		return p.renderPlan(w, r, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, planPath)
}

func violationTable(ctx context.Context, counts []plan.Count) ui.TableProps {
	t := ui.TableProps{Label: i18n.T(ctx, "ingest.plan.broken"), Dense: true, Columns: []ui.Column{
		{Key: "reason", Label: i18n.T(ctx, "ingest.quarantine.reason")},
		{Key: "event", Label: i18n.T(ctx, "ingest.field.event")},
		{Key: "property", Label: i18n.T(ctx, "ingest.quarantine.field")},
		{Key: "source", Label: i18n.T(ctx, "ingest.quarantine.source")},
		{Key: "day", Label: i18n.T(ctx, "ingest.plan.day"), Numeric: true},
		{Key: "n", Label: i18n.T(ctx, "ingest.plan.count"), Numeric: true},
	}}
	f := i18n.Fmt(ctx)
	for _, c := range counts[:min(len(counts), 30)] {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: i18n.T(ctx, "ingest.reason."+string(c.Reason))}, {Text: c.Event}, {Text: c.Property}, {Text: c.Source}, {Text: c.Day}, {Text: f.Int(c.N)}}})
	}
	return t
}

func versionTable(ctx context.Context, versions []plan.Version) ui.TableProps {
	t := ui.TableProps{Label: i18n.T(ctx, "ingest.plan.history"), Dense: true, Columns: []ui.Column{
		{Key: "version", Label: i18n.T(ctx, "ingest.plan.version_word")},
		{Key: "note", Label: i18n.T(ctx, "ingest.plan.note")},
		{Key: "at", Label: i18n.T(ctx, "ingest.import.at"), Numeric: true},
	}}
	for _, v := range versions[:min(len(versions), 20)] {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: i18n.Fmt(ctx).Int(int64(v.Version))}, {Text: v.Note}, {Text: ui.When(ctx, v.CreatedAt.Time())}}})
	}
	return t
}
