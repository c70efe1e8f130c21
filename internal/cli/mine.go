package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"omote/analytics/mining"
	"omote/analytics/xes"
	"omote/internal/ingest/files"
	"omote/internal/ingest/when"
)

// mineOptions are the flags of the mine command.
type mineOptions struct {
	asJSON, lifecycle, partial     bool
	order, funnel, name, language  string
	caseCol, activityCol, timeCol  string
	lifecycleCol, timeFormat, zone string
	encoding, delimiter            string
	mode                           string
	within, gap                    time.Duration
	memory                         int
}

// newMineCommand reads an event log and prints what happens in it.
func newMineCommand() *cobra.Command {
	var o mineOptions
	cmd := &cobra.Command{
		Use:   "mine FILE",
		Short: "Print the map, variants, durations and funnel of an event log",
		Long: `Read an event log and print which activity follows which and after how long,
the variants, the durations of cases, rework and, when asked, a funnel.

FILE is XES, CSV, NDJSON or Parquet, each but Parquet also compressed with gzip.
Nothing is stored, and no server or data folder is needed.`,
		Example: `  omote mine loans.xes.gz
  omote mine loans.xes.gz --json --funnel Submitted,Approved,Disbursed
  omote mine events.csv --case application --activity step --time at --order time`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return mine(cmd.OutOrStdout(), cmd.ErrOrStderr(), args[0], o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	flags.StringVar(&o.funnel, "funnel", "", "activities of a funnel in their order, separated by commas")
	flags.DurationVar(&o.within, "within", 0, "longest time from the first step of the funnel to the last, such as 72h (default: any)")
	flags.DurationVar(&o.gap, "gap", 0, "longest time from one step of the funnel to the next (default: any)")
	flags.StringVar(&o.mode, "mode", "order", "how the steps of the funnel come: order (with anything between), direct (with nothing between) or any (in any order)")
	flags.StringVar(&o.order, "order", "file", "order of the events of a case: file or time")
	flags.BoolVar(&o.lifecycle, "lifecycle", false, "tell activities apart by their lifecycle transition")
	flags.StringVar(&o.name, "name", "", "name of the log in the output (default: the file's)")
	flags.BoolVar(&o.partial, "partial", false, "use the complete cases before the damage of a damaged file")
	flags.StringVar(&o.language, "lang", "", "language of the table: en or vi (default: that of the environment)")
	flags.StringVar(&o.caseCol, "case", "", "column that tells cases apart (not XES)")
	flags.StringVar(&o.activityCol, "activity", "", "column of the activity (not XES)")
	flags.StringVar(&o.timeCol, "time", "", "column of the instant (not XES)")
	flags.StringVar(&o.lifecycleCol, "lifecycle-column", "", "column of the lifecycle transition (not XES)")
	flags.StringVar(&o.timeFormat, "time-format", "", "iso, unix, unix_ms, excel or a layout such as 02/01/2006 15:04 (default: found out)")
	flags.StringVar(&o.zone, "zone", "UTC", "time zone of instants that state none, such as Asia/Ho_Chi_Minh")
	flags.IntVar(&o.memory, "memory", 0, "mine in parts laid aside on disk, with so many megabytes for events (at least 16); the figures are the same (default: 2048 for files above 1 GiB, others are kept in memory)")
	flags.StringVar(&o.encoding, "encoding", "", "encoding of a CSV (default: found out)")
	flags.StringVar(&o.delimiter, "delimiter", "", "separator of the columns of a CSV (default: found out)")
	return cmd
}

func mine(out, notes io.Writer, path string, o mineOptions) error {
	order := mining.FileOrder
	switch o.order {
	case "file":
	case "time":
		order = mining.TimeOrder
	default:
		return fmt.Errorf("--order %q: it is file or time", o.order)
	}
	format, err := files.FormatOf(path)
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if o.memory == 0 && info.Size() > largeFile {
		o.memory = usualParts
	}
	var report *mining.Report
	if o.memory > 0 {
		report, err = mineParts(f, notes, format, order, path, info.Size(), o)
	} else {
		report, err = mineWhole(f, notes, format, order, path, o)
	}
	if err != nil {
		return err
	}
	if o.asJSON {
		return json.NewEncoder(out).Encode(report)
	}
	return printReport(out, report, mineWords(o.language))
}

// mineWhole holds the log in memory.
func mineWhole(f *os.File, notes io.Writer, format files.Format, order mining.Order, path string, o mineOptions) (*mining.Report, error) {
	var log *mining.Log
	var err error
	activity := xes.KeyName
	if format == files.XES {
		log, err = mineXES(f, notes, order, o)
	} else {
		b := mining.NewBuilder()
		if activity, err = mineRows(f, notes, format, inMemory{b}, o); err == nil {
			log, err = b.Build(order)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	report := mining.NewReport(log, logName(path, activity, o))
	if o.funnel != "" {
		funnel, err := parseFunnel(log.Activities(), o)
		if err == nil {
			err = report.AddFunnel(log, funnel)
		}
		if err != nil {
			return nil, err
		}
	}
	return report, nil
}

// mineParts lays the log aside in parts that fit into memory.
func mineParts(f *os.File, notes io.Writer, format files.Format, order mining.Order, path string, size int64, o mineOptions) (report *mining.Report, err error) {
	if strings.HasSuffix(path, ".gz") || format == files.Parquet {
		size *= 12 // event logs shrink to about a twelfth
	}
	p, err := newParts(size, o.memory, order)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.remove()) }()
	activity := xes.KeyName
	if format == files.XES {
		err = partsOfXES(f, notes, p, o)
	} else {
		activity, err = mineRows(f, notes, format, p, o)
	}
	log, closing := p.writer.Close()
	if err = errors.Join(err, closing); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	var funnel *mining.Funnel
	if o.funnel != "" {
		if funnel, err = parseFunnel(p.activities, o); err != nil {
			return nil, err
		}
	}
	return log.Summary(logName(path, activity, o), funnel)
}

func logName(path, activity string, o mineOptions) string {
	name := o.name
	if name == "" {
		name = strings.TrimSuffix(filepath.Base(path), ".gz")
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	if o.lifecycle {
		activity += "+" + xes.KeyLifecycle
	}
	return name + ", activity=" + activity
}

// parseFunnel finds the activities of --funnel.
func parseFunnel(activities *mining.Dict, o mineOptions) (*mining.Funnel, error) {
	f := &mining.Funnel{Within: o.within, Gap: o.gap}
	switch o.mode {
	case "", "order":
	case "direct":
		f.Mode = mining.Direct
	case "any":
		f.Mode = mining.AnyOrder
	default:
		return nil, fmt.Errorf("--mode %q: it is order, direct or any", o.mode)
	}
	for step := range strings.SplitSeq(o.funnel, ",") {
		step = strings.TrimSpace(step)
		id, ok := activities.Lookup(step)
		if !ok {
			return nil, fmt.Errorf("--funnel: no event has the activity %q", step)
		}
		f.Steps = append(f.Steps, []int32{id})
	}
	return f, nil
}

func mineXES(f *os.File, notes io.Writer, order mining.Order, o mineOptions) (*mining.Log, error) {
	r := xes.NewReader(f)
	defer r.Close()
	log, counts, err := mining.FromXES(r, mining.XESOptions{Order: order, Lifecycle: o.lifecycle})
	return log, noteXES(notes, counts, err, o.partial && log != nil)
}

// partsOfXES lays the events of a XES log aside.
func partsOfXES(f *os.File, notes io.Writer, p *parts, o mineOptions) error {
	r := xes.NewReader(f)
	defer r.Close()
	counts, err := mining.EachXES(r, mining.XESOptions{Lifecycle: o.lifecycle}, p.addTrace)
	var damage *xes.Error
	return noteXES(notes, counts, err, o.partial && errors.As(err, &damage))
}

// noteXES says what was left out, and lets damage pass where that is allowed.
func noteXES(notes io.Writer, counts mining.XESCounts, err error, partial bool) error {
	if err != nil {
		if !partial {
			return fmt.Errorf("%w (%d complete cases come before; --partial uses them)", err, counts.Traces)
		}
		fmt.Fprintf(notes, "damaged file, using the %d complete cases before the damage: %v\n", counts.Traces, err)
	}
	if n := counts.NoName + counts.NoTime; n > 0 {
		fmt.Fprintf(notes, "%d of %d events left out: %d without activity, %d without a readable time\n", n, counts.Events, counts.NoName, counts.NoTime)
	}
	if counts.Empty > 0 {
		fmt.Fprintf(notes, "%d of %d cases left out: they have no events\n", counts.Empty, counts.Traces)
	}
	return nil
}

// mineColumns are the columns of a table that make an event.
type mineColumns struct {
	id, activity, time, lifecycle string
	format                        when.Format
}

// mineRows reads a table and returns the name of the activity column.
func mineRows(f *os.File, notes io.Writer, format files.Format, to eventSink, o mineOptions) (string, error) {
	open := func() (files.Reader, error) {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		options := files.Options{Encoding: o.encoding}
		if o.delimiter != "" {
			options.Delimiter = []rune(strings.ReplaceAll(o.delimiter, `\t`, "\t"))[0]
		}
		return files.Open(format, f, options)
	}
	r, err := open()
	if err != nil {
		return "", err
	}
	rows, _, err := files.Sample(r, 200)
	r.Close()
	if err != nil {
		return "", err
	}
	columns, err := findColumns(rows, o)
	if err != nil {
		return "", err
	}
	if r, err = open(); err != nil {
		return "", err
	}
	defer r.Close()
	left, reason, err := columns.addAll(r, to, o.lifecycle)
	if err != nil {
		if !o.partial {
			return "", fmt.Errorf("%w (%d events come before; --partial uses them)", err, to.count())
		}
		fmt.Fprintf(notes, "damaged file, using the %d events before the damage: %v\n", to.count(), err)
	}
	if left > 0 {
		fmt.Fprintf(notes, "%d rows left out, first: %v\n", left, reason)
	}
	return columns.activity, nil
}

// addAll adds each row as an event. It counts the rows that cannot be one and
// returns why the first of them cannot.
func (m *mineColumns) addAll(r files.Reader, to eventSink, lifecycle bool) (left int, reason, err error) {
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return left, reason, nil
		}
		var bad *files.RowError
		if err != nil && !errors.As(err, &bad) {
			return left, reason, err
		}
		if err == nil {
			var id, activity string
			var micros int64
			if id, activity, micros, err = m.event(row, lifecycle); err == nil {
				if err := to.add(id, activity, micros); err != nil {
					return left, reason, err // of the disk, not of the row
				}
			}
		}
		if err != nil {
			if left++; left == 1 {
				reason = err
			}
		}
	}
}

// event is what a row says.
func (m *mineColumns) event(row *files.Row, lifecycle bool) (caseID, name string, micros int64, err error) {
	id, _ := row.Get(m.id)
	activity, _ := row.Get(m.activity)
	at, _ := row.Get(m.time)
	micros = at.Micros
	if at.Kind != files.Instant {
		if micros, err = m.format.Parse(at.Text); err != nil {
			return "", "", 0, fmt.Errorf("row %d: %w", row.Number, err)
		}
	}
	if id.Text == "" || activity.Text == "" {
		return "", "", 0, fmt.Errorf("row %d: no case or no activity", row.Number)
	}
	name = activity.Text
	if lifecycle {
		if transition, _ := row.Get(m.lifecycle); transition.Text != "" {
			name += "+" + transition.Text
		}
	}
	return id.Text, name, micros, nil
}

// findColumns takes the columns that the flags name, or those with a usual name.
func findColumns(rows []files.Row, o mineOptions) (*mineColumns, error) {
	if len(rows) == 0 {
		return nil, errors.New("no rows that can be read")
	}
	var m mineColumns
	for _, c := range []struct {
		column      *string
		flag, given string
		usual       []string
		optional    bool
	}{
		{&m.id, "case", o.caseCol, []string{"case", "case_id", "caseid", "case id", "case:concept:name", "case_key", "trace"}, false},
		{&m.activity, "activity", o.activityCol, []string{"activity", "concept:name", "event", "event_name", "step"}, false},
		{&m.time, "time", o.timeCol, []string{"time", "timestamp", "time:timestamp", "occurred_at", "complete timestamp", "at"}, false},
		{&m.lifecycle, "lifecycle-column", o.lifecycleCol, []string{"lifecycle", xes.KeyLifecycle}, !o.lifecycle},
	} {
		*c.column = pickColumn(rows[0].Columns, c.given, c.usual)
		if *c.column == "" && !c.optional {
			return nil, fmt.Errorf("no column for --%s; the file has: %s", c.flag, strings.Join(rows[0].Columns, ", "))
		}
	}
	zone, err := time.LoadLocation(o.zone)
	if err != nil {
		return nil, fmt.Errorf("--zone: %w", err)
	}
	if o.timeFormat != "" {
		m.format, err = when.NewFormat(o.timeFormat, zone)
		return &m, err
	}
	var samples []string
	for _, row := range rows {
		if at, _ := row.Get(m.time); at.Kind != files.Instant {
			samples = append(samples, at.Text)
		}
	}
	if len(samples) == 0 {
		m.format, err = when.NewFormat("iso", zone)
		return &m, err
	}
	var ok bool
	if m.format, ok = when.Detect(samples, zone); !ok {
		return nil, fmt.Errorf("the times in column %q, such as %q, have no single known form; --time-format says which", m.time, samples[0])
	}
	return &m, nil
}

func pickColumn(columns []string, given string, usual []string) string {
	if given != "" {
		usual = []string{given}
	}
	for _, name := range usual {
		for _, column := range columns {
			if strings.EqualFold(column, name) {
				return column
			}
		}
	}
	return ""
}
