package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"omote/internal/app"
)

func newServeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run Omote",
		Long: "Runs everything in one process and one data folder. With --role, and the store, the log and the warehouse on servers, it runs a part " +
			"of an installation that is spread over machines.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, logger, err := settings(cmd)
			if err != nil {
				return err
			}
			a, err := app.Open(cmd.Context(), app.Options{Config: c, Logger: logger})
			if err != nil {
				return err
			}
			a.OnSetup = func(address string) {
				fmt.Fprintf(cmd.ErrOrStderr(), "Nobody can sign in yet. Set this installation up at\n  %s\n", address)
			}
			runErr := a.Run(cmd.Context(), true)
			ctx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), closeTimeout)
			defer cancel()
			if err := a.Close(ctx); err != nil && runErr == nil {
				return err
			}
			return runErr
		},
	}
}

// closeTimeout bounds how long closing the engines may take.
const closeTimeout = 30 * time.Second
