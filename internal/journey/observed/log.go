package observed

import (
	"context"
	"time"

	"omote/analytics/mining"
	"omote/internal/journey/definition"
	"omote/internal/platform/auth"
)

// Log gives the events of a journey as they stand in memory, and when they were
// read. A journey without events gives an empty log.
func (s *Service) Log(ctx context.Context, journey string) (*mining.Log, time.Time, error) {
	if err := auth.Require(ctx, definition.PermRead, ""); err != nil {
		return nil, time.Time{}, err
	}
	return s.load(ctx, Query{Journey: journey})
}
