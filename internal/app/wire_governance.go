package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/admin/org"
	"omote/internal/governance"
	governanceapi "omote/internal/governance/api"
	"omote/internal/governance/council"
	"omote/internal/governance/initiative"
	"omote/internal/governance/ledger"
	"omote/internal/governance/maturity"
	"omote/internal/governance/role"
	"omote/internal/governance/strategy"
	governanceweb "omote/internal/governance/web"
	"omote/internal/module"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/i18n"
	"omote/internal/platform/jobs"
	"omote/internal/platform/store"
	"omote/internal/ui"
)

// approvalJob closes proposals that nobody decided in time.
const approvalJob = "approval.expire"

// approvalKind is the work of approvalJob; it runs every hour.
func (a *App) approvalKind() jobs.Kind {
	return jobs.Define(approvalJob, 3, func(ctx context.Context, _ *jobs.Run, _ struct{}) error {
		_, err := a.services.approvals.Expire(ctx)
		return err
	})
}

func (a *App) approvalPeriodic() jobs.Periodic {
	return jobs.Periodic{Name: approvalJob, Entity: a.Config.Entity, Kind: approvalJob, Schedule: jobs.Every(time.Hour)}
}

// governanceJob scores forecasts whose day has come and promotes quick wins that
// outgrew their days.
const governanceJob = "governance.daily"

func (a *App) governanceKind() jobs.Kind {
	return jobs.Define(governanceJob, 3, func(ctx context.Context, _ *jobs.Run, _ struct{}) error {
		g := a.services.governance
		if _, err := g.Council.Score(ctx); err != nil {
			return err
		}
		_, err := g.Initiatives.Promote(ctx)
		return err
	})
}

func (a *App) governancePeriodic() jobs.Periodic {
	return jobs.Periodic{Name: governanceJob, Entity: a.Config.Entity, Kind: governanceJob, Schedule: jobs.Daily{Hour: 5, Zone: a.Config.Location()}}
}

// newGovernance makes the module's services over a store and its proposals.
func (a *App) newGovernance(db *store.DB, approvals *approval.Service) (*governance.Governance, error) {
	return governance.New(governance.Deps{Store: db, Approvals: approvals, Registry: registry{a}, Journeys: journeyList{a}, Sources: []council.Source{signalItems{a}}})
}

// GovernanceAt gives governance and its approvals under another clock, for the
// demo: what it does is written as on that day.
func (a *App) GovernanceAt(c clock.Clock) (*governance.Governance, *approval.Service, error) {
	db := a.Store.At(c)
	approvals := approval.New(db, a.services.auth)
	g, err := a.newGovernance(db, approvals)
	return g, approvals, err
}

func (a *App) governanceModule() module.Module {
	s := a.services
	pages := governanceweb.Pages{Governance: s.governance, Approvals: s.approvals, Clock: a.Clock, Zone: a.Config.Location(), Currency: a.Config.Currency,
		Names: a.actorNames, People: a.people, Units: a.unitOptions}
	return module.Module{
		Name:    "governance",
		Locales: []i18n.Source{governance.Locales()},
		Routes:  pages.Routes,
		API:     func(api huma.API) { governanceapi.API{Governance: s.governance, Approvals: s.approvals}.Register(api) },
		Home:    a.governanceHome(),
		Nav: []module.Nav{
			{Key: ui.NavInitiatives, Href: "/governance/initiatives", Permission: initiative.PermRead},
			{Key: governanceweb.NavStrategy, Href: "/governance/strategy", Permission: strategy.PermRead, Label: "governance.strategy.title", Layer: ui.LayerGuarantee},
			{Key: ui.NavDecisions, Href: "/governance/council", Permission: council.PermRead},
			{Key: governanceweb.NavApprovals, Href: "/governance/approvals", Permission: approval.PermRead, Label: "governance.approval.title", Layer: ui.LayerGuarantee},
			{Key: governanceweb.NavRoles, Href: "/governance/roles", Permission: role.PermRead, Label: "governance.role.title", Layer: ui.LayerGuarantee},
			{Key: governanceweb.NavMaturity, Href: "/governance/maturity", Permission: maturity.PermRead, Label: "governance.maturity.title", Layer: ui.LayerGuarantee},
			{Key: governanceweb.NavLedger, Href: "/governance/ledger", Permission: ledger.PermRead, Label: "governance.ledger.title", Layer: ui.LayerGuarantee},
		},
	}
}

// people are the colleagues who can be given a role, by name.
func (a *App) people(ctx context.Context) (out []ui.Option, err error) {
	err = a.Store.Read(a.system(context.Background()), func(ctx context.Context, tx store.Tx) error {
		all, err := a.services.auth.Accounts(ctx, tx)
		for _, one := range all {
			if one.State != auth.Disabled {
				out = append(out, ui.Option{Value: string(auth.Person) + ":" + one.ID, Label: one.Name})
			}
		}
		return err
	})
	slices.SortFunc(out, func(x, y ui.Option) int { return strings.Compare(x.Label, y.Label) })
	return out, err
}

// unitOptions are the open units of the reader's place.
func (a *App) unitOptions(ctx context.Context) (out []ui.Option, err error) {
	for after := ""; ; {
		page, err := a.services.admin.Org.List(ctx, org.Query{After: after, Limit: 500})
		if err != nil {
			return nil, err
		}
		for _, u := range page.Items {
			out = append(out, ui.Option{Value: u.Path, Label: strings.Repeat("· ", u.Depth()) + u.Name})
		}
		if page.Next == "" {
			return out, nil
		}
		after = page.Next
	}
}

// actorNames gives the names of actors: colleagues know one another's names,
// whatever the place they act in.
func (a *App) actorNames(ctx context.Context, refs ...string) map[string]string {
	out := map[string]string{}
	err := a.Store.Read(a.system(context.Background()), func(ctx context.Context, tx store.Tx) error {
		all, err := a.services.auth.Accounts(ctx, tx)
		for _, one := range all {
			if ref := string(auth.Person) + ":" + one.ID; slices.Contains(refs, ref) {
				out[ref] = one.Name
			}
		}
		return err
	})
	if err != nil {
		a.Logger.Warn("names of actors", "error", err) // ids are shown instead
	}
	return out
}
