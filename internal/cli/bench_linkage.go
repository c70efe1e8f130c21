package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"omote/analytics/linkage"
	"omote/bank"
)

// linkageBench is the result of the linkage benchmark.
type linkageBench struct {
	Records      int     `json:"records"`
	Cores        int     `json:"cores"`
	Batch        float64 `json:"batch_s"` // from the table in memory to clusters, learning included
	PeakRSS      float64 `json:"peak_rss_mb"`
	Compared     int64   `json:"pairs_compared"`
	Clusters     int     `json:"clusters"`
	F1           float64 `json:"pairs_f1"` // against the simulated bank's truth
	IndexS       float64 `json:"index_s"`  // making the index of all records
	Realtime     float64 `json:"realtime_per_s"`
	RealtimeP50  float64 `json:"realtime_p50_ms"`
	RealtimeP99  float64 `json:"realtime_p99_ms"`
	RealtimeHits float64 `json:"realtime_found"` // share of new records of known people that went to them
}

// newBenchLinkageCommand measures linkage on the records of a simulated bank.
func newBenchLinkageCommand() *cobra.Command {
	var records, arriving int
	var seed uint64
	var profile string
	cmd := &cobra.Command{
		Use:   "linkage",
		Short: "Measure linking the records of a simulated bank, at once and one by one",
		Long: `Takes the records that a simulated bank's systems hold, errors included, links them
at once, and then has further records of the same people arrive one by one.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if records < 1000 {
				return usageError{fmt.Errorf("--records %d: at least 1000", records)}
			}
			if profile != "" {
				f, err := os.Create(profile)
				if err != nil {
					return err
				}
				defer f.Close()
				if err := pprof.StartCPUProfile(f); err != nil {
					return err
				}
				defer pprof.StopCPUProfile()
			}
			r, err := benchLinkage(cmd.Context(), records, arriving, seed)
			if err != nil {
				return err
			}
			return print(cmd, r, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%d records: %.1f s for all at once (%d pairs compared, F1 %.4f), index %.1f s; new records %.0f/s, p50 %.2f ms, p99 %.2f ms; peak memory %.0f MiB (%d cores)\n",
					r.Records, r.Batch, r.Compared, r.F1, r.IndexS, r.Realtime, r.RealtimeP50, r.RealtimeP99, r.PeakRSS, r.Cores)
				return err
			})
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&records, "records", 1_000_000, "records to link at once")
	flags.IntVar(&arriving, "arriving", 20_000, "records that arrive afterwards")
	flags.Uint64Var(&seed, "seed", 1, "seed of the bank and of the linkage")
	flags.StringVar(&profile, "cpuprofile", "", "file for a CPU profile")
	return cmd
}

func benchLinkage(ctx context.Context, records, arriving int, seed uint64) (*linkageBench, error) {
	b, err := bank.New(bank.Config{Customers: (records + arriving), Months: 1, Seed: seed})
	if err != nil {
		return nil, err
	}
	t := linkage.NewTable("name", "birth", "gender", "phone", "email", "citizen_id", "address")
	var truth, later []int32
	var waiting [][]string
	every := max(records/max(arriving, 1), 1)
	person, known := int32(-1), uint64(1<<63)
	n := 0
	for who, r := range b.Records() {
		if who != known {
			known = who
			person++
		}
		row := []string{r.Name, r.Birth, r.Gender, r.Phone, r.Email, r.CitizenID, r.Address}
		if n++; n%every == 0 && len(waiting) < arriving {
			waiting, later = append(waiting, row), append(later, person)
			continue
		}
		if err := t.Add(0, row...); err != nil {
			return nil, err
		}
		if truth = append(truth, person); len(truth) == records {
			break
		}
	}
	r := &linkageBench{Records: t.Len(), Cores: runtime.GOMAXPROCS(0)}
	start := time.Now()
	res, err := linkage.Link(ctx, t, linkage.Options{Seed: seed})
	if err != nil {
		return nil, err
	}
	r.Batch = time.Since(start).Seconds()
	r.Compared, r.Clusters = res.Compared, res.Clusters
	r.F1 = linkage.ScoreClusters(truth, res.Entity, nil).Pairs.F1
	start = time.Now()
	x, err := linkage.NewIndex(res.Model, t, res.Entity)
	if err != nil {
		return nil, err
	}
	r.IndexS = time.Since(start).Seconds()
	entities := map[int32]map[int32]bool{} // where each person's records are
	for i, p := range truth {
		if entities[p] == nil {
			entities[p] = map[int32]bool{}
		}
		entities[p][res.Entity[i]] = true
	}
	took := make([]float64, len(waiting))
	hits, people := 0, 0
	start = time.Now()
	for i, row := range waiting {
		at := time.Now()
		_, e, _, err := x.Add(row)
		if err != nil {
			return nil, err
		}
		took[i] = time.Since(at).Seconds() * 1000
		if entities[later[i]] != nil {
			people++
			if entities[later[i]][e] {
				hits++
			}
		}
	}
	if len(waiting) > 0 {
		r.Realtime = float64(len(waiting)) / time.Since(start).Seconds()
		slices.Sort(took)
		r.RealtimeP50, r.RealtimeP99 = took[len(took)/2], took[len(took)*99/100]
		r.RealtimeHits = float64(hits) / float64(max(people, 1))
	}
	r.PeakRSS = float64(resources().Maxrss) / 1024 // KiB on Linux
	return r, nil
}
