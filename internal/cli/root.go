// Package cli is the command line. A command that needs the data talks to the
// same API as everybody: over the socket of the process that owns the data
// folder, or, where none runs, of one that it starts for the moment.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"omote/internal/app"
	"omote/internal/platform/config"
	"omote/internal/platform/errs"
)

// Main runs the command line and gives the exit code: 0 done, 1 failed, 2 wrong
// use.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "omote:", err)
	if _, wrong := errors.AsType[usageError](err); wrong || errs.KindOf(err) == errs.KindInvalid {
		return 2
	}
	return 1
}

// usageError is a mistake in how a command was called.
type usageError struct{ error }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "omote",
		Short:         "Customer experience management for banks",
		Version:       app.Version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	config.Flags(root.PersistentFlags())
	root.PersistentFlags().Bool("json", false, "print JSON")
	root.AddCommand(newServeCommand(), newDemoCommand(), newImportCommand(), newExportCommand(), newBackupCommand(), newRestoreCommand(), newUpgradeCommand(), newMineCommand(), newJourneyCommand(), newLinkCommand(), newMetricCommand(), newSignalCommand(), newCaseCommand(), newSurveyCommand(), newInitiativeCommand(), newDecisionCommand(), newLedgerCommand(), newBoardCommand(), newWaveCommand(), newMaturityCommand(), newCustomerCommand(), newSegmentCommand(), newActivationCommand(), newConnectorCommand(), newTextCommand(), newKeyCommand(), newUserCommand(), newAuditCommand(), newBankCommand(), newChartCommand(), newCauseCommand(), newDoctorCommand(), newVersionCommand(), newBenchCommand())
	return root
}

// settings reads the configuration of a command.
func settings(cmd *cobra.Command) (config.Config, *slog.Logger, error) {
	c, err := config.Load(cmd.Flags())
	if err != nil {
		return c, nil, err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return c, nil, usageError{fmt.Errorf("log level %q is not debug, info, warn or error", c.LogLevel)}
	}
	logger := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	slog.SetDefault(logger)
	return c, logger, nil
}

// asJSON tells whether the command was asked for JSON.
func asJSON(cmd *cobra.Command) bool {
	on, _ := cmd.Flags().GetBool("json")
	return on
}

// print writes v as JSON where that was asked for, else calls text.
func print(cmd *cobra.Command, v any, text func(w io.Writer) error) error {
	out := cmd.OutOrStdout()
	if !asJSON(cmd) {
		return text(out)
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		v := app.BuildInfo()
		return print(cmd, v, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "omote %s (%s, %s)\n", v.Version, v.Revision, v.Go)
			return err
		})
	}}
}

func newBenchCommand() *cobra.Command {
	bench := &cobra.Command{Use: "bench", Short: "Measure a hot path on this machine"}
	bench.AddCommand(newBenchLogCommand(), newBenchEscalationCommand(), newBenchQueueCommand(), newBenchMiningCommand(), newBenchWarehouseCommand(), newBenchIngestCommand(),
		newBenchLinkageCommand(), newBenchSurveyCommand(), newBenchSearchCommand(), newBenchSegmentsCommand())
	return bench
}
