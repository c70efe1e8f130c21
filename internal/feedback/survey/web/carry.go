package web

import (
	"io"
	"net/http"
	"strings"

	"omote/internal/feedback/form"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// carried is what the page of imports shows.
type carried struct {
	id    string
	wrong ui.FieldErrors
	done  *form.Imported
	check bool
	notes ui.TableProps
}

func (p Pages) importForm(w http.ResponseWriter, r *http.Request) error {
	return p.renderImport(w, r, &carried{})
}

// importFile takes a questionnaire of another program and says what became of it.
func (p Pages) importFile(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, form.MaxImport+maxPost)
	c := &carried{}
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		return errs.TooLarge("feedback.form.error.import_size", "the file is too large").With("max", form.MaxImport>>20)
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	c.id, c.check = r.PostForm.Get("id"), r.PostForm.Get("act") == "check"
	var name string
	var content []byte
	if f, h, err := r.FormFile("file"); err == nil {
		defer f.Close()
		name = h.Filename
		if content, err = io.ReadAll(f); err != nil {
			return err
		}
	}
	var err error
	c.done, err = p.Surveys.Import(r.Context(), name, content, c.id, c.check)
	switch errs.KindOf(err) {
	case errs.KindInvalid, errs.KindConflict, errs.KindTooLarge:
		c.wrong = ui.FieldErrors{{Field: "file", Text: i18n.Error(r.Context(), err) + " " + err.Error()}}
		w.WriteHeader(http.StatusUnprocessableEntity)
	default:
		if err != nil {
			return err
		}
	}
	return p.renderImport(w, r, c)
}

func (p Pages) renderImport(w http.ResponseWriter, r *http.Request, c *carried) error {
	ctx := r.Context()
	page := ui.Page{Title: i18n.T(ctx, "feedback.survey.import.title"), At: ui.NavSurveys, Crumbs: []ui.Link{{Label: i18n.T(ctx, "feedback.survey.list.title"), Href: listPath}},
		Finding: i18n.T(ctx, "feedback.survey.import.finding")}
	if c.done != nil {
		key := "feedback.survey.import.done"
		if c.check {
			key = "feedback.survey.import.checked"
		}
		page.Finding = i18n.T(ctx, key, "count", c.done.Carried, "left", c.done.Left)
		c.notes = ui.TableProps{Label: i18n.T(ctx, "feedback.survey.import.notes"), Columns: []ui.Column{{Key: "at", Label: i18n.T(ctx, "feedback.survey.import.at"), Narrow: true},
			{Key: "what", Label: i18n.T(ctx, "feedback.survey.import.what"), Wide: true}, {Key: "detail", Label: i18n.T(ctx, "feedback.survey.import.detail"), Wide: true}}}
		for _, n := range c.done.Notes {
			at := n.At
			if at == "" {
				at = i18n.T(ctx, "feedback.survey.import.whole")
			}
			c.notes.Rows = append(c.notes.Rows, ui.Row{Cells: []ui.Cell{{Text: at}, {Text: i18n.T(ctx, "feedback.survey.import.note."+n.Code)}, {Text: n.Detail, Mute: true}}})
		}
	}
	return ui.Render(w, r, importPage(page, c))
}

// export gives completed responses as a table to save.
func (p Pages) export(w http.ResponseWriter, r *http.Request) error {
	head := &lateHeader{w: w, name: r.PathValue("id") + ".csv"}
	_, err := p.Surveys.Export(r.Context(), r.PathValue("id"), head)
	return err
}

// lateHeader says what a download is with its first byte, so that an error before it is
// an ordinary page.
type lateHeader struct {
	w    http.ResponseWriter
	name string
	said bool
}

// Write implements io.Writer.
func (l *lateHeader) Write(b []byte) (int, error) {
	if !l.said {
		l.said = true
		l.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		l.w.Header().Set("Content-Disposition", `attachment; filename="`+l.name+`"`)
		l.w.Header().Set("Cache-Control", "no-store")
	}
	return l.w.Write(b)
}

// table gives the questions of a survey's newest version as a table that can be edited
// and brought in again.
func (p Pages) table(w http.ResponseWriter, r *http.Request) error {
	versions, err := p.Surveys.Versions(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return form.WriteCSV(&lateHeader{w: w, name: r.PathValue("id") + "-questions.csv"}, versions[0].Document)
}

// columnsLine is the head of a table as the page shows it.
var columnsLine = strings.Join(form.CSVColumns, ",")
