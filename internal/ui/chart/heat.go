package chart

import (
	"context"
	"fmt"
	"math"

	"github.com/a-h/templ"

	"omote/internal/ui/svg"
)

// HeatCell is one pair of a heat map. Value NaN leaves the cell empty.
type HeatCell struct {
	Value float64
	Text  string // what stands in the cell, short
	Title string // the whole sentence, for pointer and screen reader
}

// HeatProps describes a matrix of pairs: rows hand over to columns. The number
// stands in every cell; the shade only helps the eye.
type HeatProps struct {
	ID       string
	Label    string
	Names    []string     // of both rows and columns
	Cells    [][]HeatCell // by row and column
	RowName  string       // "from ↓"
	ColName  string       // "to →"
	Caption  string
	TableTop []string   // head of the table behind
	Table    [][]string // its rows
}

// Heat draws the matrix. On a phone it scrolls in its own box.
func Heat(p HeatProps) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w writer) error {
		if len(p.Names) == 0 {
			return nil
		}
		f := figure{id: p.ID, kind: "heat", label: p.Label, caption: p.Caption, desk: p.draw(deskWidth(12), false), phone: p.draw(PhoneWidth, true),
			table: table{head: p.TableTop, rows: p.Table}}
		return frame(f).Render(ctx, w)
	})
}

func (p *HeatProps) draw(width float64, phone bool) templ.Component {
	left, size, row := 40.0, 11.0, 34.0
	if phone {
		row = 26
	}
	for _, n := range p.Names {
		left = max(left, 10+svg.Width(n, size, false))
	}
	left = min(left, width*0.3)
	top := 44.0
	c := svg.New(width, top+row*float64(len(p.Names))+4)
	cell := (width - left - 4) / float64(len(p.Names))
	most := 0.0
	for _, r := range p.Cells {
		for _, x := range r {
			if !math.IsNaN(x.Value) {
				most = max(most, x.Value)
			}
		}
	}
	c.Text("", 0, top-8, p.RowName)
	c.Text("a-e", width-4, 12, p.ColName)
	for k, n := range p.Names {
		c.Text("a-m", left+cell*(float64(k)+0.5), top-8, svg.Cut(n, size, cell-4, false))
	}
	for i, n := range p.Names {
		y := top + row*float64(i)
		c.Text("a-e", left-8, y+row/2+4, svg.Cut(n, size, left-10, false))
		for k := range p.Names {
			x, at := left+cell*float64(k), p.Cells[i][k]
			if math.IsNaN(at.Value) {
				if i == k {
					c.Line("h-self", x+6, y+row-6, x+cell-8, y+6)
				}
				continue
			}
			shade := 1
			if most > 0 { // the fourth colour of the ramp carries no text that can be read
				shade = [...]int{1, 2, 3, 5}[min(int(4*at.Value/most), 3)]
			}
			c.Open("g")
			c.Title(at.Title)
			c.Rect(fmt.Sprintf("k-h%d", shade), x+1, y+1, cell-3, row-3)
			class := "h-t"
			if shade > 3 {
				class += " h-on"
			}
			if text := svg.Cut(at.Text, size, cell-4, false); text == at.Text || !phone {
				c.Text(class, x+cell/2, y+row/2+4, text)
			}
			c.Close("g")
		}
	}
	return c.Component("", p.Label)
}
