package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"omote/analytics/mining"
	"omote/internal/insight/metric"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/keyring"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/warehouse"
)

// warehouseBench is the result of the warehouse benchmark. Times are medians of
// three runs, in seconds.
type warehouseBench struct {
	Events    int     `json:"events"`
	Answers   int     `json:"answers"`
	Cores     int     `json:"cores"`
	Append    float64 `json:"append_events_per_s"`
	AppendCPU float64 `json:"append_cpu_us_per_event"` // processor time of all cores
	DiskBytes int64   `json:"disk_bytes,omitempty"`    // DuckDB only
	// Metrics over the whole period: from the daily aggregates, and from facts.
	NPSDays     float64 `json:"nps_month_unit_aggregates_s"`
	NPSFacts    float64 `json:"nps_month_unit_facts_s"`
	RateDays    float64 `json:"rate_day_aggregates_s"`
	RateFacts   float64 `json:"rate_day_facts_s"`
	Conversion  float64 `json:"conversion_month_s"`
	Duration    float64 `json:"duration_month_s"`
	Customers   float64 `json:"distinct_customers_month_s"`
	CaseColumns float64 `json:"case_columns_s"`
	CasesCPU    float64 `json:"case_columns_cpu_s"`
	MinedEvents int     `json:"case_columns_events"`
	Check       float64 `json:"check_aggregates_s"`
	ParquetRows float64 `json:"parquet_rows_per_s"`
	PeakRSS     float64 `json:"peak_rss_mb"`
}

// newBenchWarehouseCommand measures the warehouse and metrics on generated events.
func newBenchWarehouseCommand() *cobra.Command {
	var events int
	var seed uint64
	var url string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "warehouse",
		Short: "Measure appending to the warehouse and metrics over it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if events < 10_000 {
				return fmt.Errorf("--events %d: at least 10000", events)
			}
			r, err := benchWarehouse(cmd.Context(), events, seed, url)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
			}
			return r.print(cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&events, "events", 5_000_000, "events to generate; one in ten is a survey answer")
	flags.Uint64Var(&seed, "seed", 1, "seed of the events")
	flags.StringVar(&url, "warehouse", "", "PostgreSQL address of an empty database; DuckDB in a temporary folder without it")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func (r *warehouseBench) print(out io.Writer) error {
	_, err := fmt.Fprintf(out, `%d events, %d answers: append %.0f events/s (%.1f µs of processor time each)
NPS by month and unit: %.3f s from aggregates, %.3f s from facts
rate by day: %.3f s from aggregates, %.3f s from facts
conversion by month %.3f s, duration %.3f s, distinct customers %.3f s
columns of %d events for mining %.3f s (%.3f s of processor time), check of aggregates %.3f s, Parquet %.0f rows/s
peak memory %.0f MiB (%d cores)
`, r.Events, r.Answers, r.Append, r.AppendCPU, r.NPSDays, r.NPSFacts, r.RateDays, r.RateFacts, r.Conversion, r.Duration, r.Customers,
		r.MinedEvents, r.CaseColumns, r.CasesCPU, r.Check, r.ParquetRows, r.PeakRSS, r.Cores)
	return err
}

func benchWarehouse(ctx context.Context, events int, seed uint64, url string) (*warehouseBench, error) {
	dir, err := os.MkdirTemp("", "omote-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	keys, err := keyring.OpenFile(filepath.Join(dir, "keys.json"))
	if err != nil {
		return nil, err
	}
	maker, err := pseudonym.New(ctx, keys)
	if err != nil {
		return nil, err
	}
	w, err := warehouse.Open(ctx, warehouse.Options{URL: url, Dir: dir, Pseudonyms: maker, Mask: func(s string) string { return s },
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	defer w.Close()
	ctx = scope.With(ctx, scope.Process(scope.DefaultEntity, "bench"))
	r := &warehouseBench{Events: events, Cores: runtime.GOMAXPROCS(0)}
	if err := r.append(ctx, w, seed); err != nil {
		return nil, err
	}
	if info, err := os.Stat(filepath.Join(dir, "facts.duckdb")); err == nil {
		r.DiskBytes = info.Size()
	}
	if err := r.query(ctx, w); err != nil {
		return nil, err
	}
	r.PeakRSS = float64(resources().Maxrss) / 1024
	return r, nil
}

// benchStart is the first instant of the generated events.
var benchStart = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// append feeds the events in batches as the log would; only applying is timed.
func (r *warehouseBench) append(ctx context.Context, w *warehouse.Warehouse, seed uint64) error {
	rng := rand.New(rand.NewPCG(seed, 1))
	b := eventlog.Batch{Records: make([]eventlog.Record, 0, 10_000)}
	var spent, cpu time.Duration
	for made := 0; made < r.Events; {
		b.Records, b.First, b.Last = b.Records[:0], b.Last+1, b.Last+1
		for range min(10_000, r.Events-made) {
			e := benchEvent(rng, made, r.Events)
			if e.Name == "survey_answered" {
				r.Answers++
			}
			b.Records = append(b.Records, eventlog.Record{Event: e, Seq: b.Last, Index: len(b.Records)})
			made++
		}
		start, before := time.Now(), cpuTime()
		if err := w.Apply(ctx, b); err != nil {
			return err
		}
		spent, cpu = spent+time.Since(start), cpu+cpuTime()-before
	}
	r.Append = float64(r.Events) / spent.Seconds()
	r.AppendCPU = cpu.Seconds() * 1e6 / float64(r.Events)
	return nil
}

var benchSteps = [...]string{"started", "checked", "asked", "decided", "signed", "paid", "opened", "called", "visited"}

// benchEvent is event i of n, spread in order over a year; cases are runs of
// events close together.
func benchEvent(rng *rand.Rand, i, n int) event.Event {
	at := benchStart.Add(time.Duration(float64(i) / float64(n) * float64(365*24*time.Hour))).UnixMicro()
	run := i/2000*200 + rng.IntN(200) // 200 cases at a time
	e := event.Event{Source: "core", MessageID: fmt.Sprint("m", i), Entity: scope.DefaultEntity, Kind: event.Track, Name: benchSteps[rng.IntN(len(benchSteps))],
		UserID: fmt.Sprint(run % (1 + n/30)), System: "core", At: at, ReceivedAt: at + 2e6, Journey: "loan", Case: fmt.Sprint("c", run),
		Channel: []string{"app", "branch", "web", "call"}[rng.IntN(4)], Unit: fmt.Sprint("u", rng.IntN(200)), Product: []string{"loan", "card"}[rng.IntN(2)],
		Schema: 1, Props: []byte(`{"step":"form","app_version":"5.2.1","wait_seconds":42}`)}
	if rng.IntN(10) == 0 {
		e.Name, e.Journey, e.Case = "survey_answered", "", ""
		e.Props = fmt.Appendf(nil, `{"instrument":"rel_nps","item":"rn_score","score":%d,"language":"vi"}`, rng.IntN(11))
	}
	return e
}

// query times metrics, the columns for mining, the check and an export.
func (r *warehouseBench) query(ctx context.Context, w *warehouse.Warehouse) error {
	svc := metric.NewService(nil, w)
	year := metric.Period{From: metric.DateOf(2025, 1, 1), To: metric.DateOf(2026, 1, 1)}
	for _, q := range []struct {
		into       *float64
		definition string
		ask        metric.Ask
	}{
		{&r.NPSDays, benchNPS, metric.Ask{Granularity: metric.Month, By: "unit"}},
		{&r.NPSFacts, benchNPS, metric.Ask{Granularity: metric.Month, By: "unit", FactsOnly: true}},
		{&r.RateDays, benchRate, metric.Ask{Granularity: metric.Day}},
		{&r.RateFacts, benchRate, metric.Ask{Granularity: metric.Day, FactsOnly: true}},
		{&r.Conversion, benchConversion, metric.Ask{Granularity: metric.Month}},
		{&r.Duration, benchDuration, metric.Ask{Granularity: metric.Month}},
		{&r.Customers, benchCustomers, metric.Ask{Granularity: metric.Month}},
	} {
		d, err := metric.ParseDefinition([]byte(benchHead + q.definition))
		if err != nil {
			return err
		}
		q.ask.Period = year
		if *q.into, err = medianSeconds(func() error {
			_, err := svc.Preview(ctx, *d, q.ask)
			return err
		}); err != nil {
			return err
		}
	}
	var err error
	before := cpuTime()
	if r.CaseColumns, err = medianSeconds(func() error {
		columns, err := w.CaseColumns(ctx, warehouse.CaseFilter{Journey: "loan"})
		if err != nil {
			return err
		}
		r.MinedEvents = len(columns.Case)
		_, err = mining.FromColumns(mining.Columns{Case: columns.Case, Activity: columns.Activity, Time: columns.Time,
			Activities: mining.NewDict(columns.Activities...), CaseIDs: columns.Cases}, mining.TimeOrder)
		return err
	}); err != nil {
		return err
	}
	r.CasesCPU = (cpuTime() - before).Seconds() / runs
	start := time.Now()
	switch wrong, err := w.CheckAggregates(ctx); {
	case err != nil:
		return err
	case len(wrong) > 0:
		return fmt.Errorf("the aggregates differ from the facts: %v", wrong)
	}
	r.Check = time.Since(start).Seconds()
	start = time.Now()
	rows, err := w.Export(ctx, io.Discard, warehouse.Parquet, nil, `SELECT * FROM {event} LIMIT 1000000`)
	r.ParquetRows = float64(rows) / time.Since(start).Seconds()
	return err
}

const (
	benchHead       = "{id: bench, name: {en: Bench, vi: Bench}, direction: higher, min_n: 5, owner: analyst, dims: [unit], "
	benchNPS        = "kind: nps, unit: points, answers: {instrument: rel_nps, item: rn_score}}"
	benchRate       = "kind: rate, unit: share, num: {names: [signed]}, den: {names: [started]}}"
	benchConversion = "kind: conversion, unit: share, from: {names: [started]}, to: {names: [paid]}, within: P7D}"
	benchDuration   = "kind: duration, unit: hours, from: {names: [started]}, to: {names: [paid]}, quantile: 0.5}"
	benchCustomers  = "kind: count, unit: count, subject: customer, events: {names: [started, paid, called]}}"
)

// runs is how often a query is timed.
const runs = 3

// cpuTime is the processor time that the process has used on all cores.
func cpuTime() time.Duration {
	u := resources()
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// medianSeconds runs f several times.
func medianSeconds(f func() error) (float64, error) {
	var times []float64
	for range runs {
		start := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		times = append(times, time.Since(start).Seconds())
	}
	slices.Sort(times)
	return times[runs/2], nil
}
