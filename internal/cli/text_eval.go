package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"omote/analytics/text/model"
	"omote/analytics/text/normalise"
)

// textReport is the JSON of an evaluation.
type textReport struct {
	N            int                `json:"n"`
	Accuracy     float64            `json:"accuracy"`
	AccuracyLow  float64            `json:"accuracy_low"`
	AccuracyHigh float64            `json:"accuracy_high"`
	MacroF1      float64            `json:"macro_f1"`
	WeightedF1   float64            `json:"weighted_f1"`
	ECE          float64            `json:"ece"`
	Coverage     map[string]float64 `json:"coverage"`
	Plain        float64            `json:"accuracy_without_diacritics"`
	PerSecond    float64            `json:"texts_per_s"`
	P99          float64            `json:"p99_ms"`
	ModelBytes   int                `json:"model_bytes"`
	TrainSeconds float64            `json:"train_s"`
	Train        int                `json:"train_n"`
	Copies       int                `json:"copies_left_out"`
	Drifted      bool               `json:"follows_recent_mix"`
	Cores        int                `json:"cores"`
	Routing      *textRouting       `json:"routing,omitempty"`
}

// textRouting says from which probability on the model may decide alone.
type textRouting struct {
	MaxError   float64 `json:"max_error"`
	Possible   bool    `json:"possible"`
	Confidence float64 `json:"confidence"`
	Coverage   float64 `json:"coverage"`
	Accuracy   float64 `json:"accuracy"`
}

func newTextEvalCommand() *cobra.Command {
	o := model.DefaultOptions()
	var c textColumns
	var train, test, labels string
	var perLabel bool
	var maxError float64
	cmd := &cobra.Command{
		Use:   "eval --train FILE --test FILE",
		Short: "Train on one file, test on another, print how good the model is",
		Long: `Train on one file and test on another. Training texts that are copies of test
texts are left out. The accuracy comes with its 95 % interval; coverage says how
often the model is right on the share of texts it is surest of.`,
		Example: `  omote text eval --train train.jsonl --test test.jsonl --json`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			trainRows, err := readExamples(cmd.InOrStdin(), train, c, true)
			if err != nil {
				return err
			}
			testRows, err := readExamples(cmd.InOrStdin(), test, c, true)
			if err != nil {
				return err
			}
			if err := partLabels(labels, trainRows, testRows); err != nil {
				return err
			}
			report, scores, err := evaluateText(trainRows, testRows, o, maxError)
			if err != nil {
				return err
			}
			if asJSON(cmd) {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(report)
			}
			return report.print(cmd.OutOrStdout(), scores, perLabel)
		},
	}
	cmd.Flags().StringVar(&train, "train", "", "file of labelled texts to learn from")
	cmd.Flags().StringVar(&test, "test", "", "file of labelled texts to test on")
	cmd.Flags().StringVar(&labels, "part", "", "for labels such as ASPECT#POLARITY: use only the part before (first) or after (second) the #")
	cmd.Flags().Float64Var(&maxError, "max-error", 0, "also find the probability from which the model may decide alone with at most this share wrong")
	cmd.Flags().BoolVar(&perLabel, "per-label", false, "also print each label's scores")
	cmd.MarkFlagRequired("train")
	cmd.MarkFlagRequired("test")
	trainingFlags(cmd, &o)
	c.flags(cmd)
	return cmd
}

func evaluateText(train, test []model.Example, o model.Options, maxError float64) (*textReport, []model.LabelScore, error) {
	train, copies := model.WithoutCopies(train, test)
	started := time.Now()
	m, err := model.Train(train, o)
	if err != nil {
		return nil, nil, err
	}
	r := &textReport{
		TrainSeconds: time.Since(started).Seconds(), Train: len(train), Copies: copies,
		ModelBytes: m.Bytes(), Drifted: m.Drifted(), Cores: runtime.GOMAXPROCS(0), Coverage: make(map[string]float64),
	}
	result, err := model.Evaluate(m, test)
	if err != nil {
		return nil, nil, err
	}
	r.N, r.MacroF1, r.WeightedF1, r.ECE = result.N, result.MacroF1, result.WeightedF1, result.ECE
	r.Accuracy, r.AccuracyLow, r.AccuracyHigh = result.Accuracy.Value, result.Accuracy.Low, result.Accuracy.High
	for _, share := range []float64{0.7, 0.8, 0.9} {
		r.Coverage[fmt.Sprint(share)] = result.AccuracyAt(share)
	}
	if maxError > 0 {
		point, ok := result.Threshold(maxError)
		r.Routing = &textRouting{maxError, ok, point.Confidence, point.Coverage, point.Accuracy}
	}
	plain := make([]model.Example, len(test))
	for i, e := range test {
		plain[i] = model.Example{Text: normalise.Fold(e.Text), Labels: e.Labels}
	}
	plainResult, err := model.Evaluate(m, plain)
	if err != nil {
		return nil, nil, err
	}
	r.Plain = plainResult.Accuracy.Value
	r.PerSecond, r.P99 = timeModel(m, test)
	return r, result.PerLabel, nil
}

// timeModel measures how fast one model classifies.
func timeModel(m *model.Model, test []model.Example) (perSecond, p99 float64) {
	return timeReads(textsOf(test), func() func(string) {
		p := m.NewPredictor()
		return func(s string) { p.Classify(s) }
	})
}

// timeReads reads the texts over and over on all cores for a moment; each core
// gets a reading function of its own. p99 is in milliseconds.
func timeReads(texts []string, newRead func() func(string)) (perSecond, p99 float64) {
	const moment = time.Second
	workers := runtime.GOMAXPROCS(0)
	laps := make([][]time.Duration, workers)
	reads := make([]func(string), workers)
	for w := range reads {
		reads[w] = newRead()
		reads[w](texts[0])
	}
	var wait sync.WaitGroup
	started := time.Now()
	for w := range workers {
		wait.Go(func() {
			for i := w; time.Since(started) < moment; i++ {
				before := time.Now()
				reads[w](texts[i%len(texts)])
				laps[w] = append(laps[w], time.Since(before))
			}
		})
	}
	wait.Wait()
	seconds := time.Since(started).Seconds()
	all := slices.Concat(laps...)
	slices.Sort(all)
	return float64(len(all)) / seconds, float64(all[len(all)*99/100].Microseconds()) / 1000
}

// partLabels cuts labels such as CARD#NEGATIVE to one side.
func partLabels(part string, sets ...[]model.Example) error {
	if part == "" {
		return nil
	}
	if part != "first" && part != "second" {
		return usageError{fmt.Errorf("--part %q: it is first or second", part)}
	}
	for _, set := range sets {
		for i := range set {
			var labels []string
			for _, l := range set[i].Labels {
				labels = append(labels, labelPart(l, part))
			}
			slices.Sort(labels)
			set[i].Labels = slices.Compact(labels)
		}
	}
	return nil
}

func (r *textReport) print(out io.Writer, scores []model.LabelScore, perLabel bool) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "trained on\t%d texts in %.1f s (%d copies of test texts left out)\n", r.Train, r.TrainSeconds, r.Copies)
	fmt.Fprintf(w, "tested on\t%d texts\n", r.N)
	fmt.Fprintf(w, "accuracy\t%.2f %% (95 %% interval %.2f to %.2f)\n", 100*r.Accuracy, 100*r.AccuracyLow, 100*r.AccuracyHigh)
	fmt.Fprintf(w, "without diacritics\t%.2f %%\n", 100*r.Plain)
	fmt.Fprintf(w, "F1\t%.3f macro, %.3f weighted\n", r.MacroF1, r.WeightedF1)
	fmt.Fprintf(w, "calibration error\t%.3f\n", r.ECE)
	for _, share := range []string{"0.7", "0.8", "0.9"} {
		fmt.Fprintf(w, "surest %s\t%.2f %% right\n", share, 100*r.Coverage[share])
	}
	if g := r.Routing; g != nil && g.Possible {
		fmt.Fprintf(w, "at most %.1f %% wrong\tfrom probability %.3f on, %.1f %% of the texts\n", 100*g.MaxError, g.Confidence, 100*g.Coverage)
	} else if g != nil {
		fmt.Fprintf(w, "at most %.1f %% wrong\tno threshold promises it on these texts\n", 100*g.MaxError)
	}
	fmt.Fprintf(w, "speed\t%.0f texts/s on %d cores, p99 %.2f ms\n", r.PerSecond, r.Cores, r.P99)
	fmt.Fprintf(w, "model\t%d bytes\n", r.ModelBytes)
	if perLabel {
		fmt.Fprintf(w, "\nlabel\tn\tprecision\trecall\tF1\n")
		for _, s := range scores {
			fmt.Fprintf(w, "%s\t%d\t%.3f\t%.3f\t%.3f\n", s.Label, s.N, s.Precision, s.Recall, s.F1)
		}
	}
	return w.Flush()
}

func labelPart(label, part string) string {
	first, second, ok := strings.Cut(label, "#")
	if part == "second" && ok {
		return second
	}
	return first
}
