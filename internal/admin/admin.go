package admin

import (
	"context"
	"embed"

	"omote/internal/admin/account"
	"omote/internal/admin/key"
	"omote/internal/admin/org"
	"omote/internal/admin/trail"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
)

//go:embed migrations
var migrations embed.FS

//go:embed locales
var locales embed.FS

// Migrations are the tables of the module.
var Migrations = store.Migrations{Module: "admin", FS: migrations}

// Locales are the texts of the module, and those of errors that the platform's
// sign-in, outbox and jobs give.
func Locales() i18n.Source { return i18n.Source{Name: "admin", FS: locales, Dir: "locales"} }

// Admin is the module's services.
type Admin struct {
	Org      *org.Service
	Accounts *account.Service
	Keys     *key.Service
	Trail    *trail.Service
}

// New makes the services. The tables exist already. followers are told, in the
// same transaction, of units that moved.
func New(db *store.DB, signIn *auth.Service, followers ...org.Follower) *Admin {
	units := org.NewService(db, append([]org.Follower{grants{signIn}}, followers...)...)
	return &Admin{
		Org:      units,
		Accounts: account.NewService(db, signIn, units),
		Keys:     key.NewService(db, signIn, units),
		Trail:    trail.NewService(db),
	}
}

// grants lets grants, sessions and keys follow a unit that moved.
type grants struct{ auth *auth.Service }

func (g grants) UnitMoved(ctx context.Context, tx store.Tx, from, to string) error {
	return g.auth.MoveGrants(ctx, tx, from, to)
}
