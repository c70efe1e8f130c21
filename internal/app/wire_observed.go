package app

import (
	"context"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/governance/initiative"
	journeyapi "omote/internal/journey/api"
	blueprintweb "omote/internal/journey/blueprint/web"
	"omote/internal/journey/moment"
	"omote/internal/journey/observed"
	journeyweb "omote/internal/journey/web"
	"omote/internal/module"
	"omote/internal/platform/auth"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/jobs"
	"omote/internal/ui"
)

// momentJob tests moments of truth and pains.
func (a *App) momentJob() jobs.Kind {
	return jobs.Define(moment.JobKind, 2, func(ctx context.Context, run *jobs.Run, _ struct{}) error { return a.services.moments.Test(ctx, run) })
}

// momentSchedule is every night, when few people work.
func (a *App) momentSchedule() jobs.Periodic {
	return jobs.Periodic{Name: moment.JobKind, Entity: a.Config.Entity, Kind: moment.JobKind, Schedule: jobs.Daily{Hour: 2, Minute: 30, Zone: a.Config.Location()}}
}

// wireMoments makes the service of moments of truth and pains.
func (a *App) wireMoments() {
	s := a.services
	s.moments = moment.NewService(a.Store, a.Warehouse, moment.FromMaps{Maps: s.blueprints}, s.jobs)
}

// journeyName gives what people call a journey.
func (a *App) journeyName(ctx context.Context, journey string) string {
	d, err := a.services.definitions.Get(ctx, journey)
	if err != nil {
		return journey
	}
	return d.Name.In(i18n.Locale(ctx))
}

func (a *App) momentPages() journeyweb.MomentPages {
	s := a.services
	return journeyweb.MomentPages{Moments: s.moments, Label: s.ingest.Plan.Label, Currency: a.Config.Currency, Zone: a.Config.Location(), Journey: a.journeyName,
		Initiative: a.initiativeOf}
}

// momentModule is what happened in journeys, what it did to customers, and which
// journeys to begin with.
func (a *App) momentModule() module.Module {
	s, pages := a.services, a.momentPages()
	return module.Module{
		Name:    "moment",
		Locales: []i18n.Source{moment.Locales(), observed.Locales()},
		Routes:  func(r *httpx.Router) { pages.Routes(r) },
		API: func(api huma.API) {
			journeyapi.Moments{Service: s.moments}.Register(api)
			journeyapi.Observed{Service: s.journeys, Worth: a.worth, Zone: a.Config.Location()}.Register(api)
		},
		Nav: []module.Nav{
			{Key: ui.NavMoments, Href: "/journey/moments", Permission: moment.PermRead},
			{Key: ui.NavPains, Href: "/journey/pains", Permission: moment.PermRead},
		},
	}
}

// journeyMoments gives the moments of truth of a journey for its home: those that
// were judged, and those that the design claims.
func (a *App) journeyMoments(ctx context.Context, journey string) (out []blueprintweb.Moment, err error) {
	all, err := a.services.moments.Overview(ctx, journey)
	if err != nil || !all.Ready {
		return nil, err
	}
	for _, s := range all.Steps {
		if s.Best.Candidate || s.Verdict == "proven" || s.Verdict == "probable" {
			out = append(out, blueprintweb.Moment{Step: a.services.ingest.Plan.Label(ctx, s.Event), Seal: journeyweb.Seal(s.Verdict), Note: journeyweb.EffectNote(ctx, s)})
		}
	}
	return out, nil
}

// journeyPains gives the dearest pains of a journey for its home.
func (a *App) journeyPains(ctx context.Context, journey string) (out []blueprintweb.Pain, err error) {
	pains, _, _, err := a.services.moments.Pains(ctx, journey)
	if err != nil {
		return nil, err
	}
	pages := a.momentPages()
	for _, p := range pains[:min(len(pains), 5)] {
		name, note, worth, href := pages.PainLine(ctx, p)
		out = append(out, blueprintweb.Pain{Name: name, Note: note, Worth: worth, Href: href})
	}
	return out, nil
}

// initiativeOf is the page where a pain becomes an initiative, with where it came
// from filled in; "" for readers who may make none.
func (a *App) initiativeOf(ctx context.Context, p moment.Pain) string {
	if !auth.Can(ctx, initiative.PermEdit) {
		return ""
	}
	q := url.Values{"source": {"pain"}, "ref": {p.ID}, "label": {a.services.ingest.Plan.Label(ctx, p.Step)}, "href": {"/journey/pains/" + httpx.PathEscape(p.ID)}}
	return "/governance/initiatives/new?" + q.Encode()
}
