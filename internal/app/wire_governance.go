package app

import (
	"context"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/governance"
	governanceapi "omote/internal/governance/api"
	governanceweb "omote/internal/governance/web"
	"omote/internal/module"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
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

func (a *App) governanceModule() module.Module {
	s := a.services
	pages := governanceweb.Pages{Approvals: s.approvals, Clock: a.Clock, Zone: a.Config.Location(), Names: a.actorNames}
	return module.Module{
		Name:    "governance",
		Locales: []i18n.Source{governance.Locales()},
		Routes:  pages.Routes,
		API:     func(api huma.API) { governanceapi.API{Approvals: s.approvals}.Register(api) },
		Nav: []module.Nav{{Key: governanceweb.NavApprovals, Href: "/governance/approvals", Permission: approval.PermRead, Label: "governance.approval.title",
			Layer: ui.LayerGuarantee}},
	}
}

// actorNames gives the names of actors: colleagues know one another's names,
// whatever the place they act in.
func (a *App) actorNames(ctx context.Context, refs ...string) map[string]string {
	out := map[string]string{}
	err := a.Store.Read(a.system(context.WithoutCancel(ctx)), func(ctx context.Context, tx store.Tx) error {
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
