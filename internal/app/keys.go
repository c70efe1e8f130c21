package app

import (
	"context"

	"omote/internal/platform/auth"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// NewKey makes an API key as the platform itself and gives its secret, for the
// demo and for measurements.
func (a *App) NewKey(ctx context.Context, n auth.NewKey) (secret string, err error) {
	ctx = scope.With(ctx, scope.Process(a.Config.Entity, "app"))
	err = a.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, secret, err = a.services.auth.AddKey(ctx, tx, n)
		return err
	})
	return secret, err
}
