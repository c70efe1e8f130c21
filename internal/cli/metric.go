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
)

func newMetricCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "metric", Short: "Read definitions and figures of measures"}
	cmd.AddCommand(newMetricListCommand(), newMetricShowCommand())
	return cmd
}

func newMetricListCommand() *cobra.Command {
	var query string
	cmd := &cobra.Command{Use: "list", Short: "List the measures in force", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			all := []insight.Metric{}
			for after := ""; ; {
				var page struct {
					Items []insight.Metric `json:"items"`
					Next  string           `json:"next"`
				}
				if err := c.call(ctx, http.MethodGet, "/api/v1/metrics?limit=200&q="+url.QueryEscape(query)+"&after="+url.QueryEscape(after), nil, &page); err != nil {
					return err
				}
				all = append(all, page.Items...)
				if after = page.Next; after == "" {
					break
				}
			}
			return print(cmd, all, func(w io.Writer) error {
				t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
				for _, m := range all {
					fmt.Fprintf(t, "%s\t%s\t%s\n", m.ID, m.Kind, m.Name.En)
				}
				return t.Flush()
			})
		})
	}}
	cmd.Flags().StringVar(&query, "query", "", "part of an id or name")
	return cmd
}

func newMetricShowCommand() *cobra.Command {
	var from, to, by, granularity string
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Print the figures of a measure with their intervals",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q := url.Values{"from": {from}, "to": {to}, "granularity": {granularity}}
			if by != "" {
				q.Set("by", by)
			}
			return withClient(cmd, func(ctx context.Context, c *client) error {
				var res insight.Series
				if err := c.call(ctx, http.MethodGet, "/api/v1/metrics/"+url.PathEscape(args[0])+"/series?"+q.Encode(), nil, &res); err != nil {
					return err
				}
				return print(cmd, res, func(w io.Writer) error { return printResult(w, res) })
			})
		},
	}
	now := time.Now()
	cmd.Flags().StringVar(&from, "from", now.AddDate(0, 0, -28).Format(time.DateOnly), "first day")
	cmd.Flags().StringVar(&to, "to", now.Format(time.DateOnly), "the day after the last")
	cmd.Flags().StringVar(&by, "by", "", "dimension to split by")
	cmd.Flags().StringVar(&granularity, "granularity", "total", "day, week, month or total")
	return cmd
}

func printResult(w io.Writer, res insight.Series) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "from\tgroup\tn\tlow\tvalue\thigh\tstate\t\n")
	for _, p := range res.Points {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t\n", p.Start, p.Group, p.N, bound(p.Low), bound(p.Value), bound(p.High), p.State)
	}
	return t.Flush()
}

// bound writes one end of an interval, "–" where there is none.
func bound(x *float64) string {
	if x == nil {
		return "–"
	}
	return fmt.Sprintf("%.4g", *x)
}
