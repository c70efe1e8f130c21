package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	journeyapi "omote/internal/journey/api"
)

const observedAPI = "/api/v1/journeys"

// newJourneyObservedCommand prints what really happened in a journey.
func newJourneyObservedCommand() *cobra.Command {
	var filters []string
	cmd := &cobra.Command{
		Use:   "observed JOURNEY {map|variants|funnel|cases|handoffs|compare|now}",
		Short: "Print what really happened in a journey of the running installation",
		Long: `Print what really happened in a journey: the map of moves, the ways taken, the
funnel, cases, hand-offs between units, a comparison of two parts, or who is in it
now. --with NAME=VALUE adds a parameter of the operation under /api/v1/journeys,
such as segment=salaried, step=card_delivered or side=channel; it may be repeated.
For an event log in a file see: omote mine.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			query := url.Values{}
			for _, f := range filters {
				name, value, ok := strings.Cut(f, "=")
				if !ok {
					return fmt.Errorf("--with %q: wants NAME=VALUE", f)
				}
				query.Add(name, value)
			}
			show, known := observedViews[args[1]]
			if !known {
				return fmt.Errorf("no view %q: map, variants, funnel, cases, handoffs, compare or now", args[1])
			}
			return withClient(cmd, func(ctx context.Context, c *client) error {
				return show(ctx, cmd, c, observedAPI+"/"+url.PathEscape(args[0])+"/"+args[1]+"?"+query.Encode())
			})
		},
	}
	cmd.Flags().StringArrayVar(&filters, "with", nil, "NAME=VALUE: a filter or another parameter")
	return cmd
}

// observedViews print the views, by the last part of their address.
var observedViews = map[string]func(ctx context.Context, cmd *cobra.Command, c *client, path string) error{
	"map": observedView("from\tto\tcount\tcases\tmedian\tp90", "Edges", func(e journeyapi.JourneyMapEdge) string {
		return fmt.Sprintf("%s\t%s\t%d\t%d\t%v\t%v", e.From, e.To, e.Count, e.Cases, seconds(e.Wait.Median), seconds(e.Wait.P90))
	}),
	"variants": observedView("cases\tshare\tmedian\tway", "Items", func(w journeyapi.JourneyWayTaken) string {
		return fmt.Sprintf("%d\t%.1f%%\t%v\t%s", w.Cases, 100*w.Share, seconds(w.Median), strings.Join(w.Path, " > "))
	}),
	"funnel": observedView("step\tcases\tshare\tlost\topen\tmedian wait", "Items", func(f journeyapi.JourneyFunnelStep) string {
		return fmt.Sprintf("%s\t%d\t%.1f%% (%.1f to %.1f)\t%d\t%d\t%v", f.Step, f.Cases, 100*f.Share.Value, 100*f.Share.Low, 100*f.Share.High, f.Lost, f.Open, seconds(f.Wait.Median))
	}),
	"cases": observedView("case\tlast\tlast event\tevents\toutcome", "Items", func(c journeyapi.JourneyCaseItem) string {
		return fmt.Sprintf("%s\t%s\t%s\t%d\t%s", c.Case, c.Last.Format(time.RFC3339), c.Event, c.Events, c.Outcome)
	}),
	"handoffs": observedView("from\tto\tcount\tmedian wait\tlost\tback", "Items", func(h journeyapi.JourneyHandoff) string {
		return fmt.Sprintf("%s\t%s\t%d\t%v\t%.1f%%\t%.1f%%", h.From, h.To, h.Count, seconds(h.Wait.Median), 100*h.Lost.Value, 100*h.Returned.Value)
	}),
	"compare": observedView("from\tto\tA\tB\tdifference\tq", "Items", func(d journeyapi.JourneyMoveDifference) string {
		q := "-"
		if d.ShareQ != nil {
			q = fmt.Sprintf("%.4f", *d.ShareQ)
		}
		return fmt.Sprintf("%s\t%s\t%d\t%d\t%+.1f points (%+.1f to %+.1f)\t%s", d.From, d.To, d.CasesA, d.CasesB, 100*d.Share, 100*d.Low, 100*d.High, q)
	}),
	"now": observedView("last event\tcases\tmedian silence\texpected lost", "Steps", func(s journeyapi.JourneyOpenAt) string {
		return fmt.Sprintf("%s\t%d\t%v\t%.1f", s.Event, s.Cases, seconds(s.Silent), s.Expected)
	}),
}

// observedView prints one list of an answer as a table, or the answer as JSON.
func observedView[T any](head, list string, line func(T) string) func(ctx context.Context, cmd *cobra.Command, c *client, path string) error {
	return func(ctx context.Context, cmd *cobra.Command, c *client, path string) error {
		var answer map[string]any
		var rows struct{ Items, Edges, Steps []T }
		var raw bytes.Buffer
		if err := c.call(ctx, http.MethodGet, path, nil, &raw); err != nil {
			return err
		}
		for _, to := range []any{&answer, &rows} {
			if err := json.Unmarshal(raw.Bytes(), to); err != nil {
				return fmt.Errorf("read the answer: %w", err)
			}
		}
		return print(cmd, answer, func(w io.Writer) error {
			t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
			fmt.Fprintln(t, head)
			shown := rows.Items
			switch list {
			case "Edges":
				shown = rows.Edges
			case "Steps":
				shown = rows.Steps
			}
			for _, x := range shown {
				fmt.Fprintln(t, line(x))
			}
			return t.Flush()
		})
	}
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Second)
}
