package cli

import (
	"fmt"
	"io"
	"os"
	"runtime/pprof"

	"github.com/spf13/cobra"

	"omote/internal/bench"
)

func newBenchSegmentsCommand() *cobra.Command {
	var o bench.SegmentsOptions
	var profile string
	cmd := &cobra.Command{
		Use:   "segments",
		Short: "Measure how fast segments follow events",
		Long: "Opens an installation in a temporary folder with many rules, has the state projector (identity, consent, segments) take events up as fast as it can, then " +
			"measures from an event's arrival until its customer is a member, at 5,000 events a second.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := os.MkdirTemp(o.Dir, "omote-bench-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			o.Dir = dir
			o.Progress = func(what string) { fmt.Fprintln(cmd.ErrOrStderr(), what) }
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
			res, err := bench.Segments(cmd.Context(), o)
			if err != nil {
				return err
			}
			return print(cmd, res, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%+v\n", res)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&o.Dir, "dir", "", "folder in which the data folder is made (default: the temporary folder)")
	cmd.Flags().IntVar(&o.Events, "events", 200_000, "events of the first phase")
	cmd.Flags().IntVar(&o.Customers, "customers", 50_000, "customers")
	cmd.Flags().IntVar(&o.Segments, "segments", 100, "segments in use")
	cmd.Flags().IntVar(&o.Seconds, "seconds", 10, "length of the second phase")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 1, "seed of the events")
	cmd.Flags().StringVar(&profile, "cpuprofile", "", "file for a CPU profile")
	return cmd
}
