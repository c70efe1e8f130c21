// Package web shows journeys as they really happen.
package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"omote/internal/journey/blueprint"
	"omote/internal/journey/definition"
	"omote/internal/journey/moment"
	"omote/internal/journey/observed"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
)

// Pages are the pages of the module.
type Pages struct {
	Observed *observed.Service
	// Label gives what people call an event.
	Label func(ctx context.Context, event string) string
	Zone  *time.Location
	// Units names the units by code; nil shows codes.
	Units func(ctx context.Context) (map[string]string, error)
	// Maps gives the designed journeys to lay over what happened; nil: none.
	Maps Maps
	// Worth gives what handling costs; nil: unknown.
	Worth    func(ctx context.Context) (moment.Worth, error)
	Currency string
	// Segment gives the address where customers chosen by a rule become a segment,
	// "" for readers who may make none; nil where there are no segments.
	Segment func(ctx context.Context, rule, intent string) string
}

// Maps gives the version of a designed journey that is in force, for number 0.
type Maps interface {
	Version(ctx context.Context, journey string, number int) (blueprint.Version, error)
}

const listPath = "/journey/observed"

func journeyPath(id string) string { return listPath + "/" + httpx.PathEscape(id) }

// Routes adds the pages.
func (p Pages) Routes(r *httpx.Router) {
	r.Handle("GET /journey/observed", definition.PermRead, p.list)
	r.Handle("GET /journey/observed/{journey}", definition.PermRead, p.show)
	p.flowRoutes(r)
}

// queryOf reads the filters of an address; they can be sent as a link.
func (p Pages) queryOf(r *http.Request) (observed.Query, error) {
	v := r.URL.Query()
	q := observed.Query{Journey: r.PathValue("journey"), Channel: v.Get("channel"), Product: v.Get("product"), Import: v.Get("import"),
		With: v.Get("with"), Without: v.Get("without"), FileOrder: v.Get("order") == "file", Hide: v["hide"],
		Unit: v.Get("unit"), Segment: v.Get("segment"), Begins: v.Get("begins"), Ends: v.Get("ends"), Passing: v.Get("passing"), Outcome: v.Get("outcome"), By: v.Get("by"),
		Longer: hours(v, "longer"), Shorter: hours(v, "shorter"), Silence: hours(v, "silence")}
	q.Way, _ = strconv.Atoi(v.Get("way")) // what is no number chooses no way
	if steps := v.Get("steps"); steps != "" {
		q.Steps = strings.Split(steps, ",")
	}
	for name, to := range map[string]*time.Time{"from": &q.From, "to": &q.To} {
		if v.Get(name) == "" {
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, v.Get(name), p.Zone)
		if err != nil {
			return q, errs.Invalid("journey.error.date", name, "%q is no date such as 2026-11-19", v.Get(name)).With("value", v.Get(name))
		}
		*to = day
	}
	if !q.To.IsZero() {
		q.To = q.To.AddDate(0, 0, 1) // the last day counts
	}
	return q, nil
}
