// Package svg writes the drawings of charts and maps: a thin builder over text,
// with the scales, ticks and text widths that laying out needs.
//
// A Canvas collects elements; every look comes from a class of the style sheet
// (k-line, k-band, …), so one drawing serves light, dark and print. Lengths are
// CSS pixels with one decimal. Text is escaped. Nothing here reads the clock or
// the network.
//
// Files: svg.go (Canvas), scale.go (Linear, Ticks), measure.go (text widths,
// line breaks, label placement).
package svg

import (
	"context"
	"html"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// Canvas is a drawing of fixed size.
type Canvas struct {
	W, H float64
	b    strings.Builder
}

// New begins a drawing.
func New(w, h float64) *Canvas { return &Canvas{W: w, H: h} }

// Num writes a length with at most one decimal.
func Num(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "0"
	}
	text := strconv.FormatFloat(x, 'f', 1, 64)
	text = strings.TrimSuffix(text, ".0")
	if text == "-0" {
		return "0"
	}
	return text
}

// Attr is one attribute of an element. Width, height and positions are numbers;
// text values are escaped.
type Attr struct{ Name, Value string }

// N is a numeric attribute.
func N(name string, x float64) Attr { return Attr{name, Num(x)} }

// S is a text attribute.
func S(name, value string) Attr { return Attr{name, value} }

// Open begins a group that Close ends.
func (c *Canvas) Open(tag string, attrs ...Attr) {
	c.b.WriteString("<" + tag)
	c.attrs(attrs)
	c.b.WriteString(">")
}

// Close ends what Open began.
func (c *Canvas) Close(tag string) { c.b.WriteString("</" + tag + ">") }

// Add writes an element without content.
func (c *Canvas) Add(tag string, attrs ...Attr) {
	c.b.WriteString("<" + tag)
	c.attrs(attrs)
	c.b.WriteString("/>")
}

func (c *Canvas) attrs(attrs []Attr) {
	for _, a := range attrs {
		if a.Value == "" && a.Name == "class" {
			continue
		}
		c.b.WriteString(" " + a.Name + `="` + html.EscapeString(a.Value) + `"`)
	}
}

// Path draws a path.
func (c *Canvas) Path(class, d string, attrs ...Attr) {
	c.Add("path", append([]Attr{S("class", class), S("d", d)}, attrs...)...)
}

// Line draws a straight line.
func (c *Canvas) Line(class string, x1, y1, x2, y2 float64) {
	c.Path(class, "M"+Num(x1)+" "+Num(y1)+"L"+Num(x2)+" "+Num(y2))
}

// Rect draws a rectangle; negative sizes draw nothing.
func (c *Canvas) Rect(class string, x, y, w, h float64, attrs ...Attr) {
	if w < 0 || h < 0 {
		return
	}
	c.Add("rect", append([]Attr{S("class", class), N("x", x), N("y", y), N("width", w), N("height", h)}, attrs...)...)
}

// Circle draws a circle.
func (c *Canvas) Circle(class string, x, y, r float64, attrs ...Attr) {
	c.Add("circle", append([]Attr{S("class", class), N("cx", x), N("cy", y), N("r", r)}, attrs...)...)
}

// Diamond draws the mark of a change for the worse, r from centre to corner.
func (c *Canvas) Diamond(class string, x, y, r float64) {
	n := Num(r)
	c.Path(class, "M"+Num(x)+" "+Num(y-r)+"l"+n+" "+n+"-"+n+" "+n+"-"+n+"-"+n+"z")
}

// Text writes text; the class may set its anchor (a-m middle, a-e end).
func (c *Canvas) Text(class string, x, y float64, text string, attrs ...Attr) {
	c.Open("text", append([]Attr{S("class", class), N("x", x), N("y", y)}, attrs...)...)
	c.b.WriteString(html.EscapeString(text))
	c.Close("text")
}

// Title names the group it stands in, for pointer and screen reader.
func (c *Canvas) Title(text string) {
	c.b.WriteString("<title>" + html.EscapeString(text) + "</title>")
}

// Component is the finished drawing. label says its finding; without one the
// drawing is hidden from screen readers, for marks beside words.
func (c *Canvas) Component(class, label string) templ.Component {
	text := c.String(class, label)
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}

// String is the finished drawing as text.
func (c *Canvas) String(class, label string) string {
	var b strings.Builder
	b.WriteString("<svg")
	if class != "" {
		b.WriteString(` class="` + html.EscapeString(class) + `"`)
	}
	b.WriteString(` width="` + Num(c.W) + `" height="` + Num(c.H) + `" viewBox="0 0 ` + Num(c.W) + " " + Num(c.H) + `"`)
	if label == "" {
		b.WriteString(` aria-hidden="true">`)
	} else {
		b.WriteString(` role="img" aria-label="` + html.EscapeString(label) + `">`)
	}
	b.WriteString(c.b.String())
	b.WriteString("</svg>")
	return b.String()
}

// Polyline is a path through points; a NaN coordinate lifts the pen.
func Polyline(xs, ys []float64) string {
	var b strings.Builder
	down := false
	for i := range xs {
		if math.IsNaN(xs[i]) || math.IsNaN(ys[i]) {
			down = false
			continue
		}
		if down {
			b.WriteByte('L')
		} else {
			b.WriteByte('M')
		}
		down = true
		b.WriteString(Num(xs[i]) + " " + Num(ys[i]))
	}
	return b.String()
}

// Ribbon is the area between two lines over the same xs; where either is NaN the
// area is interrupted.
func Ribbon(xs, low, high []float64) string {
	var b strings.Builder
	for i := 0; i < len(xs); {
		if math.IsNaN(low[i]) || math.IsNaN(high[i]) {
			i++
			continue
		}
		j := i
		for j < len(xs) && !math.IsNaN(low[j]) && !math.IsNaN(high[j]) {
			j++
		}
		if j-i > 1 {
			b.WriteString(Polyline(xs[i:j], high[i:j]))
			for k := j - 1; k >= i; k-- {
				b.WriteString("L" + Num(xs[k]) + " " + Num(low[k]))
			}
			b.WriteByte('Z')
		}
		i = j
	}
	return b.String()
}
