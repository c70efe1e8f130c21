// Package web shows segments: the list, one segment with its figures and members,
// the builder of rules, audiences, and the board of the relationship's life.
package web

import (
	"context"
	"net/http"
	"time"

	"omote/internal/customer/segment"
	"omote/internal/platform/clock"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// Pages are the pages of the module.
type Pages struct {
	Segments *segment.Service
	Clock    clock.Clock
	Zone     *time.Location
	// Label gives what people call an event.
	Label func(ctx context.Context, event string) string
	// Names gives the masked names of customers; may be nil.
	Names func(ctx context.Context, customers []string) (map[string]string, error)
	// CustomerPath gives the address of a customer's page; may be nil.
	CustomerPath func(id string) string
}

const (
	listPath     = "/customer/segments"
	audiencePath = "/customer/audiences"
	lifePath     = "/customer/lifecycle"
)

func segmentPath(id string) string { return listPath + "/" + httpx.PathEscape(id) }

// Routes adds the pages.
func (p Pages) Routes(r *httpx.Router) {
	r.Handle("GET /customer/segments", segment.PermRead, p.list)
	r.Handle("GET /customer/segments/overlap", segment.PermRead, p.overlap)
	r.Handle("GET /customer/segments/new", segment.PermEdit, p.edit)
	r.Handle("POST /customer/segments/build", segment.PermEdit, p.build)
	r.Handle("POST /customer/segments", segment.PermEdit, p.save)
	r.Handle("GET /customer/segments/{id}", segment.PermRead, p.show)
	r.Handle("GET /customer/segments/{id}/edit", segment.PermEdit, p.edit)
	r.Handle("POST /customer/segments/{id}/activate", segment.PermEdit, p.activate)
	r.Handle("POST /customer/segments/{id}/retire", segment.PermEdit, p.retire)
	r.Handle("GET /customer/segments/{id}/members", segment.PermMember, p.members)
	r.Handle("GET /customer/segments/{id}/export", segment.PermExport, p.export)
	r.Handle("GET /customer/audiences", segment.PermRead, p.audiences)
	r.Handle("GET /customer/audiences/new", segment.PermEdit, p.newAudience)
	r.Handle("POST /customer/audiences", segment.PermEdit, p.makeAudience)
	r.Handle("GET /customer/audiences/{id}", segment.PermRead, p.showAudience)
	r.Handle("GET /customer/audiences/{id}/export", segment.PermExport, p.exportAudience)
	r.Handle("GET /customer/lifecycle", segment.PermRead, p.life)
}

func crumbs(ctx context.Context, more ...ui.Link) []ui.Link {
	return append([]ui.Link{{Label: i18n.T(ctx, "segment.list.title"), Href: listPath}}, more...)
}

// statusWord says where a version stands.
func statusWord(ctx context.Context, s segment.Status) string {
	return i18n.T(ctx, "segment.status."+string(s))
}

func see(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}
