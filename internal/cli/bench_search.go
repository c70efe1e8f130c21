package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"omote/internal/bench"
)

// newBenchSearchCommand measures the search for customers on SQLite.
func newBenchSearchCommand() *cobra.Command {
	var o bench.SearchOptions
	cmd := &cobra.Command{
		Use:   "search",
		Short: "Measure the search for customers over encrypted names and numbers",
		Long:  "Takes invented customers up as the stream does, one record each, into a store of its own, and asks for them as clerks do.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := os.MkdirTemp(o.Dir, "omote-bench-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			o.Dir = dir
			o.Progress = func(what string) { fmt.Fprintln(cmd.ErrOrStderr(), what) }
			res, err := bench.Search(cmd.Context(), o)
			if err != nil {
				return err
			}
			return print(cmd, res, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%+v\n", res)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&o.Dir, "dir", "", "folder in which the store is made (default: the temporary folder)")
	cmd.Flags().IntVar(&o.Customers, "customers", 1_000_000, "customers that are searched")
	cmd.Flags().IntVar(&o.Queries, "queries", 2_000, "queries asked")
	return cmd
}
