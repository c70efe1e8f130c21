package cases

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"omote/internal/platform/store"
)

// OpenKinds gives the kinds of open cases of a customer's records, for parts that
// leave a customer alone, or keep their data, while something is not settled.
func (s *Service) OpenKinds(ctx context.Context, tx store.Tx, records []string) (kinds []Kind, err error) {
	err = tx.NewRaw("SELECT DISTINCT kind FROM cases_case WHERE entity = ? AND customer_id IN (?) AND state IN (?, ?, ?)",
		tx.Scope.Entity, bun.List(records), New, Working, Waiting).Scan(ctx, &kinds)
	if err != nil {
		return nil, fmt.Errorf("open cases of a customer: %w", err)
	}
	return kinds, nil
}
