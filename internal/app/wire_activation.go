package app

import (
	"context"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/customer/activation"
	activationapi "omote/internal/customer/activation/api"
	activationweb "omote/internal/customer/activation/web"
	"omote/internal/customer/identity"
	"omote/internal/customer/segment"
	"omote/internal/ingest/plan"
	"omote/internal/module"
	"omote/internal/platform/config"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// activationSender sends upserts; the service is made after the outbox, so it is
// asked for when something is sent.
func (a *App) activationSender() *activation.SQL {
	return activation.NewSQL(func() *activation.Service { return a.services.activations })
}

// wireActivations makes what writes back into other systems. A withdrawal of
// consent reaches it in the withdrawal's own transaction.
func (a *App) wireActivations() {
	s := a.services
	s.activations = activation.NewService(activation.Deps{DB: a.Store, Box: a.Box, Segments: s.segments, Consents: s.consents, Attributes: identity.Reader{Box: a.Box},
		Plan: leaving{a}, Outbox: s.outbox, Entity: a.Config.Entity})
	s.gates.Add(activation.Gate{Activations: s.activations})
	s.consents.Follow(s.activations)
}

// Activations gives the service, for the demo and tests.
func (a *App) Activations() *activation.Service { return a.services.activations }

// leaving asks the tracking plan which attributes may leave: those that it
// declares and marks nowhere as personal.
type leaving struct{ a *App }

// MayLeave implements activation.Plan.
func (l leaving) MayLeave(ctx context.Context, attribute string) (bool, error) {
	p, err := l.a.services.ingest.Plan.Current(l.a.system(ctx))
	if err != nil {
		return false, err
	}
	declared := false
	for _, all := range append(slices.Collect(propertiesOf(p)), p.Common) {
		for _, q := range all {
			if q.Name == attribute && q.Personal {
				return false, nil
			}
			declared = declared || q.Name == attribute
		}
	}
	return declared, nil
}

func propertiesOf(p *plan.Plan) func(yield func([]plan.Property) bool) {
	return func(yield func([]plan.Property) bool) {
		for _, e := range p.Events {
			if !yield(e.Properties) {
				return
			}
		}
	}
}

func (a *App) activationModule() module.Module {
	s := a.services
	s.erasers.Keep("how other systems are written to, not data of customers", "customer_activation")
	pages := activationweb.Pages{Activations: s.activations, Segments: a.liveSegments, Purposes: a.purposeOptions, Names: a.maskedNames,
		CustomerPath: func(id string) string { return "/customer/customers/" + httpx.PathEscape(id) }}
	return module.Module{
		Name:    "activation",
		Locales: []i18n.Source{activation.Locales()},
		Routes:  pages.Routes,
		API:     func(api huma.API) { activationapi.API{Activations: s.activations}.Register(api) },
		Nav:     []module.Nav{{Key: activationweb.NavActivations, Href: "/customer/activations", Permission: activation.PermRead, Label: "activation.title", Layer: ui.LayerPlatform}},
		Work:    []module.Work{{Name: "write-back", Role: config.Worker, Run: s.activations.Run}},
	}
}

// liveSegments are the segments in use, by name.
func (a *App) liveSegments(ctx context.Context) (out []ui.Option, err error) {
	all, err := a.services.segments.List(ctx, segment.Filter{Status: segment.Live})
	for _, s := range all {
		out = append(out, ui.Option{Value: s.Version.Definition.ID, Label: s.Version.Definition.Name.In(i18n.Locale(ctx))})
	}
	return out, err
}

// purposeOptions are the purposes of consent, by name.
func (a *App) purposeOptions(ctx context.Context) (out []ui.Option, err error) {
	all, err := a.services.consents.Purposes(a.system(ctx))
	for _, p := range all {
		out = append(out, ui.Option{Value: p.ID, Label: p.Label.In(i18n.Locale(ctx))})
	}
	return out, err
}
