package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"omote/internal/feedback/cases"
)

// newBenchEscalationCommand measures deadlines that are reached.
func newBenchEscalationCommand() *cobra.Command {
	var o cases.BenchOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "escalation",
		Short: "Measure clocks of cases that run out: a minute in which very many do, then an even load",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := cases.Bench(cmd.Context(), o)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%.0f clocks/s fired, lateness p50 %.2f s, p99 %.2f s, lost %d, twice %d (%d open clocks, %d fired, %d cores); a unit's queue p50 %.1f ms, p99 %.1f ms, its figures p99 %.1f ms\n",
				r.FiredPerSecond, r.LatenessP50, r.LatenessP99, r.Lost, r.Twice, r.Open, r.Fired, r.Cores, r.QueueP50, r.QueueP99, r.CountP99)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Dir, "dir", "", "folder for the store (default: a temporary one)")
	flags.IntVar(&o.Open, "open", 0, "open clocks (default 1000000)")
	flags.IntVar(&o.Burst, "burst", 0, "of them due in the same minute (default 100000)")
	flags.IntVar(&o.Even, "even", 0, "due evenly afterwards (default 20000)")
	flags.DurationVar(&o.Span, "span", 0, "over this time (default 20s)")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
