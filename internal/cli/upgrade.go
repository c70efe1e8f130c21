package cli

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"omote/internal/app"
	"omote/internal/platform/errs"
)

func newUpgradeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "upgrade",
		Short: "Bring a data folder to the form of this program",
		Long: "Carries out the migrations that a server would carry out at its start, and prints them. A running server must be stopped first; on PostgreSQL, " +
			"nodes of the version before go on working while it runs.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, logger, err := settings(cmd)
			if err != nil {
				return err
			}
			running := client{http: socketClient(filepath.Join(c.Data, app.SocketName))}
			if running.alive(cmd.Context()) {
				return errs.Conflict("app.error.locked", "a server works in %s; stop it, or restart it with this program: it upgrades at its start", c.Data)
			}
			done, err := app.Upgrade(cmd.Context(), c, quiet(c, logger))
			if err != nil {
				return err
			}
			return print(cmd, done, func(w io.Writer) error {
				for _, u := range done {
					if _, err := fmt.Fprintf(w, "%-12s %d migrations\n", u.Module, u.Applied); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}
