package app

import (
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/customer"
	"omote/internal/customer/identity"
	"omote/internal/ingest"
	ingestapi "omote/internal/ingest/api"
	"omote/internal/ingest/imports"
	"omote/internal/ingest/segment"
	ingestweb "omote/internal/ingest/web"
	"omote/internal/journey"
	"omote/internal/journey/definition"
	"omote/internal/journey/observed"
	journeyweb "omote/internal/journey/web"
	"omote/internal/module"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/config"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/jobs"
	"omote/internal/platform/outbox"
	"omote/internal/platform/projector"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/report/export"
	"omote/internal/ui"
)

// services are the services that more than one place needs.
type services struct {
	auth        *auth.Service
	web         *auth.Web
	ingest      *ingest.Ingest
	graph       *identity.Graph
	definitions *definition.Service
	journeys    *observed.Service
}

// migrations are all tables, those that others build on first.
func migrations() []store.Migrations {
	return []store.Migrations{sealed.Migrations, audit.Migrations, jobs.Migrations, outbox.Migrations, auth.Migrations, projector.Migrations,
		customer.Migrations, ingest.Migrations, journey.Migrations}
}

// stateBatch is how many events the state projector takes up in one transaction
// when many wait: fewer, larger transactions touch each page of the store once.
const stateBatch = 10_000

// wire makes the services and the modules: THE list of them.
func (a *App) wire(ctx context.Context) error {
	if err := a.Store.Migrate(ctx, migrations()...); err != nil {
		return err
	}
	s := &services{graph: identity.NewGraph(a.Store)}
	a.services = s
	var err error
	if a.State, err = projector.New(a.Store, a.Box, projector.Options{MaxEvents: stateBatch}, identity.NewHandler(a.Names, a.Box)); err != nil {
		return err
	}
	if s.auth, err = auth.New(ctx, a.Store, a.Box, auth.Options{Entity: a.Config.Entity, Issuer: a.Config.Bank}); err != nil {
		return fmt.Errorf("auth: %w", err)
	}
	if err := a.wireIngest(ctx); err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	if s.definitions, err = definition.NewService(a.Store); err != nil {
		return fmt.Errorf("journey: %w", err)
	}
	s.journeys = observed.NewService(a.Warehouse, s.definitions, a.Clock)
	sealer := &audit.Sealer{DB: a.Store}
	a.modules = []module.Module{
		{Name: "ui", Locales: []i18n.Source{ui.Locales(), locales()}},
		{Name: "audit", Work: []module.Work{{Name: "sealer", Role: config.Worker, Run: sealer.Run}}},
		a.ingestModule(),
		a.journeyModule(),
		{Name: "report", Routes: export.Service{DB: a.Store, Warehouse: a.Warehouse}.Routes},
		{Name: "customer", Work: []module.Work{{Name: "identity links", Role: config.Warehouse, Run: a.syncLinks}}},
	}
	return nil
}

func (a *App) wireIngest(ctx context.Context) error {
	uploads, err := a.Config.Folder("uploads")
	if err != nil {
		return err
	}
	a.services.ingest, err = ingest.New(ctx, ingest.Deps{Store: a.Store, Box: a.Box, Log: a.Log, State: a.State, Keys: writeKeys{a.services.auth},
		Uploads: uploads, Currency: a.Config.Currency, Projectors: a.projectorNames()})
	return err
}

func (a *App) ingestModule() module.Module {
	in := a.services.ingest
	pages := ingestweb.Pages{Imports: in.Imports, Plan: in.Plan, Quarantine: in.Quarantine, Clock: a.Clock, Zone: a.Config.Zone}
	operations := ingestapi.API{Imports: in.Imports, DB: a.Store, Zone: a.Config.Zone}
	return module.Module{
		Name:    "ingest",
		Locales: []i18n.Source{ingest.Locales()},
		Routes: func(r *httpx.Router) {
			pages.Routes(r)
			operations.Routes(r)
		},
		API: func(api huma.API) { operations.Register(api) },
		Nav: []module.Nav{{Key: ui.NavData, Href: "/ingest/imports", Permission: imports.PermRead}},
		Work: []module.Work{
			{Name: "tracking plans", Role: config.Ingest, Run: in.Plan.Run},
			{Name: "imports", Role: config.Worker, Run: in.Imports.Run},
		},
	}
}

func (a *App) journeyModule() module.Module {
	s := a.services
	pages := journeyweb.Pages{Observed: s.journeys, Definitions: s.definitions, Label: s.ingest.Plan.Label, Zone: a.Config.Location()}
	return module.Module{
		Name:    "journey",
		Locales: []i18n.Source{journey.Locales()},
		Routes:  pages.Routes,
		Nav:     []module.Nav{{Key: ui.NavJourneys, Href: "/journey/observed", Permission: definition.PermRead}},
	}
}

// writeKeys finds the feed that an API key may send for.
type writeKeys struct{ auth *auth.Service }

// WriteKey implements segment.Keys.
func (k writeKeys) WriteKey(ctx context.Context, key string) (segment.Source, error) {
	found, err := k.auth.WriteKey(ctx, key)
	if err != nil {
		return segment.Source{}, err
	}
	return segment.Source{Name: found.Source, Entity: found.Entity, System: found.System}, nil
}
