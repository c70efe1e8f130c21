package app

import (
	"context"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/analytics/value"
	"omote/internal/admin/org"
	"omote/internal/governance"
	"omote/internal/governance/initiative"
	"omote/internal/governance/ledger"
	"omote/internal/insight/metric"
	"omote/internal/module"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/i18n"
	"omote/internal/platform/jobs"
	"omote/internal/platform/store"
	"omote/internal/program"
	programapi "omote/internal/program/api"
	"omote/internal/program/wave"
	programweb "omote/internal/program/web"
	"omote/internal/report/board"
	"omote/internal/ui"
)

// waveJob reads what running campaigns have done so far.
const waveJob = "program.waves"

func (a *App) waveKind() jobs.Kind {
	return jobs.Define(waveJob, 3, func(ctx context.Context, _ *jobs.Run, _ struct{}) error { return a.services.program.Waves.ReadAll(ctx) })
}

func (a *App) wavePeriodic() jobs.Periodic {
	return jobs.Periodic{Name: waveJob, Entity: a.Config.Entity, Kind: waveJob, Schedule: jobs.Daily{Hour: 4, Zone: a.Config.Location()}}
}

func (a *App) newProgram(db *store.DB, approvals *approval.Service, g *governance.Governance, draw wave.Draw) (*program.Program, error) {
	return program.New(program.Deps{Store: db, Approvals: approvals, Outcomes: outcomes{a}, Places: branches{a}, Ledger: waveLedger{g}, Draw: draw})
}

// ProgramAt gives campaigns under another clock and with a draw of the caller's, for
// the demo: what it does is written as on that day.
func (a *App) ProgramAt(c clock.Clock, draw wave.Draw) (*program.Program, *approval.Service, error) {
	db := a.Store.At(c)
	approvals := approval.New(db, a.services.auth)
	g, err := a.newGovernance(db, approvals)
	if err != nil {
		return nil, nil, err
	}
	p, err := a.newProgram(db, approvals, g, draw)
	return p, approvals, err
}

func (a *App) programModule() module.Module {
	s := a.services
	pages := programweb.Pages{Program: s.program, Outcomes: outcomes{a}, Clock: a.Clock, Zone: a.Config.Location(), Currency: a.Config.Currency, Units: a.unitOptions, Names: a.actorNames,
		Changes: waveLedger{s.governance}.Changes}
	return module.Module{
		Name:    "program",
		Locales: []i18n.Source{program.Locales()},
		Routes:  pages.Routes,
		API:     func(api huma.API) { programapi.API{Program: s.program}.Register(api) },
		Nav:     []module.Nav{{Key: ui.NavCampaigns, Href: "/program/waves", Permission: wave.PermRead}},
	}
}

// boardModule is the pack of the board of directors.
func (a *App) boardModule() module.Module {
	s := a.services
	pages := board.Pages{Service: board.Service{Governance: s.governance, Waves: s.program.Waves, Signals: s.signals, Now: a.Clock.Now}, Currency: a.Config.Currency, Bank: a.Config.Bank, Bundle: func() *i18n.Bundle { return a.Bundle }}
	return module.Module{Name: "board", Locales: []i18n.Source{board.Locales()}, Routes: pages.Routes,
		Nav: []module.Nav{{Key: "board", Href: "/report/board", Permission: board.PermRead, Label: "report.board.nav", Layer: ui.LayerGuarantee}}}
}

// outcomes answers campaigns' questions to the metric registry.
type outcomes struct{ a *App }

// Measures implements wave.Outcomes.
func (o outcomes) Measures(ctx context.Context) (out []wave.Measure, err error) {
	for after := ""; ; {
		page, next, err := o.a.services.metrics.List(ctx, metric.Filter{After: after, Limit: 200})
		if err != nil {
			return nil, err
		}
		for _, v := range page {
			if d := v.Definition; d.Adds() && slices.Contains(d.Dims, unitField) {
				out = append(out, wave.Measure{ID: d.ID, Name: approval.Text{VI: d.Name.Vi, EN: d.Name.En}, Unit: string(d.Unit)})
			}
		}
		if next == "" {
			return out, nil
		}
		after = next
	}
}

// Outcome implements wave.Outcomes.
func (o outcomes) Outcome(ctx context.Context, id string, from, to time.Time) (out wave.Outcome, err error) {
	zone := o.a.Config.Location()
	ask := metric.Ask{Period: metric.Period{From: metric.DateIn(from, zone), To: metric.DateIn(to, zone)}, Granularity: metric.Week, By: unitField}
	v, err := o.a.services.metrics.Get(ctx, id, 0)
	if err != nil {
		return out, err
	}
	out = wave.Outcome{Metric: id, Version: v.Version, Name: approval.Text{VI: v.Definition.Name.Vi, EN: v.Definition.Name.En}, Unit: string(v.Definition.Unit), Lower: v.Definition.Direction == metric.Lower}
	if !to.After(from) {
		return out, nil
	}
	res, cells, err := o.a.services.metrics.Cells(ctx, id, ask)
	if err != nil {
		return out, err
	}
	out.Latest = res.Latest
	for _, c := range cells {
		if c.Group != "" {
			out.Cells = append(out.Cells, wave.Cell{Code: c.Group, Week: c.Start.Time(), Sum: c.Sum, N: c.N})
		}
	}
	return out, nil
}

// branches gives campaigns the open branches of the caller's place.
type branches struct{ a *App }

// Branches implements wave.Places.
func (b branches) Branches(ctx context.Context) (out []wave.Branch, err error) {
	names := map[string]string{}
	for after := ""; ; {
		page, err := b.a.services.admin.Org.List(ctx, org.Query{After: after, Limit: 500})
		if err != nil {
			return nil, err
		}
		for _, u := range page.Items {
			names[u.Path] = u.Name
			if u.Kind == org.Single {
				out = append(out, wave.Branch{Unit: u.Path, Code: u.Code, Name: u.Name, Region: u.Parent()})
			}
		}
		if page.Next == "" {
			break
		}
		after = page.Next
	}
	for i := range out {
		if name := names[out[i].Region]; name != "" {
			out[i].Region = name
		}
	}
	return out, nil
}

// waveLedger enters effects of campaigns in the value ledger.
type waveLedger struct{ g *governance.Governance }

// Changes implements wave.Ledger: initiatives that the reader sees and that are not over.
func (l waveLedger) Changes(ctx context.Context) (out []wave.Change, err error) {
	if !auth.Can(ctx, initiative.PermRead) {
		return nil, nil
	}
	all, err := l.g.Initiatives.List(ctx)
	for _, d := range all {
		out = append(out, wave.Change{ID: d.ID, Title: d.Body.Title})
	}
	return out, err
}

// Enter implements wave.Ledger. The effect keeps its grade: chance dealt the order.
func (l waveLedger) Enter(ctx context.Context, e wave.Entry) (string, error) {
	effect, _ := e.Reading.Better()
	part := func(r wave.Range) value.Estimate { return value.FromInterval(r.Mid, r.Low, r.High, 0.9) }
	volume := value.Estimate{Value: e.Reading.PerYear, SE: e.Reading.PerYear * 0.03}
	if e.Money.Reach.Mid > 0 {
		volume = part(e.Money.Reach)
	}
	method := approval.Text{VI: e.Money.Method, EN: e.Money.Method}
	line := ledger.Line{Title: e.Title, Metric: e.Reading.Metric, MetricVersion: e.Reading.Version, Method: "staggered", Grade: ledger.Experiment, Currency: e.Currency,
		Chain: value.Chain{Effect: value.FromInterval(effect.Value, effect.Low, effect.High, effect.Level), Links: []value.Estimate{part(e.Money.Kept), part(e.Money.Margin)},
			Volume: volume, Months: e.Money.Months, Rate: e.Money.Rate, Fade: e.Money.Fade, Cost: value.Known(float64(e.Cost))},
		Links: []ledger.Link{
			{Name: approval.Text{VI: "khách hàng giữ lại khi chỉ số tốt hơn một đơn vị", EN: "customers kept per unit better of the measure"}, Unit: approval.Text{VI: "khách hàng mỗi lượt", EN: "customers an answer"},
				Method: method, AsOf: e.Reading.Day},
			{Name: approval.Text{VI: "lợi nhuận của một khách hàng", EN: "margin of a customer"}, Unit: approval.Text{VI: "đồng mỗi năm", EN: "dong a year"}, Method: method, AsOf: e.Reading.Day}},
		Figures: []ledger.Figure{}}
	d, err := l.g.Ledger.Enter(ctx, e.Unit, e.Initiative, line)
	return d.ID, err
}

var (
	_ wave.Outcomes = outcomes{}
	_ wave.Places   = branches{}
	_ wave.Ledger   = waveLedger{}
)
