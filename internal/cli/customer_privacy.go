package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	privacy "omote/internal/customer/privacy/api"
)

// newConsentCommand reads and keeps what customers allow.
func newConsentCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "consent", Short: "What a customer allows"}
	show := &cobra.Command{Use: "show CUSTOMER", Short: "Every decision, with its reason", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var s privacy.ConsentStanding
			if err := c.call(ctx, http.MethodGet, "/api/v1/customers/"+url.PathEscape(args[0])+"/consent", nil, &s); err != nil {
				return err
			}
			return print(cmd, s, func(w io.Writer) error {
				t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
				fmt.Fprintln(t, "PURPOSE\tCHANNEL\tALLOWED\tREASON")
				for _, d := range s.Decisions {
					fmt.Fprintf(t, "%s\t%s\t%v\t%s\n", d.Purpose, d.Channel, d.Allowed, d.Reason)
				}
				return t.Flush()
			})
		})
	}}
	var channel, evidence string
	var no bool
	say := &cobra.Command{Use: "record CUSTOMER PURPOSE", Short: "Keep a yes, or with --no a withdrawal; in force when this returns", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withClient(cmd, func(ctx context.Context, c *client) error {
				in := map[string]any{"statements": []map[string]any{{"purpose": args[1], "channel": channel, "granted": !no, "whole": true, "evidence": evidence}}}
				var s privacy.ConsentStanding
				if err := c.call(ctx, http.MethodPost, "/api/v1/customers/"+url.PathEscape(args[0])+"/consent", in, &s); err != nil {
					return err
				}
				return print(cmd, s, func(w io.Writer) error {
					_, err := fmt.Fprintln(w, "recorded")
					return err
				})
			})
		}}
	say.Flags().StringVar(&channel, "channel", "*", "email, sms, push, call, app, zalo, post, or * for all")
	say.Flags().StringVar(&evidence, "evidence", "", "what proves it; kept encrypted")
	say.Flags().BoolVar(&no, "no", false, "the customer withdraws or objects; purpose * is everything that can be refused")
	link := &cobra.Command{Use: "link CUSTOMER", Short: "Make the customer's own link to the preference centre", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var l privacy.PreferenceLink
			if err := c.call(ctx, http.MethodPost, "/api/v1/customers/"+url.PathEscape(args[0])+"/consent/link", nil, &l); err != nil {
				return err
			}
			return print(cmd, l, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, l.URL)
				return err
			})
		})
	}}
	var kind, via string
	why := &cobra.Command{Use: "why CUSTOMER", Short: "Why this customer may or may not be contacted: every rule's word", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var d privacy.ContactDecision
			q := url.Values{"kind": {kind}, "channel": {via}}
			if err := c.call(ctx, http.MethodGet, "/api/v1/customers/"+url.PathEscape(args[0])+"/contact-decision?"+q.Encode(), nil, &d); err != nil {
				return err
			}
			return print(cmd, d, func(w io.Writer) error {
				t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
				fmt.Fprintln(t, "RULE\tSORT\tMET\tREASON\tUNTIL")
				for _, f := range d.Reasons {
					until := "-"
					if f.Until != nil {
						until = f.Until.Format(time.DateTime)
					}
					fmt.Fprintf(t, "%s\t%s\t%v\t%s\t%s\n", f.Rule, f.Sort, f.Met, f.Reason, until)
				}
				return t.Flush()
			})
		})
	}}
	why.Flags().StringVar(&kind, "kind", "marketing", "kind of contact, as the policy names it")
	why.Flags().StringVar(&via, "channel", "email", "channel")
	cmd.AddCommand(show, say, link, why)
	return cmd
}

// newRequestCommand handles subject requests.
func newRequestCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "request", Short: "Requests of persons under data-protection law"}
	var all bool
	list := &cobra.Command{Use: "list", Short: "Open requests, the nearest deadline first", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var found struct {
				Items []privacy.SubjectRequest `json:"items"`
			}
			if err := c.call(ctx, http.MethodGet, fmt.Sprintf("/api/v1/subject-requests?all=%v", all), nil, &found); err != nil {
				return err
			}
			return print(cmd, found, func(w io.Writer) error {
				t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
				fmt.Fprintln(t, "ID\tKIND\tSTATE\tLAW\tDUE\tLATE")
				for _, r := range found.Items {
					due := "-"
					if r.Due != nil {
						due = r.Due.Format(time.DateTime)
					}
					fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%v\n", r.ID, r.Kind, r.State, r.Jurisdiction, due, r.Late)
				}
				return t.Flush()
			})
		})
	}}
	list.Flags().BoolVar(&all, "all", false, "ended ones too")
	var kind, law, intake, locale, wish string
	var third bool
	open := &cobra.Command{Use: "open CUSTOMER", Short: "Take a request in; its clocks start", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			in := map[string]any{"customer": args[0], "kind": kind, "jurisdiction": law, "intake": intake, "locale": locale, "third_party": third, "wish": wish}
			var r privacy.SubjectRequest
			if err := c.call(ctx, http.MethodPost, "/api/v1/subject-requests", in, &r); err != nil {
				return err
			}
			return print(cmd, r, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, r.ID)
				return err
			})
		})
	}}
	open.Flags().StringVar(&kind, "kind", "access", "access, provide, correct, withdraw, object, restrict or erase")
	open.Flags().StringVar(&law, "law", "VN", "jurisdiction: VN, CH, EU or CN")
	open.Flags().StringVar(&intake, "intake", "branch", "branch, app, email, call, letter or web")
	open.Flags().StringVar(&locale, "locale", "vi", "language of letters: vi or en")
	open.Flags().StringVar(&wish, "wish", "", "the person's words; kept encrypted")
	open.Flags().BoolVar(&third, "third-party", false, "processors or third parties hold the data too")
	cmd.AddCommand(list, open)
	return cmd
}

// newEraseCommand forgets a person.
func newEraseCommand() *cobra.Command {
	var reason string
	var again bool
	cmd := &cobra.Command{Use: "erase [CUSTOMER]", Short: "Have a person forgotten in every place",
		Long: "Erases every record of the person from the store, the warehouse, quarantine, uploads, dead letters and the outbox, and states when the event log has expired. " +
			"Records under a legal hold are restricted instead. A second person approves the order before it begins. The order is written to the list by which restored back-ups are erased again.",
		Args: cobra.MaximumNArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			return withClient(cmd, func(ctx context.Context, c *client) error {
				if again {
					var done privacy.ErasedAgain
					if err := c.call(ctx, http.MethodPost, "/api/v1/erasures/again", map[string]string{}, &done); err != nil {
						return err
					}
					return print(cmd, done, func(w io.Writer) error {
						_, err := fmt.Fprintf(w, "%d erasures applied again\n", done.Applied)
						return err
					})
				}
				if len(args) != 1 || reason == "" {
					return usageError{errors.New("name the customer and the reason, or use --again")}
				}
				var cert privacy.ErasureCertificate
				if err := c.call(ctx, http.MethodPost, "/api/v1/customers/"+url.PathEscape(args[0])+"/erasure", map[string]string{"reason": reason}, &cert); err != nil {
					return err
				}
				return print(cmd, cert, func(w io.Writer) error { return printCertificate(w, cert) })
			})
		}}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail; names nobody")
	cmd.Flags().BoolVar(&again, "again", false, "apply the list of erasures again: after a store was restored by its own tools")
	return cmd
}

func printCertificate(w io.Writer, c privacy.ErasureCertificate) error {
	if c.Proposal != "" {
		_, err := fmt.Fprintf(w, "put forward; a second person decides on proposal %s, then the erasure begins\n", c.Proposal)
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "erasure %s\t%s\n", c.ID, c.State)
	for _, l := range c.Lines {
		until := ""
		if l.Until != nil {
			until = l.Until.Format(time.DateTime)
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\n", l.Place, l.Action, l.Count, until)
	}
	return t.Flush()
}
