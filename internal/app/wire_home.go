package app

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"omote/internal/app/home"
	"omote/internal/customer/identity"
	"omote/internal/customer/request"
	"omote/internal/feedback/cases"
	"omote/internal/governance/council"
	"omote/internal/governance/initiative"
	"omote/internal/governance/scorecard"
	"omote/internal/ingest/quarantine"
	"omote/internal/insight/metric"
	"omote/internal/insight/signal"
	insightweb "omote/internal/insight/web"
	"omote/internal/module"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// homeItems is how many things of a part the first page names.
const homeItems = 4

// homeModule is the first page, made of what the modules put there.
func (a *App) homeModule() module.Module {
	page := home.Page{Clock: a.Clock, Parts: func() (out []module.Home) {
		for _, m := range a.modules {
			out = append(out, m.Home...)
		}
		return out
	}}
	return module.Module{Name: "home", Locales: []i18n.Source{home.Locales()}, Routes: page.Routes}
}

func part(ctx context.Context, key, href string) module.HomePart {
	return module.HomePart{Title: i18n.T(ctx, "app.home."+key), Href: href, All: i18n.T(ctx, "app.home.all")}
}

// signalHome is what changed beyond noise and waits for somebody: for those who act
// on signals, and for the council, which decides about what they cost.
func (a *App) signalHome(pages insightweb.SignalPages) []module.Home {
	return []module.Home{{Key: home.Signals, Permission: signal.PermRead, Read: func(ctx context.Context) (p module.HomePart, err error) {
		if !auth.Can(ctx, signal.PermEdit) && !auth.Can(ctx, council.PermDecide) {
			return p, nil
		}
		p = part(ctx, home.Signals, "/insight/signals")
		p.Calm = i18n.T(ctx, "app.home.signals.calm")
		p.Items, p.Count, err = pages.Waiting(ctx, homeItems)
		return p, err
	}}}
}

// governanceHome is what governance waits for: decisions of a second person, the
// council, and initiatives that stand still; and the reader's own scorecard.
func (a *App) governanceHome() []module.Home {
	return []module.Home{
		{Key: home.Approvals, Permission: approval.PermDecide, Read: a.approvalsHome},
		{Key: home.Council, Permission: council.PermRead, Read: a.councilHome},
		{Key: home.Work, Permission: initiative.PermRead, Read: a.workHome},
		{Key: home.Figures, Permission: initiative.PermRead, Read: a.scorecardHome},
	}
}

func (a *App) approvalsHome(ctx context.Context) (module.HomePart, error) {
	p := part(ctx, home.Approvals, "/governance/approvals")
	p.Calm = i18n.T(ctx, "app.home.approvals.calm")
	list, err := a.services.approvals.List(ctx)
	if err != nil {
		return p, err
	}
	f, now := i18n.Fmt(ctx), a.Clock.Now()
	p.Count = len(list.Waiting)
	for _, it := range list.Waiting[:min(homeItems, len(list.Waiting))] {
		left := it.Expires.Sub(now)
		p.Items = append(p.Items, module.HomeItem{Title: it.Title.In(i18n.Locale(ctx)), Note: i18n.T(ctx, "app.home.proposed", "day", f.Date(it.Proposed)), Href: "/governance/approvals/" + httpx.PathEscape(it.ID),
			Due: f.Date(it.Expires), Late: left < it.Expires.Sub(it.Proposed)/4})
	}
	return p, nil
}

// councilHome is the next meeting, papers that nobody has decided, and refusals
// whose day has come.
func (a *App) councilHome(ctx context.Context) (module.HomePart, error) {
	p := part(ctx, home.Council, "/governance/council")
	g, f, now := a.services.governance, i18n.Fmt(ctx), a.Clock.Now()
	meetings, err := g.Council.Meetings(ctx)
	if err != nil {
		return p, err
	}
	for _, m := range meetings {
		if m.State == council.Closed {
			continue
		}
		p.Items = append(p.Items, module.HomeItem{Title: i18n.T(ctx, "app.home.meeting", "day", f.Date(m.Body.Day)), Note: i18n.T(ctx, "app.home.meeting.items", "count", len(m.Body.Agenda)),
			Href: "/governance/council/" + httpx.PathEscape(m.ID), Due: f.Date(m.Body.Day), Late: m.Body.Day.Before(now.AddDate(0, 0, -1))})
	}
	decisions, err := g.Council.Decisions(ctx)
	if err != nil {
		return p, err
	}
	for _, d := range decisions {
		if d.State == council.Paper || d.State == council.Proposed {
			item := module.HomeItem{Title: d.Body.Title.In(i18n.Locale(ctx)), Note: i18n.T(ctx, "app.home.paper."+d.State), Href: "/governance/decisions/" + httpx.PathEscape(d.ID)}
			if !d.Body.Due.IsZero() {
				item.Due, item.Late = f.Date(d.Body.Due), d.Body.Due.Before(now)
			}
			p.Items = append(p.Items, item)
		}
	}
	p.Count = len(p.Items)
	p.Late = late(p.Items)
	p.Items = p.Items[:min(homeItems, len(p.Items))]
	return p, nil
}

func late(items []module.HomeItem) (n int) {
	for _, i := range items {
		if i.Late {
			n++
		}
	}
	return n
}

// workHome is the initiatives of the reader's place that stand still.
func (a *App) workHome(ctx context.Context) (module.HomePart, error) {
	p := part(ctx, home.Work, "/governance/initiatives")
	board, err := a.services.governance.Initiatives.Board(ctx)
	if err != nil {
		return p, err
	}
	now := a.Clock.Now()
	slices.SortStableFunc(board, func(x, y initiative.View) int { return x.Body.Moved.Compare(y.Body.Moved) })
	for _, v := range board {
		if v.State != initiative.Running || !v.Stalled {
			continue
		}
		p.Count++
		if len(p.Items) < homeItems {
			days := int(now.Sub(v.Body.Moved).Hours() / 24)
			p.Items = append(p.Items, module.HomeItem{Title: v.Body.Title.In(i18n.Locale(ctx)), Note: i18n.T(ctx, "governance.initiative.cause."+v.Cause), Href: initiativePath(v.ID),
				Due: i18n.T(ctx, "app.home.still", "count", days), Late: true})
		}
	}
	return p, nil
}

// governanceRole is what a role of the program stands for in governance.
type governanceRole struct {
	role   auth.Role
	kpis   string   // role whose KPIs are theirs, "" for none
	owners []string // roles whose measures are theirs
}

// roleOf are the roles of governance that a role of the program stands for, whose
// KPIs and measures are a person's own.
var roleOf = []governanceRole{
	{auth.Council, "cxc", []string{"cxc"}},
	{auth.CXLead, "cx_lead", []string{"cx_lead", "journey_owner"}},
	{auth.Champion, "cx_champion", []string{"cx_champion", "branch_manager"}},
	{auth.CaseOwner, "case_owner", []string{"case_owner", "complaint_officer"}},
	{auth.Agent, "", []string{"contact_centre_head", "case_owner"}},
	{auth.DPO, "dpo", []string{"dpo"}},
	{auth.Analyst, "", []string{"analyst", "cx_lead"}},
	{auth.FinancePart, "", []string{"finance_partner"}},
	{auth.RiskValidator, "", []string{"risk_validator"}},
}

// scorecardHome is the reader's KPIs that the bank's own records can answer.
func (a *App) scorecardHome(ctx context.Context) (module.HomePart, error) {
	p := part(ctx, "scorecard", "")
	actor, _ := auth.From(ctx)
	i := slices.IndexFunc(roleOf, func(r governanceRole) bool { return actor.Has(r.role) })
	if i < 0 || roleOf[i].kpis == "" {
		return p, nil
	}
	g := a.services.governance
	facts := scorecard.Facts{Now: a.Clock.Now()}
	var err error
	if facts.Initiatives, err = g.Initiatives.Board(ctx); err != nil {
		return p, err
	}
	if auth.Can(ctx, council.PermRead) {
		if facts.Decisions, err = g.Council.Decisions(ctx); err != nil {
			return p, err
		}
	}
	review, err := a.services.signals.Review(ctx)
	if err != nil {
		return p, err
	}
	facts.Signals = scorecard.Signals(review)
	f := i18n.Fmt(ctx)
	for _, l := range scorecard.Of(roleOf[i].kpis, g.KPIs, &facts) {
		row := ui.MetricRowProps{Name: l.Text().In(i18n.Locale(ctx)), State: ui.Few, StateWord: i18n.T(ctx, "app.home.kpi."+l.State), Value: "–",
			Interval: i18n.T(ctx, "app.home.kpi.n", "n", l.Est.N, "min", l.MinN)}
		write, between := func(x float64) string { return f.Decimal(x, 1) }, func(lo, hi float64) string { return f.Range(lo, hi, 1) }
		if l.Unit == "share" {
			write, between = func(x float64) string { return f.Percent(x, 0) }, func(lo, hi float64) string { return f.PercentInterval(lo, hi, 0) }
		}
		if l.Known {
			row.State = map[string]ui.MetricState{"met": ui.Better, "missed": ui.Worse}[l.State]
			row.Value, row.Interval = "**"+write(l.Est.Value)+"**", between(l.Est.Low, l.Est.High)+" · "+i18n.T(ctx, "app.home.kpi.target", "target", write(l.Target), "n", l.Est.N)
		}
		p.Rows = append(p.Rows, row)
	}
	p.Note = i18n.T(ctx, "app.home.kpi.note")
	return p, nil
}

// figuresHome is the measures that the reader answers for, as fresh as the board.
func (a *App) figuresHome() []module.Home {
	return []module.Home{{Key: home.Figures, Permission: metric.PermRead, Read: func(ctx context.Context) (module.HomePart, error) {
		p := part(ctx, home.Figures, "/insight/metrics")
		actor, _ := auth.From(ctx)
		var owners []string
		for _, r := range roleOf {
			if actor.Has(r.role) {
				owners = append(owners, r.owners...)
			}
		}
		var err error
		if p.Rows, p.Working, err = a.services.board.Own(ctx, func(d metric.Definition) bool { return len(owners) == 0 || slices.Contains(owners, d.Owner) }, 2*homeItems); err != nil {
			return p, err
		}
		p.Calm = i18n.T(ctx, "app.home.figures.calm")
		if at := a.services.board.At(ctx); !at.IsZero() {
			p.Note = i18n.T(ctx, "app.home.figures.at", "at", ui.When(ctx, at))
		}
		return p, nil
	}}}
}

// caseHome is the reader's own cases, the most urgent first; for those who run
// cases of others, what is late among them.
func (a *App) caseHome() []module.Home {
	return []module.Home{{Key: home.Cases, Permission: cases.PermEdit, Read: func(ctx context.Context) (module.HomePart, error) {
		p := part(ctx, home.Cases, "/feedback/cases")
		p.Calm = i18n.T(ctx, "app.home.cases.calm")
		actor, _ := auth.From(ctx)
		found, err := a.services.cases.List(ctx, cases.Query{Owner: actor.ID, Limit: 100})
		if err != nil {
			return p, err
		}
		if len(found.Items) == 0 {
			if found, err = a.services.cases.List(ctx, cases.Query{Late: true, Limit: 100}); err != nil {
				return p, err
			}
		}
		now := a.Clock.Now()
		p.Count = len(found.Items)
		for _, c := range found.Items {
			if c.Late {
				p.Late++
			}
			if len(p.Items) == homeItems {
				continue
			}
			item := module.HomeItem{Title: cmp.Or(c.Title.Plain, c.Ref()), Note: c.Ref() + " · " + i18n.T(ctx, "feedback.case.channel."+string(c.Channel)), Href: "/feedback/cases/" + httpx.PathEscape(c.ID), Late: c.Late}
			if due := c.Due(); !due.IsZero() {
				item.Due = dueText(ctx, due, now)
			}
			p.Items = append(p.Items, item)
		}
		return p, nil
	}}}
}

// dueText writes what is left until a promise, or by how much it was missed.
func dueText(ctx context.Context, due, now time.Time) string {
	f := i18n.Fmt(ctx)
	if due.Before(now) {
		return i18n.T(ctx, "app.home.late", "by", f.DurationShort(now.Sub(due)))
	}
	return i18n.T(ctx, "app.home.left", "left", f.DurationShort(due.Sub(now)))
}

// privacyHome is the requests of data subjects that still wait for the bank.
func (a *App) privacyHome() []module.Home {
	return []module.Home{{Key: home.Requests, Permission: request.PermDecide, Read: func(ctx context.Context) (module.HomePart, error) {
		p := part(ctx, home.Requests, "/customer/requests")
		p.Calm = i18n.T(ctx, "app.home.requests.calm")
		open, err := a.services.requests.List(ctx, request.Filter{Open: true}, 200)
		if err != nil {
			return p, err
		}
		now := a.Clock.Now()
		p.Count = len(open)
		for _, r := range open {
			if r.Late(now) {
				p.Late++
			}
			if len(p.Items) == homeItems {
				continue
			}
			item := module.HomeItem{Title: i18n.T(ctx, "customer.request.kind."+string(r.Kind)), Note: i18n.T(ctx, "app.home.received", "day", i18n.Fmt(ctx).Date(r.Received)),
				Href: "/customer/requests/" + httpx.PathEscape(r.ID), Late: r.Late(now)}
			if due := r.Next(); !due.IsZero() {
				item.Due = dueText(ctx, due, now)
			}
			p.Items = append(p.Items, item)
		}
		return p, nil
	}}}
}

// identityHome is the pairs of records that a steward should look at.
func (a *App) identityHome() []module.Home {
	return []module.Home{{Key: home.Identity, Permission: identity.PermEdit, Read: func(ctx context.Context) (module.HomePart, error) {
		p := part(ctx, home.Identity, "/customer/review")
		p.Calm = i18n.T(ctx, "app.home.identity.calm")
		q, err := a.services.match.Queue(ctx)
		if err != nil || q.Waiting == 0 {
			return p, err
		}
		p.Count = int(q.Waiting)
		p.Items = []module.HomeItem{{Title: i18n.T(ctx, "app.home.identity.pairs", "count", q.Waiting), Href: "/customer/review"}}
		return p, nil
	}}}
}

// feedHome is the rows that feeds sent and nobody could take.
func (a *App) feedHome() []module.Home {
	return []module.Home{{Key: home.Feeds, Permission: quarantine.PermRead, Read: func(ctx context.Context) (module.HomePart, error) {
		p := part(ctx, home.Feeds, "/ingest/quarantine")
		p.Calm = i18n.T(ctx, "app.home.feeds.calm")
		groups, err := a.services.ingest.Quarantine.Groups(ctx, quarantine.Filter{})
		if err != nil {
			return p, err
		}
		p.Count = len(groups)
		for _, g := range groups[:min(homeItems, len(groups))] {
			p.Items = append(p.Items, module.HomeItem{Title: i18n.T(ctx, "app.home.feeds.rows", "count", g.N, "source", g.Source), Note: strings.ReplaceAll(string(g.Reason), "_", " ") + " " + g.Field, Href: "/ingest/quarantine"})
		}
		return p, nil
	}}}
}
