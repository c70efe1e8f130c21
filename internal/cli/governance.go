package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	governance "omote/internal/governance/api"
)

// newInitiativeCommand, newDecisionCommand and newLedgerCommand read what steers the
// bank: changes with their gates, decisions with their forecasts, money that was proven.
func newInitiativeCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "initiative", Short: "Changes, how far they are and what they wait for"}
	cmd.AddCommand(&cobra.Command{Use: "list", Short: "List the initiatives of your place", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return listOf(cmd, "/api/v1/initiatives", "id\ttitle\tlane\tstage\tstate\tcase, 90 %\tbooked\twaits for", func(w io.Writer, i governance.InitiativeState) {
			worth := "–"
			if i.Low != nil && i.High != nil {
				worth = fmt.Sprintf("%d to %d", *i.Low, *i.High)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", i.ID, i.Title.EN, i.Lane, i.Stage, i.State, worth, i.Booked, i.Cause)
		})
	}})
	return cmd
}

func newDecisionCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "decision", Short: "What the council decided, what it foresaw and what came of it"}
	cmd.AddCommand(&cobra.Command{Use: "list", Short: "List decisions and papers, oldest first", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return listOf(cmd, "/api/v1/decisions", "id\ttitle\tstate\tagainst the rank\tmeasure\tsaid\tbecame\theld", func(w io.Writer, d governance.CouncilDecision) {
			metric, said, became, held := "–", "–", "–", "–"
			if f := d.Forecast; f != nil {
				metric, said = f.Metric, fmt.Sprintf("%.4g to %.4g (%.0f %%)", f.Low, f.High, 100*f.Level)
			}
			if o := d.Outcome; o != nil && o.Known {
				became, held = fmt.Sprintf("%.4g (%.4g to %.4g)", o.Value, o.Low, o.High), fmt.Sprint(o.Held)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%t\t%s\t%s\t%s\t%s\n", d.ID, d.Title.EN, d.State, d.Overrode, metric, said, became, held)
		})
	}})
	return cmd
}

func newLedgerCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "ledger", Short: "Money that was proven, at its lower bound"}
	cmd.AddCommand(&cobra.Command{Use: "list", Short: "List the lines of the value ledger", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return listOf(cmd, "/api/v1/ledger", "id\ttitle\tmeasure\tmethod\tworth, 90 %\tbooked\tstate\tsigned", func(w io.Writer, l governance.LedgerLine) {
			signed := "–"
			if l.SignedAt != nil {
				signed = l.SignedAt.Format(time.DateOnly)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d (%d to %d)\t%d\t%s\t%s\n", l.ID, l.Title.EN, l.Metric, l.Method, l.Mid, l.Low, l.High, l.Booked, l.State, signed)
		})
	}})
	return cmd
}

// listOf prints the items of a list of the API as a table, or as JSON.
func listOf[T any](cmd *cobra.Command, path, head string, row func(io.Writer, T)) error {
	return withClient(cmd, func(ctx context.Context, c *client) error {
		var page struct {
			Items []T `json:"items"`
		}
		if err := c.call(ctx, http.MethodGet, path, nil, &page); err != nil {
			return err
		}
		return print(cmd, page.Items, func(w io.Writer) error {
			t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
			fmt.Fprintln(t, head)
			for _, one := range page.Items {
				row(t, one)
			}
			return t.Flush()
		})
	})
}

func newBoardCommand() *cobra.Command {
	var output, format, lang string
	cmd := &cobra.Command{Use: "board", Short: "Write the board pack as PDF or HTML", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) (err error) {
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
			return c.call(ctx, http.MethodGet, "/api/v1/board-pack?format="+format+"&lang="+lang, nil, out)
		})
	}}
	cmd.Flags().StringVar(&format, "format", "pdf", "pdf or html")
	cmd.Flags().StringVar(&lang, "lang", "", "en or vi; without it the installation's language")
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write; it must not exist")
	return cmd
}
