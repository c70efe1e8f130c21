package cli

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"omote/analytics/mining"
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
}

// newBenchMiningCommand measures journey computations on generated events.
func newBenchMiningCommand() *cobra.Command {
	var events int
	var seed uint64
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "mining",
		Short: "Measure journey computations on generated events",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if events < 1000 {
				return fmt.Errorf("--events %d: at least 1000", events)
			}
			r, err := benchMining(events, seed)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(),
				"%d events, %d cases, %d variants: prepare %.3f s; map %.3f s, variants %.3f s, funnel %.3f s, together %.3f s; filter and redraw %.3f s; peak memory %.0f MiB (%d cores)\n",
				r.Events, r.Cases, r.Variants, r.Prepare, r.Map, r.VariantS, r.Funnel, r.Pass, r.Redraw, r.PeakRSS, r.Cores)
			return err
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&events, "events", 10_000_000, "events to generate")
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
	funnel := &mining.Funnel{Within: 30 * 24 * time.Hour}
	for step := range int32(6) {
		funnel.Steps = append(funnel.Steps, []int32{step * 3})
	}
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
	const activities = 24
	random := rand.New(rand.NewPCG(seed, 0))
	names := make([]string, activities)
	for i := range names {
		names[i] = fmt.Sprintf("step %02d", i)
	}
	e := mining.Columns{
		Case: make([]int32, n), Activity: make([]int32, n), Time: make([]int64, n),
		Activities: mining.NewDict(names...),
	}
	active := make([]struct{ id, at int32 }, max(100, n/400))
	cases := int32(0)
	for i := range active {
		active[i].id, active[i].at = cases, int32(random.IntN(activities))
		cases++
	}
	now := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	step := int64(365*24*time.Hour/time.Microsecond) / int64(n)
	for i := range n {
		now += 1 + random.Int64N(2*step)
		k := random.IntN(len(active))
		c := &active[k]
		e.Case[i], e.Activity[i], e.Time[i] = c.id, c.at, now
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
	return e
}
