package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"

	"github.com/spf13/cobra"

	review "omote/internal/customer/match/api"
)

const reviewsPath = "/api/v1/customer-reviews"

func newCustomerMatchCommand() *cobra.Command {
	var limits struct {
		Upper float64 `json:"upper,omitempty"`
		Lower float64 `json:"lower,omitempty"`
	}
	cmd := &cobra.Command{
		Use:   "match",
		Short: "Compare all records: learn, join what is surely one person, ask a steward about the rest",
		Long: `Starts a job that reads what all records state, learns how records of one person
differ, and joins customers that no exact identifier ties. What is less sure waits
at /customer/review. Progress and cancelling: see the job under /admin/jobs.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withClient(cmd, func(ctx context.Context, c *client) error {
				var out review.MatchStarted
				if err := c.call(ctx, http.MethodPost, reviewsPath+"/runs", limits, &out); err != nil {
					return err
				}
				return print(cmd, out, func(w io.Writer) error {
					_, err := fmt.Fprintln(w, "job", out.Job)
					return err
				})
			})
		},
	}
	cmd.Flags().Float64Var(&limits.Upper, "upper", 0, "probability from which on customers are joined without asking (default 0.99)")
	cmd.Flags().Float64Var(&limits.Lower, "lower", 0, "probability from which on a steward is asked (default 0.5)")
	return cmd
}

func newCustomerReviewCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "review [ID]",
		Short: "List pairs that may be one person, or explain one of them",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withClient(cmd, func(ctx context.Context, c *client) error {
				if len(args) == 1 {
					return explainReview(ctx, cmd, c, args[0])
				}
				var q review.ReviewQueue
				if err := c.call(ctx, http.MethodGet, reviewsPath, nil, &q); err != nil {
					return err
				}
				return print(cmd, q, func(w io.Writer) error {
					fmt.Fprintf(w, "%d pairs wait\n", q.Waiting)
					t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
					for _, p := range q.Pairs {
						fmt.Fprintf(t, "%s\t%.1f%%\t%s\t%s\n", p.ID, 100*p.Probability, p.RecordA, p.RecordB)
					}
					return t.Flush()
				})
			})
		},
	}
}

func explainReview(ctx context.Context, cmd *cobra.Command, c *client, id string) error {
	var p review.ExplainedReview
	if err := c.call(ctx, http.MethodGet, reviewsPath+"/"+url.PathEscape(id), nil, &p); err != nil {
		return err
	}
	return print(cmd, p, func(w io.Writer) error {
		fmt.Fprintf(w, "%.1f%% that %s (%d records) and %s (%d records) are one person\n", 100*p.Probability, p.CustomerA, p.RecordsA, p.CustomerB, p.RecordsB)
		t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
		fmt.Fprintf(t, "before comparing\t\t\t\t%+.1f bits\n", p.Prior)
		for _, s := range p.Fields {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%+.1f\n", s.Field, s.Left, s.Right, s.Level, s.Bits)
		}
		return t.Flush()
	})
}

func newCustomerAnswerCommand() *cobra.Command {
	var same, different bool
	var body struct {
		Answer string `json:"answer"`
		Reason string `json:"reason,omitempty"`
	}
	cmd := &cobra.Command{
		Use:   "answer ID --same|--different",
		Short: "Say whether a pair is one person",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if same == different {
				return usageError{fmt.Errorf("say --same or --different")}
			}
			if body.Answer = "different"; same {
				body.Answer = "same"
			}
			return withClient(cmd, func(ctx context.Context, c *client) error {
				var p review.CustomerReview
				if err := c.call(ctx, http.MethodPost, reviewsPath+"/"+url.PathEscape(args[0])+"/answer", body, &p); err != nil {
					return err
				}
				return print(cmd, p, func(w io.Writer) error {
					_, err := fmt.Fprintln(w, p.ID, p.State)
					return err
				})
			})
		},
	}
	cmd.Flags().BoolVar(&same, "same", false, "the two are one person")
	cmd.Flags().BoolVar(&different, "different", false, "the two are two people")
	cmd.Flags().StringVar(&body.Reason, "reason", "", "why")
	return cmd
}
