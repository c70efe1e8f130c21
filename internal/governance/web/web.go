// Package web shows how the bank steers: approvals, and with them what waits for
// a second person.
package web

import (
	"context"
	"strings"
	"time"

	"omote/internal/platform/approval"
	"omote/internal/platform/clock"
	"omote/internal/platform/httpx"
)

// Pages are the pages of the module.
type Pages struct {
	Approvals *approval.Service
	Clock     clock.Clock
	Zone      *time.Location
	// Names gives the names of actors ("account:…"), as far as they are known.
	Names func(ctx context.Context, refs ...string) map[string]string
}

// Keys of the module's own entries of the navigation.
const NavApprovals = "approvals"

const approvalsPath = "/governance/approvals"

// Routes adds the pages.
func (p Pages) Routes(r *httpx.Router) {
	r.Handle("GET /governance/approvals", approval.PermRead, p.approvals)
	r.Handle("GET /governance/approvals/{id}", approval.PermRead, p.approval)
	r.Handle("POST /governance/approvals/{id}/decision", approval.PermDecide, p.decide)
	r.Handle("POST /governance/approvals/{id}/withdrawal", approval.PermRead, p.withdraw)
}

// who names an actor, or says what it is.
func who(names map[string]string, ref string) string {
	if name := names[ref]; name != "" {
		return name
	}
	_, id, _ := strings.Cut(ref, ":")
	return id
}
