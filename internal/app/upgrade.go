package app

import (
	"context"
	"errors"
	"fmt"

	"omote/internal/platform/keyring"
	"omote/internal/platform/store"
)

// Upgrade is what an upgrade did to the tables of one module.
type Upgrade struct {
	Module  string `json:"module"`
	Applied int    `json:"applied"` // migrations that had not run here
}

// Migrate brings the store, the warehouse and the event log of a data folder to
// this program's form and tells what was done in the store. Opening does the
// same, so this only separates the change from the serving.
func Migrate(ctx context.Context, o Options) (done []Upgrade, err error) {
	if done, err = pending(ctx, o); err != nil {
		return nil, err
	}
	a, err := Open(ctx, o)
	if err != nil {
		return nil, err
	}
	return done, a.Close(ctx)
}

// pending counts the migrations of each module that have not run.
func pending(ctx context.Context, o Options) (out []Upgrade, err error) {
	keys, err := keyring.OpenFile(o.Config.Keys)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Options{URL: o.Config.Store, Dir: o.Config.Data, Keys: keys, Clock: o.Clock, Logger: o.Logger})
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, m := range migrations() {
		n, err := db.Pending(ctx, m)
		if err != nil {
			return nil, err
		}
		out = append(out, Upgrade{Module: m.Module, Applied: n})
	}
	return out, nil
}
