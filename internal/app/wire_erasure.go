package app

import (
	"context"
	"slices"
	"strings"

	"omote/internal/customer/consent"
	"omote/internal/customer/contact"
	customererasure "omote/internal/customer/erasure"
	"omote/internal/customer/request"
	"omote/internal/platform/erasure"
	"omote/internal/platform/jobs"
	"omote/internal/platform/store"
)

// wireErasure collects what every part does when a person is to be forgotten.
// Tables that name a record or a customer in a column are swept without being
// named here; a module with other places adds its eraser.
func (a *App) wireErasure(ctx context.Context) (err error) {
	s := a.services
	s.erasers = &erasure.Registry{}
	s.erasers.Add(customererasure.Own(), s.customers.index.Eraser(), s.cases.Eraser(), s.outbox.Eraser(), s.ingest.Quarantine.Eraser(), s.ingest.Imports.Eraser(),
		customererasure.Warehouse(a.Warehouse), customererasure.ByTime(a.Config.Retention))
	s.erasers.Keep("how records of one person differ: hashes of values that three people or more state, no person", "customer_match_model")
	s.erasers.Keep("how other systems are reached", "ingest_connector")
	s.erasers.Keep("accounts of staff, not of customers", "auth_account", "auth_identity", "auth_recovery", "auth_flow", "auth_link", "auth_session", "auth_key", "auth_throttle")
	s.erasures, err = customererasure.NewService(ctx, customererasure.Deps{DB: a.Store, Box: a.Box, Names: a.Names, Registry: s.erasers,
		List: customererasure.OpenList(a.erasureList()), Restrictor: s.consents, Unsettled: a.unsettled, CaughtUp: a.CaughtUp, Submit: a.submitErasure})
	if err != nil {
		return err
	}
	if err := a.wireRequests(); err != nil {
		return err
	}
	s.erasures.Ordered = s.requests.ErasureOrdered
	a.wireChecks()
	return nil
}

// unsettled are reasons to keep records that somebody wants erased.
func (a *App) unsettled(ctx context.Context, tx store.Tx, records []string) ([]customererasure.HoldReason, error) {
	pending, err := openCases{a}.Of(ctx, tx, records)
	if slices.Contains(pending, contact.ComplaintPending) {
		return []customererasure.HoldReason{"complaint"}, err
	}
	return nil, err
}

// erasureList is the file that restored back-ups are erased by: beside the key
// ring, unless the configuration names another place.
func (a *App) erasureList() string {
	if a.Config.Erasures != "" {
		return a.Config.Erasures
	}
	return strings.TrimSuffix(strings.TrimSuffix(a.Config.Keys, ".json"), ".keys") + ".erasures.ndjson"
}

func (a *App) submitErasure(ctx context.Context, tx store.Tx, id string) error {
	_, err := a.services.jobs.Submit(ctx, tx, customererasure.JobKind, customererasure.JobArgs(id), jobs.Submission{Unique: customererasure.JobKind + "/" + id})
	return err
}

// Erasures gives the service, for the command line, the demo and tests.
func (a *App) Erasures() *customererasure.Service { return a.services.erasures }

// Erasers gives the registry, for the test that every table is answered for.
func (a *App) Erasers() *erasure.Registry { return a.services.erasers }

// Requests gives the service of subject requests, for the demo and tests.
func (a *App) Requests() *request.Service { return a.services.requests }

// Consents gives the service, for the demo and tests.
func (a *App) Consents() *consent.Service { return a.services.consents }
