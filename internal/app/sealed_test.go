package app_test

import (
	"slices"
	"testing"

	"omote/internal/platform/store/sealed"
)

// inTheClear are byte columns that no rotation moves: sums of states of rules, which
// are not encrypted, and dead letters, which are gone when they are replayed and keep
// the key that they were written with.
var inTheClear = []string{"customer_segment_customer.standing", "customer_state.rules", "projector_dead_letter.event"}

// TestEveryByteColumnIsRotated wants every column that may be encrypted in the inventory
// of a module, so that an old key can be taken out of the ring after a rotation.
func TestEveryByteColumnIsRotated(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	schema, err := s.Store.ReadSchema(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	missing := sealed.Missing(schema, inTheClear, s.Sealed()...)
	if len(missing) > 0 {
		t.Errorf("a rotation would leave behind %v", missing)
	}
	if without := sealed.Missing(schema, inTheClear, s.Sealed()[1:]...); slices.Equal(without, missing) {
		t.Error("the test sees no difference without the first inventory")
	}
}
