package cli

import "github.com/spf13/cobra"

// newJourneyCommand holds the commands of designed journeys.
func newJourneyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "journey", Short: "Designed journeys: list, show, import, export, check, compare with what happened"}
	cmd.AddCommand(newJourneyAlignCommand())
	return cmd
}
