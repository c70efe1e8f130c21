package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/a-h/templ"

	"omote/internal/customer/segment"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
	"omote/internal/ui/svg"
)

// lifeView is what the board of the relationship's life shows.
type lifeView struct {
	l     *segment.Life
	total int64
	names map[string]string
}

func (p Pages) life(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	l, err := p.Segments.Life(ctx)
	if err != nil {
		return err
	}
	v := lifeView{l: l, names: map[string]string{"": i18n.T(ctx, "segment.life.unknown")}}
	risk := int64(0)
	for _, s := range l.States {
		v.total += s.Members
		v.names[s.Definition.ID] = s.Definition.Name.In(i18n.Locale(ctx))
	}
	in := int64(0)
	for _, m := range l.Moves {
		if m.From != m.To && v.stage(m.To) == segment.Keep && v.stage(m.From) == segment.Grow {
			risk += m.N
		}
		if m.From != m.To {
			in += m.N
		}
	}
	page := ui.Page{Title: i18n.T(ctx, "segment.life.title"), At: ui.NavSegments, Crumbs: crumbs(ctx)}
	switch {
	case l.At.IsZero():
		page.Finding = i18n.T(ctx, "segment.life.young", "n", v.total)
	default:
		page.Finding = i18n.T(ctx, "segment.life.finding", "moved", in, "n", v.total)
		page.Meta = []ui.Item{ui.Text(i18n.T(ctx, "segment.counted", "at", ui.When(ctx, l.At))), ui.Text(i18n.T(ctx, "segment.life.computed"))}
	}
	return ui.Render(w, r, lifePage(page, v))
}

func (v lifeView) stage(id string) segment.Stage {
	for _, s := range v.l.States {
		if s.Definition.ID == id {
			return s.Definition.Stage
		}
	}
	return ""
}

// of are the states of a stage.
func (v lifeView) of(stage segment.Stage) (out []segment.LifeState) {
	for _, s := range v.l.States {
		if s.Definition.Stage == stage {
			out = append(out, s)
		}
	}
	return out
}

func (v lifeView) stay(ctx context.Context, s segment.LifeState) string {
	if v.l.At.IsZero() || s.Members == 0 {
		return ""
	}
	if s.Weeks[1] >= 13 {
		return i18n.T(ctx, "segment.life.long")
	}
	return i18n.T(ctx, "segment.life.weeks", "median", s.Weeks[1], "low", s.Weeks[0], "high", s.Weeks[2])
}

func (v lifeView) share(ctx context.Context, n int64) string {
	if v.total == 0 {
		return ""
	}
	return i18n.Fmt(ctx).Percent(float64(n)/float64(v.total), 1)
}

// moves are the customers who changed their state, the most first.
func (v lifeView) moves() []segment.Move {
	out := slices.DeleteFunc(slices.Clone(v.l.Moves), func(m segment.Move) bool { return m.From == m.To || m.To == "" })
	slices.SortFunc(out, func(a, b segment.Move) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.From+a.To, b.From+b.To))
	})
	return out
}

func (v lifeView) table(ctx context.Context) ui.TableProps {
	f := i18n.Fmt(ctx)
	columns := []ui.Column{{Key: "from", Label: i18n.T(ctx, "segment.life.from")}, {Key: "to", Label: i18n.T(ctx, "segment.life.to")}, {Key: "n", Label: i18n.T(ctx, "segment.life.customers"), Numeric: true}}
	var rows []ui.Row
	for _, m := range v.moves() {
		rows = append(rows, ui.Row{Cells: []ui.Cell{{Text: v.names[m.From]}, {Text: v.names[m.To]}, {Text: f.Int(m.N)}}})
	}
	return ui.TableProps{ID: "moves", Label: i18n.T(ctx, "segment.life.moves"), Columns: columns, Rows: rows, Dense: true,
		Empty: ui.Empty(ui.EmptyProps{Kind: ui.EmptyGood, Title: i18n.T(ctx, "segment.life.still")})}
}

// sankey draws the states four weeks ago on the left and now on the right; the
// ribbons between them are customers. Those who stayed are pale.
func (v lifeView) sankey(ctx context.Context, width float64) templ.Component {
	const gap, bar, labels = 14.0, 10.0, 150.0
	height := 380.0
	if width < 500 {
		height = 460
	}
	c := svg.New(width, height)
	left, right := map[string]int64{}, map[string]int64{}
	var total int64
	for _, m := range v.l.Moves {
		if m.To == "" {
			continue
		}
		left[m.From] += m.N
		right[m.To] += m.N
		total += m.N
	}
	if total == 0 {
		return c.Component("sankey", "")
	}
	var order []string
	for _, s := range v.l.States {
		order = append(order, s.Definition.ID)
	}
	order = append(order, "")
	pad := labels
	if width < 500 {
		pad = 92
	}
	tall := (height - gap*float64(len(order))) / float64(total)
	place := func(n map[string]int64) map[string]float64 {
		at, y := map[string]float64{}, 4.0
		for _, id := range order {
			if n[id] > 0 {
				at[id] = y
				y += float64(n[id])*tall + gap
			}
		}
		return at
	}
	ly, ry := place(left), place(right)
	lo, ro := map[string]float64{}, map[string]float64{}
	x0, x1 := pad+bar, width-pad-bar
	f := i18n.Fmt(ctx)
	for _, from := range order {
		for _, to := range order {
			for _, m := range v.l.Moves {
				if m.From != from || m.To != to || to == "" {
					continue
				}
				h := float64(m.N) * tall
				a, b := ly[from]+lo[from], ry[to]+ro[to]
				lo[from], ro[to] = lo[from]+h, ro[to]+h
				class := "k-flow"
				if from == to {
					class = "k-loss"
				}
				mid := (x0 + x1) / 2
				d := fmt.Sprintf("M%s %sC%s %s %s %s %s %sV%sC%s %s %s %s %s %sZ", svg.Num(x0), svg.Num(a), svg.Num(mid), svg.Num(a), svg.Num(mid), svg.Num(b), svg.Num(x1), svg.Num(b),
					svg.Num(b+h), svg.Num(mid), svg.Num(b+h), svg.Num(mid), svg.Num(a+h), svg.Num(x0), svg.Num(a+h))
				c.Open("g")
				c.Title(v.names[from] + " → " + v.names[to] + ": " + f.Int(m.N))
				c.Path(class, d)
				c.Close("g")
			}
		}
	}
	side := func(n map[string]int64, at map[string]float64, x, tx float64, class string) {
		for _, id := range order {
			if n[id] == 0 {
				continue
			}
			h := max(float64(n[id])*tall, 1)
			c.Rect("fill-ink", x, at[id], bar, h)
			y := at[id] + h/2 + 4
			c.Text("lb "+class, tx, y, svg.Cut(v.names[id], 12, pad-50, false)+" "+f.Int(n[id]))
		}
	}
	side(left, ly, pad, pad-8, "a-e")
	side(right, ry, width-pad-bar, width-pad+8, "")
	return c.Component("sankey", i18n.T(ctx, "segment.life.moves"))
}
