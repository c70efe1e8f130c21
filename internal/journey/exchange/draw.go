package exchange

import (
	"fmt"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"

	"omote/internal/journey/blueprint"
	"omote/internal/platform/i18n/fmtx"
	"omote/internal/platform/typeface"
)

// The fonts cover Vietnamese with stacked marks.
var (
	plainTTF = typeface.Plain
	boldTTF  = typeface.Bold
)

// The drawing is a list of shapes in points; three writers paint it. Long maps
// are cut into bands of steps, one below the other, or one a page.
const (
	bandSteps  = 8
	labelWidth = 84.0
	stepWidth  = 118.0
	pad        = 5.0
	fontSize   = 8.5
	lineHeight = 11.5
	margin     = 24.0
	maxLines   = 12 // of a cell; the rest is cut and marked
)

// colour is a role of the palette for paper.
type colour uint8

const (
	ink colour = iota
	faint
	line
	wash
	gap
	tie
)

var colours = [...][3]uint8{{0x13, 0x22, 0x2B}, {0x5A, 0x68, 0x6E}, {0xC4, 0xCE, 0xC8}, {0xE6, 0xEB, 0xE7}, {0xFB, 0xE7, 0xDD}, {0x62, 0x93, 0xB9}}

// shape is a filled box, a line (no height or width), or a line of text.
type shape struct {
	x, y, w, h float64
	fill       colour
	text       string
	size       float64
	bold       bool
}

// band is a part of the drawing that stays together.
type band struct {
	shapes []shape
	w, h   float64
}

// words are the row labels in both languages.
var words = map[string][2]string{
	"step": {"Step", "Bước"}, "wait": {"Longest wait", "Chờ tối đa"}, "who": {"Who, where", "Ai, ở đâu"}, "events": {"Events", "Sự kiện"}, "none": {"none", "không có"}, "empty": {"empty", "trống"},
	"unbound": {"not bound", "chưa gắn"}, "optional": {"optional", "tuỳ chọn"}, "alternative": {"alternative", "chọn một"}, "parallel": {"in any order", "song song"}, "loop": {"may repeat", "lặp lại"},
	"customer": {"customer", "khách hàng"}, "staff": {"staff", "nhân viên"}, "system": {"system", "hệ thống"}, "partner": {"partner", "đối tác"},
	"customer_action": {"Customer does", "Khách làm"}, "front_stage": {"Front stage", "Mặt trước"}, "back_stage": {"Back stage", "Sau cánh gà"}, "systems": {"Systems", "Hệ thống"},
	"policy": {"Policy, control", "Chính sách"}, "people": {"People, skills", "Người, kỹ năng"}, "partner_layer": {"Partner", "Đối tác"},
}

func word(key, locale string) string {
	w := words[key]
	if strings.HasPrefix(locale, "vi") {
		return w[1]
	}
	return w[0]
}

// faces measure text. A face keeps state, so they are taken one at a time.
type faces struct {
	mu          sync.Mutex
	plain, bold font.Face
}

var measure = sync.OnceValues(func() (*faces, error) {
	plain, err := face(plainTTF, fontSize)
	if err != nil {
		return nil, err
	}
	bold, err := face(boldTTF, fontSize)
	return &faces{plain: plain, bold: bold}, err
})

func face(ttf []byte, size float64) (font.Face, error) {
	f, err := opentype.Parse(ttf)
	if err != nil {
		return nil, fmt.Errorf("read the font: %w", err)
	}
	return opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72})
}

func (f *faces) width(s string, bold bool) float64 {
	face := f.plain
	if bold {
		face = f.bold
	}
	return float64(font.MeasureString(face, s)) / 64
}

// wrap breaks a text into lines of a width; words longer than a line are cut.
func (f *faces) wrap(text string, width float64, bold bool) (out []string) {
	for _, par := range strings.Split(clean(text), "\n") {
		now := ""
		for _, w := range strings.Fields(par) {
			for f.width(w, bold) > width {
				r := []rune(w)
				n := len(r) - 1
				for n > 1 && f.width(string(r[:n]), bold) > width {
					n--
				}
				if now != "" {
					out, now = append(out, now), ""
				}
				out, w = append(out, string(r[:n])), string(r[n:])
			}
			if now == "" {
				now = w
			} else if f.width(now+" "+w, bold) <= width {
				now += " " + w
			} else {
				out, now = append(out, now), w
			}
		}
		if now != "" {
			out = append(out, now)
		}
	}
	if len(out) > maxLines {
		out = append(out[:maxLines-1], "…")
	}
	return out
}

// clean takes control characters away, which no drawing can show.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' {
			return ' '
		}
		return r
	}, s)
}

type drawnCell struct {
	lines  []string
	fill   colour
	filled bool
	bold   bool
	faint  bool
}

// draw lays the map out.
func draw(d *blueprint.Document, locale string) ([]band, error) {
	f, err := measure()
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	format := fmtx.For(locale)
	steps := d.Steps()
	stageOf := map[string]*blueprint.Stage{}
	for i := range d.Stages {
		for j := range d.Stages[i].Steps {
			stageOf[d.Stages[i].Steps[j].ID] = &d.Stages[i]
		}
	}
	var out []band
	for from := 0; from < len(steps) || from == 0; from += bandSteps {
		part := steps[from:min(len(steps), from+bandSteps)]
		out = append(out, f.band(d, part, from, stageOf, locale, format))
	}
	return out, nil
}

func (f *faces) band(d *blueprint.Document, steps []*blueprint.Step, from int, stageOf map[string]*blueprint.Stage, locale string, format fmtx.Formatter) band {
	b := band{w: labelWidth + stepWidth*float64(max(1, len(steps)))}
	text := func(x, y float64, s string, c colour, bold bool, size float64) {
		b.shapes = append(b.shapes, shape{x: x, y: y, text: s, fill: c, bold: bold, size: size})
	}
	y := 0.0
	text(0, y+13, say(d.Name, locale), ink, true, 13)
	y += 20
	if p := say(d.Promise, locale); p != "" && from == 0 {
		for _, l := range f.wrap("“"+p+"”", b.w, false) {
			text(0, y+lineHeight-3, l, faint, false, fontSize)
			y += lineHeight
		}
		y += 4
	}
	for i, s := range steps { // the head of stages
		if i == 0 || stageOf[s.ID] != stageOf[steps[i-1].ID] {
			text(labelWidth+float64(i)*stepWidth+pad, y+lineHeight-2, cutTo(f, say(stageOf[s.ID].Name, locale), stepWidth-2*pad), ink, true, fontSize)
		}
	}
	y += lineHeight + 4
	b.shapes = append(b.shapes, shape{x: labelWidth, y: y, w: b.w - labelWidth, fill: ink})
	row := func(label string, cell func(i int, s *blueprint.Step) drawnCell) {
		cells, height := make([]drawnCell, len(steps)), 1
		for i, s := range steps {
			cells[i] = cell(i, s)
			height = max(height, len(cells[i].lines))
		}
		h := float64(height)*lineHeight + 2*pad
		text(0, y+pad+lineHeight-3, label, faint, false, fontSize)
		for i, c := range cells {
			x := labelWidth + float64(i)*stepWidth
			if c.filled {
				b.shapes = append(b.shapes, shape{x: x + .5, y: y + .5, w: stepWidth - 1, h: h - 1, fill: c.fill})
			}
			for k, l := range c.lines {
				shade := ink
				if c.faint {
					shade = faint
				}
				text(x+pad, y+pad+float64(k+1)*lineHeight-3, l, shade, c.bold && k > 0 || c.bold && len(c.lines) == 1, fontSize)
			}
			b.shapes = append(b.shapes, shape{x: x, y: y, h: h, fill: line})
		}
		y += h
		b.shapes = append(b.shapes, shape{x: 0, y: y, w: b.w, fill: line})
	}
	width := stepWidth - 2*pad
	row(word("step", locale), func(i int, s *blueprint.Step) drawnCell {
		head := fmt.Sprint(from + i + 1)
		if s.Optional {
			head += " · " + word("optional", locale)
		}
		g := d.GroupOf(s)
		if g.ID != "" {
			head += " · " + word(string(g.Mode), locale)
		}
		return drawnCell{lines: append([]string{head}, f.wrap(orID(say(s.Name, locale), s.ID), width, true)...), bold: true, filled: g.ID != "", fill: wash}
	})
	row(word("wait", locale), func(_ int, s *blueprint.Step) drawnCell {
		if s.MaxWait == 0 {
			return drawnCell{}
		}
		return drawnCell{lines: f.wrap("≤ "+format.Duration(durationOf(s.MaxWait)), width, false)}
	})
	row(word("who", locale), func(_ int, s *blueprint.Step) drawnCell {
		who := strings.Join(trimmed(append([]string{word(string(s.Actor), locale)}, s.Channels...)), ", ")
		return drawnCell{lines: f.wrap(who, width, false)}
	})
	for _, l := range blueprint.Layers {
		key := string(l)
		if l == blueprint.LayerPartner {
			key = "partner_layer"
		}
		row(word(key, locale), func(_ int, s *blueprint.Step) drawnCell {
			c := s.Layers[l]
			switch {
			case c.None:
				return drawnCell{lines: []string{word("none", locale)}, faint: true}
			case c.Empty():
				return drawnCell{lines: []string{word("empty", locale)}, filled: true, fill: gap, faint: true}
			}
			return drawnCell{lines: f.wrap(c.Text, width, false)}
		})
	}
	row(word("events", locale), func(_ int, s *blueprint.Step) drawnCell {
		if len(s.Events) == 0 && !s.Unseen {
			return drawnCell{lines: []string{word("unbound", locale)}, filled: true, fill: gap, faint: true}
		}
		return drawnCell{lines: f.wrap(strings.Join(s.Events, "\n"), width, false), faint: true}
	})
	b.h = y
	return b
}

func orID(name, id string) string {
	if name == "" {
		return id
	}
	return name
}

func cutTo(f *faces, s string, width float64) string {
	lines := f.wrap(s, width, true)
	if len(lines) == 0 {
		return ""
	}
	return lines[0]
}
