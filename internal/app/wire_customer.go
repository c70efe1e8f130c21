package app

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/admin/org"
	"omote/internal/customer"
	customerapi "omote/internal/customer/api"
	"omote/internal/customer/identity"
	"omote/internal/customer/match"
	"omote/internal/customer/profile"
	"omote/internal/customer/search"
	customerweb "omote/internal/customer/web"
	"omote/internal/module"
	"omote/internal/platform/config"
	"omote/internal/platform/i18n"
	"omote/internal/platform/projector"
	"omote/internal/platform/store/sealed"
	"omote/internal/ui"
)

// customers are the services of who the bank's customers are.
type customers struct {
	graph    *identity.Graph
	identity *identity.Service
	index    *search.Index
	profile  *profile.Service
}

func (a *App) newCustomers() (*customers, error) {
	c := &customers{graph: identity.NewGraph(a.Store), identity: identity.NewService(a.Store), index: search.NewIndex(a.Box)}
	var err error
	if c.profile, err = profile.NewService(a.Store, a.Box, c.index, a.Warehouse); err != nil {
		return nil, err
	}
	c.profile.Units, c.profile.Cases, c.profile.Consents = a.unitCodes, casesOf{a}, consentsOf{a}
	return c, nil
}

// handlers take up events in the state projector, identity first.
func (c *customers) handlers(a *App) []projector.Handler {
	return []projector.Handler{identity.NewHandler(a.Names, a.Box, c.index), match.NewHandler(a.Names)}
}

// sealed is where the customer module keeps what is encrypted.
func (c *customers) sealed(a *App) []sealed.Inventory {
	return []sealed.Inventory{identity.Sealed(a.Box), c.index.Sealed(), a.services.match.Sealed()}
}

// unitCodes are the codes of the units in the reader's place, as feeds write them.
func (a *App) unitCodes(ctx context.Context) (map[string]bool, error) {
	codes := map[string]bool{}
	for after := ""; ; {
		page, err := a.services.admin.Org.List(ctx, org.Query{After: after, Limit: 500, Closed: true})
		if err != nil {
			return nil, err
		}
		for _, u := range page.Items {
			codes[u.Code] = true
		}
		if after = page.Next; after == "" {
			return codes, nil
		}
	}
}

// customerModule is who the bank's customers are.
func (a *App) customerModule() module.Module {
	c := a.services.customers
	pages := customerweb.Pages{Profile: c.profile, Identity: c.identity, Label: a.services.ingest.Plan.Label, Labels: a.services.ingest.Plan.Named,
		Clock: a.Clock, Zone: a.Config.Location(), UnitNames: a.unitNames, ActorNames: a.actorNames, Currency: a.Config.Currency}
	return module.Module{
		Name:    "customer",
		Locales: []i18n.Source{customer.Locales()},
		Routes:  pages.Routes,
		API:     func(api huma.API) { customerapi.API{Profile: c.profile, Identity: c.identity}.Register(api) },
		Work:    []module.Work{{Name: "identity links", Role: config.Warehouse, Run: a.syncLinks}},
		Nav:     []module.Nav{{Key: ui.NavCustomers, Href: "/customer/customers", Permission: profile.PermRead}},
	}
}

// Profiles gives the service of golden profiles, for the demo and tests.
func (a *App) Profiles() *profile.Service { return a.services.customers.profile }
