package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"omote/analytics/mining"
	"omote/analytics/mining/stream"
)

// miningBench is the result of the mining benchmark. Times are medians in
// seconds.
type miningBench struct {
	Events   int     `json:"events"`
	Cases    int     `json:"cases"`
	Variants int     `json:"variants"`
	Edges    int     `json:"edges"`
	Cores    int     `json:"cores"`
	Pass     float64 `json:"pass_s"`     // map, variants and funnel
	PassCPU  float64 `json:"pass_cpu_s"` // the same in seconds of processor time, all cores
	Prepare  float64 `json:"prepare_s"`  // sorting the events by case and time
	Map      float64 `json:"map_s"`      // with mean, median, p90 and p95 of each edge
	VariantS float64 `json:"variants_s"`
	Funnel   float64 `json:"funnel_s"` // six steps within 30 days
	Redraw   float64 `json:"redraw_s"` // three filters, then the map again
	PeakRSS  float64 `json:"peak_rss_mb"`
	// In parts: the memory they may take, how long laying the events aside took
	// and how long mining them; the times above are then zero.
	Memory int     `json:"memory_mb,omitempty"`
	Aside  float64 `json:"aside_s,omitempty"`
	Mined  float64 `json:"mined_s,omitempty"` // map, variants and funnel
}

// newBenchMiningCommand measures journey computations on generated events.
func newBenchMiningCommand() *cobra.Command {
	var events, memory int
	var seed uint64
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "mining",
		Short: "Measure journey computations on generated events",
		Long: `Measure journey computations on generated events: the map with exact median times,
the variants, a six-step funnel, a filter and redraw. --memory MIB lays the events
aside on disk in parts and mines them with about so much memory.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if events < 1000 {
				return fmt.Errorf("--events %d: at least 1000", events)
			}
			bench := func() (*miningBench, error) { return benchMining(events, seed) }
			if memory > 0 {
				bench = func() (*miningBench, error) { return benchParts(events, memory, seed) }
			}
			r, err := bench()
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
			}
			if r.Memory > 0 {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d events, %d cases, %d variants in parts of %d MiB: laid aside in %.2f s, mined in %.2f s; peak memory %.0f MiB (%d cores)\n",
					r.Events, r.Cases, r.Variants, r.Memory, r.Aside, r.Mined, r.PeakRSS, r.Cores)
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(),
				"%d events, %d cases, %d variants: prepare %.3f s; map %.3f s, variants %.3f s, funnel %.3f s, together %.3f s; filter and redraw %.3f s; peak memory %.0f MiB (%d cores)\n",
				r.Events, r.Cases, r.Variants, r.Prepare, r.Map, r.VariantS, r.Funnel, r.Pass, r.Redraw, r.PeakRSS, r.Cores)
			return err
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&events, "events", 10_000_000, "events to generate")
	flags.IntVar(&memory, "memory", 0, "mine in parts with about so many MiB (default: all at once)")
	flags.Uint64Var(&seed, "seed", 1, "seed of the events")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func benchMining(events int, seed uint64) (*miningBench, error) {
	columns := generateEvents(events, seed)
	r := &miningBench{Events: events, Cores: runtime.GOMAXPROCS(0)}
	start := time.Now()
	log, err := mining.FromColumns(columns, mining.TimeOrder)
	if err != nil {
		return nil, err
	}
	r.Prepare = time.Since(start).Seconds()
	columns = mining.Columns{} // free what was sorted
	first, last, _ := log.TimeRange()
	funnel := benchFunnel()
	var cpu [3]float64
	r.Map, cpu[0] = measure(func() { r.Edges = len(mining.DirectlyFollows(log).Edges) })
	r.VariantS, cpu[1] = measure(func() { r.Variants = len(mining.FindVariants(log).List) })
	r.Funnel, cpu[2] = measure(func() { _, err = funnel.Run(log) })
	if err != nil {
		return nil, err
	}
	r.Redraw, _ = measure(func() {
		part, _ := log.Filter(
			mining.CasesStarted(first+(last-first)/4, last),
			mining.CasesWith(3),
			mining.DropActivities(7, 8),
		)
		mining.DirectlyFollows(part)
	})
	r.Cases = log.Cases()
	r.Pass = r.Map + r.VariantS + r.Funnel
	r.PassCPU = cpu[0] + cpu[1] + cpu[2]
	r.PeakRSS = float64(resources().Maxrss) / 1024 // KiB on Linux
	return r, nil
}

// benchFunnel is six steps within 30 days.
func benchFunnel() *mining.Funnel {
	f := &mining.Funnel{Within: 30 * 24 * time.Hour}
	for step := range int32(6) {
		f.Steps = append(f.Steps, []int32{step * 3})
	}
	return f
}

// benchParts mines the same events in parts.
func benchParts(events, memory int, seed uint64) (r *miningBench, err error) {
	dir, err := os.MkdirTemp("", "omote-mining-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// Without a limit the collector lets garbage grow to as much as is in use.
	debug.SetMemoryLimit(int64(memory) << 20)
	w, err := stream.NewWriter(folder(dir), generatedActivities(), stream.Options{Memory: int64(memory) << 20, Events: int64(events), Order: mining.TimeOrder})
	if err != nil {
		return nil, err
	}
	r = &miningBench{Events: events, Cores: runtime.GOMAXPROCS(0), Memory: memory}
	start := time.Now()
	eachEvent(events, seed, func(id, activity int32, micros int64) { err = errors.Join(err, w.Add(uint64(id), activity, micros)) })
	l, closing := w.Close()
	if err = errors.Join(err, closing); err != nil {
		return nil, err
	}
	r.Aside = time.Since(start).Seconds()
	start = time.Now()
	report, err := l.Mine(stream.Ask{Variants: 100, Funnel: benchFunnel()})
	if err != nil {
		return nil, err
	}
	r.Mined = time.Since(start).Seconds()
	r.Cases, r.Variants, r.Edges = report.Cases, report.Ways, len(report.Graph.Edges)
	r.PeakRSS = float64(resources().Maxrss) / 1024 // KiB on Linux
	return r, nil
}

// folder keeps the parts of a log as files.
type folder string

// Create implements stream.Store.
func (f folder) Create(name string) (io.WriteCloser, error) {
	return os.Create(filepath.Join(string(f), name))
}

// Open implements stream.Store.
func (f folder) Open(name string) (io.ReadCloser, error) {
	return os.Open(filepath.Join(string(f), name))
}

// Remove implements stream.Store.
func (f folder) Remove(name string) error { return os.Remove(filepath.Join(string(f), name)) }

// measure runs f a few times, each after a garbage collection, and returns the
// medians of elapsed time and of processor time.
func measure(f func()) (wall, cpu float64) {
	var walls, cpus []float64
	for range 3 {
		runtime.GC()
		start, before := time.Now(), resources()
		f()
		walls = append(walls, time.Since(start).Seconds())
		after := resources()
		cpus = append(cpus, time.Duration(after.Utime.Nano()+after.Stime.Nano()-before.Utime.Nano()-before.Stime.Nano()).Seconds())
	}
	slices.Sort(walls)
	slices.Sort(cpus)
	return walls[1], cpus[1]
}

// resources returns what the process has used so far.
func resources() syscall.Rusage {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // fails for wrong arguments only
	return usage
}

// generateEvents makes events of loan-like cases in the order of time, as a
// bank's feed brings them: at any time some thousand cases are under way, and
// the next event is that of a random one. A case begins with activity 0 and
// mostly goes on to the next higher activity of 24; sometimes it repeats,
// returns or leaps. It has about twenty events.
func generateEvents(n int, seed uint64) mining.Columns {
	e := mining.Columns{
		Case: make([]int32, n), Activity: make([]int32, n), Time: make([]int64, n),
		Activities: generatedActivities(),
	}
	i := 0
	eachEvent(n, seed, func(id, activity int32, micros int64) {
		e.Case[i], e.Activity[i], e.Time[i] = id, activity, micros
		i++
	})
	return e
}

const benchActivities = 24

func generatedActivities() *mining.Dict {
	names := make([]string, benchActivities)
	for i := range names {
		names[i] = fmt.Sprintf("step %02d", i)
	}
	return mining.NewDict(names...)
}

// eachEvent gives the generated events one by one.
func eachEvent(n int, seed uint64, yield func(id, activity int32, micros int64)) {
	const activities = benchActivities
	random := rand.New(rand.NewPCG(seed, 0))
	active := make([]struct{ id, at int32 }, max(100, n/400))
	cases := int32(0)
	for i := range active {
		active[i].id, active[i].at = cases, int32(random.IntN(activities))
		cases++
	}
	now := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	step := int64(365*24*time.Hour/time.Microsecond) / int64(n)
	for range n {
		now += 1 + random.Int64N(2*step)
		k := random.IntN(len(active))
		c := &active[k]
		yield(c.id, c.at, now)
		switch draw := random.IntN(100); {
		case draw < 80:
			c.at++
		case draw < 90: // again
		case draw < 95:
			c.at = max(0, c.at-2)
		default:
			c.at += 3
		}
		if c.at >= activities || random.IntN(60) == 0 {
			c.id, c.at = cases, 0
			cases++
		}
	}
}
