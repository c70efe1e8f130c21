package demo

import (
	"context"
	"fmt"

	"go.yaml.in/yaml/v3"

	"omote/bank"
	"omote/internal/app"
	"omote/internal/ingest/plan"
)

// seedPlan declares the events and properties that the bank's feeds have beyond
// the tracking plan that every installation starts with.
func seedPlan(ctx context.Context, a *app.App) error {
	raw, err := bank.PackFile("tracking_plan.yaml")
	if err != nil {
		return err
	}
	var own struct {
		Events []plan.Event `yaml:"events"`
	}
	if err := yaml.Unmarshal(raw, &own); err != nil {
		return fmt.Errorf("the bank's tracking plan: %w", err)
	}
	return a.ExtendPlan(a.System(ctx), own.Events, "events of the simulated bank")
}
