package board

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"unicode"

	"codeberg.org/go-pdf/fpdf"

	"omote/internal/platform/i18n"
	"omote/internal/platform/typeface"
	"omote/internal/ui"
)

// The paper: A4 upright, in points.
const (
	pageWidth  = 595.28
	pageBottom = 842 - 54.0
	pageEdge   = 48.0
	textWidth  = pageWidth - 2*pageEdge
)

// sheetPDF draws the pack for one language. All figures stand on it with their
// intervals, in the order of the page.
type sheetPDF struct {
	ctx context.Context
	pdf *fpdf.Fpdf
}

// PDF is the pack as a file of one or more sheets, in the language of the context. It
// is made here, without a browser.
func (p Pages) PDF(ctx context.Context, pack Pack) ([]byte, error) {
	pdf := fpdf.New("P", "pt", "A4", "")
	pdf.SetCreationDate(pack.Made)
	pdf.SetModificationDate(pack.Made)
	pdf.SetCatalogSort(true)
	pdf.SetTitle(i18n.T(ctx, "report.board.title"), true)
	pdf.SetAuthor(p.Bank, true)
	pdf.SetLang(i18n.Locale(ctx))
	pdf.SetMargins(pageEdge, pageEdge, pageEdge)
	pdf.SetAutoPageBreak(false, 0)
	pdf.AddUTF8FontFromBytes("t", "", typeface.Plain)
	pdf.AddUTF8FontFromBytes("t", "B", typeface.Bold)
	day := i18n.Fmt(ctx).Date(pack.Made)
	pdf.SetFooterFunc(func() {
		pdf.SetY(842 - 36)
		pdf.SetFont("t", "", 7.5)
		pdf.SetTextColor(90, 100, 105)
		pdf.CellFormat(textWidth-60, 10, i18n.T(ctx, "report.board.foot")+" "+day, "", 0, "L", false, 0, "")
		pdf.CellFormat(60, 10, fmt.Sprint(pdf.PageNo()), "", 0, "R", false, 0, "")
	})
	pdf.AddPage()
	s := &sheetPDF{ctx: ctx, pdf: pdf}
	s.text(8.5, false, 11, p.Bank+" · "+day+" · "+i18n.T(ctx, "report.board.live"))
	s.text(18, true, 24, i18n.T(ctx, "report.board.title"))
	s.text(11.5, false, 16, ui.PlainText(p.finding(ctx, pack)))
	p.money(s, pack)
	p.promises(s, pack)
	p.open(s, pack)
	p.foresight(s, pack)
	p.campaigns(s, pack)
	p.unknown(s, pack)
	var out bytes.Buffer
	if err := pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("board: write the file: %w", err)
	}
	return out.Bytes(), nil
}

func (p Pages) money(s *sheetPDF, pack Pack) {
	s.head(s.t("ledger"), s.t("ledger.meta"))
	l := pack.Ledger
	s.text(22, true, 28, p.short(s.ctx, l.Booked))
	s.text(9.5, false, 13, i18n.T(s.ctx, "report.board.ledger.text", "expected", p.short(s.ctx, l.Expected), "lower", p.short(s.ctx, l.Lower), "count", l.Lines))
}

func (p Pages) promises(s *sheetPDF, pack Pack) {
	ctx := s.ctx
	s.head(s.t("promises"), s.t("promises.meta"))
	wide := []float64{168, 134, 66, 68, textWidth - 436}
	s.row(wide, true, s.t("measure"), s.t("now"), s.t("promise"), s.t("state"), s.t("money"))
	for _, one := range pack.Promises() {
		s.row(wide, true, say(ctx, one.Body.Title), "", "", "", p.short(ctx, one.Booked))
		for _, m := range one.Measures {
			r, booked := pack.Now[m.Body.Metric], ""
			now := "–"
			if r.Known {
				now = figure(ctx, r.Unit, r.Value) + "\n" + interval(ctx, r)
			}
			if m.Booked != 0 {
				booked = p.short(ctx, m.Booked)
			}
			s.row(wide, false, say(ctx, m.Body.Title), now, target(ctx, r, m.Body.Target), stateOf(r.State).Word(ctx), booked)
		}
	}
}

func (p Pages) open(s *sheetPDF, pack Pack) {
	ctx := s.ctx
	s.head(s.t("signals"), fmt.Sprint(len(pack.Signals)))
	if len(pack.Signals) == 0 {
		s.text(9.5, false, 13, s.t("signals.none"))
	}
	for _, one := range pack.Signals[:min(len(pack.Signals), maxSignals)] {
		s.row([]float64{200, 130, textWidth - 330}, false, signalName(ctx, one)+"\n"+signalMove(ctx, one), s.t("signal."+string(one.State)), p.worth(ctx, one))
	}
}

func (p Pages) foresight(s *sheetPDF, pack Pack) {
	ctx := s.ctx
	s.head(s.t("decisions"), "")
	s.text(9.5, false, 13, verdict(ctx, pack))
	for _, d := range pack.Scored {
		word := s.t("missed")
		if d.Body.Outcome.Held {
			word = s.t("held")
		}
		s.row([]float64{200, textWidth - 300, 100}, false, say(ctx, d.Body.Title), outcome(ctx, pack, d), word)
	}
}

func (p Pages) campaigns(s *sheetPDF, pack Pack) {
	if len(pack.Waves) == 0 {
		return
	}
	s.head(s.t("waves"), s.t("waves.meta"))
	for _, c := range pack.Waves {
		value, span := effect(s.ctx, c)
		s.row([]float64{250, textWidth - 250}, false, say(s.ctx, c.Title), value+"\n"+span)
	}
}

func (p Pages) unknown(s *sheetPDF, pack Pack) {
	s.head(s.t("unknown"), "")
	n, all := pack.Unknown()
	s.text(9.5, false, 13, i18n.T(s.ctx, "report.board.unknown.text", "count", n, "all", all, "waiting", pack.Record.Waiting))
	if pack.Maturity != nil {
		s.text(9.5, false, 13, level(s.ctx, pack))
	}
}

func (s *sheetPDF) t(key string) string { return i18n.T(s.ctx, "report.board."+key) }

// room begins a new sheet where less than height is left.
func (s *sheetPDF) room(height float64) {
	if s.pdf.GetY()+height > pageBottom {
		s.pdf.AddPage()
	}
}

// text writes a paragraph.
func (s *sheetPDF) text(size float64, bold bool, line float64, text string) {
	s.font(size, bold)
	s.pdf.SetTextColor(18, 34, 44)
	s.room(line * float64(len(s.pdf.SplitText(plain(text), textWidth))))
	s.pdf.MultiCell(textWidth, line, plain(text), "", "L", false)
}

func (s *sheetPDF) font(size float64, bold bool) {
	style := ""
	if bold {
		style = "B"
	}
	s.pdf.SetFont("t", style, size)
}

// head begins a section: a rule, its name, what its figures are.
func (s *sheetPDF) head(name, meta string) {
	s.pdf.Ln(12)
	s.room(70)
	y := s.pdf.GetY()
	s.pdf.SetDrawColor(18, 34, 44)
	s.pdf.SetLineWidth(0.8)
	s.pdf.Line(pageEdge, y, pageWidth-pageEdge, y)
	s.pdf.SetY(y + 4)
	s.font(10.5, true)
	s.pdf.SetTextColor(18, 34, 44)
	s.pdf.CellFormat(textWidth*0.5, 15, plain(name), "", 0, "L", false, 0, "")
	s.font(8, false)
	s.pdf.SetTextColor(90, 100, 105)
	s.pdf.CellFormat(textWidth*0.5, 15, plain(meta), "", 1, "R", false, 0, "")
}

// row writes cells beside one another; a second line in a cell is the interval of the
// first. All but the first two stand to the right.
func (s *sheetPDF) row(wide []float64, bold bool, cells ...string) {
	const line = 11.5
	lines, most := make([][]string, len(cells)), 1
	for i, c := range cells {
		for k, part := range strings.Split(plain(c), "\n") {
			s.font(cellSize(k), bold && k == 0)
			lines[i] = append(lines[i], s.pdf.SplitText(part, wide[i]-6)...)
		}
		most = max(most, len(lines[i]))
	}
	height := float64(most)*line + 5
	s.room(height)
	x, y := pageEdge, s.pdf.GetY()
	for i, all := range lines {
		align := "L"
		if i > 0 && i == len(lines)-1 {
			align = "R"
		}
		first := strings.Count(cells[i], "\n") == 0
		for k, text := range all {
			second := !first && k > 0
			s.font(cellSize(map[bool]int{true: 1}[second]), bold && !second)
			s.pdf.SetTextColor(18, 34, 44)
			s.pdf.SetXY(x, y+2.5+float64(k)*line)
			s.pdf.CellFormat(wide[i], line, text, "", 0, align, false, 0, "")
		}
		x += wide[i]
	}
	s.pdf.SetDrawColor(205, 212, 215)
	s.pdf.SetLineWidth(0.4)
	s.pdf.Line(pageEdge, y+height, pageWidth-pageEdge, y+height)
	s.pdf.SetXY(pageEdge, y+height)
}

// cellSize is the size of the first line of a cell, and of those below.
func cellSize(line int) float64 {
	if line == 0 {
		return 9
	}
	return 7.5
}

// plain keeps what the font can draw; spaces that do not break become plain ones.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || r > 0xffff:
			return -1
		}
		return r
	}, s)
}
