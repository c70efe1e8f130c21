package board

import (
	"bytes"
	"compress/zlib"
	"context"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"omote/internal/governance/council"
	"omote/internal/governance/ledger"
	"omote/internal/governance/measure"
	"omote/internal/governance/record"
	"omote/internal/governance/strategy"
	"omote/internal/insight/metric"
	"omote/internal/insight/signal"
	"omote/internal/platform/approval"
	"omote/internal/platform/i18n"
	"omote/internal/program/wave"
	"omote/internal/ui"

	"omote/analytics/rollout"
)

// read gives the text of a PDF that was written here: the strings of its pages, which
// are UTF-16, one a line.
func read(t *testing.T, raw []byte) string {
	t.Helper()
	if !bytes.HasPrefix(raw, []byte("%PDF-")) {
		t.Fatal("this is no PDF")
	}
	var out strings.Builder
	for _, m := range regexp.MustCompile(`(?s)stream\r?\n(.*?)\r?\nendstream`).FindAllSubmatch(raw, -1) {
		z, err := zlib.NewReader(bytes.NewReader(m[1]))
		if err != nil {
			continue
		}
		page, err := io.ReadAll(z)
		if err != nil || !bytes.Contains(page, []byte("Tj")) {
			continue
		}
		for i := 0; i < len(page); i++ {
			if page[i] != '(' {
				continue
			}
			var units []uint16
			var half []byte
			for i++; page[i] != ')'; i++ {
				c := page[i]
				if c == '\\' {
					i++
					if c = page[i]; c == 'r' {
						c = '\r'
					}
				}
				if half = append(half, c); len(half) == 2 {
					units, half = append(units, uint16(half[0])<<8|uint16(half[1])), half[:0]
				}
			}
			out.WriteString(string(utf16.Decode(units)) + "\n")
		}
	}
	return out.String()
}

// pack is an invented one with every part.
func pack() Pack {
	target := 0.85
	node := func(kind strategy.Kind, vi, en, metric string, below ...*strategy.Branch) *strategy.Branch {
		return &strategy.Branch{Doc: record.Doc[strategy.Node]{Body: strategy.Node{Kind: kind, Title: approval.Text{VI: vi, EN: en}, Metric: metric, Target: &target}}, Below: below, Booked: 41_200_000}
	}
	p := Pack{Made: time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC), Now: map[string]measure.Reading{
		"csat_branch": {Metric: "csat_branch", Unit: "share", Direction: "higher", Known: true, Value: 0.782, Low: 0.741, High: 0.818, N: 412, State: "worse"}}}
	p.Tree.Roots = []*strategy.Branch{node(strategy.Promise, "Thời gian của anh/chị được tôn trọng.", "We respect your time.", "", node(strategy.Measure, "Hài lòng tại quầy", "Satisfaction at the counter", "csat_branch"))}
	p.Ledger = ledger.Sums{Booked: 41_200_000, Lower: 41_200_000, Expected: 93_000_000, Lines: 1}
	s := &signal.Signal{State: signal.Open, Worth: 120_000_000}
	s.Body.Name, s.Body.Unit, s.Body.Before, s.Body.After, s.Body.N = metric.Text{Vi: "Thời gian chờ tại quầy", En: "Wait at the counter"}, "minutes", 18.2, 31.4, 903
	s.Body.Value = &signal.Worth{Low: 64_000_000, Mid: 120_000_000, High: 181_000_000}
	p.Signals = []*signal.Signal{s}
	f := council.Forecast{Metric: "csat_branch", Low: 0.75, Mid: 0.8, High: 0.86, Level: 0.8, Days: 28}
	p.Scored = []council.Doc{{Body: council.Decision{Title: approval.Text{VI: "Hỏi thăm khi khách chờ lâu", EN: "A word when the wait grows"}, Forecast: &f,
		Outcome: &council.Outcome{Known: true, Value: 0.812, Low: 0.77, High: 0.85, N: 388, Held: true}}}}
	p.Waves = []Campaign{{Doc: wave.Doc{Wave: wave.Wave{Title: approval.Text{VI: "60 ngày: hỏi thăm khi khách chờ lâu", EN: "60 days: a word when the wait grows"}}},
		Reading: &wave.Reading{Unit: "share", Effect: &rollout.Effect{Value: 0.081, Low: 0.032, High: 0.13, N: 800, Waiting: 410}}, Final: true}}
	return p
}

// The file says in both languages what the page says: every figure with its interval,
// and Vietnamese with its marks.
func TestPDF(t *testing.T) {
	t.Parallel()
	bundle, err := i18n.New(ui.Locales(), Locales())
	if err != nil {
		t.Fatal(err)
	}
	pages := Pages{Currency: "VND", Bank: "Ngân hàng Bến Lành", Bundle: func() *i18n.Bundle { return bundle }}
	for lang, wants := range map[string][]string{
		"en": {"Board pack: customer experience", "We respect your time.", "78.2%", "74.1% – 81.8% · n = 412", "≥ 85.0%", "41.2 m", "93 m", "64 m ₫ – 181 m ₫", "18.2", "31.4", "said 75.0% – 86.0% (80%)",
			"77.0% – 85.0% · n = 388", "+8.1", "+3.2", "+13.0", "n = 1,210"},
		"vi": {"Ngân hàng Bến Lành", "Thời gian của anh/chị được tôn trọng.", "78,2%", "74,1% – 81,8% · n = 412", "Hài lòng tại quầy", "41,2 triệu ₫", "64 triệu ₫ – 181 triệu ₫", "Hỏi thăm khi khách chờ lâu",
			"77,0% – 85,0% · n = 388", "+8,1", "n = 1.210"},
	} {
		ctx := i18n.With(context.Background(), bundle.Localizer(lang))
		raw, err := pages.PDF(ctx, pack())
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(read(t, raw), "\u00a0", " ")
		flat := strings.ReplaceAll(text, "\n", " ")
		for _, want := range wants {
			if !strings.Contains(flat, want) {
				t.Errorf("%s: %q is missing in\n%s", lang, want, text)
			}
		}
		if strings.Contains(text, "report.board") || strings.Contains(text, "**") {
			t.Errorf("%s: a key or a mark stands in the text:\n%s", lang, text)
		}
		again, err := pages.PDF(ctx, pack())
		if err != nil || !bytes.Equal(raw, again) {
			t.Errorf("%s: the same pack gives another file (%v)", lang, err)
		}
		if len(raw) > 300_000 {
			t.Errorf("%s: %d bytes", lang, len(raw))
		}
	}
}

// A long pack goes on on further sheets.
func TestPDFOfManySheets(t *testing.T) {
	t.Parallel()
	bundle, err := i18n.New(ui.Locales(), Locales())
	if err != nil {
		t.Fatal(err)
	}
	p := pack()
	for range 40 {
		p.Tree.Roots = append(p.Tree.Roots, p.Tree.Roots[0])
	}
	raw, err := Pages{Currency: "VND", Bank: "B", Bundle: func() *i18n.Bundle { return bundle }}.PDF(i18n.With(context.Background(), bundle.Localizer("vi")), p)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(raw, []byte("/Type /Page\n")); n < 3 {
		t.Errorf("%d sheets", n)
	}
	if n := strings.Count(read(t, raw), "Hài lòng tại quầy"); n != 41 {
		t.Errorf("%d of 41 measures are on it", n)
	}
}
