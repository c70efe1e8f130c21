package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"omote/analytics/text"
	"omote/analytics/text/lang"
	"omote/analytics/text/model"
	"omote/analytics/text/models"
)

// classified is the JSON of one text. The text itself is given masked.
type classified struct {
	Text        string            `json:"text"`
	Label       string            `json:"label,omitempty"`
	Probability float64           `json:"probability,omitempty"`
	Labels      []string          `json:"labels,omitempty"`
	Decided     bool              `json:"decided"`
	Language    string            `json:"language"`
	Heads       []classifiedHead  `json:"heads,omitempty"`
	Opinions    []classifiedPoint `json:"opinions,omitempty"`
	Cues        []classifiedPoint `json:"cues,omitempty"`
}

type classifiedHead struct {
	Head        string   `json:"head"`
	Labels      []string `json:"labels"`
	Probability float64  `json:"probability"`
}

type classifiedPoint struct {
	Name     string `json:"name"`
	Polarity string `json:"polarity,omitempty"`
	Words    string `json:"words"`
	Start    int    `json:"start"`
	End      int    `json:"end"`
}

func newTextClassifyCommand() *cobra.Command {
	var c textColumns
	var path string
	var sure float64
	cmd := &cobra.Command{
		Use:   "classify FILE",
		Short: "Say what each text speaks of, with which feeling, how sure",
		Long: `Read each text of FILE (JSON lines, CSV, or "-" for standard input). With --model,
that model's label and probability are given; without, the models that ship with
the program: subject and feeling for Vietnamese, intent for English. Opinions and
cues come from phrase lists. Personal data is masked first.

Texts below --sure are left for a person: "decided" is then false.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := readExamples(cmd.InOrStdin(), args[0], c, false)
			if err != nil {
				return err
			}
			var own []text.Head
			if path != "" {
				m, err := readModel(path)
				if err != nil {
					return err
				}
				own = []text.Head{{Name: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), Model: m}}
			}
			return printClassified(cmd.OutOrStdout(), classifyAll(rows, own, sure), asJSON(cmd))
		},
	}
	cmd.Flags().StringVar(&path, "model", "", "model file (default: the shipped models)")
	cmd.Flags().Float64Var(&sure, "sure", 0, "least probability with which the model decides alone")
	c.flags(cmd)
	return cmd
}

// newTextBenchCommand times the whole pipeline.
func newTextBenchCommand() *cobra.Command {
	var c textColumns
	cmd := &cobra.Command{
		Use:   "bench FILE",
		Short: "Time the whole pipeline on the texts of a file",
		Long: `Read the texts of FILE over and over for a second on all cores: language,
masking, shipped models, opinions and cues. Nothing else should run meanwhile.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := readExamples(cmd.InOrStdin(), args[0], c, false)
			if err != nil {
				return err
			}
			perSecond, p99 := timeReads(textsOf(rows), func() func(string) {
				read := classifier(nil)
				return func(s string) { read(s, 0) }
			})
			if asJSON(cmd) {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{
					"texts": len(rows), "texts_per_s": perSecond, "p99_ms": p99, "cores": runtime.GOMAXPROCS(0),
				})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%.0f texts/s on %d cores, p99 %.2f ms\n", perSecond, runtime.GOMAXPROCS(0), p99)
			return err
		},
	}
	c.flags(cmd)
	return cmd
}

// classifyAll reads the texts on all cores, keeping their order.
func classifyAll(rows []model.Example, own []text.Head, sure float64) []classified {
	out := make([]classified, len(rows))
	workers := min(runtime.GOMAXPROCS(0), len(rows))
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			read := classifier(own)
			for i := w; i < len(rows); i += workers {
				out[i] = read(rows[i].Text, sure)
			}
		})
	}
	wait.Wait()
	return out
}

// classifier returns a reading function for one goroutine. Shipped heads are
// chosen by the text's language.
func classifier(own []text.Head) func(s string, sure float64) classified {
	if own != nil {
		r := text.NewReader(own...)
		return func(s string, sure float64) classified { return classifiedOf(r.Read(s), sure) }
	}
	vietnamese := text.NewReader(text.Head{Name: "aspect", Model: models.VietnameseAspect()}, text.Head{Name: "sentiment", Model: models.VietnameseSentiment()})
	english := text.NewReader(text.Head{Name: "intent", Model: models.EnglishIntent()})
	rules := text.NewReader()
	return func(s string, sure float64) classified {
		switch lang.Detect(s).Language {
		case "vi":
			return classifiedOf(vietnamese.Read(s), sure)
		case "en":
			return classifiedOf(english.Read(s), sure)
		}
		return classifiedOf(rules.Read(s), sure)
	}
}

func classifiedOf(r text.Reading, sure float64) classified {
	out := classified{Text: r.Masked, Language: r.Language.Language}
	for i, a := range r.Answers {
		if i == 0 {
			out.Label, out.Labels, out.Probability = a.Label, a.Labels, a.Probability
			out.Decided = a.Probability >= sure
		}
		out.Heads = append(out.Heads, classifiedHead{a.Head, a.Labels, a.Probability})
	}
	for _, o := range r.Opinions {
		out.Opinions = append(out.Opinions, classifiedPoint{o.Aspect, o.Polarity.String(), r.Masked[o.Start:o.End], o.Start, o.End})
	}
	for _, c := range r.Cues {
		out.Cues = append(out.Cues, classifiedPoint{Name: c.Name, Words: r.Masked[c.Start:c.End], Start: c.Start, End: c.End})
	}
	return out
}

func printClassified(out io.Writer, rows []classified, asJSON bool) error {
	w := bufio.NewWriter(out)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, r := range rows {
		if asJSON {
			if err := encoder.Encode(r); err != nil {
				return err
			}
			continue
		}
		var parts []string
		for _, h := range r.Heads {
			parts = append(parts, fmt.Sprintf("%s %.2f", strings.Join(h.Labels, "|"), h.Probability))
		}
		for _, c := range r.Cues {
			parts = append(parts, "!"+c.Name)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.Language, strings.Join(parts, ", "), strings.Join(strings.Fields(r.Text), " "))
	}
	return w.Flush()
}
