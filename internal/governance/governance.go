// Package governance is how the bank steers: what it promised and what serves the
// promise, who answers for what, which changes run and at which gate they stand,
// what the council decided and how well it foresaw, and what money all of it
// really brought.
//
// # Files
//
//	strategy/    the tree from promise to initiative
//	role/        roles held, RACI of journeys, letters of authority
//	initiative/  changes: lanes, gates, cases, stalls
//	council/     meetings, agenda, decisions, forecasts and their scores
//	ledger/      effects turned into money, booked at a bound
//	maturity/    how far the bank has come, as far as evidence allows
//	measure/     what it asks of the metric registry
//	record/      how its documents are kept
//	packs/       content as shipped: charter, gates, roles, reasons, maturity instrument
//	web/         pages under /governance
//	api/         typed operations under /api/v1
//	migrations/  the tables, per engine
//	locales/     texts in English and Vietnamese
//
// Tables: governance_node, _assignment, _matrix, _letter, _initiative, _meeting,
// _decision, _line, _assessment, _rating. Permissions: governance.strategy.*, .role.*, .initiative.*,
// .council.*, .ledger.*, .maturity.*, .approval.*. No events in or out; readings come from the
// metric registry through internal/app.
//
// Maker and checker is package platform/approval; its page stands here.
package governance

import (
	"embed"
	"fmt"

	"omote/internal/governance/council"
	"omote/internal/governance/initiative"
	"omote/internal/governance/ledger"
	"omote/internal/governance/maturity"
	"omote/internal/governance/measure"
	"omote/internal/governance/packs"
	"omote/internal/governance/role"
	"omote/internal/governance/strategy"
	"omote/internal/platform/approval"
	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of the module.
var Migrations = store.Migrations{Module: "governance", FS: migrations}

//go:embed locales
var localeFiles embed.FS

// Locales are the texts of the module.
func Locales() i18n.Source { return i18n.Source{Name: "governance", FS: localeFiles, Dir: "locales"} }

// Deps are what the module needs of others.
type Deps struct {
	Store     *store.DB
	Approvals *approval.Service
	Registry  measure.Registry
	Journeys  role.Journeys
	// Sources give further items for the council's agenda.
	Sources []council.Source
	// Sights are what other modules see for the maturity assessment.
	Sights []maturity.Sights
}

// Governance is the module's services.
type Governance struct {
	Pack        *packs.Governance
	KPIs        []packs.KPI
	Strategy    *strategy.Service
	Roles       *role.Service
	Initiatives *initiative.Service
	Council     *council.Service
	Ledger      *ledger.Service
	Instrument  *packs.Maturity
	Maturity    *maturity.Service
	Registry    measure.Registry
	Journeys    role.Journeys
}

// New makes the services and registers what they propose for approval. The tables
// exist already.
func New(d Deps) (*Governance, error) {
	pack, err := packs.Load()
	if err != nil {
		return nil, err
	}
	kpis, err := packs.LoadKPIs()
	if err != nil {
		return nil, fmt.Errorf("governance: %w", err)
	}
	g := &Governance{Pack: pack, KPIs: kpis, Registry: d.Registry, Journeys: d.Journeys}
	g.Ledger = ledger.NewService(d.Store, d.Registry, d.Approvals)
	g.Roles = role.NewService(d.Store, pack, d.Journeys, d.Approvals)
	g.Initiatives = initiative.NewService(d.Store, pack, d.Journeys, d.Registry, d.Approvals, g.Ledger)
	g.Strategy = strategy.NewService(d.Store, pack, kpis, d.Registry, g.Initiatives)
	g.Council = council.NewService(d.Store, pack, d.Registry, d.Approvals, append([]council.Source{agenda{g}}, d.Sources...)...)
	if g.Instrument, err = packs.LoadMaturity(); err != nil {
		return nil, err
	}
	own := maturity.Own{Strategy: g.Strategy, Roles: g.Roles, Initiatives: g.Initiatives, Council: g.Council, Ledger: g.Ledger, Registry: d.Registry, Now: d.Store.Clock().Now}
	g.Maturity = maturity.NewService(d.Store, g.Instrument, d.Approvals, append([]maturity.Sights{own}, d.Sights...)...)
	return g, nil
}
