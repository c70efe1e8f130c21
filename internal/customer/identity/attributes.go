package identity

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Reader reads traits by name for parts that decide by them.
type Reader struct{ Box *sealed.Box }

// Attributes gives the named traits of a customer's records as text; where
// several records know one, the newest statement counts. Objects, lists and null
// are left out.
func (r Reader) Attributes(ctx context.Context, tx store.Tx, records, names []string) (map[string]string, error) {
	var rows []Traits
	err := tx.NewSelect().Model(&rows).Where("entity = ? AND record_id IN (?)", tx.Scope.Entity, bun.List(records)).Order("stated_at", "record_id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read traits: %w", err)
	}
	out := map[string]string{}
	for i := range rows {
		if err := r.Box.Open(ctx, tx, &rows[i]); err != nil {
			return nil, err
		}
		var members map[string]any
		if err := json.Unmarshal([]byte(rows[i].Traits.Plain), &members); err != nil {
			continue // traits that cannot be read say nothing
		}
		for _, name := range names {
			switch v := members[name].(type) {
			case string:
				out[name] = visible(v)
			case bool, float64:
				out[name] = fmt.Sprint(v)
			}
		}
	}
	return out, nil
}
