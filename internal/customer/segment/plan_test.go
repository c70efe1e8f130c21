package segment

import (
	"context"
	"strings"
	"testing"

	"omote/internal/platform/store"
	"omote/internal/platform/warehouse"
)

// TestMembersAreFoundInTheIndex asks SQLite how it answers who belongs to a
// segment: through the index of those who belong now, not through all memberships.
func TestMembersAreFoundInTheIndex(t *testing.T) {
	t.Parallel()
	d := newDesk(t, store.Options{Dir: t.TempDir()}, warehouse.Options{Dir: t.TempDir()})
	for query, args := range map[string][]any{
		belongSQL:  {"bank", "s"},
		membersSQL: {"bank", "s", "", 50, "bank", "s"},
	} {
		var plan []struct {
			ID, Parent, Notused int
			Detail              string
		}
		err := d.db.Read(d.ctx, func(ctx context.Context, tx store.Tx) error {
			return tx.NewRaw("EXPLAIN QUERY PLAN "+query, args...).Scan(ctx, &plan)
		})
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, p := range plan {
			lines = append(lines, p.Detail)
		}
		text := strings.Join(lines, "\n")
		if !strings.Contains(text, "USING COVERING INDEX customer_segment_member_now (entity=? AND segment_id=?") || strings.Contains(text, "PRIMARY KEY (entity=?)") {
			t.Errorf("%s\nis answered by\n%s", query, text)
		}
	}
}
