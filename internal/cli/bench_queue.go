package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"omote/internal/feedback/cases"
)

// newBenchQueueCommand measures many agents on one queue of cases.
func newBenchQueueCommand() *cobra.Command {
	var o cases.QueueOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "queue",
		Short: "Measure agents on one queue of cases: all take one at once, then each in their own time",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := cases.BenchQueue(cmd.Context(), o)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d agents at once: %.0f cases/s, p99 %.0f ms; then %.0f agents/s: queue p99 %.1f ms, take p50 %.1f ms, p99 %.1f ms, contact p99 %.1f ms; %d taken, twice %d, wrong owner %d, out of order %d, errors %d (%d cores)\n",
				r.Agents, r.RushPerS, r.RushP99, r.EvenPerS, r.ListP99, r.TakeP50, r.TakeP99, r.ContactP99, r.Taken, r.Twice, r.WrongOwner, r.OutOfOrder, r.Errors, r.Cores)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Dir, "dir", "", "folder for the store (default: a temporary one)")
	flags.IntVar(&o.Agents, "agents", 0, "agents (default 5000)")
	flags.IntVar(&o.Cases, "cases", 0, "free cases at the start (default 20000)")
	flags.DurationVar(&o.Every, "every", 0, "how often each takes a case (default 3m)")
	flags.DurationVar(&o.Span, "span", 0, "length of the even part (default 20s)")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
