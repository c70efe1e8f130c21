package app_test

import (
	"log/slog"
	"testing"

	"omote/internal/app"
)

// TestMigrate brings a fresh folder up, and finds nothing to do the second time.
func TestMigrate(t *testing.T) {
	t.Parallel()
	o := app.Options{Config: crashConfig(t.TempDir()), Logger: slog.New(slog.DiscardHandler)}
	for round, want := range []bool{true, false} {
		done, err := app.Migrate(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range done {
			if (u.Applied > 0) != want {
				t.Errorf("round %d: %s applied %d", round, u.Module, u.Applied)
			}
		}
	}
}
