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

	admin "omote/internal/admin/api"
)

func newKeyCommand() *cobra.Command {
	key := &cobra.Command{Use: "key", Short: "Look after API keys and write keys"}
	key.AddCommand(newKeyCreateCommand(), newKeyListCommand(), newKeyRevokeCommand())
	return key
}

func newKeyCreateCommand() *cobra.Command {
	var name, unit, source, system string
	var scopes []string
	var expires time.Duration
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a key and print it",
		Long:  "Makes a key. It is printed this once and kept only as a hash. A key of scope ingest is the write key of tracking SDKs.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			in := map[string]any{"name": name, "scopes": scopes, "unit": unit, "source": source, "system": system}
			if name == "" {
				in["name"] = strings.Join(scopes, "+")
			}
			if expires > 0 {
				in["expires_at"] = time.Now().Add(expires).UTC()
			}
			return withClient(cmd, func(ctx context.Context, c *client) error {
				var made admin.NewAPIKey
				if err := c.call(ctx, http.MethodPost, "/api/v1/keys", in, &made); err != nil {
					return err
				}
				return print(cmd, made, func(w io.Writer) error {
					_, err := fmt.Fprintln(w, made.Secret)
					return err
				})
			})
		},
	}
	cmd.Flags().StringSliceVar(&scopes, "scope", nil, "ingest, read, export or admin; may be repeated")
	cmd.Flags().StringVar(&name, "name", "", "what the key is called; its scopes by default")
	cmd.Flags().StringVar(&unit, "unit", "/", "path of the unit the key counts in")
	cmd.Flags().StringVar(&source, "source", "", "feed that its events belong to; the name by default")
	cmd.Flags().StringVar(&system, "system", "", "system whose customer ids it uses; the source by default")
	cmd.Flags().DurationVar(&expires, "expires", 0, "life of the key, such as 2160h; 0 is for ever")
	_ = cmd.MarkFlagRequired("scope")
	return cmd
}

// keyPage is what the list operation answers.
type keyPage struct {
	Items []admin.APIKey `json:"items"`
	Next  string         `json:"next,omitempty"`
	Total int            `json:"total"`
}

func newKeyListCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{Use: "list", Short: "List keys, newest first", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			q := url.Values{"limit": {"500"}}
			if !all {
				q.Set("active", "true")
			}
			var keys []admin.APIKey
			for {
				var page keyPage
				if err := c.call(ctx, http.MethodGet, "/api/v1/keys?"+q.Encode(), nil, &page); err != nil {
					return err
				}
				keys = append(keys, page.Items...)
				if page.Next == "" {
					return print(cmd, keyPage{Items: keys, Total: page.Total}, func(w io.Writer) error { return printKeys(w, keys) })
				}
				q.Set("after", page.Next)
			}
		})
	}}
	cmd.Flags().BoolVar(&all, "all", false, "revoked and expired ones too")
	return cmd
}

func printKeys(w io.Writer, keys []admin.APIKey) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tNAME\tBEGINS WITH\tSCOPES\tUNIT\tLAST USED")
	for _, k := range keys {
		used := "never"
		if k.UsedAt != nil {
			used = k.UsedAt.Format(time.DateTime)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, k.Prefix, strings.Join(k.Scopes, ","), k.Unit, used)
	}
	return t.Flush()
}

func newKeyRevokeCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{Use: "revoke ID", Short: "Revoke a key", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			if err := c.call(ctx, http.MethodPost, "/api/v1/keys/"+url.PathEscape(args[0])+"/revoke", map[string]string{"reason": reason}, nil); err != nil {
				return err
			}
			return print(cmd, map[string]string{"revoked": args[0]}, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s is revoked.\n", args[0])
				return err
			})
		})
	}}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail")
	return cmd
}
