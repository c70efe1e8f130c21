package app

import (
	"context"
	"slices"

	"omote/internal/ingest/plan"
	"omote/internal/insight/metric"
	insightweb "omote/internal/insight/web"
	"omote/internal/journey/blueprint"
	blueprintweb "omote/internal/journey/blueprint/web"
	"omote/internal/journey/conform"
	"omote/internal/journey/definition"
	"omote/internal/module"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
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

// blueprintModule is the atlas, the editor and all else about designed journeys.
func (a *App) blueprintModule() module.Module {
	s := a.services
	s.conform = conform.NewService(a.Store, a.Warehouse, s.journeys, s.blueprints, a.Clock)
	board := insightweb.NewBoard(s.metrics, a.Clock, a.Config.Location())
	pages := blueprintweb.Pages{Maps: s.blueprints, Conform: s.conform, Clock: a.Clock, Zone: a.Config.Location(), Names: a.actorNames, Events: a.trackedEvents,
		Cases: a.journeyCases, UnitNames: a.unitNames, Ending: a.ending,
		Home: blueprintweb.HomeParts{Measures: func(ctx context.Context, journey string, ids []string) ([]ui.MetricRowProps, bool, error) {
			return board.Measures(ctx, func(d metric.Definition) bool { return d.Journey == journey || slices.Contains(ids, d.ID) })
		}, Moments: a.journeyMoments, Pains: a.journeyPains}}
	return module.Module{
		Name:    "blueprint",
		Locales: []i18n.Source{blueprintweb.Locales()},
		Routes:  pages.Routes,
		Nav:     []module.Nav{{Key: ui.NavJourneys, Href: "/journey/atlas", Permission: blueprint.PermRead}},
	}
}

// trackedEvents are the events that the tracking plan declares.
func (a *App) trackedEvents(ctx context.Context) ([]blueprintweb.EventInfo, error) {
	current := a.services.ingest.Plan.Checker(a.Config.Entity).Plan()
	out := make([]blueprintweb.EventInfo, len(current.Events))
	for i, e := range current.Events {
		out[i] = blueprintweb.EventInfo{Name: e.Name, Label: blueprint.Text{EN: e.Label.EN, VI: e.Label.VI}}
	}
	return out, nil
}

// journeyCases counts the cases of the journeys that events carry.
func (a *App) journeyCases(ctx context.Context) (map[string]int64, error) {
	list, err := a.services.journeys.List(ctx)
	out := map[string]int64{}
	for _, j := range list {
		out[j.Definition.Journey] = j.Cases
	}
	return out, err
}

// InstallMap puts the template of a journey in force, owned by somebody: for the
// demo. ctx is that of the platform's own work.
func (a *App) InstallMap(ctx context.Context, journey, owner string) error {
	all, err := a.services.blueprints.Templates(ctx)
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.Document.Journey == journey {
			d := t.Document.Clone()
			d.Owner = owner
			return a.services.blueprints.Install(ctx, d, true, "vi")
		}
	}
	return nil
}
