package identity

import (
	"context"

	"omote/internal/platform/store"
)

// Rejected tells whether a person said that any record of a and any record of b
// are two people.
func Rejected(ctx context.Context, tx store.Tx, a, b []string) (bool, error) {
	rows, err := between(ctx, tx, tx.Scope.Entity, a, b)
	return len(rows) > 0, err
}
