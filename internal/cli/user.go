package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	admin "omote/internal/admin/api"
	"omote/internal/platform/errs"
)

func newUserCommand() *cobra.Command {
	user := &cobra.Command{Use: "user", Short: "Look after the people who may sign in"}
	user.AddCommand(newUserListCommand(), newUserCreateCommand(), newUserGrantCommand(), newUserPasswordCommand(), newUserInviteCommand(),
		newUserSteerCommand("disable", "disable", "Lock an account and end its sessions"),
		newUserSteerCommand("enable", "enable", "Let a disabled account sign in again"),
		newUserSteerCommand("sign-out", "sign-out", "End all sessions of an account"),
		newUserSteerCommand("clear-two-factor", "clear-two-factor", "Remove the one-time code of somebody who lost it"))
	return user
}

// accountPage is what the list operation answers.
type accountPage struct {
	Items []admin.Account `json:"items"`
	Next  string          `json:"next,omitempty"`
	Total int             `json:"total"`
}

func newUserListCommand() *cobra.Command {
	var search, role, state string
	cmd := &cobra.Command{Use: "list", Short: "List accounts", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			q := url.Values{"limit": {"500"}}
			for name, v := range map[string]string{"search": search, "role": role, "state": state} {
				if v != "" {
					q.Set(name, v)
				}
			}
			var all []admin.Account
			for {
				var page accountPage
				if err := c.call(ctx, http.MethodGet, "/api/v1/accounts?"+q.Encode(), nil, &page); err != nil {
					return err
				}
				all = append(all, page.Items...)
				if page.Next == "" {
					return print(cmd, accountPage{Items: all, Total: page.Total}, func(w io.Writer) error { return printAccounts(w, all) })
				}
				q.Set("after", page.Next)
			}
		})
	}}
	cmd.Flags().StringVar(&search, "search", "", "part of a name or address")
	cmd.Flags().StringVar(&role, "granted", "", "with this role")
	cmd.Flags().StringVar(&state, "state", "", "invited, active or disabled")
	return cmd
}

func printAccounts(w io.Writer, accounts []admin.Account) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ADDRESS\tNAME\tSTATE\tROLES")
	for _, a := range accounts {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", a.Email, a.Name, a.State, grantWords(a.Grants))
	}
	return t.Flush()
}

func grantWords(grants []admin.Grant) string {
	words := make([]string, len(grants))
	for i, g := range grants {
		words[i] = g.Role + "@" + g.Unit
	}
	return strings.Join(words, " ")
}

// readGrants reads roles as the command line takes them: "champion@/north/b1/",
// or "analyst" for the whole entity.
func readGrants(roles []string) []admin.Grant {
	out := []admin.Grant{}
	for _, r := range roles {
		role, unit, found := strings.Cut(r, "@")
		if !found {
			unit = "/"
		}
		out = append(out, admin.Grant{Role: role, Unit: unit})
	}
	return out
}

const roleHelp = "role, or role@unit such as champion@/north/b1/; may be repeated"

func newUserCreateCommand() *cobra.Command {
	var name, locale string
	var roles []string
	var password bool
	cmd := &cobra.Command{
		Use:   "create ADDRESS",
		Short: "Add an account",
		Long:  "Adds an account and prints the token of its invitation, with which its owner chooses a password; or, with --password, reads a password from the standard input.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withClient(cmd, func(ctx context.Context, c *client) error {
				var made admin.Invited
				in := map[string]any{"email": args[0], "name": name, "locale": locale, "grants": readGrants(roles)}
				if err := c.call(ctx, http.MethodPost, "/api/v1/accounts", in, &made); err != nil {
					return err
				}
				if password {
					if err := setPassword(ctx, cmd, c, made.ID); err != nil {
						return err
					}
					made.Invitation = ""
				}
				return print(cmd, made, func(w io.Writer) error {
					if made.Invitation == "" {
						_, err := fmt.Fprintf(w, "%s may sign in.\n", made.Email)
						return err
					}
					_, err := fmt.Fprintf(w, "%s is invited. Token, valid for seven days: %s\n", made.Email, made.Invitation)
					return err
				})
			})
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the person's name")
	cmd.Flags().StringVar(&locale, "language", "vi", "vi or en")
	cmd.Flags().StringArrayVar(&roles, "grant", nil, roleHelp)
	cmd.Flags().BoolVar(&password, "password", false, "read a password from the standard input")
	_ = cmd.MarkFlagRequired("name")
	return cmd
}

func setPassword(ctx context.Context, cmd *cobra.Command, c *client, id string) error {
	line, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), 4096)).ReadString('\n')
	if err != nil && line == "" {
		return usageError{fmt.Errorf("no password on the standard input: %w", err)}
	}
	return c.call(ctx, http.MethodPut, "/api/v1/accounts/"+id+"/password", map[string]string{"password": strings.TrimRight(line, "\r\n")}, nil)
}

// accountOf finds an account by its address.
func accountOf(ctx context.Context, c *client, email string) (admin.Account, error) {
	var page accountPage
	if err := c.call(ctx, http.MethodGet, "/api/v1/accounts?"+url.Values{"search": {email}, "limit": {"500"}}.Encode(), nil, &page); err != nil {
		return admin.Account{}, err
	}
	for _, a := range page.Items {
		if strings.EqualFold(a.Email, email) {
			return a, nil
		}
	}
	return admin.Account{}, errs.NotFound("auth.account_not_found", "no account has the address %s", email)
}

// onAccount makes a command that does something with the account of an address.
func onAccount(cmd *cobra.Command, do func(ctx context.Context, cmd *cobra.Command, c *client, a admin.Account) error) *cobra.Command {
	cmd.Args = cobra.ExactArgs(1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			a, err := accountOf(ctx, c, args[0])
			if err != nil {
				return err
			}
			return do(ctx, cmd, c, a)
		})
	}
	return cmd
}

func printAccount(cmd *cobra.Command, a admin.Account) error {
	return print(cmd, a, func(w io.Writer) error { return printAccounts(w, []admin.Account{a}) })
}

func newUserGrantCommand() *cobra.Command {
	var roles []string
	cmd := onAccount(&cobra.Command{Use: "grant ADDRESS", Short: "Replace the roles of an account"},
		func(ctx context.Context, cmd *cobra.Command, c *client, a admin.Account) error {
			in := map[string]any{"grants": readGrants(roles)}
			if err := c.call(ctx, http.MethodPut, "/api/v1/accounts/"+a.ID+"/grants", in, &a); err != nil {
				return err
			}
			return printAccount(cmd, a)
		})
	cmd.Flags().StringArrayVar(&roles, "grant", nil, roleHelp)
	return cmd
}

func newUserPasswordCommand() *cobra.Command {
	return onAccount(&cobra.Command{Use: "password ADDRESS", Short: "Set a password, read from the standard input; sessions end"},
		func(ctx context.Context, cmd *cobra.Command, c *client, a admin.Account) error {
			if err := setPassword(ctx, cmd, c, a.ID); err != nil {
				return err
			}
			return printAccount(cmd, a)
		})
}

func newUserInviteCommand() *cobra.Command {
	return onAccount(&cobra.Command{Use: "invite ADDRESS", Short: "Make a new invitation; older ones stop working"},
		func(ctx context.Context, cmd *cobra.Command, c *client, a admin.Account) error {
			var made admin.Invited
			if err := c.call(ctx, http.MethodPost, "/api/v1/accounts/"+a.ID+"/invitation", nil, &made); err != nil {
				return err
			}
			return print(cmd, made, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, made.Invitation)
				return err
			})
		})
}

func newUserSteerCommand(use, act, short string) *cobra.Command {
	var reason string
	cmd := onAccount(&cobra.Command{Use: use + " ADDRESS", Short: short}, func(ctx context.Context, cmd *cobra.Command, c *client, a admin.Account) error {
		if err := c.call(ctx, http.MethodPost, "/api/v1/accounts/"+a.ID+"/"+act, map[string]string{"reason": reason}, &a); err != nil {
			return err
		}
		return printAccount(cmd, a)
	})
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail")
	return cmd
}
