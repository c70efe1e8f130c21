// Package program is how the bank changes what its people do: campaigns of
// observable behaviour, brought to its branches in an order drawn at random, so that
// what they did to customers can be told.
//
// # Files
//
//	wave/        a campaign: its design, the drawn order, check-ins, observations, effect
//	packs/       behaviours as shipped: values, cues, checklists
//	web/         pages under /program
//	api/         typed operations under /api/v1/waves
//	migrations/  the tables, per engine
//	locales/     texts in English and Vietnamese
//
// Tables: program_wave, program_checkin, program_observation, program_reading.
// Permissions: program.wave.*. No events in or out. What customers felt comes from
// the metric registry, what a change is worth goes to the value ledger, both through
// internal/app.
package program

import (
	"context"
	"embed"

	"omote/internal/platform/approval"
	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
	"omote/internal/program/packs"
	"omote/internal/program/wave"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of the module.
var Migrations = store.Migrations{Module: "program", FS: migrations}

//go:embed locales
var localeFiles embed.FS

// Locales are the texts of the module.
func Locales() i18n.Source { return i18n.Source{Name: "program", FS: localeFiles, Dir: "locales"} }

// Deps are what the module needs of others.
type Deps struct {
	Store     *store.DB
	Approvals *approval.Service
	Outcomes  wave.Outcomes
	Places    wave.Places
	Ledger    wave.Ledger
	// Draw gives the seed of a draw; by default from the machine's randomness.
	Draw wave.Draw
}

// Program is the module's services.
type Program struct {
	Pack  *packs.Behaviours
	Waves *wave.Service
}

// New makes the services and registers what they propose for approval. The tables
// exist already.
func New(d Deps) (*Program, error) {
	pack, err := packs.Load()
	if err != nil {
		return nil, err
	}
	return &Program{Pack: pack, Waves: wave.NewService(wave.Deps{Store: d.Store, Approvals: d.Approvals, Pack: pack, Outcomes: d.Outcomes, Places: d.Places, Ledger: d.Ledger, Draw: d.Draw})}, nil
}

// Follower lets campaigns follow a unit that moved (org.Follower).
type Follower struct{}

// UnitMoved rewrites the paths that begin with from.
func (Follower) UnitMoved(ctx context.Context, tx store.Tx, from, to string) error {
	return wave.UnitMoved(ctx, tx, from, to)
}
