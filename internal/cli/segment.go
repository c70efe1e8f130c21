package cli

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"omote/internal/customer/segment"
	segmentapi "omote/internal/customer/segment/api"
)

func newSegmentCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "segment", Short: "Read, check and make segments of customers"}
	cmd.AddCommand(newSegmentListCommand(), newSegmentShowCommand(), newSegmentCreateCommand(), newSegmentCheckCommand(), newSegmentMembersCommand(), newSegmentExportCommand())
	return cmd
}

func newSegmentListCommand() *cobra.Command {
	var query string
	cmd := &cobra.Command{Use: "list", Short: "List segments with their size", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var page struct {
				Items []segmentapi.Segment `json:"items"`
			}
			if err := c.call(ctx, http.MethodGet, "/api/v1/segments?q="+url.QueryEscape(query), nil, &page); err != nil {
				return err
			}
			return print(cmd, page.Items, func(w io.Writer) error {
				t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
				for _, s := range page.Items {
					fmt.Fprintf(t, "%s\t%d\t%s\t%s\n", s.ID, s.Members, s.Status, s.Definition.Name.En)
				}
				return t.Flush()
			})
		})
	}}
	cmd.Flags().StringVar(&query, "query", "", "part of an id, name or purpose")
	return cmd
}

func newSegmentShowCommand() *cobra.Command {
	return &cobra.Command{Use: "show ID", Short: "Print a segment: rule, size, overlap, stability", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var s segmentapi.SegmentDetail
			if err := c.call(ctx, http.MethodGet, "/api/v1/segments/"+url.PathEscape(args[0]), nil, &s); err != nil {
				return err
			}
			return print(cmd, s, func(w io.Writer) error {
				fmt.Fprintf(w, "%s, version %d, %s\n%s\n\n%d members", s.Definition.Name.En, s.Version, s.Status, s.Definition.Rule, s.Members)
				if st := s.Stability; st.Then > 0 {
					fmt.Fprintf(w, "; of %d inside 90 days ago %d still are (%.0f to %.0f %%)", st.Then, st.Still, 100*st.Low, 100*st.High)
				}
				fmt.Fprintf(w, "\n\n")
				t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
				for _, o := range s.Overlap {
					fmt.Fprintf(t, "shared with %s\t%d\n", o.ID, o.Both)
				}
				return t.Flush()
			})
		})
	}}
}

func newSegmentCreateCommand() *cobra.Command {
	var activate bool
	var reason string
	cmd := &cobra.Command{
		Use:   "create FILE",
		Short: "Save segments from a YAML file as drafts, or put them into use",
		Long:  "FILE has the form of the shipped pack: segments: [{id, name: {en, vi}, rule, uses, owner, …}]; - reads standard input.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := readInput(cmd, args[0])
			if err != nil {
				return err
			}
			all, err := segment.ParsePack(raw)
			if err != nil {
				return usageError{err}
			}
			return withClient(cmd, func(ctx context.Context, c *client) error {
				saved := []segmentapi.Segment{}
				for _, d := range all {
					var s segmentapi.Segment
					path := "/api/v1/segments/" + url.PathEscape(d.ID)
					if err := c.call(ctx, http.MethodPut, path, draftOf(d, reason), &s); err != nil {
						return fmt.Errorf("%s: %w", d.ID, err)
					}
					if activate {
						if err := c.call(ctx, http.MethodPost, path+"/activate", nil, &s); err != nil {
							return fmt.Errorf("%s: %w", d.ID, err)
						}
					}
					saved = append(saved, s)
				}
				return print(cmd, saved, func(w io.Writer) error {
					for _, s := range saved {
						if s.Waits != "" {
							fmt.Fprintf(w, "%s version %d waits for a second person: proposal %s\n", s.ID, s.Version, s.Waits)
							continue
						}
						fmt.Fprintf(w, "%s version %d is %s\n", s.ID, s.Version, s.Status)
					}
					return nil
				})
			})
		},
	}
	cmd.Flags().BoolVar(&activate, "activate", false, "put them into use; they take up history first")
	cmd.Flags().StringVar(&reason, "reason", "from a file on the command line", "why, for whoever reads the history")
	return cmd
}

func draftOf(d segment.Definition, reason string) map[string]any {
	out := map[string]any{"name": d.Name, "intent": d.Intent, "rule": d.Rule, "exit": d.Exit, "group": d.Group, "rank": d.Rank, "metrics": d.Metrics,
		"uses": d.Uses, "forbidden": d.Forbidden, "owner": d.Owner, "review": d.Review, "reason": reason}
	if d.Hold > 0 {
		out["hold"] = d.Hold.String()
	}
	if d.Stage != "" {
		out["stage"] = d.Stage
	}
	return out
}

func readInput(cmd *cobra.Command, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(cmd.InOrStdin(), 10<<20))
	}
	return os.ReadFile(name)
}

func newSegmentCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check RULE…",
		Short: "Read a rule, count it over the facts as of now, keep nothing",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withClient(cmd, func(ctx context.Context, c *client) error {
				var res segmentapi.RuleCheck
				if err := c.call(ctx, http.MethodPost, "/api/v1/segments/check", map[string]string{"rule": strings.Join(args, " ")}, &res); err != nil {
					return err
				}
				return print(cmd, res, func(w io.Writer) error {
					fmt.Fprintf(w, "%s\n%d of %d customers, of %d it cannot be told (%d ms)\n", res.Text, res.Members, res.Customers, res.Unknown, res.TookMS)
					if len(res.Unseen) > 0 {
						fmt.Fprintf(w, "never seen: %s\n", strings.Join(res.Unseen, ", "))
					}
					return nil
				})
			})
		},
	}
}

func newSegmentMembersCommand() *cobra.Command {
	var limit int
	cmd := &cobra.Command{Use: "members ID", Short: "List who belongs now, by pseudonym", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			all := []segmentapi.SegmentMember{}
			for after := ""; len(all) < limit; {
				var page struct {
					Items []segmentapi.SegmentMember `json:"items"`
					Next  string                     `json:"next"`
				}
				path := fmt.Sprintf("/api/v1/segments/%s/members?limit=%d&after=%s", url.PathEscape(args[0]), min(500, limit-len(all)), url.QueryEscape(after))
				if err := c.call(ctx, http.MethodGet, path, nil, &page); err != nil {
					return err
				}
				all = append(all, page.Items...)
				if after = page.Next; after == "" {
					break
				}
			}
			return print(cmd, all, func(w io.Writer) error {
				for _, m := range all {
					fmt.Fprintf(w, "%s  %s  %s\n", m.Customer, m.Entered.Format(time.RFC3339), m.Cause)
				}
				return nil
			})
		})
	}}
	cmd.Flags().IntVar(&limit, "limit", 50, "at most so many")
	return cmd
}

func newSegmentExportCommand() *cobra.Command {
	var format, out string
	cmd := &cobra.Command{Use: "export ID", Short: "Write all members as CSV, or the definition as YAML", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) (err error) {
		w := cmd.OutOrStdout()
		if out != "" {
			f, err := os.OpenFile(out, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, f.Close()) }()
			w = f
		}
		return withClient(cmd, func(ctx context.Context, c *client) error {
			switch format {
			case "yaml":
				var s segmentapi.SegmentDetail
				if err := c.call(ctx, http.MethodGet, "/api/v1/segments/"+url.PathEscape(args[0]), nil, &s); err != nil {
					return err
				}
				return writePack(w, s)
			case "csv":
				var page struct {
					Items []segmentapi.SegmentMember `json:"items"`
				}
				if err := c.call(ctx, http.MethodPost, "/api/v1/segments/"+url.PathEscape(args[0])+"/export", nil, &page); err != nil {
					return err
				}
				csv := csv.NewWriter(w)
				_ = csv.Write([]string{"customer_id", "entered", "cause"}) // errors stay until Flush
				for _, m := range page.Items {
					_ = csv.Write([]string{m.Customer, m.Entered.Format(time.RFC3339), m.Cause})
				}
				csv.Flush()
				return csv.Error()
			}
			return usageError{fmt.Errorf("the format is csv or yaml, not %q", format)}
		})
	}}
	cmd.Flags().StringVar(&format, "format", "csv", "csv for the members, yaml for the definition")
	cmd.Flags().StringVar(&out, "out", "", "file; by default standard output")
	return cmd
}

// writePack writes a segment in the form that create reads.
func writePack(w io.Writer, s segmentapi.SegmentDetail) error {
	d := s.Definition
	one := map[string]any{"id": s.ID, "name": d.Name, "intent": d.Intent, "rule": d.Rule, "uses": d.Uses, "owner": d.Owner, "review": d.Review}
	for key, v := range map[string]string{"exit": d.Exit, "hold": d.Hold, "group": d.Group, "stage": d.Stage} {
		if v != "" {
			one[key] = v
		}
	}
	if d.Rank > 0 {
		one["rank"] = d.Rank
	}
	if len(d.Metrics) > 0 {
		one["metrics"] = d.Metrics
	}
	if len(d.Forbidden) > 0 {
		one["forbidden"] = d.Forbidden
	}
	return yaml.NewEncoder(w).Encode(map[string]any{"version": 1, "segments": []any{one}})
}
