package ui

import (
	"context"
	"time"

	"omote/internal/platform/i18n"
)

// When writes an instant in the page's zone, with the day only where it is not
// today's.
func When(ctx context.Context, t time.Time) string {
	now := ChromeFrom(ctx).Now
	return i18n.Fmt(ctx).DateTime(t.In(now.Location()), now)
}
