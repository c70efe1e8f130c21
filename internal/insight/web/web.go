// Package web shows what is measured: the list of measures and one page for each,
// with its interval, its noise band, its definition and the rows behind it.
package web

import (
	"context"
	"embed"
	"time"

	"omote/internal/insight/metric"
	"omote/internal/platform/clock"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
)

// Pages are the pages of the module.
type Pages struct {
	Metrics *metric.Service
	Board   *Board
	Clock   clock.Clock
	Zone    *time.Location
	// UnitNames gives the names of the reader's units by code.
	UnitNames func(ctx context.Context) (map[string]string, error)
}

const listPath = "/insight/metrics"

func metricPath(id string) string { return listPath + "/" + httpx.PathEscape(id) }

// Routes adds the pages.
func (p Pages) Routes(r *httpx.Router) {
	r.Handle("GET /insight/metrics", metric.PermRead, p.list)
	r.Handle("GET /insight/metrics/board", metric.PermRead, p.boardPart)
	r.Handle("GET /insight/metrics/{id}", metric.PermRead, p.show)
}

// today is the present day in the reporting zone.
func (p Pages) today() metric.Date { return metric.DateIn(p.Clock.Now(), p.Zone) }

//go:embed locales
var localeFiles embed.FS

// Locales are the texts of the pages.
func Locales() i18n.Source { return i18n.Source{Name: "insight/web", FS: localeFiles, Dir: "locales"} }
