package app

import (
	"context"
	"time"

	"omote/internal/customer/consent"
	customererasure "omote/internal/customer/erasure"
	"omote/internal/customer/request"
	"omote/internal/customer/retention"
	"omote/internal/platform/jobs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// wireRequests makes the subject requests and the retention rules.
func (a *App) wireRequests() error {
	s := a.services
	rules, err := request.LoadRules()
	if err != nil {
		return err
	}
	s.requests = request.NewService(request.Deps{DB: a.Store, Box: a.Box, Rules: rules, Consents: s.consents, Erasures: s.erasures, Warehouse: a.Warehouse, Bank: a.Config.Bank})
	s.erasers.Add(request.Eraser())
	s.retention = retention.NewService(a.Store,
		retention.Kind{ID: "comments", Days: 3 * 365, MinDays: 30, Basis: "Own rule: words of customers are needed for causes and trends, not longer",
			Due: a.Warehouse.OldComments, Purge: a.Warehouse.ForgetComments},
		retention.Kind{ID: "messages", Days: 400, MinDays: 30, Basis: "Own rule: proof of what was sent, beyond the longest contact cap",
			Due: a.oldMessages, Purge: a.purgeMessages},
		retention.Table(a.Store, "contacts", 400, 366, "Own rule: contact caps look back one year", "customer_contact", "decided_at", "", "entity", "record_id", "ref"),
		retention.Table(a.Store, "quarantine", 90, 7, "Own rule: time to correct what a feed delivered", "ingest_quarantine", "at", "", "id"),
		retention.Table(a.Store, "exclusions", 400, 1, "Own rule", "customer_exclusion", "until", "", "entity", "record_id", "kind", "ref"),
		retention.Table(a.Store, "past_traits", 5*365, 30, "Own rule: to explain earlier decisions", "customer_trait_past", "from_at", "", "entity", "record_id", "trait", "from_at"),
		retention.Table(a.Store, "requests", 5*365, 365, "Proof that requests were answered; confirm the time with counsel", "customer_request_step", "at", "", "entity", "request_id", "id"),
	)
	return nil
}

func (a *App) oldMessages(ctx context.Context, before time.Time) (n int64, err error) {
	err = a.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		return tx.NewRaw("SELECT COUNT(*) FROM outbox_message WHERE entity = ? AND settled < ? AND state <> 'unknown'", tx.Scope.Entity, store.At(before)).Scan(ctx, &n)
	})
	return n, err
}

func (a *App) purgeMessages(ctx context.Context, before time.Time) (n int64, err error) {
	err = a.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		n, err = a.services.outbox.Purge(ctx, tx, before)
		return err
	})
	return n, err
}

// erasureKind is the job that carries erasures out. The service is made after the
// jobs, so it is asked for when the job runs.
func (a *App) erasureKind() jobs.Kind {
	return customererasure.Job(func() *customererasure.Service { return a.services.erasures })
}

// retentionKind is the job that takes away what is old.
func (a *App) retentionKind() jobs.Kind {
	return retention.Job(func() *retention.Service { return a.services.retention })
}

// privacySealed is where consent and requests keep what is encrypted.
func privacySealed() sealed.Inventory {
	inventory := consent.Sealed()
	inventory.Fields = append(inventory.Fields, request.Sealed().Fields...)
	return inventory
}

// privacyPeriodic runs the retention rules at night.
func (a *App) privacyPeriodic() jobs.Periodic {
	return jobs.Periodic{Name: retention.JobKind, Entity: a.Config.Entity, Kind: retention.JobKind, Schedule: jobs.Daily{Hour: 2, Zone: a.Config.Location()}}
}
