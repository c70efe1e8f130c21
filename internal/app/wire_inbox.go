package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"omote/internal/feedback/cases"
	"omote/internal/feedback/voice"
	"omote/internal/governance/initiative"
	"omote/internal/ingest/plan"
	"omote/internal/platform/approval"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/platform/jobs"
	"omote/internal/platform/scan"
	"omote/internal/platform/scope"
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

// noticeJob tells customers what was changed, and rereadJob fills the themes of voices
// that an older reader filled.
const (
	noticeJob = "voice.notice"
	rereadJob = "voice.reread"
)

func (a *App) noticeKind() jobs.Kind {
	return jobs.Define(noticeJob, 3, func(ctx context.Context, _ *jobs.Run, _ struct{}) error {
		_, err := a.services.voices.SendNotices(ctx, 5_000)
		return err
	})
}

func (a *App) noticeSchedule() jobs.Periodic {
	return jobs.Periodic{Name: noticeJob, Entity: a.Config.Entity, Kind: noticeJob, Schedule: jobs.Every(time.Minute)}
}

func (a *App) rereadKind() jobs.Kind {
	return jobs.Define(rereadJob, 3, func(ctx context.Context, _ *jobs.Run, _ struct{}) error {
		_, err := a.services.voices.Reread(ctx, 50_000)
		return err
	})
}

func (a *App) rereadSchedule() jobs.Periodic {
	return jobs.Periodic{Name: rereadJob, Entity: a.Config.Entity, Kind: rereadJob, Schedule: jobs.Every(10 * time.Minute)}
}

// failedErrands tells voices how the errands of a journey went.
type failedErrands struct{ a *App }

const failedQuery = `SELECT COUNT(DISTINCT CASE WHEN outcome IN ('failed', 'abandoned', 'declined', 'unresolved') THEN customer_id END), COUNT(DISTINCT customer_id)
	FROM {event_customer} WHERE journey = $1 AND occurred_at >= $2 AND occurred_at < $3`

// Failed implements voice.Events.
func (f failedErrands) Failed(ctx context.Context, journey, unit string, from, to time.Time) (failed, all int64, err error) {
	if place, ok := scope.From(ctx); ok && unit != "" && place.Sees(unit) {
		place.Unit = unit
		ctx = scope.With(ctx, place)
	}
	rows, err := f.a.Warehouse.Query(ctx, failedQuery, journey, from, to)
	if err != nil {
		return 0, 0, fmt.Errorf("errands that failed: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&failed, &all); err != nil {
			return 0, 0, err
		}
	}
	return failed, all, rows.Err()
}

// stepName names a step of a journey, which is an event of the tracking plan.
func (a *App) stepName(ctx context.Context, step string) string {
	tracking, err := plan.Default()
	if err != nil {
		return step
	}
	for _, e := range tracking.Events {
		if e.Name == step {
			if i18n.Locale(ctx) == "en" {
				return e.Label.EN
			}
			return e.Label.VI
		}
	}
	return step
}

// complaintsToInbox brings what customers say by phone, at the counter, in the bank's
// form and by letter into the inbox, in the transaction of its case.
type complaintsToInbox struct{ a *App }

// Heard implements cases.Inbox.
func (c complaintsToInbox) Heard(ctx context.Context, tx store.Tx, in cases.Intake, caseID, ref string) error {
	said := voice.Said{CustomerID: in.CustomerID, Source: "case", Ref: ref, Kind: voice.Complaint, Unit: in.Unit, Channel: in.Channel, Journey: in.Journey, Product: in.Product, Locale: in.Locale,
		Words: in.Words, CaseID: caseID, At: tx.Now().Time()}
	switch in.Kind {
	case cases.Observation:
		said.Kind = voice.Observation
	case cases.Detractor:
		said.Kind = voice.Contact
	}
	if said.Words == "" {
		said.Words = in.Title
	}
	if !in.At.IsZero() {
		said.At = in.At
	}
	return c.a.services.voices.Take(ctx, tx, said)
}
