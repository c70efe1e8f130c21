package app

import (
	"context"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/customer/consent"
	"omote/internal/customer/segment"
	segmentapi "omote/internal/customer/segment/api"
	segmentweb "omote/internal/customer/segment/web"
	"omote/internal/module"
	"omote/internal/platform/config"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/jobs"
	"omote/internal/platform/store"
	"omote/internal/ui"
)

// segmentJob counts what the pages of segments show and is costly.
const segmentJob = "customer.segment.figures"

// wireSegments makes the segments; their handler runs in the state projector.
func (a *App) wireSegments() (err error) {
	s := a.services
	s.segments, err = segment.NewService(segment.Deps{DB: a.Store, Facts: a.Warehouse, Pseudonyms: a.Names, Clock: a.Clock, Entity: a.Config.Entity,
		Reach: reach{s.consents}, Seen: a.seenEvents, Hook: a.segmentsChanged})
	if err != nil {
		return fmt.Errorf("segments: %w", err)
	}
	return nil
}

// installSegments brings the shipped segments in, once the stream's positions are known.
func (a *App) installSegments(ctx context.Context) error {
	a.services.segments.Follow(a.State.Positions)
	added, err := a.services.segments.Install(a.system(ctx))
	if err != nil {
		return fmt.Errorf("segments: %w", err)
	}
	if added > 0 {
		a.Logger.Info("segments of the pack", "added", added)
	}
	return nil
}

func (a *App) segmentKind() jobs.Kind {
	return jobs.Define(segmentJob, 3, func(ctx context.Context, _ *jobs.Run, _ struct{}) error { return a.services.segments.Refresh(ctx) })
}

func (a *App) segmentPeriodic() jobs.Periodic {
	return jobs.Periodic{Name: segmentJob, Entity: a.Config.Entity, Kind: segmentJob, Schedule: jobs.Every(time.Hour)}
}

func (a *App) segmentModule() module.Module {
	s := a.services.segments
	pages := segmentweb.Pages{Segments: s, Clock: a.Clock, Zone: a.Config.Location(), Label: a.services.ingest.Plan.Label,
		Names: a.maskedNames, CustomerPath: func(id string) string { return "/customer/customers/" + httpx.PathEscape(id) }}
	return module.Module{
		Name:    "segment",
		Locales: []i18n.Source{segment.Locales()},
		Routes:  pages.Routes,
		API:     func(api huma.API) { segmentapi.API{Segments: s}.Register(api) },
		Nav:     []module.Nav{{Key: ui.NavSegments, Href: "/customer/segments", Permission: segment.PermRead}},
		Work: []module.Work{
			{Name: "segments follow time", Role: config.Worker, Run: s.Timer().Run},
			{Name: "segments take up history", Role: config.Warehouse, Run: s.Filler().Run},
		},
	}
}

// Segments are the segments of customers.
func (a *App) Segments() *segment.Service { return a.services.segments }

// RefreshSegments has the figures of segments counted now instead of at the next
// full hour; a worker does it.
func (a *App) RefreshSegments(ctx context.Context) error {
	return a.Store.Write(a.system(ctx), func(ctx context.Context, tx store.Tx) error {
		_, err := a.services.jobs.Submit(ctx, tx, segmentJob, struct{}{}, jobs.Submission{})
		return err
	})
}

// maskedNames gives the names of customers as the reader may see them.
func (a *App) maskedNames(ctx context.Context, ids []string) (map[string]string, error) {
	out := make(map[string]string, len(ids))
	for _, id := range ids {
		c, err := a.services.customers.profile.Get(ctx, id)
		switch errs.KindOf(err) {
		case errs.KindNotFound, errs.KindDenied:
			continue
		}
		if err != nil {
			return nil, err
		}
		out[id] = c.Name
	}
	return out, nil
}

// seenEvents lists the events that the warehouse has seen.
func (a *App) seenEvents(ctx context.Context) (names []string, err error) {
	rows, err := a.Warehouse.Query(ctx, `SELECT DISTINCT name FROM {event_day} WHERE name <> '' ORDER BY name LIMIT 2000`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// reach asks consent whether the customers of an audience may be contacted. An
// offer is marketing; a survey asks for surveys; the rest is service.
type reach struct{ consents *consent.Service }

// Reach implements segment.Reach.
func (r reach) Reach(ctx context.Context, tx store.Tx, use, channel string, customers []string) (map[string]string, error) {
	purpose := "service"
	switch use {
	case "offer":
		purpose = "marketing"
	case "survey":
		purpose = "survey"
	}
	out := map[string]string{}
	for _, c := range customers {
		d, err := r.consents.Decide(ctx, tx, c, purpose, channel)
		if err != nil {
			return nil, err
		}
		if !d.Allowed {
			out[c] = string(d.Reason)
		}
	}
	return out, nil
}
