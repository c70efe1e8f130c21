// Package trail is how people read, verify and export the audit trail of package
// audit.
package trail

import (
	"context"
	"io"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// PermRead allows reading, verifying and exporting the trail.
const PermRead auth.Permission = "admin.audit.read"

// Service reads the audit trail. It is safe for concurrent use.
type Service struct{ db *store.DB }

// NewService makes the service.
func NewService(db *store.DB) *Service { return &Service{db} }

// Page is a part of the trail, newest first. Next is empty on the last one.
type Page struct {
	Items []audit.Line
	Next  string
}

// List gives lines of the place and below.
func (s *Service) List(ctx context.Context, f audit.Filter) (page Page, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return page, err
	}
	if f.Limit <= 0 {
		f.Limit = 50
	}
	limit := f.Limit
	f.Limit++
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		page.Items, err = audit.List(ctx, tx, f)
		return err
	})
	if len(page.Items) > limit {
		page.Items = page.Items[:limit]
		page.Next = page.Items[limit-1].ID
	}
	return page, err
}

// Verify checks the whole trail, also against heads that were kept elsewhere.
func (s *Service) Verify(ctx context.Context, exported ...audit.Head) (audit.Report, error) {
	if err := auth.Require(ctx, PermRead, scope.Root); err != nil {
		return audit.Report{}, err
	}
	return audit.Verify(ctx, s.db, exported...)
}

// Export writes the heads after number no as lines of JSON, to be kept off the
// machine.
func (s *Service) Export(ctx context.Context, w io.Writer, no int64) error {
	if err := auth.Require(ctx, PermRead, scope.Root); err != nil {
		return err
	}
	return audit.WriteHeads(ctx, s.db, w, no)
}
