package app

import (
	"context"
	"fmt"

	"omote/internal/admin"
	"omote/internal/feedback/survey"
	"omote/internal/ingest/plan"
	"omote/internal/platform/auth"
)

// Admin gives the administration's services, for the demo.
func (a *App) Admin() *admin.Admin { return a.services.admin }

// Auth gives the sign-in, for the demo.
func (a *App) Auth() *auth.Service { return a.services.auth }

// Checker is the checker of the entity's current tracking plan.
func (a *App) Checker() *plan.Checker { return a.services.ingest.Plan.Checker(a.Config.Entity) }

// System puts the scope of the process's own work into the context.
func (a *App) System(ctx context.Context) context.Context { return a.system(ctx) }

// CaughtUp waits until every projector has taken up what is in the log now.
func (a *App) CaughtUp(ctx context.Context) error {
	ends := map[int]uint64{}
	for p := range a.Log.Partitions() {
		_, last, err := a.Log.Bounds(ctx, p)
		if err != nil {
			return fmt.Errorf("find the end of the log: %w", err)
		}
		ends[p] = last
	}
	for _, name := range a.projectorNames() {
		if err := a.Log.WaitFor(ctx, name, ends); err != nil {
			return fmt.Errorf("wait for %s: %w", name, err)
		}
	}
	return nil
}

// ExtendPlan declares events in the tracking plan beside those that are there.
func (a *App) ExtendPlan(ctx context.Context, events []plan.Event, note string) error {
	_, err := a.services.ingest.Plan.Extend(ctx, events, note)
	return err
}

// Surveys is the survey service, for programs that measure it.
func (a *App) Surveys() *survey.Service { return a.services.surveys }
