package ui

import (
	"context"
	"io"
	"net/http"

	"github.com/a-h/templ"
)

// Render answers a request with a page or a part of one. Pages show personal or
// fresh data, so nothing on the way may keep them.
func Render(w http.ResponseWriter, r *http.Request, c templ.Component) error {
	return RenderStatus(w, r, http.StatusOK, c)
}

// RenderStatus is Render with a status other than 200.
func RenderStatus(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	buf := templ.GetBuffer()
	defer templ.ReleaseBuffer(buf)
	if err := c.Render(r.Context(), buf); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err := buf.WriteTo(w)
	return err
}

// With puts a part inside a page made by Layout, Door or Bare.
func With(page templ.Component, parts ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return page.Render(templ.WithChildren(ctx, templ.Join(parts...)), w)
	})
}
