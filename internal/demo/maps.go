package demo

import (
	"context"

	"omote/internal/app"
	"omote/internal/platform/errs"
)

// demoMaps are the journeys that the demo opens with as maps in force, and who
// answers for them.
var demoMaps = []struct{ journey, owner string }{
	{"onboarding_ekyc", "Khối Ngân hàng số"},
	{"personal_loan", "Khối Tín dụng bán lẻ"},
}

// seedMaps puts the demo's maps in force, as if two people had decided on them.
func seedMaps(ctx context.Context, a *app.App) error {
	for _, m := range demoMaps {
		err := a.InstallMap(a.System(ctx), m.journey, m.owner)
		if err != nil && errs.KindOf(err) != errs.KindConflict {
			return err
		}
	}
	return nil
}
