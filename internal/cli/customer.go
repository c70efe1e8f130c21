package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	customer "omote/internal/customer/api"
)

func newCustomerCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "customer", Short: "Find customers, read them, and decide which records are one person"}
	cmd.AddCommand(newConsentCommand(), newRequestCommand(), newEraseCommand())
	cmd.AddCommand(newCustomerFindCommand(), newCustomerShowCommand(), newCustomerHistoryCommand(), newCustomerMergeCommand(), newCustomerUnmergeCommand(), newCustomerUndoCommand(), newCustomerMatchCommand(), newCustomerReviewCommand(), newCustomerAnswerCommand())
	return cmd
}

func newCustomerFindCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "find QUERY",
		Short: "Find customers by words of a name, endings of numbers, a whole number or mail address",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withClient(cmd, func(ctx context.Context, c *client) error {
				var page struct {
					Items []customer.Found `json:"items"`
					More  bool             `json:"more"`
				}
				if err := c.call(ctx, http.MethodGet, "/api/v1/customers?q="+url.QueryEscape(strings.Join(args, " ")), nil, &page); err != nil {
					return err
				}
				return print(cmd, page, func(w io.Writer) error {
					t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
					for _, f := range page.Items {
						fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", f.ID, f.Name, f.Phone, f.Citizen, strings.Join(f.Systems, ","))
					}
					if page.More {
						fmt.Fprintln(t, "more customers fit; add a word or a number")
					}
					return t.Flush()
				})
			})
		},
	}
}

func newCustomerShowCommand() *cobra.Command {
	var purpose, reason string
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Print a customer's golden profile with the source of every value",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withClient(cmd, func(ctx context.Context, c *client) error {
				path := "/api/v1/customers/" + url.PathEscape(args[0])
				var out customer.Customer
				var err error
				if purpose != "" {
					err = c.call(ctx, http.MethodPost, path+"/purpose", map[string]string{"purpose": purpose, "reason": reason}, &out)
				} else {
					err = c.call(ctx, http.MethodGet, path, nil, &out)
				}
				if err != nil {
					return err
				}
				return print(cmd, out, func(w io.Writer) error { return printCustomer(w, out) })
			})
		},
	}
	cmd.Flags().StringVar(&purpose, "purpose", "", "why you look: service, identification, complaint, identity_review or subject_request; it opens masked values and is audited")
	cmd.Flags().StringVar(&reason, "reason", "", "reference or remark for the audit trail")
	return cmd
}

func printCustomer(w io.Writer, c customer.Customer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "customer\t%s\t\t\nrecords\t%d\t\t\nevents\t%d\t\t\nlast seen\t%s\t\t\n", c.ID, len(c.Records), c.Events, c.LastSeen.Format(time.RFC3339))
	for _, a := range c.Attributes {
		var systems []string
		for _, s := range a.By {
			systems = append(systems, s.System)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s", a.Name, a.Value, strings.Join(systems, ","), a.Decided)
		for _, o := range a.Others {
			fmt.Fprintf(t, "; not %s", o.Value)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

func newCustomerHistoryCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "history ID",
		Short: "Explain which records are one customer, and what was decided",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withClient(cmd, func(ctx context.Context, c *client) error {
				var h customer.History
				if err := c.call(ctx, http.MethodGet, "/api/v1/customers/"+url.PathEscape(args[0])+"/identity", nil, &h); err != nil {
					return err
				}
				return print(cmd, h, func(w io.Writer) error { return printHistory(w, h) })
			})
		},
	}
}

func printHistory(w io.Writer, h customer.History) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "customer\t%s\n", h.Customer)
	for _, r := range h.Records {
		fmt.Fprintf(t, "record\t%s\n", r)
	}
	for _, a := range h.Acts {
		state := "stands"
		if a.Undone != nil {
			state = "taken back"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", a.Kind, a.ID, a.At.Format(time.RFC3339), state, a.Reason)
	}
	for _, e := range h.Edges {
		state := "stands"
		if e.To != nil {
			state = "ended"
		}
		fmt.Fprintf(t, "%s\t%s = %s\t%s\t%s\t\n", e.Reason, e.RecordA, e.RecordB, e.At.Format(time.RFC3339), state)
	}
	for _, r := range h.Refused {
		fmt.Fprintf(t, "%s\t%s = %s\t%s\tnot merged: %s\t\n", r.Reason, r.RecordA, r.RecordB, r.At.Format(time.RFC3339), r.Why)
	}
	return t.Flush()
}

// decide posts a decision about identity and prints it.
func decide(cmd *cobra.Command, path string, body any) error {
	return withClient(cmd, func(ctx context.Context, c *client) error {
		var a customer.Act
		if err := c.call(ctx, http.MethodPost, "/api/v1/customers/"+path, body, &a); err != nil {
			return err
		}
		return print(cmd, a, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%s %s, version %d of the graph\n", a.Kind, a.ID, a.Version)
			return err
		})
	})
}

func reasonFlag(cmd *cobra.Command, reason *string) *cobra.Command {
	cmd.Flags().StringVar(reason, "reason", "", "why, for whoever asks later")
	_ = cmd.MarkFlagRequired("reason")
	return cmd
}

func newCustomerMergeCommand() *cobra.Command {
	var reason string
	return reasonFlag(&cobra.Command{Use: "merge ID OTHER", Short: "Make two customers one", Args: cobra.ExactArgs(2), RunE: func(cmd *cobra.Command, args []string) error {
		return decide(cmd, url.PathEscape(args[0])+"/merge", map[string]string{"other": args[1], "reason": reason})
	}}, &reason)
}

func newCustomerUnmergeCommand() *cobra.Command {
	var reason string
	return reasonFlag(&cobra.Command{Use: "unmerge ID RECORD…", Short: "Take records out of a customer", Args: cobra.MinimumNArgs(2), RunE: func(cmd *cobra.Command, args []string) error {
		return decide(cmd, url.PathEscape(args[0])+"/unmerge", map[string]any{"records": args[1:], "reason": reason})
	}}, &reason)
}

func newCustomerUndoCommand() *cobra.Command {
	var reason string
	return reasonFlag(&cobra.Command{Use: "undo DECISION", Short: "Take a decision about identity back", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return decide(cmd, "decisions/"+url.PathEscape(args[0])+"/undo", map[string]string{"reason": reason})
	}}, &reason)
}
