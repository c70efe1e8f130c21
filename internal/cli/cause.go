package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"omote/analytics/cause"
)

// causeOptions are the flags of the cause command.
type causeOptions struct {
	json                          bool
	actual, expected              string
	ratio, timeCol, at            string
	dims, language                string
	minEffect, minShare, evidence float64
	layers                        int
}

// newCauseCommand names the attribute combinations behind a change.
func newCauseCommand() *cobra.Command {
	var o causeOptions
	cmd := &cobra.Command{
		Use:   "cause FILE",
		Short: "Name the attribute combinations behind a change",
		Long: `Read a CSV with one row for each combination of attributes and print the
combinations that explain how what came differs from what was expected. All
columns that have no other role are attributes, unless --dims names them.

With --ratio the measure is one column over another, such as failures over
attempts, and one period (--at, by default the last) is compared with what the
earlier periods of the same file led to expect. FILE may be - for standard input.`,
		Example: `  omote cause sales.csv --actual real --expected predict
  omote cause failures.csv --ratio value/cnt --time min --at 1590810840 --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCause(cmd.OutOrStdout(), cmd.InOrStdin(), args[0], o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	f.StringVar(&o.actual, "actual", "actual", "column of what came")
	f.StringVar(&o.expected, "expected", "expected", "column of what was expected")
	f.StringVar(&o.ratio, "ratio", "", "measure as a ratio of two columns, as value/cnt")
	f.StringVar(&o.timeCol, "time", "time", "column of the period (with --ratio)")
	f.StringVar(&o.at, "at", "", "period to explain (with --ratio; default: the last)")
	f.StringVar(&o.dims, "dims", "", "columns of attributes, separated by commas (default: all others)")
	f.StringVar(&o.language, "lang", "en", "language of the table: en or vi")
	f.Float64Var(&o.minEffect, "min-effect", 0, "least relative change of a cause (default 0.05)")
	f.Float64Var(&o.minShare, "min-share", 0, "least share of the explained change of a cause (default 0, with --ratio 0.1)")
	f.Float64Var(&o.evidence, "evidence", 0, "evidence asked for beyond the cost of a name, in nats (default 3)")
	f.IntVar(&o.layers, "layers", 0, "most attributes in a cause (default: all)")
	return cmd
}

// causeReport is what --json prints: each cause is an object of attribute and
// value, with details in the same order.
type causeReport struct {
	Causes  []map[string]string `json:"causes"`
	Details []causeDetail       `json:"details"`
	Seconds float64             `json:"seconds"`
}

type causeDetail struct {
	Leaves   int     `json:"leaves"`
	Actual   float64 `json:"actual"`
	Expected float64 `json:"expected"`
	Factor   float64 `json:"factor"`
	Share    float64 `json:"share"`
	Evidence float64 `json:"evidence"`
}

func runCause(out io.Writer, stdin io.Reader, path string, o causeOptions) error {
	start := time.Now()
	if o.language != "en" && o.language != "vi" {
		return usageError{fmt.Errorf("--lang %q: it is en or vi", o.language)}
	}
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	located, err := o.locate(in)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	r := causeReport{Causes: []map[string]string{}, Details: []causeDetail{}}
	for _, c := range located.Causes {
		where := map[string]string{}
		for _, p := range c.Where {
			where[p.Dim] = p.Value
		}
		r.Causes = append(r.Causes, where)
		r.Details = append(r.Details, causeDetail{Leaves: c.Leaves, Actual: c.Actual, Expected: c.Expected,
			Factor: math.Min(c.Factor, math.MaxFloat64), Share: c.Share, Evidence: c.Evidence})
	}
	r.Seconds = time.Since(start).Seconds()
	if o.json {
		return json.NewEncoder(out).Encode(r)
	}
	return printCauses(out, located.Causes, o.language)
}

func printCauses(out io.Writer, causes []cause.Cause, language string) error {
	heads, none := []string{"cause", "leaves", "actual", "expected", "factor", "share", "evidence"}, "No cause beyond noise."
	if language == "vi" {
		heads, none = []string{"nguyên nhân", "số dòng", "thực tế", "kỳ vọng", "hệ số", "tỷ trọng", "bằng chứng"}, "Không có nguyên nhân nào vượt mức ngẫu nhiên."
	}
	if len(causes) == 0 {
		_, err := fmt.Fprintln(out, none)
		return err
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(heads, "\t"))
	for _, c := range causes {
		fmt.Fprintf(w, "%s\t%d\t%.6g\t%.6g\t×%.3f\t%.1f %%\t%.1f\n", c, c.Leaves, c.Actual, c.Expected, c.Factor, 100*c.Share, c.Evidence)
	}
	return w.Flush()
}

// causeFile is an open CSV with the roles of its columns.
type causeFile struct {
	rows  *csv.Reader
	names []string
	dims  []int
	a, b  int // actual and expected, or numerator and denominator
	time  int // −1 without
}

func (o causeOptions) locate(in io.Reader) (cause.Located, error) {
	f, err := o.open(in)
	if err != nil {
		return cause.Located{}, err
	}
	names := make([]string, len(f.dims))
	for k, at := range f.dims {
		names[k] = f.names[at]
	}
	opt := cause.Options{MinEffect: o.minEffect, MinShare: o.minShare, Evidence: o.evidence, MaxLayer: o.layers}
	if o.ratio == "" {
		t := cause.NewTable(names...)
		err := f.each(func(values []string, _ string, actual, expected float64) error {
			t.Add(values, actual, expected)
			return nil
		})
		if err != nil {
			return cause.Located{}, err
		}
		return cause.Locate(t, opt), nil
	}
	return o.locateRatio(f, names, opt)
}

func (o causeOptions) locateRatio(f *causeFile, names []string, opt cause.Options) (cause.Located, error) {
	type row struct {
		values   []string
		time     string
		num, den float64
	}
	var rows []row
	var times []string
	err := f.each(func(values []string, time string, num, den float64) error {
		if num < 0 || den < 0 {
			return fmt.Errorf("%v/%v: both must be zero or more", num, den)
		}
		kept := make([]string, len(values))
		for k, v := range values {
			kept[k] = strings.Clone(v)
		}
		rows = append(rows, row{kept, strings.Clone(time), num, den})
		times = append(times, rows[len(rows)-1].time)
		return nil
	})
	if err != nil {
		return cause.Located{}, err
	}
	slices.SortFunc(times, compareTimes)
	times = slices.Compact(times)
	at := len(times) - 1
	if o.at != "" {
		if at = slices.Index(times, o.at); at < 0 {
			return cause.Located{}, usageError{fmt.Errorf("--at %s: no such period", o.at)}
		}
	}
	index := make(map[string]int64, len(times))
	for k, t := range times {
		index[t] = int64(k)
	}
	t := cause.NewRateTable(names...)
	for _, r := range rows {
		t.Add(index[r.time], r.values, r.num, r.den)
	}
	return cause.LocateRates(t, int64(at), opt)
}

// compareTimes orders numbers by size and other times as text, which suits
// dates that begin with the year.
func compareTimes(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	switch {
	case errX == nil && errY == nil:
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
	case errX == nil:
		return -1
	case errY == nil:
		return 1
	}
	return cmp.Compare(a, b)
}

func (o causeOptions) open(in io.Reader) (*causeFile, error) {
	buf := bufio.NewReaderSize(in, 1<<16)
	f := &causeFile{rows: csv.NewReader(buf), time: -1}
	f.rows.ReuseRecord = true
	f.rows.TrimLeadingSpace = true
	if head, _ := buf.Peek(4096); semicolons(head) {
		f.rows.Comma = ';'
	}
	head, err := f.rows.Read()
	if err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	for _, name := range head {
		name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
		if slices.Contains(f.names, name) {
			return nil, fmt.Errorf("two columns are named %q", name)
		}
		f.names = append(f.names, strings.Clone(name))
	}
	first, second := o.actual, o.expected
	if o.ratio != "" {
		var ok bool
		if first, second, ok = strings.Cut(o.ratio, "/"); !ok {
			return nil, usageError{fmt.Errorf("--ratio %q: write two columns as value/cnt", o.ratio)}
		}
		if f.time, err = f.column(o.timeCol); err != nil {
			return nil, err
		}
	}
	if f.a, err = f.column(first); err != nil {
		return nil, err
	}
	if f.b, err = f.column(second); err != nil {
		return nil, err
	}
	return f, f.attributes(o.dims)
}

// attributes decides which columns are attributes.
func (f *causeFile) attributes(list string) error {
	if list != "" {
		for name := range strings.SplitSeq(list, ",") {
			at, err := f.column(name)
			if err != nil {
				return err
			}
			if slices.Contains(f.dims, at) {
				return usageError{fmt.Errorf("--dims names %s twice", name)}
			}
			f.dims = append(f.dims, at)
		}
	} else {
		for at := range f.names {
			if at != f.a && at != f.b && at != f.time {
				f.dims = append(f.dims, at)
			}
		}
	}
	if len(f.dims) == 0 || len(f.dims) > cause.MaxDims {
		return usageError{fmt.Errorf("%d attributes; there must be 1 to %d (choose them with --dims)", len(f.dims), cause.MaxDims)}
	}
	return nil
}

func (f *causeFile) column(name string) (int, error) {
	name = strings.TrimSpace(name)
	at := slices.IndexFunc(f.names, func(n string) bool { return strings.EqualFold(n, name) })
	if at < 0 {
		return at, usageError{fmt.Errorf("no column %q; there are %s", name, strings.Join(f.names, ", "))}
	}
	return at, nil
}

// each reads the rows; values and time are valid until the next call.
func (f *causeFile) each(use func(values []string, time string, a, b float64) error) error {
	values := make([]string, len(f.dims))
	for n := 0; ; n++ {
		row, err := f.rows.Read()
		if errors.Is(err, io.EOF) {
			if n == 0 {
				return errors.New("no rows")
			}
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := f.rows.FieldPos(0)
		a, okA := causeNumber(row[f.a])
		b, okB := causeNumber(row[f.b])
		if !okA || !okB {
			return fmt.Errorf("line %d: %q and %q: both must be numbers", line, row[f.a], row[f.b])
		}
		for k, at := range f.dims {
			values[k] = row[at]
		}
		when := ""
		if f.time >= 0 {
			when = row[f.time]
		}
		if err := use(values, when, a, b); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// causeNumber reads a finite number of a size whose sums stay finite.
func causeNumber(text string) (float64, bool) {
	x, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return x, err == nil && math.Abs(x) <= 1e150
}

// semicolons tells whether the first line is divided by semicolons.
func semicolons(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return bytes.Count(line, []byte(";")) > bytes.Count(line, []byte(","))
}
