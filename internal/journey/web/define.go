package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"omote/internal/journey/definition"
	"omote/internal/journey/observed"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

func (p Pages) define(w http.ResponseWriter, r *http.Request) error {
	d, err := p.Definitions.Get(r.Context(), r.PathValue("journey"))
	if err != nil {
		return err
	}
	return p.renderDefinition(w, r, http.StatusOK, d, nil)
}

func (p Pages) renderDefinition(w http.ResponseWriter, r *http.Request, status int, d definition.Definition, wrong ui.FieldErrors) error {
	ctx := r.Context()
	var names []string
	if picture, err := p.Observed.Read(ctx, observed.Query{Journey: d.Journey}); err == nil && picture.Graph != nil {
		for _, n := range picture.Graph.Nodes {
			names = append(names, picture.Log.Activities().Name(n.Activity))
		}
	}
	page := ui.Page{Title: i18n.T(ctx, "journey.define.title", "name", d.Name.In(i18n.Locale(ctx))), At: ui.NavJourneys, Finding: i18n.T(ctx, "journey.define.finding"),
		Crumbs: []ui.Link{{Label: i18n.T(ctx, "journey.list.title"), Href: listPath}, {Label: d.Name.In(i18n.Locale(ctx)), Href: journeyPath(d.Journey)}}}
	return ui.RenderStatus(w, r, status, definePage(page, d, names, wrong))
}

func (p Pages) save(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	d := definition.Definition{Journey: r.PathValue("journey"), Name: definition.Text{EN: r.FormValue("name.en"), VI: r.FormValue("name.vi")},
		Steps: lines(r.FormValue("steps")), Success: lines(r.FormValue("success")), Failure: lines(r.FormValue("failure"))}
	days, err := strconv.ParseFloat(strings.Replace(r.FormValue("timeout"), ",", ".", 1), 64)
	if err == nil {
		d.Timeout = time.Duration(days * float64(24*time.Hour))
	}
	if err := p.Definitions.Save(ctx, d); err != nil {
		if k := errs.KindOf(err); k != errs.KindInvalid && k != errs.KindTooLarge {
			return err
		}
		return p.renderDefinition(w, r, http.StatusUnprocessableEntity, d, ui.ErrorsFrom(ctx, err))
	}
	http.Redirect(w, r, journeyPath(d.Journey), http.StatusSeeOther)
	return nil
}

func lines(text string) (out []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}
