package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"omote/analytics/mining"
	"omote/analytics/mining/align"
	"omote/internal/ingest/files"
	"omote/internal/journey/blueprint"
)

// alignment is what omote journey align prints as JSON.
type alignment struct {
	Cases   int     `json:"cases"`
	Fitness float64 `json:"fitness"` // mean over the cases, 0 to 1
	Cost    int     `json:"cost"`    // deviations of all cases
	Seconds float64 `json:"seconds"` // of the alignment, the reading of the log left out
}

func newJourneyAlignCommand() *cobra.Command {
	var o mineOptions
	cmd := &cobra.Command{
		Use:   "align LOG MAP",
		Short: "Compare every case of an event log with a designed journey",
		Long: `Find, for every case of an event log, the cheapest explanation of its events by
a designed journey: which steps were skipped, which events are no step, and which
steps came later than their standard. The cost counts these; the fitness of a
case is 1 - cost/(steps+events). The result is exact.

LOG is XES, CSV, NDJSON or Parquet, each but Parquet also compressed with gzip.
MAP is a journey as the product exports it (JSON), or a short list of steps
(YAML); docs/reference/journey.md explains both.`,
		Example: `  omote journey align loans.xes.gz loan.yaml
  omote journey align events.csv card_activation.json --case application --activity step --time at --json`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.asJSON = asJSON(cmd)
			return alignFile(cmd.OutOrStdout(), cmd.ErrOrStderr(), args[0], args[1], o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.order, "order", "time", "order of the events of a case: time or file")
	flags.BoolVar(&o.lifecycle, "lifecycle", false, "tell activities apart by their lifecycle transition")
	flags.BoolVar(&o.partial, "partial", false, "use the complete cases before the damage of a damaged file")
	flags.StringVar(&o.caseCol, "case", "", "column that tells cases apart (not XES)")
	flags.StringVar(&o.activityCol, "activity", "", "column of the activity (not XES)")
	flags.StringVar(&o.timeCol, "time", "", "column of the instant (not XES)")
	flags.StringVar(&o.timeFormat, "time-format", "", "iso, unix, unix_ms, excel or a layout (default: found out)")
	flags.StringVar(&o.zone, "zone", "UTC", "time zone of instants that state none")
	flags.StringVar(&o.encoding, "encoding", "", "encoding of a CSV (default: found out)")
	flags.StringVar(&o.delimiter, "delimiter", "", "separator of the columns of a CSV (default: found out)")
	return cmd
}

func alignFile(out, notes io.Writer, logPath, mapPath string, o mineOptions) error {
	order := mining.TimeOrder
	switch o.order {
	case "time":
	case "file":
		order = mining.FileOrder
	default:
		return fmt.Errorf("--order %q: it is time or file", o.order)
	}
	f, err := os.Open(mapPath)
	if err != nil {
		return err
	}
	compile, err := blueprint.ReadMap(f)
	f.Close()
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(mapPath), err)
	}
	reading := time.Now()
	log, err := readLog(notes, logPath, order, o)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(logPath), err)
	}
	begin := time.Now()
	model, err := compile(log.Activities())
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(mapPath), err)
	}
	r := model.AlignLog(log)
	a := alignment{Cases: r.Cases, Fitness: r.Fitness, Cost: r.Cost, Seconds: time.Since(begin).Seconds()}
	if o.asJSON {
		return json.NewEncoder(out).Encode(a)
	}
	return printAlignment(out, a, begin.Sub(reading), model, r, log)
}

func readLog(notes io.Writer, path string, order mining.Order, o mineOptions) (*mining.Log, error) {
	format, err := files.FormatOf(path)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if format == files.XES {
		return mineXES(f, notes, order, o)
	}
	b := mining.NewBuilder()
	if _, err := mineRows(f, notes, format, inMemory{b}, o); err != nil {
		return nil, err
	}
	return b.Build(order)
}

func printAlignment(out io.Writer, a alignment, read time.Duration, m *align.Model, r *align.Result, l *mining.Log) error {
	fmt.Fprintf(out, "%d cases, fitness %.4f, cost %d, %d cases as designed (read in %.2f s, aligned in %.2f s)\n\n", a.Cases, a.Fitness, a.Cost, r.Perfect, read.Seconds(), a.Seconds)
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "fitness\tdone\tskipped\tlate\trepeated\tout of order\tmedian wait\t  step\t")
	for _, s := range r.Steps {
		wait := "-"
		if s.Wait.N > 0 {
			wait = time.Duration(s.Wait.Median * float64(time.Second)).Round(time.Second).String()
		}
		fmt.Fprintf(w, "%.3f\t%d\t%d\t%d\t%d\t%d\t%s\t  %s\t\n", s.Fitness, s.Done, s.Skipped, s.Late, s.Repeated, s.Misplaced, wait, m.Steps()[s.Step].ID)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(r.Extras) > 0 {
		fmt.Fprintln(out, "\nevents that are no step:")
	}
	for i, x := range r.Extras {
		if i == 20 {
			fmt.Fprintf(out, "  and %d more\n", len(r.Extras)-i)
			break
		}
		fmt.Fprintf(out, "  %8d in %6d cases  %s (%s)\n", x.Events, x.Cases, l.Activities().Name(x.Activity), x.Kind)
	}
	return nil
}
