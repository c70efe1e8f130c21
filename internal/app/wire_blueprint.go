package app

import (
	"omote/internal/ingest/plan"
	"omote/internal/journey/blueprint"
	"omote/internal/journey/definition"
)

// wireBlueprints makes the designed journeys, and the definitions that follow
// from them.
func (a *App) wireBlueprints() error {
	tracking, err := plan.Default()
	if err != nil {
		return err
	}
	names := map[string]blueprint.Text{}
	for _, e := range tracking.Events {
		names[e.Name] = blueprint.Text{EN: e.Label.EN, VI: e.Label.VI}
	}
	templates, err := blueprint.LoadTemplates(func(event string) blueprint.Text { return names[event] })
	if err != nil {
		return err
	}
	s := a.services
	s.blueprints = blueprint.NewService(a.Store, s.approvals, templates)
	s.definitions = definition.NewService(s.blueprints)
	return nil
}
