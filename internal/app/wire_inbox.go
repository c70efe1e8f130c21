package app

import (
	"context"
	"slices"
	"time"

	"omote/internal/feedback/cases"
	"omote/internal/governance/initiative"
	"omote/internal/platform/approval"
	"omote/internal/platform/errs"
	"omote/internal/platform/jobs"
	"omote/internal/platform/scan"
	"omote/internal/platform/store"
)

// scanner is the virus scanner of the configuration; nil without one.
func (a *App) scanner() (*scan.Clamd, error) {
	if a.Config.Scanner == "" {
		return nil, nil
	}
	return scan.New(a.Config.Scanner)
}

// scanJob asks the virus scanner again about files that wait for it.
const scanJob = "cases.scan"

func (a *App) scanKind() jobs.Kind {
	return jobs.Define(scanJob, 1, func(ctx context.Context, _ *jobs.Run, _ struct{}) error {
		_, err := a.services.cases.Rescan(ctx)
		if errs.KindOf(err) == errs.KindUnavailable {
			a.Logger.Warn("files wait for the virus scanner", "error", err) // until the next minute
			return nil
		}
		return err
	})
}

func (a *App) scanSchedule() jobs.Periodic {
	return jobs.Periodic{Name: scanJob, Entity: a.Config.Entity, Kind: scanJob, Schedule: jobs.Every(time.Minute)}
}

// casesToInitiatives opens initiatives of what huddles over clusters of cases agreed on.
type casesToInitiatives struct{ a *App }

// Propose implements cases.Initiatives.
func (c casesToInitiatives) Propose(ctx context.Context, tx store.Tx, cluster cases.Cluster, unit string, change cases.Change) (string, error) {
	i := initiative.Initiative{Title: approval.Text{EN: change.TitleEN, VI: change.TitleVI}, Why: change.Why, Owner: "cx_lead", Days: change.Days, Units: 1, Currency: c.a.Config.Currency,
		Source: initiative.Source{Kind: "case", Ref: cluster.ID, Label: cluster.Cause, Href: "/feedback/cases/clusters/" + cluster.ID}}
	d, err := c.a.services.governance.Initiatives.OpenIn(ctx, tx, unit, "", i)
	return d.ID, err
}

var _ cases.Initiatives = casesToInitiatives{}

// channelsOf are the channels of short texts that this installation can send by.
func (a *App) channelsOf(wanted ...string) (out []string) {
	have := a.services.outbox.Channels()
	for _, c := range wanted {
		if slices.Contains(have, c) {
			out = append(out, c)
		}
	}
	return out
}
