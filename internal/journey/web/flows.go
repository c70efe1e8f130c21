package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"omote/analytics/mining"
	"omote/internal/journey/definition"
	"omote/internal/journey/observed"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// flowRoutes are the ways to look at what happened in one journey. All carry the
// same filters in their addresses.
func (p Pages) flowRoutes(r *httpx.Router) {
	for _, x := range []struct {
		view string
		show httpx.Handler
	}{{"funnel", p.funnelPage}, {"variants", p.variantsPage}, {"compare", p.comparePage}, {"handoffs", p.handoffsPage}, {"channels", p.channelsPage},
		{"now", p.nowPage}, {"replay", p.replayPage}, {"cases", p.casesPage}} {
		r.Handle("GET /journey/observed/{journey}/"+x.view, definition.PermRead, x.show)
	}
}

// views are the tabs over a journey, the map first.
var views = []string{"", "funnel", "variants", "compare", "handoffs", "channels", "now", "replay", "cases", "feeling"}

// filterParams are the parameters of an address that choose cases; they go along
// from view to view.
var filterParams = []string{"from", "to", "channel", "product", "unit", "segment", "with", "without", "begins", "ends", "passing", "longer", "shorter", "outcome", "way", "import", "order", "hide", "by", "silence"}

// flowHead is what stands over each view.
type flowHead struct {
	Tabs  []ui.Tab
	Chips ui.FiltersProps
	Empty bool
	All   string // address without filters
}

// filtersOf keeps the parameters that choose cases.
func filtersOf(q url.Values) url.Values {
	out := url.Values{}
	for _, name := range filterParams {
		for _, v := range q[name] {
			if v != "" {
				out.Add(name, v)
			}
		}
	}
	return out
}

func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// viewPath is the address of a view of a journey with the filters of q.
func viewPath(journey, view string, q url.Values) string {
	path := journeyPath(journey)
	if view != "" {
		path += "/" + view
	}
	return withQuery(path, q)
}

func (p Pages) tabs(ctx context.Context, journey, current string, q url.Values) []ui.Tab {
	var out []ui.Tab
	for _, v := range views {
		name := v
		if v == "" {
			name = "map"
		}
		filters := filtersOf(q)
		if v == "feeling" { // over all cases of all time
			filters = nil
		}
		out = append(out, ui.Tab{Label: i18n.T(ctx, "observed.tab."+name), Href: viewPath(journey, v, filters), Current: v == current})
	}
	return out
}

// head prepares tabs and chips of a view.
func (p Pages) head(r *http.Request, s *observed.Slice, view string) flowHead {
	ctx, q := r.Context(), r.URL.Query()
	return flowHead{Tabs: p.tabs(ctx, s.Query.Journey, view, q), Chips: p.filterChips(ctx, viewPath(s.Query.Journey, view, nil), q, s),
		Empty: s.Log.Cases() == 0, All: viewPath(s.Query.Journey, view, nil)}
}

// filterChips are the filters in force, each with its way out and what it does:
// how many cases there would be without it alone.
func (p Pages) filterChips(ctx context.Context, path string, q url.Values, s *observed.Slice) ui.FiltersProps {
	var out ui.FiltersProps
	f := i18n.Fmt(ctx)
	alone := map[string]int{}
	for i, step := range s.Filters {
		if i < len(s.Alone) {
			alone[step.Name] = s.Alone[i] - s.Log.Cases()
		}
	}
	for _, param := range filterParams {
		for _, value := range q[param] {
			if value == "" {
				continue
			}
			text := i18n.T(ctx, "journey.filter."+param, "value", p.shown(ctx, param, value))
			if n := alone[filterOf(param)]; n > 0 {
				text += " (" + i18n.T(ctx, "observed.filter.alone", "count", f.Int(int64(n))) + ")"
			}
			rest := url.Values{}
			for k, values := range q {
				if k == param {
					values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == value })
				}
				if len(values) > 0 {
					rest[k] = values
				}
			}
			out.Chips = append(out.Chips, ui.ChipProps{Label: text, RemoveHref: withQuery(path, rest)})
		}
	}
	if len(s.Filters) > 0 {
		out.Remark = i18n.T(ctx, "journey.filter.left", "left", s.Log.Cases(), "all", s.Whole.Cases())
	}
	return out
}

// filterOf is the filter that a parameter belongs to.
func filterOf(param string) string {
	switch param {
	case "from", "to":
		return "period"
	case "longer", "shorter":
		return "lasting"
	}
	return param
}

// shown writes a value of a filter as people call it.
func (p Pages) shown(ctx context.Context, param, value string) string {
	switch param {
	case "with", "without", "begins", "ends", "hide":
		return p.Label(ctx, value)
	case "passing":
		a, b, _ := strings.Cut(value, ">")
		return p.Label(ctx, a) + " → " + p.Label(ctx, b)
	case "outcome":
		return i18n.T(ctx, "journey.outcome."+value)
	case "segment":
		return p.segmentName(ctx, value)
	case "unit":
		if name := p.unitNames(ctx)[value]; name != "" {
			return name
		}
	case "by":
		return i18n.T(ctx, "observed.by."+value)
	case "longer", "shorter", "silence":
		if h, err := strconv.ParseFloat(value, 64); err == nil {
			return i18n.Fmt(ctx).Duration(time.Duration(h * float64(time.Hour)))
		}
	}
	return value
}

// slice reads the part of the journey that the address chooses.
func (p Pages) slice(r *http.Request) (*observed.Slice, error) {
	q, err := p.queryOf(r)
	if err != nil {
		return nil, err
	}
	return p.Observed.Slice(r.Context(), q)
}

// flowPage makes the page of a view.
func (p Pages) flowPage(ctx context.Context, s *observed.Slice, title, finding string) ui.Page {
	name := p.nameOf(ctx, s)
	page := ui.Page{Title: i18n.T(ctx, title, "name", name), At: ui.NavJourneys, Finding: finding,
		Crumbs: []ui.Link{{Label: i18n.T(ctx, "journey.list.title"), Href: listPath}, {Label: name, Href: journeyPath(s.Query.Journey)}}}
	if s.Log.Cases() == 0 {
		page.Finding = i18n.T(ctx, "journey.finding.none")
		return page
	}
	first, last, _ := s.Log.TimeRange()
	page.Meta = []ui.Item{
		ui.Text(i18n.T(ctx, "observed.meta.cases", "count", s.Log.Cases())),
		ui.Text(i18n.Fmt(ctx).DayRange(time.UnixMicro(first).In(p.Zone), time.UnixMicro(last).In(p.Zone))),
		ui.Text(i18n.T(ctx, "journey.meta.read", "at", ui.When(ctx, s.ReadAt))),
	}
	return page
}

func (p Pages) nameOf(ctx context.Context, s *observed.Slice) string {
	if s.Query.Journey == observed.AllJourneys {
		return i18n.T(ctx, "observed.all")
	}
	return s.Definition.Name.In(i18n.Locale(ctx))
}

// activityName names an activity of a log.
func (p Pages) activityName(ctx context.Context, l *mining.Log, a int32) string {
	return p.Label(ctx, l.Activities().Name(a))
}

// unitNames names the units, by code; what has no name keeps its code.
func (p Pages) unitNames(ctx context.Context) map[string]string {
	if p.Units == nil {
		return nil
	}
	names, err := p.Units(ctx)
	if err != nil {
		return nil // codes will do
	}
	return names
}

// segmentOptions are the segments that cases can be chosen by.
func (p Pages) segmentOptions(ctx context.Context) (out []ui.Option) {
	list, err := p.Observed.Segments(ctx)
	if err != nil {
		return nil // without the right to know of segments there is nothing to choose
	}
	for _, s := range list {
		out = append(out, ui.Option{Value: s.ID, Label: s.Name.In(i18n.Locale(ctx))})
	}
	slices.SortFunc(out, func(a, b ui.Option) int { return strings.Compare(a.Label, b.Label) })
	return out
}

func (p Pages) segmentName(ctx context.Context, id string) string {
	for _, o := range p.segmentOptions(ctx) {
		if o.Value == id {
			return o.Label
		}
	}
	return id
}

// csvColumns are columns of a CSV with plain names.
func csvColumns(names ...string) (out []ui.Column) {
	for _, n := range names {
		out = append(out, ui.Column{Label: n})
	}
	return out
}

func num(x float64) string { return strconv.FormatFloat(x, 'g', 8, 64) }

// hours reads a parameter in hours.
func hours(q url.Values, name string) time.Duration {
	h, err := strconv.ParseFloat(strings.Replace(q.Get(name), ",", ".", 1), 64)
	if err != nil || h <= 0 || h > 24*366*5 {
		return 0
	}
	return time.Duration(h * float64(time.Hour))
}

// pairs are parameters as names and values, in a stable order.
func pairs(q url.Values) (out [][2]string) {
	for name, values := range q {
		for _, value := range values {
			out = append(out, [2]string{name, value})
		}
	}
	slices.SortFunc(out, func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) })
	return out
}
