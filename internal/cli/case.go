package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"

	"github.com/spf13/cobra"

	casesapi "omote/internal/feedback/cases/api"
)

func newCaseCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "case", Short: "Work on cases and read their rules"}
	cmd.AddCommand(newCaseListCommand(), newCaseShowCommand(), newCaseOpenCommand(), newCaseMarkCommand(), newCaseRulesCommand())
	return cmd
}

func newCaseListCommand() *cobra.Command {
	var late bool
	var state, unit string
	var limit int
	cmd := &cobra.Command{Use: "list", Short: "List cases, the most urgent first", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		q := url.Values{"limit": {fmt.Sprint(limit)}, "unit": {unit}}
		if late {
			q.Set("late", "true")
		}
		if state != "" {
			q.Set("state", state)
		}
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var page struct {
				Items []casesapi.CaseSummary `json:"items"`
				Next  string                 `json:"next"`
			}
			if err := c.call(ctx, http.MethodGet, "/api/v1/cases?"+q.Encode(), nil, &page); err != nil {
				return err
			}
			return print(cmd, page.Items, func(w io.Writer) error {
				t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
				for _, s := range page.Items {
					due := "-"
					if s.NextDue != nil {
						due = s.NextDue.Local().Format("2006-01-02 15:04")
					}
					fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Ref, s.Kind, s.State, s.Severity, due, s.NextRule, s.Unit)
				}
				return t.Flush()
			})
		})
	}}
	cmd.Flags().BoolVar(&late, "late", false, "only those that missed a deadline")
	cmd.Flags().StringVar(&state, "state", "", "new, working, waiting, asked, solved, silent or merged")
	cmd.Flags().StringVar(&unit, "unit", "", "path of a unit")
	cmd.Flags().IntVar(&limit, "limit", 50, "how many")
	return cmd
}

func newCaseShowCommand() *cobra.Command {
	return &cobra.Command{Use: "show REF", Short: "Print a case with its clocks", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var d casesapi.CaseDetail
			if err := c.call(ctx, http.MethodGet, "/api/v1/cases/"+url.PathEscape(args[0]), nil, &d); err != nil {
				return err
			}
			return print(cmd, d, func(w io.Writer) error { return printCase(w, d) })
		})
	}}
}

func printCase(w io.Writer, d casesapi.CaseDetail) error {
	fmt.Fprintf(w, "%s  %s, %s, %s  %s\n", d.Ref, d.Kind, d.State, d.Severity, d.Title)
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, k := range d.Clocks {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\n", k.Rule, k.State, k.Due.Local().Format("2006-01-02 15:04"), k.Pack, k.Citation)
	}
	return t.Flush()
}

func newCaseOpenCommand() *cobra.Command {
	in := casesapi.CaseIntake{}
	cmd := &cobra.Command{Use: "open TITLE", Short: "Open a case", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		in.Title = args[0]
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var d casesapi.CaseDetail
			if err := c.call(ctx, http.MethodPost, "/api/v1/cases", in, &d); err != nil {
				return err
			}
			return print(cmd, d, func(w io.Writer) error { return printCase(w, d) })
		})
	}}
	f := cmd.Flags()
	f.StringVar(&in.Kind, "kind", "complaint", "complaint, dispute, detractor, observation or data_request")
	f.StringVar(&in.Severity, "severity", "medium", "low, medium, high or severe")
	f.StringVar(&in.Channel, "channel", "phone", "how it reached the bank")
	f.StringVar(&in.Unit, "unit", "/", "path of the unit that answers")
	f.StringVar(&in.Product, "product", "", "product")
	f.StringVar(&in.Reason, "reason", "", "reason code")
	f.StringVar(&in.Words, "words", "", "the customer's own words")
	f.StringVar(&in.Locale, "locale", "vi", "the customer's language: vi or en")
	return cmd
}

func newCaseMarkCommand() *cobra.Command {
	return &cobra.Command{Use: "mark REF MARK", Short: "Say that something happened in a case, such as refund_posted", Args: cobra.ExactArgs(2), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var d casesapi.CaseDetail
			if err := c.call(ctx, http.MethodGet, "/api/v1/cases/"+url.PathEscape(args[0]), nil, &d); err != nil {
				return err
			}
			if err := c.call(ctx, http.MethodPost, "/api/v1/cases/"+d.ID+"/marks", map[string]string{"mark": args[1]}, &d); err != nil {
				return err
			}
			return print(cmd, d, func(w io.Writer) error { return printCase(w, d) })
		})
	}}
}

func newCaseRulesCommand() *cobra.Command {
	return &cobra.Command{Use: "rules", Short: "List the clock rules with their sources", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var rules []casesapi.ClockRuleView
			if err := c.call(ctx, http.MethodGet, "/api/v1/case-rules", nil, &rules); err != nil {
				return err
			}
			return print(cmd, rules, func(w io.Writer) error {
				t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
				for _, r := range rules {
					fmt.Fprintf(t, "%s\t%s\t%d %s\t%s\t%s\t%s\n", r.Pack, r.Rule, r.Amount, r.Unit, r.Confidence, r.Checked, r.Citation)
				}
				return t.Flush()
			})
		})
	}}
}
