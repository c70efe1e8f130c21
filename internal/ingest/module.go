// Package ingest takes the bank's signals in: the tracking door for SDKs, files,
// Kafka; the tracking plan they are checked against; and the quarantine of what
// does not fit.
//
// Sub-packages: plan (tracking plan), segment (HTTP tracking API), files and
// mapping (files to events), imports (uploads with progress), quarantine, when
// (times), kafka (topics), web (pages), api (operations).
//
// Tables: ingest_plan, ingest_violation, ingest_import, ingest_quarantine.
package ingest

import (
	"context"
	"embed"

	"omote/internal/ingest/imports"
	"omote/internal/ingest/plan"
	"omote/internal/ingest/quarantine"
	"omote/internal/ingest/segment"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/i18n"
	"omote/internal/platform/projector"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of the module.
var Migrations = store.Migrations{Module: "ingest", FS: migrations}

// Deps are what the module needs.
type Deps struct {
	Store *store.DB
	Box   *sealed.Box
	Log   *eventlog.Log
	State *projector.State
	// Keys finds the source of a write key.
	Keys segment.Keys
	// Uploads is the folder that keeps files until their import ends.
	Uploads string
	// Currency is what amounts without one are in.
	Currency string
	// Projectors are waited for before an import is done.
	Projectors []string
}

// Ingest is the module's services.
type Ingest struct {
	Plan       *plan.Service
	Quarantine *quarantine.Service
	Imports    *imports.Service
	Door       *segment.Door
}

// New makes the services. The tables exist already.
func New(ctx context.Context, d Deps) (*Ingest, error) {
	counter := plan.NewCounter(d.Store.Clock())
	plans, err := plan.NewService(ctx, d.Store, counter, d.Currency)
	if err != nil {
		return nil, err
	}
	held := quarantine.NewService(d.Store, d.Box)
	runs, err := imports.NewService(imports.Deps{DB: d.Store, Log: d.Log, Counts: accepted{d.State}, Plans: plans, Counter: counter,
		Quarantine: held, Box: d.Box, Dir: d.Uploads, Projectors: d.Projectors})
	if err != nil {
		return nil, err
	}
	door := &segment.Door{Log: d.Log, Keys: d.Keys, Plans: plans, Quarantine: rejects{held}, Counter: counter, Clock: d.Store.Clock()}
	return &Ingest{Plan: plans, Quarantine: held, Imports: runs, Door: door}, nil
}

// accepted gives imports the projector's count of what became facts.
type accepted struct{ state *projector.State }

func (a accepted) Accepted(ctx context.Context, importID string) (int64, error) {
	c, err := a.state.Import(ctx, importID)
	return c.Accepted, err
}

// rejects keeps what the tracking door sets aside.
type rejects struct{ held *quarantine.Service }

func (r rejects) Put(ctx context.Context, rows []segment.Rejected) error {
	kept := make([]quarantine.Row, len(rows))
	for i, row := range rows {
		kept[i] = quarantine.Row{Entity: row.Entity, Source: row.Source, MessageID: row.MessageID, Reason: row.Reason, Field: row.Field,
			Raw: sealed.New(string(row.Raw))}
	}
	return r.held.Put(ctx, kept)
}

//go:embed locales
var localeFiles embed.FS

// Locales are the module's texts.
func Locales() i18n.Source { return i18n.Source{Name: "ingest", FS: localeFiles, Dir: "locales"} }
