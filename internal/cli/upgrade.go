package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"omote/internal/app"
)

// upgradeResult is what the command prints.
type upgradeResult struct {
	Version string        `json:"version"`
	Modules []app.Upgrade `json:"modules"`
}

func newUpgradeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "upgrade",
		Short: "Bring a data folder to this program's form",
		Long: "Opens the data folder, runs the migrations that have not run, and says which. serve does the same when it starts; this separates the " +
			"change from the serving. Take a back-up before.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, logger, err := settings(cmd)
			if err != nil {
				return err
			}
			done, err := app.Migrate(cmd.Context(), app.Options{Config: cfg, Logger: quiet(cfg, logger)})
			if err != nil {
				return err
			}
			r := upgradeResult{app.BuildInfo().Version, done}
			return print(cmd, r, func(w io.Writer) error {
				for _, u := range r.Modules {
					if _, err := fmt.Fprintf(w, "%-14s %d migrations applied\n", u.Module, u.Applied); err != nil {
						return err
					}
				}
				_, err := fmt.Fprintf(w, "the data folder has the form of omote %s\n", r.Version)
				return err
			})
		},
	}
}
