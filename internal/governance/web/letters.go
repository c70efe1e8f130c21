package web

import (
	"context"
	"net/http"
	"strings"

	"omote/internal/governance/record"
	"omote/internal/governance/role"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

type letterView struct {
	record.Doc[role.Letter]
	names   map[string]string
	journey string
	holder  bool // the reader holds it
	wrong   ui.FieldErrors
	form    *form
}

// letter is authority lent, as a letter that can be printed.
func (p Pages) letter(w http.ResponseWriter, r *http.Request) error {
	return p.renderLetter(w, r, http.StatusOK, nil)
}

func (p Pages) renderLetter(w http.ResponseWriter, r *http.Request, status int, wrong ui.FieldErrors) error {
	ctx := r.Context()
	d, err := p.Roles.Letter(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	actor, _ := auth.From(ctx)
	v := letterView{Doc: d, names: p.Names(ctx, d.Body.Holder, d.Body.Grantor, d.CreatedBy), holder: actor.Ref() == d.Body.Holder, wrong: wrong, form: &form{r: r, zone: p.Zone}}
	if d.Body.Journey != "" {
		list, err := p.Journeys.List(ctx)
		if err != nil {
			return err
		}
		for _, j := range list {
			if j.ID == d.Body.Journey {
				v.journey = say(ctx, j.Name)
			}
		}
	}
	page := ui.Page{Title: i18n.T(ctx, "governance.letter.one"), At: NavRoles, Layer: ui.LayerGuarantee, Crumbs: []ui.Link{{Label: i18n.T(ctx, "governance.role.title"), Href: rolesPath}},
		Meta: []ui.Item{ui.Text(i18n.T(ctx, "governance.letter.state."+d.State))}}
	used, returned := d.Body.Counts()
	page.Finding = i18n.T(ctx, "governance.letter.finding", "spent", p.short(ctx, d.Body.Spent()), "total", p.short(ctx, d.Body.Total), "used", used, "returned", returned)
	return ui.RenderStatus(w, r, status, letterPage(page, p, v))
}

// kinds names the kinds of decisions that a letter covers.
func (p Pages) kinds(ctx context.Context, ids []string) string {
	var out []string
	for _, id := range ids {
		out = append(out, p.decisionType(ctx, id))
	}
	return strings.Join(out, ", ")
}

// decisionType names a kind of decision.
func (p Pages) decisionType(ctx context.Context, id string) string {
	return i18n.T(ctx, "governance.decision.type."+id)
}

func (p Pages) typeOptions(ctx context.Context) (out []ui.Option) {
	for _, d := range p.Pack.Decisions {
		out = append(out, ui.Option{Value: d.ID, Label: p.decisionType(ctx, d.ID)})
	}
	return out
}

type letterForm struct {
	people, units, journeys, roles, kinds []ui.Option
	form                                  *form
	wrong                                 ui.FieldErrors
}

func (p Pages) letterNew(w http.ResponseWriter, r *http.Request) error {
	return p.renderLetterForm(w, r, http.StatusOK, nil)
}

func (p Pages) renderLetterForm(w http.ResponseWriter, r *http.Request, status int, wrong ui.FieldErrors) error {
	ctx := r.Context()
	v := letterForm{roles: p.roleOptions(ctx, false), kinds: p.typeOptions(ctx), form: &form{r: r, zone: p.Zone}, wrong: wrong}
	var err error
	if v.people, err = p.People(ctx); err != nil {
		return err
	}
	if v.units, err = p.Units(ctx); err != nil {
		return err
	}
	if v.journeys, err = p.journeyOptions(ctx); err != nil {
		return err
	}
	page := ui.Page{Title: i18n.T(ctx, "governance.letter.new"), At: NavRoles, Layer: ui.LayerGuarantee, Crumbs: []ui.Link{{Label: i18n.T(ctx, "governance.role.title"), Href: rolesPath}}}
	return ui.RenderStatus(w, r, status, letterFormPage(page, p, v))
}

func (p Pages) letterLend(w http.ResponseWriter, r *http.Request) error {
	f := &form{r: r, zone: p.Zone}
	l := role.Letter{Holder: f.text("holder"), Role: f.text("role"), Journey: f.text("journey"), Amount: f.money("amount", p.Currency), Total: f.money("total", p.Currency),
		Currency: p.Currency, Until: f.day("until"), Duty: f.words("duty"), Kinds: r.Form["kinds"]}
	err := f.err
	var d record.Doc[role.Letter]
	if err == nil {
		d, err = p.Roles.Lend(r.Context(), f.text("unit"), l, func(id string) string { return pathOf(lettersPath, id) })
	}
	if err != nil {
		if !correctable(err) {
			return err
		}
		return p.renderLetterForm(w, r, http.StatusUnprocessableEntity, ui.ErrorsFrom(r.Context(), err))
	}
	http.Redirect(w, r, pathOf(lettersPath, d.ID), http.StatusSeeOther)
	return nil
}

func (p Pages) letterUse(w http.ResponseWriter, r *http.Request) error {
	f := &form{r: r, zone: p.Zone}
	amount := f.money("amount", p.Currency)
	err := f.err
	if err == nil {
		err = p.Roles.UseLetter(r.Context(), r.PathValue("id"), f.text("kind"), f.text("what"), amount)
	}
	if err != nil {
		if !correctable(err) && errs.KindOf(err) != errs.KindDenied {
			return err
		}
		return p.renderLetter(w, r, http.StatusUnprocessableEntity, ui.ErrorsFrom(r.Context(), err))
	}
	http.Redirect(w, r, pathOf(lettersPath, r.PathValue("id")), http.StatusSeeOther)
	return nil
}
