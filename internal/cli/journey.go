package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"omote/internal/journey/blueprint"
	mapapi "omote/internal/journey/blueprint/api"
	"omote/internal/journey/exchange"
)

// newJourneyCommand holds the commands of designed journeys.
func newJourneyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "journey", Short: "Designed journeys: list, show, import, export, check, compare with what happened"}
	cmd.AddCommand(newJourneyListCommand(), newJourneyShowCommand(), newJourneyImportCommand(), newJourneyExportCommand(), newJourneyCheckCommand(), newJourneyAlignCommand(), newJourneyObservedCommand())
	cmd.AddCommand(journeyFindings()...)
	return cmd
}

const mapsAPI = "/api/v1/blueprints"

func mapAPI(journey string) string { return mapsAPI + "/" + url.PathEscape(journey) }

func newJourneyListCommand() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List the designed journeys", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var page struct {
				Items []mapapi.BlueprintItem `json:"items"`
			}
			if err := c.call(ctx, http.MethodGet, mapsAPI, nil, &page); err != nil {
				return err
			}
			return print(cmd, page.Items, func(w io.Writer) error {
				t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
				fmt.Fprintln(t, "journey\tstate\tstages\tsteps\towner\tname")
				for _, j := range page.Items {
					state := "draft"
					if j.LiveVersion > 0 {
						state = fmt.Sprintf("live %d", j.LiveVersion)
					}
					fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%s\t%s\n", j.Journey, state, j.Stages, j.Steps, j.Owner, j.NameEN)
				}
				return t.Flush()
			})
		})
	}}
}

func newJourneyShowCommand() *cobra.Command {
	var version string
	cmd := &cobra.Command{Use: "show JOURNEY", Short: "Print a designed journey", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var d blueprint.Document
			if err := c.call(ctx, http.MethodGet, mapAPI(args[0])+"?version="+url.QueryEscape(version), nil, &d); err != nil {
				return err
			}
			return print(cmd, d, func(w io.Writer) error { return printMap(w, &d) })
		})
	}}
	cmd.Flags().StringVar(&version, "version", "live", "live, draft or a number")
	return cmd
}

func printMap(w io.Writer, d *blueprint.Document) error {
	fmt.Fprintf(w, "%s (%s), owner: %s\n", d.Name.In("en"), d.Journey, d.Owner)
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, st := range d.Stages {
		fmt.Fprintf(t, "\n%s\n", st.Name.In("en"))
		for i := range st.Steps {
			s := &st.Steps[i]
			var marks []string
			if s.Optional {
				marks = append(marks, "optional")
			}
			if g := d.GroupOf(s); g.ID != "" {
				marks = append(marks, string(g.Mode))
			}
			if s.MaxWait > 0 {
				marks = append(marks, "within "+s.MaxWait.String())
			}
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", s.ID, s.Name.In("en"), strings.Join(s.Events, ", "), strings.Join(marks, ", "))
		}
	}
	return t.Flush()
}

func newJourneyImportCommand() *cobra.Command {
	var journey string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Begin a journey from a file: JSON, OJF, CJML, BPMN or XLSX",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			return withClient(cmd, func(ctx context.Context, c *client) error {
				var item mapapi.BlueprintItem
				path := mapsAPI + "?name=" + url.QueryEscape(filepath.Base(args[0])) + "&journey=" + url.QueryEscape(journey)
				if err := c.call(ctx, http.MethodPost, path, io.Reader(f), &item); err != nil {
					return err
				}
				return print(cmd, item, func(w io.Writer) error {
					_, err := fmt.Fprintf(w, "%s is a draft now: %d stages, %d steps\n", item.Journey, item.Stages, item.Steps)
					return err
				})
			})
		},
	}
	cmd.Flags().StringVar(&journey, "journey", "", "id of the journey (default: that of the file)")
	return cmd
}

func newJourneyExportCommand() *cobra.Command {
	var format, out, version, language string
	cmd := &cobra.Command{
		Use:   "export JOURNEY",
		Short: "Write a designed journey as " + strings.Join(exchange.Formats, ", "),
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			w := cmd.OutOrStdout()
			if out != "" {
				f, err := os.Create(out)
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, f.Close()) }()
				w = f
				if format == "" {
					format = strings.TrimPrefix(filepath.Ext(out), ".")
				}
			}
			if format == "" {
				format = "json"
			}
			return withClient(cmd, func(ctx context.Context, c *client) error {
				path := mapAPI(args[0]) + "/export/" + url.PathEscape(format) + "?version=" + url.QueryEscape(version) + "&language=" + url.QueryEscape(language)
				return c.call(ctx, http.MethodGet, path, nil, w)
			})
		},
	}
	cmd.Flags().StringVar(&format, "format", "", "form (default: by the end of --out, else json)")
	cmd.Flags().StringVar(&out, "out", "", "file (default: standard output)")
	cmd.Flags().StringVar(&version, "version", "live", "live, draft or a number")
	cmd.Flags().StringVar(&language, "language", "vi", "language of forms that have only one: vi or en")
	return cmd
}

func newJourneyCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check JOURNEY|FILE",
		Short: "Tell what is missing or contradicts itself in a draft, or in a file",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out struct {
				Publishable bool                `json:"publishable"`
				Findings    []blueprint.Finding `json:"findings"`
			}
			if f, err := os.Open(args[0]); err == nil {
				defer f.Close()
				d, err := exchange.Read(f, args[0], "")
				if err != nil {
					return err
				}
				out.Findings = blueprint.Check(d, nil)
				out.Publishable = blueprint.Publishable(out.Findings)
			} else if err := withClient(cmd, func(ctx context.Context, c *client) error {
				return c.call(ctx, http.MethodGet, mapAPI(args[0])+"/check", nil, &out)
			}); err != nil {
				return err
			}
			if err := print(cmd, out, func(w io.Writer) error { return printFindings(w, out.Findings) }); err != nil {
				return err
			}
			if !out.Publishable {
				return errors.New("the map has findings that hold it up")
			}
			return nil
		},
	}
}

func printFindings(w io.Writer, found []blueprint.Finding) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, f := range found {
		rest := f
		rest.Severity, rest.Code = "", ""
		raw, err := json.Marshal(rest)
		if err != nil {
			return err
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", f.Severity, f.Code, strings.TrimPrefix(string(raw), `{"severity":"","code":"",`))
	}
	return t.Flush()
}
