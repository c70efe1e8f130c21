package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"

	"github.com/spf13/cobra"

	governanceapi "omote/internal/governance/api"
	programapi "omote/internal/program/api"
)

func newWaveCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "wave", Short: "Read campaigns of behaviour and what they did"}
	list := &cobra.Command{Use: "list", Short: "List campaigns, newest first", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var page struct {
				Items []programapi.WaveSummary `json:"items"`
			}
			if err := c.call(ctx, http.MethodGet, "/api/v1/waves", nil, &page); err != nil {
				return err
			}
			return print(cmd, page.Items, func(w io.Writer) error {
				t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
				for _, s := range page.Items {
					fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.State, s.Phase, s.Start.Format("2006-01-02"), s.Look.Format("2006-01-02"), s.Title.EN)
				}
				return t.Flush()
			})
		})
	}}
	show := &cobra.Command{Use: "show ID", Short: "Print a campaign with its order and its last reading", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var d programapi.WaveDetail
			if err := c.call(ctx, http.MethodGet, "/api/v1/waves/"+url.PathEscape(args[0]), nil, &d); err != nil {
				return err
			}
			return print(cmd, d, func(w io.Writer) error { return printWave(w, d) })
		})
	}}
	read := &cobra.Command{Use: "read ID", Short: "Read what a campaign has done so far", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var r programapi.WaveReading
			if err := c.call(ctx, http.MethodPost, "/api/v1/waves/"+url.PathEscape(args[0])+"/reading", nil, &r); err != nil {
				return err
			}
			return print(cmd, r, func(w io.Writer) error { return printReading(w, r) })
		})
	}}
	cmd.AddCommand(list, show, read)
	return cmd
}

func printWave(w io.Writer, d programapi.WaveDetail) error {
	fmt.Fprintf(w, "%s  %s %s\nfrom %s, final reading %s, seed %s\n", d.Title.EN, d.State, d.Phase, d.Start.Format("2006-01-02"), d.Look.Format("2006-01-02"), d.Design.Seed)
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, p := range d.Places {
		fmt.Fprintf(t, "  %s\t%d\t%s\t%s\n", p.Code, p.Cohort, p.Begins.Format("2006-01-02"), p.Name)
	}
	if err := t.Flush(); err != nil || d.Reading == nil {
		return err
	}
	return printReading(w, *d.Reading)
}

func printReading(w io.Writer, r programapi.WaveReading) error {
	if r.Effect == nil {
		_, err := fmt.Fprintln(w, "too few branches to compare yet")
		return err
	}
	_, err := fmt.Fprintf(w, "%s %+.4f (%.4f to %.4f), p = %.3f, %.0f against %.0f answers in %d weeks, final: %t\n", r.Metric, r.Effect.Value, r.Effect.Low, r.Effect.High, r.Effect.P, r.Effect.N,
		r.Effect.Waiting, r.Effect.Weeks, r.Final)
	return err
}

func newMaturityCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "maturity", Short: "Read maturity assessments"}
	list := &cobra.Command{Use: "list", Short: "List assessments, oldest first", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var page struct {
				Items []governanceapi.MaturityRound `json:"items"`
			}
			if err := c.call(ctx, http.MethodGet, "/api/v1/maturity", nil, &page); err != nil {
				return err
			}
			return print(cmd, page.Items, func(w io.Writer) error {
				t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
				for _, r := range page.Items {
					stage := "-"
					if r.Result != nil {
						stage = fmt.Sprintf("level %d, said %.1f, counts %.1f", r.Result.Stage, r.Result.Claimed, r.Result.Score)
					}
					fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", r.ID, r.State, stage, r.Title.EN)
				}
				return t.Flush()
			})
		})
	}}
	show := &cobra.Command{Use: "show ID", Short: "Print an assessment by indicator", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var r governanceapi.MaturityRound
			if err := c.call(ctx, http.MethodGet, "/api/v1/maturity/"+url.PathEscape(args[0]), nil, &r); err != nil {
				return err
			}
			return print(cmd, r, func(w io.Writer) error {
				fmt.Fprintf(w, "%s  %s\n", r.Title.EN, r.State)
				if r.Result == nil {
					return nil
				}
				t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
				for _, i := range r.Result.Indicators {
					fmt.Fprintf(t, "  %s\tsaid %.1f\tcounts %.1f\t(%.1f to %.1f)\tseen %d\n", i.ID, i.Claimed, i.Score, i.Low, i.High, i.Seen)
				}
				return t.Flush()
			})
		})
	}}
	cmd.AddCommand(list, show)
	return cmd
}
