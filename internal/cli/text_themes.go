package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"omote/analytics/text/model"
	"omote/analytics/text/pii"
	"omote/analytics/text/themes"
)

// themeReport is the JSON of one theme; quotes are masked.
type themeReport struct {
	Name     string   `json:"name"`
	Texts    int      `json:"texts"`
	Expected float64  `json:"expected"`
	Ratio    float64  `json:"ratio"`
	P        float64  `json:"p"`
	Phrases  []string `json:"phrases"`
	Quotes   []string `json:"quotes"`
}

func newTextThemesCommand() *cobra.Command {
	o := themes.DefaultOptions()
	var c textColumns
	var past string
	cmd := &cobra.Command{
		Use:   "themes FILE --past FILE",
		Short: "Find what customers have begun to speak of",
		Long: `Compare the texts of FILE with those of an earlier period and print the themes
that occur beyond expectation, with their most telling texts. Near-copies count
once. Personal data in quotes is masked.`,
		Example: `  omote text themes this-week.jsonl --past last-quarter.jsonl`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			now, err := readExamples(cmd.InOrStdin(), args[0], c, false)
			if err != nil {
				return err
			}
			before, err := readExamples(cmd.InOrStdin(), past, c, false)
			if err != nil {
				return err
			}
			present := textsOf(now)
			reports := reportThemes(themes.Emerging(present, textsOf(before), o), present)
			if asJSON(cmd) {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"themes": reports, "texts": len(now), "past": len(before)})
			}
			return printThemes(cmd.OutOrStdout(), reports)
		},
	}
	cmd.Flags().StringVar(&past, "past", "", "file of the texts of the earlier period")
	cmd.Flags().Float64Var(&o.FDR, "fdr", o.FDR, "share of false themes that is accepted")
	cmd.Flags().IntVar(&o.MinTexts, "least", o.MinTexts, "least texts of a theme")
	cmd.Flags().IntVar(&o.Most, "most", o.Most, "most themes printed")
	cmd.MarkFlagRequired("past")
	c.flags(cmd)
	return cmd
}

func textsOf(rows []model.Example) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.Text
	}
	return out
}

func reportThemes(found []themes.Theme, texts []string) []themeReport {
	reports := []themeReport{}
	for _, t := range found {
		r := themeReport{Name: t.Name, Texts: len(t.Texts), Expected: t.Expected, Ratio: t.Ratio, P: t.Phrases[0].P}
		for _, p := range t.Phrases {
			r.Phrases = append(r.Phrases, p.Text)
		}
		for _, q := range t.Quotes {
			masked, _ := pii.Mask(texts[q])
			r.Quotes = append(r.Quotes, masked)
		}
		reports = append(reports, r)
	}
	return reports
}

func printThemes(out io.Writer, reports []themeReport) error {
	if len(reports) == 0 {
		_, err := fmt.Fprintln(out, "no theme beyond expectation")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, r := range reports {
		fmt.Fprintf(w, "%s\t%d texts\t%.1f expected\n", r.Name, r.Texts, r.Expected)
		for _, q := range r.Quotes {
			fmt.Fprintf(w, "\t“%s”\n", strings.Join(strings.Fields(q), " "))
		}
	}
	return w.Flush()
}
