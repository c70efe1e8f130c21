// Package web shows what comes in: imports with their progress, the tracking
// plan, and what was set aside.
package web

import (
	"context"
	"net/http"

	"omote/internal/ingest/imports"
	"omote/internal/ingest/plan"
	"omote/internal/ingest/quarantine"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// Pages are the pages of the module.
type Pages struct {
	Imports    *imports.Service
	Plan       *plan.Service
	Quarantine *quarantine.Service
	Clock      clock.Clock
	// Zone is the installation's IANA zone.
	Zone string
}

// Addresses of the pages.
const (
	importsPath    = "/ingest/imports"
	planPath       = "/ingest/plan"
	quarantinePath = "/ingest/quarantine"
)

// Routes adds the pages.
func (p Pages) Routes(r *httpx.Router) {
	r.Handle("GET /ingest/imports", imports.PermRead, p.importList)
	r.Handle("GET /ingest/imports/new", imports.PermEdit, p.importNew)
	r.Handle("POST /ingest/imports/upload", imports.PermEdit, p.importUpload)
	r.Handle("GET /ingest/imports/{id}", imports.PermRead, p.importShow)
	r.Handle("POST /ingest/imports/{id}/start", imports.PermEdit, p.importStart)
	r.Handle("POST /ingest/imports/{id}/{act}", imports.PermEdit, p.importSteer)
	r.Handle("GET /ingest/imports/{id}/progress", imports.PermRead, p.importProgress)
	r.Handle("GET /ingest/imports/{id}/quarantine.csv", quarantine.PermRead, p.importQuarantine)
	r.Handle("POST /ingest/imports/{id}/retry/upload", imports.PermEdit, p.importRetry)
	r.Handle("GET /ingest/plan", plan.PermRead, p.planShow)
	r.Handle("POST /ingest/plan", plan.PermEdit, p.planSave)
	r.Handle("GET /ingest/quarantine", quarantine.PermRead, p.quarantineList)
	r.Handle("POST /ingest/quarantine/drop", quarantine.PermEdit, p.quarantineDrop)
}

// tabs lead between the pages of incoming data.
func tabs(ctx context.Context, current string) []ui.Tab {
	var out []ui.Tab
	for _, t := range []struct {
		key, href string
		perm      auth.Permission
	}{
		{"ingest.tab.imports", importsPath, imports.PermRead},
		{"ingest.tab.plan", planPath, plan.PermRead},
		{"ingest.tab.quarantine", quarantinePath, quarantine.PermRead},
	} {
		if auth.Can(ctx, t.perm) {
			out = append(out, ui.Tab{Label: i18n.T(ctx, t.key), Href: t.href, Current: t.href == current})
		}
	}
	return out
}

func seeOther(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}
