package app

import (
	"github.com/danielgtaylor/huma/v2"

	"omote/internal/ingest/connect"
	connectapi "omote/internal/ingest/connect/api"
	connectweb "omote/internal/ingest/connect/web"
	"omote/internal/module"
	"omote/internal/platform/config"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// navConnectors is the place of connectors in the navigation.
const navConnectors = "connectors"

// connectModule fetches records of other systems.
func (a *App) connectModule() module.Module {
	in := a.services.ingest
	s := connect.NewService(connect.Deps{DB: a.Store, Box: a.Box, Log: a.Log, Plans: in.Plan, Quarantine: in.Quarantine, Imports: in.Imports, Entity: a.Config.Entity})
	a.services.erasers.Keep("passwords at other systems, not data of customers", "ingest_connector")
	pages := connectweb.Pages{Connectors: s, Clock: a.Clock}
	return module.Module{
		Name:    "connect",
		Locales: []i18n.Source{connect.Locales()},
		Routes:  pages.Routes,
		API:     func(api huma.API) { connectapi.API{Connectors: s}.Register(api) },
		Work:    []module.Work{{Name: "connectors", Role: config.Worker, Run: s.Run}},
		Nav:     []module.Nav{{Key: navConnectors, Href: "/ingest/connectors", Permission: connect.PermRead, Label: "connect.title", Layer: ui.LayerPlatform}},
	}
}
