package cli

import (
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"time"

	"github.com/spf13/cobra"

	"omote/internal/bench"
)

func newBenchIngestCommand() *cobra.Command {
	var o bench.IngestOptions
	var profile string
	cmd := &cobra.Command{
		Use:   "ingest",
		Short: "Measure the way of an event: durable acknowledgements, figures, overload",
		Long: "Starts a server in a temporary folder and loads it from the same processors: batches and single events with nothing reading the log, then live " +
			"and history with the projectors at work, then twice what it holds.",
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
			res, err := bench.Ingest(cmd.Context(), o)
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
	cmd.Flags().IntVar(&o.Seconds, "seconds", 5, "how long each phase loads")
	cmd.Flags().DurationVar(&o.Overload, "overload", time.Minute, "how long twice the load is offered")
	cmd.Flags().IntVar(&o.Bulk, "bulk", 400_000, "events of the history load")
	cmd.Flags().StringVar(&profile, "cpuprofile", "", "file for a CPU profile")
	return cmd
}
