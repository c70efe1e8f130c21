package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"omote/internal/bench"
)

// newBenchSearchCommand measures the search for customers.
func newBenchSearchCommand() *cobra.Command {
	var o bench.SearchOptions
	var parent, keep string
	cmd := &cobra.Command{
		Use:   "search",
		Short: "Measure the search for customers over encrypted names and numbers",
		Long:  "Takes invented customers up as the stream does, one record each, into a store of its own, and asks for them as clerks do.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Dir = keep; keep == "" {
				dir, err := os.MkdirTemp(parent, "omote-bench-")
				if err != nil {
					return err
				}
				defer os.RemoveAll(dir)
				o.Dir = dir
			}
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
	cmd.Flags().StringVar(&parent, "dir", "", "folder in which the store is made (default: the temporary folder)")
	cmd.Flags().StringVar(&keep, "store", "", "folder of a store that is kept: made when it is not there, else asked as it is")
	cmd.Flags().StringVar(&o.URL, "url", "", "postgres:// address of an empty database to measure instead of SQLite")
	cmd.Flags().IntVar(&o.Customers, "customers", 1_000_000, "customers that are searched")
	cmd.Flags().IntVar(&o.Queries, "queries", 2_000, "queries asked")
	return cmd
}
