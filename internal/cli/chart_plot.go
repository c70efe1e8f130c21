package cli

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strings"

	"omote/analytics/spc"
)

const (
	plotMost   = 24 // series drawn at most
	plotWidth  = 760.0
	plotHeight = 150.0
	plotLeft   = 56.0
	plotRight  = 12.0
	plotGap    = 34.0
)

// plotChart draws the series that signalled, or the first ones when none did,
// one below the other: values, centre, band, onset intervals and signals.
func plotChart(d *chartData, results []spc.Result, lang spc.Language) []byte {
	var shown []int
	for i := range results {
		if len(results[i].Signals) > 0 && len(shown) < plotMost {
			shown = append(shown, i)
		}
	}
	if len(shown) == 0 {
		for i := range min(3, len(results)) {
			shown = append(shown, i)
		}
	}
	height := plotGap + float64(len(shown))*(plotHeight+plotGap)
	var b bytes.Buffer
	title, band := "Series with signals", "band of what chance explains"
	if lang == spc.Vietnamese {
		title, band = "Các chuỗi có tín hiệu", "vùng biến động ngẫu nhiên"
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" role="img" font-family="system-ui,sans-serif" font-size="11">`+"\n", plotWidth, height)
	fmt.Fprintf(&b, "<title>%s</title>\n<style>.v{fill:none;stroke:#334155;stroke-width:1}.c{fill:none;stroke:#0f766e;stroke-width:1.2}.b{fill:#0f766e;fill-opacity:.12}.o{fill:#b45309;fill-opacity:.2}.s{stroke:#b91c1c;stroke-width:1.5}text{fill:#334155}</style>\n", title)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/><text x="%g" y="18">%s · <tspan fill="#0f766e">%s</tspan></text>`+"\n", plotLeft, title, band)
	for k, i := range shown {
		plotOne(&b, d, &d.series[i], &results[i], plotGap+float64(k)*(plotHeight+plotGap), lang)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func plotOne(b *bytes.Buffer, d *chartData, s *spc.Series, r *spc.Result, top float64, lang spc.Language) {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, p := range r.Points {
		for _, v := range []float64{p.Value, p.Low, p.High} {
			if !math.IsNaN(v) {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
	}
	if !(hi > lo) {
		lo, hi = lo-1, hi+1
	}
	n := float64(max(1, len(r.Points)-1))
	x := func(i int) float64 { return plotLeft + float64(i)/n*(plotWidth-plotLeft-plotRight) }
	y := func(v float64) float64 { return top + (hi-v)/(hi-lo)*plotHeight }
	fmt.Fprintf(b, "<g><text x=\"%g\" y=\"%g\" font-weight=\"600\">%s</text>\n", plotLeft, top-4, html.EscapeString(s.Name))
	for _, g := range r.Signals {
		from, to := indexOf(r, g.OnsetLow.Unix()), indexOf(r, g.OnsetHigh.Unix())
		fmt.Fprintf(b, `<rect class="o" x="%.1f" y="%.1f" width="%.1f" height="%g"/>`, x(from), top, max(2, x(to)-x(from)), plotHeight)
	}
	b.WriteString(plotBand(r, x, y))
	plotLine(b, "c", r, x, y, func(p spc.PointResult) float64 { return p.Center })
	plotLine(b, "v", r, x, y, func(p spc.PointResult) float64 { return p.Value })
	for _, g := range r.Signals {
		fmt.Fprintf(b, `<line class="s" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"><title>%s</title></line>`+"\n",
			x(g.Index), x(g.Index), top, top+plotHeight, html.EscapeString(spc.Words(g, lang)))
	}
	for _, v := range []float64{lo, hi} {
		fmt.Fprintf(b, `<text x="%g" y="%.1f" text-anchor="end">%.4g</text>`, plotLeft-6, y(v)+4, v)
	}
	if len(r.Points) > 0 {
		fmt.Fprintf(b, `<text x="%g" y="%.1f">%s</text><text x="%g" y="%.1f" text-anchor="end">%s</text>`,
			plotLeft, top+plotHeight+14, d.when(r.Points[0].Time), plotWidth-plotRight, top+plotHeight+14, d.when(r.Points[len(r.Points)-1].Time))
	}
	b.WriteString("</g>\n")
}

func plotBand(r *spc.Result, x func(int) float64, y func(float64) float64) string {
	var up, down []string
	for i, p := range r.Points {
		if !math.IsNaN(p.Low) {
			up = append(up, fmt.Sprintf("%.1f,%.1f", x(i), y(p.High)))
			down = append(down, fmt.Sprintf("%.1f,%.1f", x(i), y(p.Low)))
		}
	}
	if len(up) == 0 {
		return ""
	}
	for i, j := 0, len(down)-1; i < j; i, j = i+1, j-1 {
		down[i], down[j] = down[j], down[i]
	}
	return `<polygon class="b" points="` + strings.Join(append(up, down...), " ") + "\"/>\n"
}

func plotLine(b *bytes.Buffer, class string, r *spc.Result, x func(int) float64, y func(float64) float64, of func(spc.PointResult) float64) {
	fmt.Fprintf(b, `<path class="%s" d="`, class)
	pen := "M"
	for i, p := range r.Points {
		v := of(p)
		if math.IsNaN(v) {
			pen = "M"
			continue
		}
		fmt.Fprintf(b, "%s%.1f %.1f", pen, x(i), y(v))
		pen = "L"
	}
	b.WriteString("\"/>\n")
}

func indexOf(r *spc.Result, unix int64) int {
	for i := range r.Points {
		if r.Points[i].Time.Unix() >= unix {
			return i
		}
	}
	return max(0, len(r.Points)-1)
}
