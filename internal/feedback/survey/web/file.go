package web

import (
	"net/http"
	"strconv"
)

// file gives a file that answered a question, to be saved: it is never shown as a page
// of this host.
func (p Pages) file(w http.ResponseWriter, r *http.Request) error {
	f, content, err := p.Surveys.File(r.Context(), r.PathValue("id"), r.PathValue("file"))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", f.Kind)
	h.Set("Content-Length", strconv.Itoa(len(content)))
	h.Set("Content-Disposition", "attachment")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "no-store")
	_, err = w.Write(content)
	return err
}
