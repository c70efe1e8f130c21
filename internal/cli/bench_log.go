package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"omote/internal/platform/eventlog"
)

// newBenchLogCommand measures durable appends to an embedded event log.
func newBenchLogCommand() *cobra.Command {
	var o eventlog.BenchOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Measure durable appends to the event log",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := eventlog.Bench(cmd.Context(), o)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%.0f events/s, ack p50 %.2f ms, p99 %.2f ms, peak memory %.0f MiB (%d events an append, %d at a time, %.0f bytes an event, %d cores)\n",
				r.EventsPerSecond, r.AckP50, r.AckP99, r.PeakRSS, r.Batch, r.InFlight, r.EventBytes, r.Cores)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Dir, "dir", "", "folder for the log (default: a temporary one)")
	flags.DurationVar(&o.Duration, "duration", 0, "how long to measure (default 5s)")
	flags.IntVar(&o.Batch, "batch", 0, "events an append (default 500)")
	flags.IntVar(&o.InFlight, "in-flight", 0, "appends at the same time (default 8)")
	flags.IntVar(&o.Partitions, "partitions", 0, "partitions of the log (default 2)")
	flags.Uint64Var(&o.Seed, "seed", 1, "seed of the events")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
