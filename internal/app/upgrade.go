package app

import (
	"context"
	"fmt"
	"log/slog"

	"omote/internal/platform/clock"
	"omote/internal/platform/config"
	"omote/internal/platform/keyring"
	"omote/internal/platform/store"
)

// Upgraded says what an upgrade did to one module's tables.
type Upgraded struct {
	Module string `json:"module"`
	// Applied is how many migrations were carried out.
	Applied int `json:"applied"`
}

// Upgrade brings the tables of a data folder to the form of this program and
// tells what it did. A server does the same when it starts; this is for whoever
// wants it done and seen before.
//
// Migrations expand first and contract in a later version, so that the version
// before goes on working on the new tables while nodes are replaced one by one.
func Upgrade(ctx context.Context, c config.Config, logger *slog.Logger) (done []Upgraded, err error) {
	before, err := pending(ctx, c, logger)
	if err != nil {
		return nil, err
	}
	a, err := Open(ctx, Options{Config: c, Logger: logger})
	if err != nil {
		return nil, err
	}
	if err := a.Close(ctx); err != nil {
		return nil, err
	}
	for _, m := range migrations() {
		done = append(done, Upgraded{m.Module, before[m.Module]})
	}
	return done, nil
}

func pending(ctx context.Context, c config.Config, logger *slog.Logger) (map[string]int, error) {
	keys, err := keyring.OpenFile(c.Keys)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Options{URL: c.Store, Dir: c.Data, Keys: keys, Clock: clock.System{}, Logger: logger})
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	defer db.Close()
	n := map[string]int{}
	for _, m := range migrations() {
		if n[m.Module], err = db.Pending(ctx, m); err != nil {
			return nil, err
		}
	}
	return n, nil
}
