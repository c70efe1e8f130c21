package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"omote/analytics/calendar"
	"omote/analytics/spc"
)

// chartOptions are the flags of the chart command.
type chartOptions struct {
	asJSON                            bool
	kind, seriesCol, timeCol, columns string
	baseline, good, calendar          string
	plot, language                    string
	falseRate, fdr, minN              float64
	period                            int
}

// newChartCommand tells signals from noise in the series of a file.
func newChartCommand() *cobra.Command {
	var o chartOptions
	cmd := &cobra.Command{
		Use:   "chart FILE",
		Short: "Tell signals from noise in the series of a file",
		Long: `Read one or many series from CSV or JSON lines and print the changes that are
beyond noise: when each was found and began, which way it went, and why it is
believed. Bands hold sampling error and the variation between periods; the week,
the year and, when asked, the Vietnamese calendar are taken out. False signals
stay within a rate per 1,000 periods and within a share of all signals.

Columns by kind (--columns renames them, as hits=yes,n=answers):
  nps         promoters, passives, detractors
  proportion  hits, n
  mean        mean, n and sd where known
  count       events, exposure where known
  xmr         value
Times are dates, instants or whole numbers. FILE may be - for standard input.`,
		Example: `  omote chart nps.csv --kind nps --series branch --time day
  omote chart nps.csv --kind nps --series branch --time day --baseline 2025-01-01:2025-06-30 --json
  omote chart calls.csv --kind count --time date --good down --calendar vn --plot calls.svg`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return chart(cmd.OutOrStdout(), cmd.InOrStdin(), args[0], o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	f.StringVar(&o.kind, "kind", "nps", "what is measured: nps, proportion, mean, count or xmr")
	f.StringVar(&o.seriesCol, "series", "", "column that tells series apart (default: one series)")
	f.StringVar(&o.timeCol, "time", "", "column of the period (default: the order of the rows)")
	f.StringVar(&o.columns, "columns", "", "columns under other names, as role=name separated by commas")
	f.StringVar(&o.baseline, "baseline", "", "first and last period of phase I, as 0:209 (default: each series starts itself)")
	f.StringVar(&o.good, "good", "", "which way is better: up, down or none (default: up for nps, else none)")
	f.StringVar(&o.calendar, "calendar", "none", "special days to expect: vn (Tết, holidays, pay days) or none")
	f.StringVar(&o.plot, "plot", "", "draw the series with signals into this SVG file")
	f.StringVar(&o.language, "lang", "en", "language of the reasons: en or vi")
	f.Float64Var(&o.falseRate, "false-rate", 0.5, "most false signals per 1,000 periods of a series in control")
	f.Float64Var(&o.fdr, "fdr", 0.1, "largest share of false signals among signals")
	f.Float64Var(&o.minN, "min-n", 10, "fewest answers judged on their own")
	f.IntVar(&o.period, "period", 0, "periods in a season, -1 for none (default: found out)")
	return cmd
}

// chartSignal is a signal as printed. Times are as in the file: numbers stay
// numbers.
type chartSignal struct {
	Series    string     `json:"series"`
	Detected  chartTime  `json:"detected"`
	Onset     chartTime  `json:"onset"`
	OnsetLow  chartTime  `json:"onset_low"`
	OnsetHigh chartTime  `json:"onset_high"`
	Direction string     `json:"direction"`
	State     spc.State  `json:"state"`
	Rule      string     `json:"rule"`
	Reason    string     `json:"reason"`
	Before    float64    `json:"before"`
	After     float64    `json:"after"`
	Sigmas    float64    `json:"sigmas"`
	FalseOnce float64    `json:"false_once_in"`
	Outcome   string     `json:"outcome"`
	Ended     *chartTime `json:"ended,omitempty"`
	Persisted int        `json:"persisted"`
	Under     string     `json:"under,omitempty"`
	Driver    string     `json:"driver,omitempty"`
}

type chartReport struct {
	Series  int           `json:"series"`
	Signals []chartSignal `json:"signals"`
	Seconds float64       `json:"seconds"`
}

func chart(out io.Writer, stdin io.Reader, path string, o chartOptions) error {
	start := time.Now()
	kind, opt, good, lang, err := o.resolve()
	if err != nil {
		return usageError{err}
	}
	data, err := readChart(stdin, path, kind, o)
	if err != nil {
		return err
	}
	if o.baseline != "" {
		if opt.BaselineFrom, opt.BaselineTo, err = data.baseline(o.baseline); err != nil {
			return usageError{err}
		}
	}
	for i := range data.series {
		data.series[i].Good = good
	}
	results := spc.Monitor(data.series, opt)
	report := data.report(results, lang)
	report.Seconds = time.Since(start).Seconds()
	if o.plot != "" {
		if err := os.WriteFile(o.plot, plotChart(data, results, lang), 0o644); err != nil {
			return fmt.Errorf("write the plot: %w", err)
		}
	}
	if o.asJSON {
		return json.NewEncoder(out).Encode(report)
	}
	return report.print(out, lang)
}

func (o chartOptions) resolve() (kind spc.Kind, opt spc.Options, good spc.Good, lang spc.Language, err error) {
	kind, ok := spc.ParseKind(o.kind)
	if !ok {
		return kind, opt, good, lang, fmt.Errorf("--kind %q: it is nps, proportion, mean, count or xmr", o.kind)
	}
	opt = spc.Options{FalsePerThousand: o.falseRate, FDR: o.fdr, MinN: o.minN, Period: o.period}
	switch o.calendar {
	case "none", "":
	case "vn":
		opt.Calendar = &calendar.Vietnam{}
	default:
		return kind, opt, good, lang, fmt.Errorf("--calendar %q: it is vn or none", o.calendar)
	}
	switch o.good {
	case "up":
		good = spc.GoodUp
	case "down":
		good = spc.GoodDown
	case "none":
	case "":
		if kind == spc.NPS {
			good = spc.GoodUp
		}
	default:
		return kind, opt, good, lang, fmt.Errorf("--good %q: it is up, down or none", o.good)
	}
	switch o.language {
	case "en", "":
	case "vi":
		lang = spc.Vietnamese
	default:
		return kind, opt, good, lang, fmt.Errorf("--lang %q: it is en or vi", o.language)
	}
	return kind, opt, good, lang, nil
}

func (d *chartData) report(results []spc.Result, lang spc.Language) chartReport {
	r := chartReport{Series: len(results), Signals: []chartSignal{}}
	for i, res := range results {
		for _, g := range res.Signals {
			s := chartSignal{
				Series: g.Series, Detected: d.when(g.Detected), Onset: d.when(g.Onset),
				OnsetLow: d.when(g.OnsetLow), OnsetHigh: d.when(g.OnsetHigh),
				Direction: g.Direction.String(), State: g.State, Rule: g.Rule.String(), Reason: spc.Words(g, lang),
				Before: g.Reason.Before, After: g.Reason.After, Sigmas: g.Reason.Sigmas,
				FalseOnce: math.Min(g.Reason.FalseOnceIn, math.MaxFloat64),
				Outcome:   g.Outcome.String(), Persisted: g.Persisted, Under: g.Under, Driver: g.Driver,
			}
			if points := d.series[i].Points; g.EndIndex < len(points) {
				ended := d.when(points[g.EndIndex].Time)
				s.Ended = &ended
			}
			r.Signals = append(r.Signals, s)
		}
	}
	return r
}

func (r chartReport) print(out io.Writer, lang spc.Language) error {
	heads := []string{"series", "found", "began", "direction", "rule", "reason"}
	none := "%d series, no change beyond noise.\n"
	if lang == spc.Vietnamese {
		heads = []string{"chuỗi", "phát hiện", "bắt đầu", "chiều", "dạng", "lý do"}
		none = "%d chuỗi, chưa có thay đổi vượt mức ngẫu nhiên.\n"
	}
	if len(r.Signals) == 0 {
		_, err := fmt.Fprintf(out, none, r.Series)
		return err
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(heads, "\t"))
	for _, s := range r.Signals {
		began := s.Onset.String()
		if s.OnsetLow != s.OnsetHigh {
			began += fmt.Sprintf(" (%v … %v)", s.OnsetLow, s.OnsetHigh)
		}
		fmt.Fprintf(w, "%s\t%v\t%s\t%s\t%s\t%s\n", s.Series, s.Detected, began,
			chartWord(s.Direction, lang), chartWord(s.Rule, lang), s.Reason)
	}
	return w.Flush()
}

func chartWord(word string, lang spc.Language) string {
	if lang != spc.Vietnamese {
		return word
	}
	return map[string]string{"up": "tăng", "down": "giảm", "spike": "đột biến", "shift": "đổi mức", "drift": "trôi dần"}[word]
}

// chartTime is a time written as the file wrote it.
type chartTime struct {
	text   string
	number bool
}

// String is the time in text.
func (t chartTime) String() string { return t.text }

// MarshalJSON writes numbers bare and other times quoted.
func (t chartTime) MarshalJSON() ([]byte, error) {
	if t.number {
		return []byte(t.text), nil
	}
	return strconv.AppendQuote(nil, t.text), nil
}
