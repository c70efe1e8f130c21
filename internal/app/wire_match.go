package app

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/customer/identity"
	"omote/internal/customer/match"
	matchapi "omote/internal/customer/match/api"
	matchweb "omote/internal/customer/match/web"
	"omote/internal/module"
	"omote/internal/platform/config"
	"omote/internal/platform/i18n"
	"omote/internal/platform/jobs"
	"omote/internal/platform/store"
	"omote/internal/ui"
)

// newMatch makes the service that brings together whom no identifier ties. The
// jobs are made after it, so they are asked for when a run is submitted.
func (a *App) newMatch() *match.Service {
	return match.NewService(a.Store, a.Box, func(ctx context.Context, tx store.Tx, kind string, args any, s jobs.Submission) (string, error) {
		return a.services.jobs.Submit(ctx, tx, kind, args, s)
	})
}

// CompareRecords submits a comparison of all records, for the demo.
func (a *App) CompareRecords(ctx context.Context) error {
	_, err := a.services.match.Start(ctx, match.Limits{})
	return err
}

// matchKind is the job that compares all records.
func (a *App) matchKind() jobs.Kind {
	return match.Job(func() *match.Service { return a.services.match })
}

// matchModule is the identity review and the weighing of what arrives.
func (a *App) matchModule() module.Module {
	s := a.services.match
	pages := matchweb.Pages{Match: s, Clock: a.Clock, Zone: a.Config.Location()}
	return module.Module{
		Name:    "customer review",
		Locales: []i18n.Source{match.Locales()},
		Routes:  pages.Routes,
		API:     func(api huma.API) { matchapi.API{Match: s}.Register(api) },
		Work:    []module.Work{{Name: "likeness of records", Role: config.Worker, Run: a.weighArrivals}},
		Home:    a.identityHome(),
		Nav:     []module.Nav{{Key: matchweb.NavReview, Href: matchweb.Path, Permission: identity.PermRead, Layer: ui.LayerPlatform}},
	}
}

// weighArrivals weighs records that stated something new, on one node at a time.
func (a *App) weighArrivals(ctx context.Context) error {
	ctx = a.system(ctx)
	for ctx.Err() == nil {
		err := a.services.jobs.Hold(ctx, "customer.match", 30*time.Second, func(ctx context.Context, l jobs.Lease) error {
			return a.services.match.Work(ctx, l.Check)
		})
		if err != nil && ctx.Err() == nil {
			a.Logger.Warn("records were not weighed", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(5 * time.Second):
			}
		}
	}
	return nil
}
