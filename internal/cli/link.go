package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"omote/analytics/linkage"
)

// linkOptions are the flags of the link command.
type linkOptions struct {
	id, truth, settings, out, model string
	threshold                       float64
	seed                            uint64
}

// linkResult is what the link command prints.
type linkResult struct {
	Records   int            `json:"records"`
	Clusters  int            `json:"clusters"`
	Threshold float64        `json:"threshold"`
	Seconds   float64        `json:"seconds"`
	Pairs     *linkage.Score `json:"pairs,omitempty"`
	B3        *linkage.Score `json:"b3,omitempty"`
}

// newLinkCommand finds the records of one person in files.
func newLinkCommand() *cobra.Command {
	var o linkOptions
	cmd := &cobra.Command{
		Use:   "link FILE…",
		Short: "Find the records of one person in one file or between files",
		Long: `Read CSV files with a header and find which records are of one person. One file
is linked within itself, several between each other.

What the columns hold is found out from their names and values, or said in a
small YAML file (--settings). How telling each agreement is, which records are
compared and where the line is drawn is learnt from the data; no examples are
needed. A truth column, where there is one, is used to score the result alone.

Nothing is stored, and no server or data folder is needed.`,
		Example: `  omote link customers.csv --id id
  omote link crm.csv core.csv --id id --out linked.csv
  omote link people.csv --id rec_id --truth cluster --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return link(cmd, args, o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.id, "id", "", "column with the id of a record; it is not compared")
	flags.StringVar(&o.truth, "truth", "", "column that says who is who, for scoring alone")
	flags.StringVar(&o.settings, "settings", "", "YAML file with kinds of columns")
	flags.Float64Var(&o.threshold, "threshold", 0, "probability from which on records are brought together (default: decided from the data)")
	flags.Uint64Var(&o.seed, "seed", 1, "seed of what is drawn at random")
	flags.StringVar(&o.out, "out", "", "CSV file to write: source, id, cluster")
	flags.StringVar(&o.model, "model", "", "JSON file to write the learnt model to")
	return cmd
}

func link(cmd *cobra.Command, paths []string, o linkOptions) error {
	if o.threshold < 0 || o.threshold >= 1 {
		return usageError{fmt.Errorf("--threshold %v: at least 0 and below 1", o.threshold)}
	}
	start := time.Now()
	in, err := readLinkFiles(paths, o)
	if err != nil {
		return err
	}
	res, err := linkage.Link(cmd.Context(), in.table, linkage.Options{Seed: o.seed, Threshold: max(o.threshold, in.threshold), Between: len(paths) > 1})
	if err != nil {
		return err
	}
	r := linkResult{Records: in.table.Len(), Clusters: res.Clusters, Threshold: res.Threshold, Seconds: time.Since(start).Seconds()}
	if in.truth != nil {
		source := in.table.Source
		if len(paths) == 1 {
			source = nil
		}
		s := linkage.ScoreClusters(in.truth, res.Entity, source)
		r.Pairs, r.B3 = &s.Pairs, &s.B3
	}
	if o.out != "" {
		if err := writeClusters(o.out, paths, in, res); err != nil {
			return err
		}
	}
	if o.model != "" {
		f, err := os.Create(o.model)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := res.Model.Write(f); err != nil {
			return err
		}
	}
	return print(cmd, r, func(w io.Writer) error { return printLink(w, r, res) })
}

// linkInput is what the files held: the columns to compare, and beside them the
// ids and the truth.
type linkInput struct {
	table     *linkage.Table
	ids       []string
	truth     []int32
	threshold float64
}

func readLinkFiles(paths []string, o linkOptions) (*linkInput, error) {
	var settings *linkage.Settings
	in := new(linkInput)
	if o.settings != "" {
		data, err := os.ReadFile(o.settings)
		if err != nil {
			return nil, err
		}
		if settings, err = linkage.ParseSettings(data); err != nil {
			return nil, usageError{err}
		}
		in.threshold = settings.Threshold
	}
	var tables []*linkage.Table
	var truths []string
	withTruth := false
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		t, err := linkage.ReadCSV(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		var aside []int
		find := func(flag, name string) (int, error) {
			at := t.FindColumn(name)
			if at < 0 {
				return at, usageError{fmt.Errorf("%s has no column %q (--%s); it has %s", path, name, flag, columnNames(t))}
			}
			aside = append(aside, at)
			return at, nil
		}
		id, truth := -1, -1
		if o.id != "" {
			if id, err = find("id", o.id); err != nil {
				return nil, err
			}
		}
		if o.truth != "" {
			if truth, err = find("truth", o.truth); err != nil && len(paths) == 1 {
				return nil, err
			}
			withTruth = withTruth || truth >= 0
		}
		for r := range t.Len() {
			value := func(at int, other string) string {
				if at < 0 {
					return other
				}
				return t.Value(r, at)
			}
			rid := value(id, strconv.Itoa(r+1))
			in.ids = append(in.ids, rid)
			truths = append(truths, value(truth, rid)) // a file without truth is named by its ids
		}
		t = t.Without(aside...)
		if settings != nil && len(tables) == 0 {
			if err := settings.Apply(t); err != nil {
				return nil, usageError{err}
			}
		}
		tables = append(tables, t)
	}
	var err error
	if in.table, err = linkage.Stack(tables...); err != nil {
		return nil, err
	}
	switch {
	case withTruth && len(paths) == 1:
		in.truth = linkage.Truth(truths, in.ids)
	case withTruth:
		in.truth = linkage.Truth(truths, nil)
	case o.truth != "":
		return nil, usageError{fmt.Errorf("no file has a column %q (--truth)", o.truth)}
	}
	return in, nil
}

func columnNames(t *linkage.Table) string {
	names := make([]string, len(t.Columns))
	for i := range names {
		names[i] = t.Columns[i].Name
	}
	return strings.Join(names, ", ")
}

func writeClusters(path string, paths []string, in *linkInput, res *linkage.Result) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := csv.NewWriter(f)
	w.Write([]string{"source", "id", "cluster"})
	for r, e := range res.Entity {
		w.Write([]string{filepath.Base(paths[in.table.Source[r]]), in.ids[r], strconv.Itoa(int(e) + 1)})
	}
	w.Flush()
	return w.Error()
}

func printLink(w io.Writer, r linkResult, res *linkage.Result) error {
	fmt.Fprintf(w, "%d records, %d clusters; brought together from a probability of %.2f on; %.1f s\n", r.Records, r.Clusters, r.Threshold, r.Seconds)
	if r.Pairs != nil {
		fmt.Fprintf(w, "pairs: precision %.4f, recall %.4f, F1 %.4f; B-cubed: precision %.4f, recall %.4f, F1 %.4f\n",
			r.Pairs.Precision, r.Pairs.Recall, r.Pairs.F1, r.B3.Precision, r.B3.Recall, r.B3.F1)
	}
	fmt.Fprintf(w, "\n%-40s %s\n", "field", "kind; weight of its levels in bits")
	for _, f := range res.Model.Fields {
		fmt.Fprintf(w, "%-40s %s:", f.Field, f.Kind)
		for _, l := range f.Levels {
			fmt.Fprintf(w, " %s %+.1f;", l.Name, l.Weight())
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "\n%-64s %10s %10s %10s\n", "compared because they agree on", "pairs", "matches", "alone")
	for _, rule := range res.Rules {
		fmt.Fprintf(w, "%-64s %10d %10d %10d\n", rule.Rule, rule.Pairs, rule.Matches, rule.Alone)
	}
	return nil
}
