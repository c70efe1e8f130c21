// Package web is the pages of surveys: the respondent's, and those on which staff
// make questionnaires and read their answers.
package web

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"omote/internal/feedback/survey"
	"omote/internal/platform/clock"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
)

// Stopper ends the asking of a customer; app fills it with consent.
type Stopper interface {
	StopSurveys(ctx context.Context, entity, customer, locale string) error
}

// Pages are the pages of the module.
type Pages struct {
	Surveys *survey.Service
	Texts   *i18n.Bundle
	Stop    Stopper
	Clock   clock.Clock
	Zone    *time.Location
	Bank    string
	Secure  bool // cookies over https only
	// UnitNames gives the names of the reader's units by code.
	UnitNames func(ctx context.Context) (map[string]string, error)
	// RecordsOf gives the records of a customer found by id; for "why not asked".
	RecordsOf func(ctx context.Context, customer string) ([]string, error)
}

// Routes adds the pages.
func (p Pages) Routes(r *httpx.Router) {
	const why = "customers answer by a signed link, without a sign-in"
	r.Public("GET /s/{token}", why, p.question)
	r.Public("POST /s/{token}", why, p.answer)
	r.Public("GET /s/{token}/stop", why, p.askStop)
	r.Public("POST /s/{token}/stop", why, p.stop)
	r.Public("GET /s/{token}/next", why+"; a tablet begins anew for the next person", p.nextPerson)
	r.Public("POST /s/answers", why+"; the bank's app sends the same in JSON", p.appAnswer)
	r.Public("GET /s/help.js", "a small help for bad connections; nothing needs it", p.script)
	r.Handle("GET /feedback/surveys", survey.PermRead, p.list)
	r.Handle("GET /feedback/surveys/import", survey.PermEdit, p.importForm)
	r.Handle("POST /feedback/surveys/import", survey.PermEdit, p.importFile)
	r.Handle("GET /feedback/surveys/{id}", survey.PermRead, p.show)
	r.Handle("GET /feedback/surveys/{id}/answers.csv", survey.PermAnswers, p.export)
	r.Handle("GET /feedback/surveys/{id}/questions.csv", survey.PermRead, p.table)
	r.Handle("GET /feedback/surveys/{id}/asking", survey.PermRead, p.asking)
	r.Handle("GET /feedback/surveys/{id}/calls", survey.PermAnswers, p.calls)
	r.Handle("POST /feedback/surveys/{id}/calls", survey.PermAnswers, p.call)
	r.Handle("GET /feedback/surveys/{id}/weights", survey.PermRead, p.weights)
	r.Handle("POST /feedback/surveys/{id}/weights", survey.PermEdit, p.setWeights)
	r.Handle("GET /feedback/surveys/{id}/answers", survey.PermAnswers, p.answers)
	r.Handle("GET /feedback/surveys/{id}/files/{file}", survey.PermAnswers, p.file)
	r.Handle("GET /feedback/surveys/{id}/share", survey.PermEdit, p.share)
	r.Handle("GET /feedback/surveys/{id}/edit", survey.PermEdit, p.edit)
	r.Handle("POST /feedback/surveys/{id}/edit", survey.PermEdit, p.save)
	r.Handle("POST /feedback/surveys/{id}/publish", survey.PermEdit, p.publish)
	r.Handle("POST /feedback/surveys/{id}/close", survey.PermEdit, p.close)
	r.Handle("GET /feedback/surveys/{id}/preview", survey.PermRead, p.preview)
}

//go:embed respond.css
var style string

//go:embed help.js
var helpScript []byte

// styleTag is the page's whole style, in the page: one answer of the server shows
// everything. The policy of the page allows exactly this text.
var styleTag = "<style>" + style + "</style>"

var respondPolicy = func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "
}()

// head sets the headers of a respondent's page. It may be shown in a frame of this
// installation, which is the editor's preview, and nowhere else.
func head(w http.ResponseWriter) {
	w.Header().Set("Content-Security-Policy", respondPolicy+"'self'")
	w.Header().Set("X-Frame-Options", "SAMEORIGIN")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Robots-Tag", "noindex")
}

func (p Pages) script(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=86400")
	_, err := w.Write(helpScript)
	return err
}

// language is that of the address, else the reader's.
func language(r *http.Request) string {
	if l := r.URL.Query().Get("lang"); l == "vi" || l == "en" {
		return l
	}
	if strings.HasPrefix(i18n.From(r.Context()).Locale(), "en") {
		return "en"
	}
	return "vi"
}
