package web

import (
	"context"
	"errors"
	"io"
	"net/http"

	"omote/internal/ingest/mapping"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

func (p Pages) importNew(w http.ResponseWriter, r *http.Request) error {
	return ui.Render(w, r, importNewPage(newImportPage(r), nil))
}

func newImportPage(r *http.Request) ui.Page {
	ctx := r.Context()
	return ui.Page{Title: i18n.T(ctx, "ingest.import.new"), At: ui.NavData, Finding: i18n.T(ctx, "ingest.import.new.finding"),
		Crumbs: []ui.Link{{Label: i18n.T(ctx, "ingest.import.title"), Href: importsPath}}}
}

// kinds are what a file can be about.
func kinds(ctx context.Context) []ui.Option {
	var out []ui.Option
	for _, k := range mapping.Kinds {
		out = append(out, ui.Option{Value: string(k), Label: i18n.T(ctx, "ingest.kind."+string(k)), Note: i18n.T(ctx, "ingest.kind."+string(k)+".note")})
	}
	return out
}

// importUpload streams the file of the form to the upload folder. The kind stands
// before the file in the form, so it is read before it.
func (p Pages) importUpload(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	parts, err := r.MultipartReader()
	if err != nil {
		return errs.Invalid("ingest.error.form", "file", "the form was not sent as a file upload").Because(err)
	}
	kind := mapping.EventLog
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errs.Invalid("ingest.error.cut", "file", "the upload broke off").Because(err)
		}
		switch part.FormName() {
		case "kind":
			value, err := io.ReadAll(io.LimitReader(part, 100))
			if err != nil {
				return errs.Invalid("ingest.error.cut", "file", "the upload broke off").Because(err)
			}
			kind = mapping.Kind(value)
		case "file":
			if part.FileName() == "" {
				break
			}
			im, err := p.Imports.Upload(ctx, part.FileName(), part)
			if errs.KindOf(err) == errs.KindInvalid || errs.KindOf(err) == errs.KindTooLarge {
				return ui.RenderStatus(w, r, http.StatusUnprocessableEntity, importNewPage(newImportPage(r), ui.ErrorsFrom(ctx, err)))
			}
			if err != nil {
				return err
			}
			return seeOther(w, r, importsPath+"/"+im.ID+"?kind="+string(kind))
		}
	}
	missing := errs.Invalid("ingest.error.no_file", "file", "choose a file first")
	return ui.RenderStatus(w, r, http.StatusUnprocessableEntity, importNewPage(newImportPage(r), ui.ErrorsFrom(ctx, missing)))
}
