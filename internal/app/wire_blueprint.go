package app

import (
	"context"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/ingest/plan"
	"omote/internal/insight/metric"
	"omote/internal/journey/blueprint"
	blueprintapi "omote/internal/journey/blueprint/api"
	blueprintweb "omote/internal/journey/blueprint/web"
	"omote/internal/journey/conform"
	"omote/internal/journey/definition"
	"omote/internal/module"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/platform/jobs"
	"omote/internal/platform/store"
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
	s.blueprints.OnLive = func(ctx context.Context, tx store.Tx) error {
		_, err := s.jobs.Submit(ctx, tx, refreshJob, struct{}{}, jobs.Submission{Unique: refreshJob})
		if errs.KindOf(err) == errs.KindConflict {
			return nil // one is waiting already
		}
		return err
	}
	s.definitions = definition.NewService(s.blueprints)
	return nil
}

// blueprintModule is the atlas, the editor and all else about designed journeys.
func (a *App) blueprintModule() module.Module {
	s := a.services
	s.conform = conform.NewService(a.Store, a.Warehouse, s.journeys, s.blueprints, a.Clock)
	s.conform.Segments = s.journeys
	pages := blueprintweb.Pages{Maps: s.blueprints, Conform: s.conform, Clock: a.Clock, Zone: a.Config.Location(), Names: a.actorNames, Events: a.trackedEvents,
		Cases: a.journeyCases, UnitNames: a.unitNames, Segments: s.journeys.Segments, Ending: a.ending,
		Home: blueprintweb.HomeParts{Measures: func(ctx context.Context, journey string, ids []string) ([]ui.MetricRowProps, bool, error) {
			return s.board.Measures(ctx, func(d metric.Definition) bool { return d.Journey == journey || slices.Contains(ids, d.ID) })
		}, Moments: a.journeyMoments, Pains: a.journeyPains, Work: a.journeyWork}}
	return module.Module{
		Name:    "blueprint",
		Locales: []i18n.Source{blueprintweb.Locales()},
		Routes:  pages.Routes,
		API:     func(api huma.API) { blueprintapi.Maps{Service: s.blueprints, Conform: s.conform}.Register(api) },
		Nav:     []module.Nav{{Key: ui.NavJourneys, Href: "/journey/atlas", Permission: blueprint.PermRead}},
	}
}

// refreshJob compares every map in force with what happens, over the whole bank.
const refreshJob = "journey.refresh"

func (a *App) refreshKind() jobs.Kind {
	return jobs.Define(refreshJob, 3, func(ctx context.Context, _ *jobs.Run, _ struct{}) error {
		_, err := a.services.conform.Refresh(ctx)
		return err
	})
}

func (a *App) refreshPeriodic() jobs.Periodic {
	return jobs.Periodic{Name: refreshJob, Entity: a.Config.Entity, Kind: refreshJob, Schedule: jobs.Every(time.Hour)}
}

// CompareMaps computes the conformance of every map in force now: for the demo,
// which opens with it.
func (a *App) CompareMaps(ctx context.Context) error {
	_, err := a.services.conform.Refresh(ctx)
	return err
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
			d := t.In("vi")
			d.Owner = owner
			return a.services.blueprints.Install(ctx, d, true, "vi")
		}
	}
	return nil
}
