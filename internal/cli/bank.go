package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"omote/bank"
)

// newBankCommand works with the simulated bank: files, marginals, speed.
func newBankCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bank",
		Short: "Simulate a retail bank whose truth is known",
		Long: `Simulate a retail bank in Vietnam: customers, branches, journeys, surveys,
complaints and departures, with planted events whose effect is known.

The same seed gives the same bytes. No server or data folder is needed.`,
	}
	cmd.AddCommand(newBankGenerateCommand(), newBankDescribeCommand(), newBankBenchCommand())
	return cmd
}

// bankFlags adds the flags that say which bank; the function reads them.
func bankFlags(cmd *cobra.Command) func() (*bank.Bank, error) {
	var c bank.Config
	var start, planFile string
	flags := cmd.Flags()
	flags.IntVar(&c.Customers, "customers", 20_000, "customers on the first day")
	flags.IntVar(&c.Months, "months", 12, "months of history")
	flags.Uint64Var(&c.Seed, "seed", 1, "seed; the same seed gives the same bytes")
	flags.StringVar(&start, "start", "", "first day, such as 2025-10-01 (default: 2025-10-01)")
	flags.Float64Var(&c.Density, "density", 1, "scale of everyday transfers")
	flags.StringVar(&planFile, "plan", "", "YAML file of planted events (default: the built-in plan)")
	return func() (*bank.Bank, error) {
		if start != "" {
			t, err := time.ParseInLocation(time.DateOnly, start, bank.Zone)
			if err != nil {
				return nil, fmt.Errorf("--start %q is no date such as 2025-10-01: %w", start, err)
			}
			c.Start = t
		}
		if planFile != "" {
			data, err := os.ReadFile(planFile)
			if err != nil {
				return nil, fmt.Errorf("reading the plan: %w", err)
			}
			if c.Plan, err = bank.ParsePlan(data); err != nil {
				return nil, err
			}
		}
		return bank.New(c)
	}
}

func newBankGenerateCommand() *cobra.Command {
	var dir string
	var o bank.FileOptions
	var asJSON, quiet bool
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Write the history as files, one per source system, and the truth beside them",
		Long: `Write the history of a simulated bank: under DIR/feeds one file of events per
feed and one of customer records per system, under DIR/truth what only the
simulation knows (who is who, what was planted, what customers feel).`,
		Example: `  omote bank generate --customers 20000 --months 12 --out ./bank
  omote bank generate --customers 1000000 --by-customer --gzip --out ./bank`,
		Args: cobra.NoArgs,
	}
	build := bankFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&dir, "out", "", "folder to write to (needed)")
	flags.StringVar(&o.Format, "format", "ndjson", "ndjson or csv")
	flags.BoolVar(&o.Gzip, "gzip", false, "compress the files")
	flags.BoolVar(&o.ByCustomer, "by-customer", false, "one customer after another instead of one order of time: constant memory")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	flags.BoolVar(&quiet, "quiet", false, "do not print progress")
	_ = cmd.MarkFlagRequired("out") // the flag exists
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		b, err := build()
		if err != nil {
			return err
		}
		notes := cmd.ErrOrStderr()
		if !quiet {
			o.Progress = func(n int) { fmt.Fprintf(notes, "\r%d events", n) }
		}
		sum, err := b.Generate(dir, o)
		if !quiet {
			fmt.Fprintln(notes)
		}
		if err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(sum)
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d events of %d people in %s; %d records, %d people left\n", sum.Events, sum.Truth.People, dir, sum.Truth.Records, sum.Truth.Left)
		return err
	}
	return cmd
}

func newBankDescribeCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "describe",
		Short: "Print the marginals of a simulated bank",
		Args:  cobra.NoArgs,
	}
	build := bankFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		b, err := build()
		if err != nil {
			return err
		}
		d := b.Describe()
		if asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(d)
		}
		return describeBank(cmd.OutOrStdout(), &d)
	}
	return cmd
}

// describeBank prints the marginals a person asks for first.
func describeBank(w io.Writer, d *bank.Description) error {
	shares := func(title string, list []bank.Share) {
		fmt.Fprintf(w, "%s\n", title)
		for _, s := range list {
			fmt.Fprintf(w, "  %-22s %6.1f %%  (%d)\n", s.Name, 100*s.Value, s.N)
		}
	}
	fmt.Fprintf(w, "%s to %s: %d customers, %d joined, %d left; %d events (%.0f a customer and year)\n", d.Start, d.End, d.Customers, d.Joined, d.Left, d.Events, d.EventsPerCustomer)
	shares("Family names", d.People.Surnames)
	shares("Regions", d.People.Regions)
	shares("Ages", d.People.Ages)
	shares("Response rate by channel", d.Survey.ByChannel)
	shares("Attrition a year by tenure", d.AttritionByTenure)
	shares("Contact reasons", d.ContactReasons)
	fmt.Fprintf(w, "NPS of answers %.1f, if all invited answered %.1f, of all customers %.1f\n", d.Survey.NPSRaw, d.Survey.NPSInvited, d.Survey.NPSCensus)
	fmt.Fprintf(w, "People with several records in one system %.1f %%, complaints per 10,000 customers and year %.0f\n", 100*d.Identity.Several, d.ComplaintsPer10k)
	_, err := fmt.Fprintf(w, "Branch wait p50 %.0f min, p90 %.0f min; call handling p50 %.0f s, p90 %.0f s\n", d.BranchWaitMinutes.P50, d.BranchWaitMinutes.P90,
		d.CallHandleSeconds.P50, d.CallHandleSeconds.P90)
	return err
}

// bankBench is what bench prints.
type bankBench struct {
	Customers       int     `json:"customers"`
	Months          int     `json:"months"`
	Order           string  `json:"order"`
	Events          int     `json:"events"`
	Bytes           int64   `json:"bytes"`
	Seconds         float64 `json:"seconds"`
	EventsPerSecond float64 `json:"events_per_s"`
	PeakRSS         float64 `json:"peak_rss_mb"`
	Cores           int     `json:"cores"`
}

func newBankBenchCommand() *cobra.Command {
	var asJSON, byTime bool
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast events are made and in how much memory",
		Args:  cobra.NoArgs,
	}
	build := bankFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&byTime, "by-time", false, "make all events in one order of time instead of one customer after another")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		b, err := build()
		if err != nil {
			return err
		}
		c := b.Config()
		r := bankBench{Customers: c.Customers, Months: c.Months, Order: "customer", Cores: runtime.GOMAXPROCS(0)}
		events := b.ByCustomer()
		if byTime {
			events, r.Order = b.History(), "time"
		}
		began := time.Now()
		for e := range events {
			r.Events++
			r.Bytes += int64(len(e.MessageID) + len(e.UserID) + len(e.Name) + len(e.Case) + len(e.Unit) + len(e.Props) + len(e.Traits) + 40)
		}
		r.Seconds = time.Since(began).Seconds()
		r.EventsPerSecond = float64(r.Events) / r.Seconds
		r.PeakRSS = float64(resources().Maxrss) / 1024 // KiB on Linux
		if asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d events in %.1f s: %.0f events/s, peak memory %.0f MB (%d customers, %d months, %d cores)\n",
			r.Events, r.Seconds, r.EventsPerSecond, r.PeakRSS, r.Customers, r.Months, r.Cores)
		return err
	}
	return cmd
}
