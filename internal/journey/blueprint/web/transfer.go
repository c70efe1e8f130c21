package web

import (
	"fmt"
	"net/http"

	"omote/internal/journey/blueprint"
	"omote/internal/journey/exchange"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// exportFormat is a form in which a map leaves.
type exportFormat struct{ name, label string }

var exportFormats = []exportFormat{{"json", "JSON"}, {"ojf", "OJF"}, {"cjml", "CJML"}, {"bpmn", "BPMN"}, {"xlsx", "XLSX"}, {"svg", "SVG"}, {"png", "PNG"}, {"pdf", "PDF"}}

func (p Pages) export(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("journey")
	var d *blueprint.Document
	if r.URL.Query().Get("version") == "draft" {
		j, err := p.Maps.Get(ctx, id)
		if err != nil {
			return err
		}
		d = j.Draft
	} else {
		v, err := p.Maps.Version(ctx, id, number(r, "version"))
		if err != nil {
			return err
		}
		d = v.Document
	}
	raw, kind, err := exchange.Write(d, r.PathValue("format"), i18n.Locale(ctx))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", d.Journey+"."+exchange.Extension(r.PathValue("format"))))
	_, err = w.Write(raw)
	return err
}

func (p Pages) importForm(w http.ResponseWriter, r *http.Request) error {
	return p.renderImport(w, r, http.StatusOK, nil)
}

func (p Pages) renderImport(w http.ResponseWriter, r *http.Request, status int, wrong ui.FieldErrors) error {
	ctx := r.Context()
	page := ui.Page{Title: i18n.T(ctx, "blueprint.import.title"), At: NavAtlas, Crumbs: crumbs(ctx), Finding: i18n.T(ctx, "blueprint.import.finding")}
	return ui.RenderStatus(w, r, status, importPage(page, r.FormValue("journey"), wrong))
}

func (p Pages) importFile(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	r.Body = http.MaxBytesReader(w, r.Body, exchange.MaxFile+1<<20)
	d, err := p.readUpload(r)
	if err == nil {
		_, err = p.Maps.Adopt(ctx, d, i18n.Locale(ctx))
	}
	if err != nil {
		if k := errs.KindOf(err); k == errs.KindInvalid || k == errs.KindTooLarge || k == errs.KindConflict {
			return p.renderImport(w, r, http.StatusUnprocessableEntity, ui.ErrorsFrom(ctx, err))
		}
		return err
	}
	http.Redirect(w, r, homePath(d.Journey)+"/edit", http.StatusSeeOther)
	return nil
}

func (p Pages) readUpload(r *http.Request) (*blueprint.Document, error) {
	f, head, err := r.FormFile("file")
	if err != nil {
		return nil, errs.Invalid("blueprint.error.no_file", "file", "choose a file").Because(err)
	}
	defer f.Close()
	return exchange.Read(f, head.Filename, r.FormValue("journey"))
}
