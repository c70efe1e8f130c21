package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"
)

func newExportCommand() *cobra.Command {
	var format, output string
	cmd := &cobra.Command{
		Use:       "export events|customers|responses",
		Short:     "Write rows as CSV, NDJSON or Parquet",
		Long:      "Writes what is known, without names or contacts, in an open format. Without --output it goes to the standard output.",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"events", "customers", "responses"},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			out := cmd.OutOrStdout()
			if output != "" {
				f, err := os.OpenFile(output, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
				if err != nil {
					return usageError{fmt.Errorf("the file must not exist yet: %w", err)}
				}
				defer f.Close()
				out = f
			}
			return withClient(cmd, func(ctx context.Context, c *client) error {
				return c.call(ctx, http.MethodGet, "/api/v1/exports/"+args[0]+"?format="+format, nil, io.Writer(out))
			})
		},
	}
	cmd.Flags().StringVar(&format, "format", "csv", "csv, ndjson or parquet")
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write; it must not exist")
	return cmd
}
