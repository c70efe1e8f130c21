package web

import (
	"context"
	"net/http"
	"strings"

	"omote/internal/governance/record"
	"omote/internal/governance/role"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

type rolesView struct {
	role.Overview
	letters  []record.Doc[role.Letter]
	names    map[string]string
	edit     bool
	people   []ui.Option
	units    []ui.Option
	journeys []ui.Option
	wrong    ui.FieldErrors
	form     *form
}

// roles is who answers for what: roles held, duties of journeys, authority lent.
func (p Pages) roles(w http.ResponseWriter, r *http.Request) error {
	return p.renderRoles(w, r, http.StatusOK, nil)
}

func (p Pages) renderRoles(w http.ResponseWriter, r *http.Request, status int, wrong ui.FieldErrors) error {
	ctx := r.Context()
	v := rolesView{edit: auth.Can(ctx, role.PermEdit), wrong: wrong, form: &form{r: r, zone: p.Zone}}
	var err error
	if v.Overview, err = p.Roles.Overview(ctx); err != nil {
		return err
	}
	if v.letters, err = p.Roles.Letters(ctx); err != nil {
		return err
	}
	var refs []string
	for _, a := range v.Held {
		refs = append(refs, a.Body.Holder)
	}
	for _, l := range v.letters {
		refs = append(refs, l.Body.Holder, l.Body.Grantor)
	}
	v.names = p.Names(ctx, refs...)
	if v.edit {
		if v.people, err = p.People(ctx); err != nil {
			return err
		}
		if v.units, err = p.Units(ctx); err != nil {
			return err
		}
		if v.journeys, err = p.journeyOptions(ctx); err != nil {
			return err
		}
	}
	page := ui.Page{Title: i18n.T(ctx, "governance.role.title"), At: NavRoles, Layer: ui.LayerGuarantee}
	complete := 0
	for _, j := range v.Journeys {
		if j.Complete() {
			complete++
		}
	}
	if len(v.Journeys) > 0 {
		page.Finding = i18n.T(ctx, "governance.role.finding", "complete", complete, "count", len(v.Journeys), "held", len(v.Held))
	}
	if v.edit {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "governance.letter.new"), Href: lettersPath + "/new"}}
	}
	return ui.RenderStatus(w, r, status, rolesPage(page, p, v))
}

func (p Pages) journeyTable(ctx context.Context, v rolesView) ui.TableProps {
	t := ui.TableProps{Label: i18n.T(ctx, "governance.raci.title"), Columns: []ui.Column{{Key: "journey", Label: i18n.T(ctx, "governance.journey")},
		{Key: "steps", Label: i18n.T(ctx, "governance.raci.steps"), Numeric: true}, {Key: "gaps", Label: i18n.T(ctx, "governance.raci.gaps"), Numeric: true},
		{Key: "state", Label: i18n.T(ctx, "governance.approval.state")}}}
	f := i18n.Fmt(ctx)
	for _, j := range v.Journeys {
		blocks := 0
		for _, problem := range j.Problems {
			if problem.Blocks {
				blocks++
			}
		}
		state := i18n.T(ctx, "governance.raci.state.none")
		if j.Matrix != nil {
			state = i18n.T(ctx, "governance.raci.state."+j.Matrix.State, "version", j.Matrix.Body.Published)
		}
		t.Rows = append(t.Rows, ui.Row{ID: j.ID, Cells: []ui.Cell{{Text: say(ctx, j.Name), Href: pathOf(raciPath, j.ID)}, {Text: f.Int(int64(len(j.Steps)))},
			{Text: f.Int(int64(blocks)), Care: blocks > 0 && j.Matrix != nil}, {Text: state, Mute: j.Matrix == nil}}})
	}
	return t
}

func (p Pages) heldTable(ctx context.Context, v rolesView) ui.TableProps {
	t := ui.TableProps{ID: "held", Label: i18n.T(ctx, "governance.role.held"), Columns: []ui.Column{{Key: "role", Label: i18n.T(ctx, "governance.role.word")},
		{Key: "who", Label: i18n.T(ctx, "governance.role.who")}, {Key: "where", Label: i18n.T(ctx, "governance.role.where")}, {Key: "act", Label: ""}}}
	for _, a := range v.Held {
		sub := ""
		if a.Body.Deputy {
			sub = i18n.T(ctx, "governance.role.deputy")
		}
		where, journey := a.Unit, ""
		if a.Body.Journey != "" {
			journey = a.Body.Journey
			for _, j := range v.Journeys {
				if j.ID == a.Body.Journey {
					journey = say(ctx, j.Name)
				}
			}
		}
		row := ui.Row{ID: a.ID, Cells: []ui.Cell{{Text: p.roleName(ctx, a.Body.Role), Sub: sub}, {Text: who(v.names, a.Body.Holder)}, {Text: where, Sub: journey}, {}}}
		if v.edit {
			row.Cells[3] = ui.Cell{Node: endButton(pathOf(rolesPath, a.ID) + "/end")}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (p Pages) loadTable(ctx context.Context, v rolesView) ui.TableProps {
	t := ui.TableProps{ID: "load", Label: i18n.T(ctx, "governance.role.load"), Columns: []ui.Column{{Key: "who", Label: i18n.T(ctx, "governance.role.who")},
		{Key: "roles", Label: i18n.T(ctx, "governance.role.word")}, {Key: "journeys", Label: i18n.T(ctx, "governance.role.journeys"), Numeric: true},
		{Key: "steps", Label: i18n.T(ctx, "governance.role.answers"), Numeric: true}}}
	f := i18n.Fmt(ctx)
	for _, l := range v.Loads {
		if l.Steps == 0 {
			continue
		}
		var roles []string
		for _, r := range l.Roles {
			roles = append(roles, p.roleName(ctx, r))
		}
		sub := ""
		if l.Over {
			sub = i18n.T(ctx, "governance.role.over")
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: who(v.names, l.Holder), Sub: sub}, {Text: strings.Join(roles, ", ")}, {Text: f.Int(int64(l.Journeys))},
			{Text: f.Int(int64(l.Steps)), Care: l.Over}}})
	}
	return t
}

func (p Pages) letterTable(ctx context.Context, v rolesView) ui.TableProps {
	t := ui.TableProps{ID: "letters", Label: i18n.T(ctx, "governance.letter.title"), Columns: []ui.Column{{Key: "who", Label: i18n.T(ctx, "governance.role.who")},
		{Key: "limit", Label: i18n.T(ctx, "governance.letter.limit"), Numeric: true}, {Key: "used", Label: i18n.T(ctx, "governance.letter.used"), Numeric: true},
		{Key: "until", Label: i18n.T(ctx, "governance.letter.until"), Numeric: true}, {Key: "state", Label: i18n.T(ctx, "governance.approval.state")}}}
	f := i18n.Fmt(ctx)
	for _, l := range v.letters {
		used, returned := l.Body.Counts()
		t.Rows = append(t.Rows, ui.Row{ID: l.ID, Cells: []ui.Cell{{Text: who(v.names, l.Body.Holder), Sub: p.roleName(ctx, l.Body.Role), Href: pathOf(lettersPath, l.ID)},
			{Text: p.short(ctx, l.Body.Total)}, {Text: p.short(ctx, l.Body.Spent()), Sub: i18n.T(ctx, "governance.letter.counts", "used", used, "returned", returned)},
			{Text: f.Date(l.Body.Until.In(p.Zone))}, {Text: i18n.T(ctx, "governance.letter.state."+l.State)}}})
	}
	return t
}

func (p Pages) assign(w http.ResponseWriter, r *http.Request) error {
	f := &form{r: r, zone: p.Zone}
	a := role.Assignment{Role: f.text("role"), Holder: f.text("holder"), Journey: f.text("journey"), Deputy: f.text("deputy") != "", Until: f.day("until")}
	err := f.err
	if err == nil {
		_, err = p.Roles.Assign(r.Context(), f.text("unit"), a)
	}
	if err != nil {
		if !correctable(err) {
			return err
		}
		return p.renderRoles(w, r, http.StatusUnprocessableEntity, ui.ErrorsFrom(r.Context(), err))
	}
	http.Redirect(w, r, rolesPath, http.StatusSeeOther)
	return nil
}

func (p Pages) endRole(w http.ResponseWriter, r *http.Request) error {
	if err := p.Roles.End(r.Context(), r.PathValue("id"), r.FormValue("reason")); err != nil {
		return err
	}
	http.Redirect(w, r, rolesPath, http.StatusSeeOther)
	return nil
}
