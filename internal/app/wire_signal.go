package app

import (
	"context"
	"errors"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/governance/council"
	"omote/internal/governance/initiative"
	"omote/internal/governance/strategy"
	insightapi "omote/internal/insight/api"
	"omote/internal/insight/packs"
	"omote/internal/insight/signal"
	insightweb "omote/internal/insight/web"
	"omote/internal/module"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/jobs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/ui"
)

// wireSignals makes the signals, with the built-in rule in force where the bank has
// none.
func (a *App) wireSignals(ctx context.Context) error {
	chains, err := signal.ParseChains(packs.Worth)
	if err != nil {
		return err
	}
	a.services.signals = signal.NewService(signal.Deps{Store: a.Store, Metrics: a.services.metrics, Facts: a.Warehouse, Zone: a.Config.Location(), Chains: chains,
		Approvals: a.services.approvals, Initiatives: beginner{a}})
	return a.services.signals.Install(a.system(ctx))
}

func (a *App) signalKind() jobs.Kind {
	return jobs.Define(signal.JobKind, 2, func(ctx context.Context, run *jobs.Run, _ struct{}) error {
		return a.services.signals.Job(a.system(ctx), run)
	})
}

// signalPeriodic is every morning, before people come.
func (a *App) signalPeriodic() jobs.Periodic {
	return jobs.Periodic{Name: signal.JobKind, Entity: a.Config.Entity, Kind: signal.JobKind, Schedule: jobs.Daily{Hour: 5, Minute: 30, Zone: a.Config.Location()}}
}

// startSignals has a worker look for signals now; one that is at it is enough.
func (a *App) startSignals(ctx context.Context) error {
	if err := auth.Require(ctx, signal.PermEdit, scope.Root); err != nil {
		return err
	}
	err := a.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := a.services.jobs.Submit(ctx, tx, signal.JobKind, struct{}{}, jobs.Submission{Unique: signal.JobKind})
		return err
	})
	if errs.KindOf(err) == errs.KindConflict {
		return nil
	}
	return err
}

// LookForSignals has a worker look for signals now: for the demo, which opens with
// them.
func (a *App) LookForSignals(ctx context.Context) error { return a.startSignals(a.system(ctx)) }

func (a *App) signalModule() module.Module {
	s := a.services
	pages := insightweb.SignalPages{Signals: s.signals, Clock: a.Clock, Zone: a.Config.Location(), Currency: a.Config.Currency, UnitNames: a.unitNames, Label: s.ingest.Plan.Label,
		Names: a.actorNames, Role: a.roleName, MetricName: a.metricName, CustomerNames: a.maskedNames,
		CustomerPath: func(id string) string { return "/customer/customers/" + httpx.PathEscape(id) }, Start: a.startSignals,
		Answers: "feedback.survey.answers", People: "customer.profile.read", Begin: initiative.PermEdit}
	return module.Module{
		Name:   "signal",
		Routes: pages.Routes,
		API:    func(api huma.API) { insightapi.Signals{Service: s.signals, Start: a.startSignals}.Register(api) },
		Home:   a.signalHome(pages),
		Nav:    []module.Nav{{Key: ui.NavSignals, Href: "/insight/signals", Permission: signal.PermRead}},
	}
}

// roleName names a role of governance in the reader's language.
func (a *App) roleName(ctx context.Context, id string) string {
	return a.services.governance.Pack.RoleName(id, i18n.Locale(ctx))
}

// metricName names a measure in the reader's language.
func (a *App) metricName(ctx context.Context, id string) string {
	v, err := a.services.metrics.Get(ctx, id, 0)
	if err != nil {
		return id
	}
	return v.Definition.Name.In(i18n.Locale(ctx))
}

// beginner lets signals begin initiatives of governance.
type beginner struct{ a *App }

// Begin implements signal.Initiatives.
func (b beginner) Begin(ctx context.Context, ask signal.Ask) (id, href string, err error) {
	g := b.a.services.governance
	all, err := g.Initiatives.List(ctx)
	if err != nil {
		return "", "", err
	}
	for _, d := range all {
		if d.Body.Source.Kind == "signal" && d.Body.Source.Ref == ask.Signal {
			return d.ID, initiativePath(d.ID), nil
		}
	}
	owner := ask.Owner
	if g.Pack.Role(owner).ID == "" {
		owner = "cx_lead"
	}
	tree, err := g.Strategy.Tree(ctx)
	if err != nil {
		return "", "", err
	}
	d, err := g.Initiatives.Open(ctx, ask.Unit, nodeOf(tree.Roots, ask.Metric), initiative.Initiative{Title: approval.Text{EN: ask.Title.En, VI: ask.Title.Vi}, Why: ask.Why, Owner: owner, Journey: ask.Journey,
		Days: ask.Days, Units: ask.Units, Currency: b.a.Config.Currency, Source: initiative.Source{Kind: "signal", Ref: ask.Signal, Label: ask.Name.In(i18n.Locale(ctx)), Href: ask.Href}})
	return d.ID, initiativePath(d.ID), err
}

// nodeOf is the node of the strategy that a measure speaks of, the deepest one; empty
// where none does, which the strategy shows as an orphan.
func nodeOf(branches []*strategy.Branch, measure string) string {
	for _, b := range branches {
		if id := nodeOf(b.Below, measure); id != "" {
			return id
		}
		if b.Body.Metric == measure {
			return b.ID
		}
	}
	return ""
}

func initiativePath(id string) string { return "/governance/initiatives/" + httpx.PathEscape(id) }

// signalItems give the council the signals that wait, with what they are worth and
// how sure they are.
type signalItems struct{ a *App }

// Items implements council.Source. A signal informs; the initiative that it becomes
// asks for the decision.
func (i signalItems) Items(ctx context.Context) (out []council.Item, err error) {
	if !auth.Can(ctx, signal.PermRead) || i.a.services.signals == nil {
		return nil, nil
	}
	waiting, err := i.a.services.signals.List(ctx, signal.Open, signal.Taken)
	if err != nil {
		return nil, err
	}
	units, err := i.a.unitNames(ctx)
	if err != nil && !errors.Is(err, context.Canceled) {
		return nil, err
	}
	for _, s := range waiting {
		b := &s.Body
		place := map[signal.Dim]string{signal.Unit: units[strings.ToLower(b.Place.Value)], signal.Region: units[strings.ToLower(b.Place.Value)]}[b.Place.Dim]
		if place == "" {
			place = strings.ReplaceAll(b.Place.Value, "_", " ")
		}
		title := approval.Text{EN: b.Name.En + " got worse", VI: b.Name.Vi + ": xấu đi"}
		if b.State == "better" {
			title = approval.Text{EN: b.Name.En + " got better", VI: b.Name.Vi + ": tốt lên"}
		}
		if place != "" {
			title.EN, title.VI = title.EN+" ("+place+")", title.VI+" ("+place+")"
		}
		item := council.Item{Kind: "signal", Ref: "signal/" + s.ID, Href: "/insight/signals/" + httpx.PathEscape(s.ID), Title: title, Strength: signalStrength(b), Grade: council.MinGrade}
		if b.Value != nil {
			item.Low, item.High = max(0, b.Value.Low), b.Value.High
		}
		out = append(out, item)
	}
	return out, nil
}

// signalStrength is how strong the evidence of a signal is, 0 to 1: by how many
// standard errors the level moved (ten are 1), less where its cause is not known.
func signalStrength(b *signal.Body) float64 {
	x := min(1, b.Weight()/10)
	if len(b.Tree.Causes) == 0 {
		x *= 0.8
	}
	return x
}

var _ council.Source = signalItems{}

// Signals are the changes beyond noise.
func (a *App) Signals() *signal.Service { return a.services.signals }
