package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	insight "omote/internal/insight/api"
	"omote/internal/insight/signal"
	"omote/internal/platform/clock"
)

func newSignalCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "signal", Short: "What changed beyond noise, and where it comes from"}
	cmd.AddCommand(newSignalListCommand(), newSignalShowCommand(), newSignalRunCommand())
	return cmd
}

func newSignalListCommand() *cobra.Command {
	var state string
	cmd := &cobra.Command{Use: "list", Short: "List signals, dearest first", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			q := url.Values{}
			if state != "" {
				q.Set("state", state)
			}
			var page struct {
				Items []insight.Signal `json:"items"`
			}
			if err := c.call(ctx, http.MethodGet, "/api/v1/signals?"+q.Encode(), nil, &page); err != nil {
				return err
			}
			return print(cmd, page.Items, func(w io.Writer) error {
				t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
				fmt.Fprintln(t, "id\tstate\tmeasure\twhere\tsince\tbefore\tafter\tcustomers\ta year")
				for _, s := range page.Items {
					fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%.4g\t%.4g\t%d\t%s\n", s.ID, s.State, s.Metric, placeText(s.Place), s.Onset.Format(time.DateOnly), s.Before, s.After, s.Customers, yearText(s.Value))
				}
				return t.Flush()
			})
		})
	}}
	cmd.Flags().StringVar(&state, "state", "", "open, acknowledged, work, noise or closed")
	return cmd
}

func placeText(p signal.Place) string {
	if p.Dim == signal.Whole {
		return "all"
	}
	return string(p.Dim) + "=" + p.Value
}

func yearText(w *signal.Worth) string {
	if w == nil {
		return "–"
	}
	return fmt.Sprintf("%d (%d to %d)", w.Mid, w.Low, w.High)
}

func newSignalShowCommand() *cobra.Command {
	return &cobra.Command{Use: "show ID", Short: "Print one signal with its causes and its trail", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var s struct {
				insight.Signal
				Trail []signal.Event `json:"trail"`
			}
			if err := c.call(ctx, http.MethodGet, "/api/v1/signals/"+url.PathEscape(args[0]), nil, &s); err != nil {
				return err
			}
			return print(cmd, s, func(w io.Writer) error {
				fmt.Fprintf(w, "%s %s, %s\n%s: %.4g → %.4g since %s (found %s), %.1f standard deviations\n%d customers, %.0f cases; a year: %s\n", s.Name.En, s.Body.State, s.Signal.State, placeText(s.Place),
					s.Before, s.After, s.Onset.Format(time.DateOnly), s.Detected.Format(time.DateOnly), s.Sigmas, s.Customers, s.N, yearText(s.Value))
				t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
				for _, b := range s.Tree.Causes {
					fmt.Fprintf(t, "cause\t%v\t%.0f %%\t(%.0f to %.0f)\t%.4g → %.4g\n", b.Where, 100*b.Share, 100*b.Low, 100*b.High, b.Before, b.After)
				}
				for _, e := range s.Trail {
					fmt.Fprintf(t, "%s\t%s\t%s\t%s\t\n", e.At.Format(time.RFC3339), e.What, e.By, e.Note)
				}
				return t.Flush()
			})
		})
	}}
}

func newSignalRunCommand() *cobra.Command {
	return &cobra.Command{Use: "run", Short: "Look for signals now and print what the run did", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			type run struct {
				Ready bool `json:"ready"`
				signal.Run
			}
			var before, now run
			const path = "/api/v1/signals/run"
			if err := c.call(ctx, http.MethodGet, path, nil, &before); err != nil {
				return err
			}
			if err := c.call(ctx, http.MethodPost, path, nil, nil); err != nil {
				return err
			}
			for now = before; !now.Ready || now.At.Equal(before.At); {
				if err := clock.Sleep(ctx, 500*time.Millisecond); err != nil {
					return err
				}
				if err := c.call(ctx, http.MethodGet, path, nil, &now); err != nil {
					return err
				}
			}
			return print(cmd, now.Run, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%d series of %d measures, %d changes beyond noise: %d signals opened, %d ended, %d brought up to date, in %.1f s\n",
					now.Series, now.Metrics, now.Found, now.Opened, now.Closed, now.Updated, now.Seconds)
				return err
			})
		})
	}}
}
