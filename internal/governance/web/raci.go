package web

import (
	"context"
	"net/http"
	"slices"

	"omote/internal/governance/role"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

type raciView struct {
	role.JourneyDuties
	cells role.Cells
	roles []string // columns
	add   []ui.Option
	edit  bool
	wrong ui.FieldErrors
}

// raci is who does, answers for, advises on and hears of each step of a journey.
func (p Pages) raci(w http.ResponseWriter, r *http.Request) error {
	return p.renderRACI(w, r, http.StatusOK, nil, nil)
}

func (p Pages) renderRACI(w http.ResponseWriter, r *http.Request, status int, cells role.Cells, wrong ui.FieldErrors) error {
	ctx := r.Context()
	j, err := p.Roles.Duties(ctx, r.PathValue("journey"))
	if err != nil {
		return err
	}
	v := raciView{JourneyDuties: j, cells: cells, edit: auth.Can(ctx, role.PermEdit), wrong: wrong}
	if v.cells == nil {
		v.cells = role.Cells{}
		if j.Matrix != nil {
			v.cells = j.Matrix.Body.Draft
		}
	}
	v.roles = p.columns(v.cells, r.URL.Query()["role"])
	for _, o := range p.roleOptions(ctx, true) {
		if !slices.Contains(v.roles, o.Value) {
			v.add = append(v.add, o)
		}
	}
	blocks := 0
	for _, q := range j.Problems {
		if q.Blocks {
			blocks++
		}
	}
	page := ui.Page{Title: i18n.T(ctx, "governance.raci.one", "name", say(ctx, j.Name)), At: NavRoles, Layer: ui.LayerGuarantee,
		Crumbs: []ui.Link{{Label: i18n.T(ctx, "governance.role.title"), Href: rolesPath}}}
	switch {
	case blocks > 0:
		page.Finding = i18n.T(ctx, "governance.raci.finding.gaps", "count", blocks, "steps", len(j.Steps))
	case j.Complete() && j.Matrix.State == role.Published:
		page.Finding = i18n.T(ctx, "governance.raci.finding.live", "steps", len(j.Steps), "version", j.Matrix.Body.Published)
	default:
		page.Finding = i18n.T(ctx, "governance.raci.finding.ready", "steps", len(j.Steps))
	}
	return ui.RenderStatus(w, r, status, raciPage(page, p, v))
}

// columns are the roles that have a duty somewhere, in the pack's order, with those
// that the reader added; without any, the usual four.
func (p Pages) columns(c role.Cells, more []string) (out []string) {
	for _, x := range p.Pack.Roles {
		used := slices.Contains(more, x.ID)
		for _, row := range c {
			used = used || row[x.ID] != ""
		}
		if used {
			out = append(out, x.ID)
		}
	}
	if len(out) == 0 {
		out = []string{"journey_owner", "digital_squad", "it_owner", "compliance"}
	}
	return out
}

// care reports whether a step has a problem that blocks.
func (v raciView) care(step string) bool {
	return slices.ContainsFunc(v.Problems, func(p role.Problem) bool { return p.Step == step && p.Blocks })
}

func (v raciView) stepName(ctx context.Context, id string) string {
	for _, s := range v.Steps {
		if s.ID == id {
			return say(ctx, s.Name)
		}
	}
	return id
}

func dutyOptions() []role.Duty {
	return []role.Duty{"", role.Responsible, role.Accountable, role.Both, role.Consulted, role.Informed}
}

func (p Pages) raciSave(w http.ResponseWriter, r *http.Request) error {
	f := &form{r: r, zone: p.Zone}
	j, err := p.Roles.Duties(r.Context(), r.PathValue("journey"))
	if err != nil {
		return err
	}
	cells := role.Cells{}
	for _, s := range j.Steps {
		for _, x := range p.Pack.Roles {
			if d := role.Duty(f.text("cell." + s.ID + "." + x.ID)); d != "" {
				if cells[s.ID] == nil {
					cells[s.ID] = map[string]role.Duty{}
				}
				cells[s.ID][x.ID] = d
			}
		}
	}
	if err := p.Roles.SaveDuties(r.Context(), j.ID, f.whole("version"), cells); err != nil {
		if !correctable(err) {
			return err
		}
		return p.renderRACI(w, r, http.StatusUnprocessableEntity, cells, ui.ErrorsFrom(r.Context(), err))
	}
	http.Redirect(w, r, pathOf(raciPath, j.ID), http.StatusSeeOther)
	return nil
}

func (p Pages) raciPropose(w http.ResponseWriter, r *http.Request) error {
	q, err := p.Roles.ProposeDuties(r.Context(), r.PathValue("journey"))
	if err != nil {
		if !correctable(err) {
			return err
		}
		return p.renderRACI(w, r, http.StatusUnprocessableEntity, nil, ui.ErrorsFrom(r.Context(), err))
	}
	http.Redirect(w, r, approvalPath(q.ID), http.StatusSeeOther)
	return nil
}
