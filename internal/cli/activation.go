package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	activationapi "omote/internal/customer/activation/api"
)

func newActivationCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "activation", Short: "Write segments and attributes back into other systems"}
	cmd.AddCommand(newActivationListCommand(), newActivationShowCommand(), newActivationSaveCommand())
	for act, short := range map[string]string{"run": "Start a round now", "retry": "Try the refused rows again", "pause": "Hold an activation", "resume": "Let it go on"} {
		cmd.AddCommand(newActivationActCommand(act, short))
	}
	cmd.AddCommand(&cobra.Command{Use: "remove ID", Short: "Take an activation away; what the other system holds stays there", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			return c.call(ctx, http.MethodDelete, "/api/v1/activations/"+url.PathEscape(args[0]), nil, nil)
		})
	}})
	return cmd
}

func newActivationListCommand() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List activations with the figures of their rows", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var all activationapi.ActivationList
			if err := c.call(ctx, http.MethodGet, "/api/v1/activations", nil, &all); err != nil {
				return err
			}
			return print(cmd, all.Items, func(w io.Writer) error {
				t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
				for _, a := range all.Items {
					fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", a.ID, a.State, a.Setup.Name, a.Setup.Target, rowFigures(a.Rows))
				}
				return t.Flush()
			})
		})
	}}
}

func rowFigures(rows map[string]int64) string {
	var out []string
	for state, n := range rows {
		out = append(out, fmt.Sprintf("%d %s", n, state))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func newActivationShowCommand() *cobra.Command {
	var state string
	var limit int
	cmd := &cobra.Command{Use: "show ID", Short: "Print what became of an activation's rows", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var rows activationapi.ActivationRows
			q := url.Values{"state": {state}, "limit": {fmt.Sprint(limit)}}
			if err := c.call(ctx, http.MethodGet, "/api/v1/activations/"+url.PathEscape(args[0])+"/rows?"+q.Encode(), nil, &rows); err != nil {
				return err
			}
			return print(cmd, rows.Items, func(w io.Writer) error {
				t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
				for _, r := range rows.Items {
					fmt.Fprintf(t, "%s\t%v\t%s\t%d\t%s\n", r.Record, r.Member, r.State, r.Version, r.Reason)
				}
				return t.Flush()
			})
		})
	}}
	cmd.Flags().StringVar(&state, "state", "", "queued, delivered, withheld, refused or uncertain")
	cmd.Flags().IntVar(&limit, "limit", 100, "how many")
	return cmd
}

func newActivationSaveCommand() *cobra.Command {
	var id string
	cmd := &cobra.Command{Use: "save FILE", Short: "Make or change an activation from a YAML file",
		Long: "FILE holds the fields of the API's operation make-activation, such as name, system, segment, member, purpose, channel, target; - reads standard input. Secrets are better given there than on a command line.",
		Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			body, err := readYAML(cmd, args[0])
			if err != nil {
				return err
			}
			return withClient(cmd, func(ctx context.Context, c *client) error {
				method, path := http.MethodPost, "/api/v1/activations"
				if id != "" {
					method, path = http.MethodPut, path+"/"+url.PathEscape(id)
				}
				var a activationapi.Activation
				if err := c.call(ctx, method, path, body, &a); err != nil {
					return err
				}
				return print(cmd, a, func(w io.Writer) error {
					fmt.Fprintf(w, "activation %s is %s\n", a.ID, a.State)
					if a.Secret != "" {
						fmt.Fprintf(w, "signing secret, shown once: %s\n", a.Secret)
					}
					return nil
				})
			})
		}}
	cmd.Flags().StringVar(&id, "id", "", "change this one")
	return cmd
}

// readYAML reads an object of YAML, to be sent as JSON.
func readYAML(cmd *cobra.Command, name string) (map[string]any, error) {
	raw, err := readInput(cmd, name)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	if err := yaml.Unmarshal(raw, &out); err != nil {
		return nil, usageError{err}
	}
	return out, nil
}

func newActivationActCommand(act, short string) *cobra.Command {
	return &cobra.Command{Use: act + " ID", Short: short, Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var a activationapi.Activation
			if err := c.call(ctx, http.MethodPost, "/api/v1/activations/"+url.PathEscape(args[0])+"/"+act, nil, &a); err != nil {
				return err
			}
			return print(cmd, a, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "activation %s is %s: %s\n", a.ID, a.State, rowFigures(a.Rows))
				return err
			})
		})
	}}
}
