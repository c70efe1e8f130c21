package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"omote/internal/journey/moment"
)

// journeyFindings are the commands that read what was found out about journeys.
func journeyFindings() []*cobra.Command {
	return []*cobra.Command{newJourneyMomentsCommand(), newJourneyPainsCommand(), newJourneyChooseCommand()}
}

// testRun is the test behind findings.
type testRun struct {
	Ready bool `json:"ready"`
	moment.Run
}

// waitForTest starts a test where that is asked for, and waits for its end.
func waitForTest(ctx context.Context, c *client, out io.Writer) error {
	read := func() (time.Time, error) {
		var found struct{ Test testRun }
		err := c.call(ctx, http.MethodGet, "/api/v1/pains?journey=-", nil, &found)
		return found.Test.Tested, err
	}
	before, err := read()
	if err != nil {
		return err
	}
	if err := c.call(ctx, http.MethodPost, "/api/v1/moments/test", nil, nil); err != nil {
		return err
	}
	fmt.Fprintln(out, "testing all customers' histories …")
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
		if now, err := read(); err != nil || now.After(before) {
			return err
		}
	}
}

func newJourneyMomentsCommand() *cobra.Command {
	var journey string
	var test bool
	cmd := &cobra.Command{
		Use:   "moments",
		Short: "Print which steps are proven moments of truth, with effects and intervals",
		Long: `Print what the newest test says of each step: what a bad experience there does to
customers afterwards, adjusted for who they are, with its interval and verdict.
--test makes a new test first; one is made every night.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withClient(cmd, func(ctx context.Context, c *client) error {
				if test {
					if err := waitForTest(ctx, c, cmd.ErrOrStderr()); err != nil {
						return err
					}
				}
				var found struct {
					Test  testRun          `json:"test"`
					Items []moment.Finding `json:"items"`
				}
				if err := c.call(ctx, http.MethodGet, "/api/v1/moments?journey="+url.QueryEscape(journey), nil, &found); err != nil {
					return err
				}
				return print(cmd, found, func(w io.Writer) error {
					t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
					fmt.Fprintln(t, "journey\tstep\tafterwards\tverdict\teffect\tinterval\texposed\tq")
					for _, f := range found.Items {
						if f.Effect.Known && f.Verdict != "insufficient" {
							fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%+.4f\t%+.4f to %+.4f\t%d\t%.3f\n", f.Journey, f.Step, f.Outcome, f.Verdict, f.Effect.Value, f.Effect.Low, f.Effect.High, f.Customers, f.Q)
						}
					}
					return t.Flush()
				})
			})
		},
	}
	cmd.Flags().StringVar(&journey, "journey", "", "only this journey")
	cmd.Flags().BoolVar(&test, "test", false, "test now, before printing")
	return cmd
}

func newJourneyPainsCommand() *cobra.Command {
	var journey string
	var test bool
	cmd := &cobra.Command{
		Use:   "pains",
		Short: "Print what goes wrong and what it costs a quarter, dearest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withClient(cmd, func(ctx context.Context, c *client) error {
				if test {
					if err := waitForTest(ctx, c, cmd.ErrOrStderr()); err != nil {
						return err
					}
				}
				var found struct {
					Test  testRun       `json:"test"`
					Items []moment.Pain `json:"items"`
				}
				if err := c.call(ctx, http.MethodGet, "/api/v1/pains?journey="+url.QueryEscape(journey), nil, &found); err != nil {
					return err
				}
				return print(cmd, found, func(w io.Writer) error {
					t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
					fmt.Fprintln(t, "rank\tpain\ttimes a quarter\tcosts a quarter\tinterval")
					for _, p := range found.Items {
						fmt.Fprintf(t, "%d\t%s\t%.0f\t%.0f\t%.0f to %.0f\n", p.Rank, p.ID, p.Reach.Value, p.Expected.Value, p.Expected.Low, p.Expected.High)
					}
					return t.Flush()
				})
			})
		},
	}
	cmd.Flags().StringVar(&journey, "journey", "", "only this journey")
	cmd.Flags().BoolVar(&test, "test", false, "test now, before printing")
	return cmd
}

func newJourneyChooseCommand() *cobra.Command {
	weights := map[moment.Criterion]*string{}
	n := 3
	cmd := &cobra.Command{
		Use:     "choose",
		Short:   "Rank the journeys to begin with, over ranges of weights",
		Example: "  omote journey choose --value 2-4 --feasibility 0-1 --n 2",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{"n": {strconv.Itoa(n)}}
			for k, w := range weights {
				if *w != "" {
					q.Set(string(k), *w)
				}
			}
			return withClient(cmd, func(ctx context.Context, c *client) error {
				var found moment.Chosen
				if err := c.call(ctx, http.MethodGet, "/api/v1/journeys/choose?"+q.Encode(), nil, &found); err != nil {
					return err
				}
				return print(cmd, found, func(w io.Writer) error {
					t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
					fmt.Fprintln(t, "journey\tchosen\tplaces\tvalue\tfeeling\treadiness\tfeasibility")
					for _, j := range found.Journeys {
						fmt.Fprintf(t, "%s\t%.0f%%\t%d to %d", j.Journey, 100*j.Chosen, j.LowRank, j.HiRank)
						for _, k := range moment.Criteria {
							fmt.Fprintf(t, "\t%.1f", 10*j.Merits[k].Mid)
						}
						fmt.Fprintln(t)
					}
					fmt.Fprintf(t, "this set of %d is chosen with %.0f%% of all weights and values\n", n, 100*found.SetShare)
					return t.Flush()
				})
			})
		},
	}
	for _, k := range moment.Criteria {
		weights[k] = cmd.Flags().String(string(k), "", "range of the weight, such as 1-3 (the default)")
	}
	cmd.Flags().IntVar(&n, "n", n, "how many to begin with")
	return cmd
}
