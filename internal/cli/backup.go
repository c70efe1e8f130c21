package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"

	"github.com/spf13/cobra"

	"omote/internal/app"
)

func newBackupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "backup DIR",
		Short: "Back up store, warehouse and event log while everything goes on",
		Long: "Writes a back-up into DIR, which must be empty or absent: the warehouse, the store and the event log, in this order, so that the positions " +
			"of the first two are at or before the log's, and a manifest with counts and hashes. Keys are NOT in it; keep the key ring apart.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := filepath.Abs(args[0])
			if err != nil {
				return usageError{err}
			}
			return withClient(cmd, func(ctx context.Context, c *client) error {
				var b app.Backup
				if err := c.call(ctx, http.MethodPost, "/api/v1/backup", map[string]string{"dir": dir}, &b); err != nil {
					return err
				}
				return print(cmd, b, func(w io.Writer) error {
					var bytes int64
					for _, f := range b.Files {
						bytes += f.Bytes
					}
					_, err := fmt.Fprintf(w, "%s: %d events, %d responses, %d files of %d bytes, %.1f s\nThe keys are not in it. Keep the key ring apart.\n",
						dir, b.Warehouse.Events, b.Warehouse.Responses, len(b.Files), bytes, b.Seconds)
					return err
				})
			})
		},
	}
}

func newRestoreCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "restore DIR",
		Short: "Make a new data folder of a back-up",
		Long: "Checks the hashes of the back-up in DIR and restores it into the folder of --data, which must be empty or absent. --keys names the key ring, " +
			"which is not in the back-up. Afterwards the events that the log holds beyond the snapshots are taken up.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, logger, err := settings(cmd)
			if err != nil {
				return err
			}
			r, err := app.Restore(cmd.Context(), cfg, quiet(cfg, logger), args[0])
			if err != nil {
				return err
			}
			return print(cmd, r, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "restored %d events, %d responses and %d rows of %s; %d events with the log, %d erasures applied again, %.1f s\n",
					r.Events, r.Responses, r.Rows, r.TakenAt.Format("2006-01-02 15:04:05Z"), r.CaughtUp, r.Erasures, r.Seconds)
				return err
			})
		},
	}
}
