package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	admin "omote/internal/admin/api"
	"omote/internal/platform/audit"
)

func newAuditCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Read, verify and export the audit trail"}
	cmd.AddCommand(newAuditVerifyCommand(), newAuditHeadsCommand(), newAuditListCommand())
	return cmd
}

// errTrail makes omote audit verify fail when the trail is not sound.
var errTrail = errors.New("the audit trail is not sound")

func newAuditVerifyCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Verify the audit trail",
		Long: "Recomputes every seal from the entries and fails when entries were edited, deleted, added or moved, or seals changed. " +
			"With --heads, a file that omote audit heads wrote before and that was kept elsewhere, it also finds a trail that was cut off or rewritten.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			heads, err := readHeads(file)
			if err != nil {
				return err
			}
			return withClient(cmd, func(ctx context.Context, c *client) error {
				var r admin.AuditReport
				if err := c.call(ctx, http.MethodPost, "/api/v1/audit/verify", map[string]any{"heads": heads}, &r); err != nil {
					return err
				}
				if err := print(cmd, r, func(w io.Writer) error { return printVerification(w, r) }); err != nil {
					return err
				}
				if !r.Sound {
					return errTrail
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&file, "heads", "", "file of exported heads")
	return cmd
}

// readHeads reads a file of exported heads; none when there is no file.
func readHeads(path string) ([]audit.Head, error) {
	heads := []audit.Head{}
	if path == "" {
		return heads, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, usageError{err}
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		h, err := audit.ReadHead(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		heads = append(heads, h)
	}
	return heads, lines.Err()
}

func printVerification(w io.Writer, r admin.AuditReport) error {
	fmt.Fprintf(w, "%d entries under %d seals, %d not sealed yet.\n", r.Entries, r.Heads, r.Unsealed)
	for _, p := range r.Problems {
		fmt.Fprintf(w, "  %s: %s\n", p.Fault, p.Text)
	}
	if r.Sound {
		fmt.Fprintln(w, "The trail is sound.")
	}
	return nil
}

func newAuditHeadsCommand() *cobra.Command {
	var after int64
	var output string
	cmd := &cobra.Command{
		Use:   "heads",
		Short: "Export the signed seals, to be kept off this machine",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			if output != "" {
				f, err := os.OpenFile(output, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
				if err != nil {
					return usageError{fmt.Errorf("the file must not exist yet: %w", err)}
				}
				defer f.Close()
				out = f
			}
			return withClient(cmd, func(ctx context.Context, c *client) error {
				return c.call(ctx, http.MethodGet, "/api/v1/audit/heads?after="+strconv.FormatInt(after, 10), nil, out)
			})
		},
	}
	cmd.Flags().Int64Var(&after, "after", 0, "only seals after this number")
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write; it must not exist")
	return cmd
}

// linePage is what the list operation answers.
type linePage struct {
	Items []admin.AuditLine `json:"items"`
	Next  string            `json:"next,omitempty"`
}

func newAuditListCommand() *cobra.Command {
	var actor, action, object, after string
	var limit int
	cmd := &cobra.Command{Use: "list", Short: "Read the audit trail, newest first", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			q := url.Values{"limit": {strconv.Itoa(limit)}}
			for name, v := range map[string]string{"actor": actor, "action": action, "object": object, "after": after} {
				if v != "" {
					q.Set(name, v)
				}
			}
			var page linePage
			if err := c.call(ctx, http.MethodGet, "/api/v1/audit?"+q.Encode(), nil, &page); err != nil {
				return err
			}
			return print(cmd, page, func(w io.Writer) error { return printLines(w, page.Items) })
		})
	}}
	cmd.Flags().StringVar(&actor, "actor", "", "who, such as account:…")
	cmd.Flags().StringVar(&action, "action", "", "an action, or its beginning up to a dot")
	cmd.Flags().StringVar(&object, "object", "", "an object, or its beginning up to a slash")
	cmd.Flags().StringVar(&after, "after", "", "cursor of the page before")
	cmd.Flags().IntVar(&limit, "limit", 50, "lines to print, at most 500")
	return cmd
}

func printLines(w io.Writer, lines []admin.AuditLine) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WHEN (UTC)\tWHO\tDID\tTO\tWHY")
	for _, l := range lines {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", l.At.UTC().Format(time.DateTime), l.Actor, l.Action, l.Object, l.Reason)
	}
	return t.Flush()
}
