package segment

import (
	"context"
	"fmt"

	"omote/internal/platform/auth"
	"omote/internal/platform/store"
)

// Belonging yields the customers who are members of a segment now, in no order,
// to other parts of the product that count by segment. It tells nobody who the
// members are: whoever shows single customers asks for PermMember besides.
func (s *Service) Belonging(ctx context.Context, id string, yield func(customer string)) error {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return err
	}
	return s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error { return belonging(ctx, tx, id, yield) })
}

func belonging(ctx context.Context, tx store.Tx, id string, yield func(customer string)) error {
	rows, err := tx.QueryContext(ctx, belongSQL, tx.Scope.Entity, id)
	if err != nil {
		return fmt.Errorf("read the members of %s: %w", id, err)
	}
	defer rows.Close()
	for rows.Next() {
		var customer string
		if err := rows.Scan(&customer); err != nil {
			return fmt.Errorf("read the members of %s: %w", id, err)
		}
		yield(customer)
	}
	return rows.Err()
}
