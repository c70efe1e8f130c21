package bank

import (
	"fmt"
	"time"
)

// Config says which bank to simulate. The zero value of a field takes its default.
type Config struct {
	// Seed decides everything: the same seed gives the same bytes.
	Seed uint64
	// Customers is how many people bank here at Start. Default 20,000.
	Customers int
	// Months is the length of the history. Default 12.
	Months int
	// Start is the first day of the history, midnight in Zone. Default: Months
	// before End, or 1 October 2025 when neither is set.
	Start time.Time
	// End is the first instant after the history. Default: Start plus Months.
	End time.Time
	// English is the share of customers who write English. Default 0.04; negative for none.
	English float64
	// Density scales how many everyday transfers and merchant receipts the feeds
	// hold. 1, the default, gives about one tracked transfer a month for an
	// average customer, a sample of what people really do, so that a year of a
	// customer is about a hundred events.
	Density float64
	// Growth is the share of Customers who join in a year by themselves. Default 0.12; negative for none.
	Growth float64
	// Plan holds the planted events and initiatives. Nil takes DefaultPlan; an
	// empty plan plants nothing.
	Plan *Plan
}

// Limits of a Config.
const (
	MaxCustomers = 50_000_000
	MaxMonths    = 120
)

func (c Config) withDefaults() (Config, error) {
	if c.Customers == 0 {
		c.Customers = 20_000
	}
	if c.Months == 0 {
		c.Months = 12
	}
	if c.Customers < 0 || c.Customers > MaxCustomers {
		return c, fmt.Errorf("bank: customers must lie in 1..%d, not %d", MaxCustomers, c.Customers)
	}
	if c.Months < 0 || c.Months > MaxMonths {
		return c, fmt.Errorf("bank: months must lie in 1..%d, not %d", MaxMonths, c.Months)
	}
	if c.Start.IsZero() {
		if c.End.IsZero() {
			c.Start = time.Date(2025, 10, 1, 0, 0, 0, 0, Zone)
		} else {
			c.Start = midnight(c.End).AddDate(0, -c.Months, 0)
		}
	}
	c.Start = midnight(c.Start)
	if c.End.IsZero() {
		c.End = c.Start.AddDate(0, c.Months, 0)
	}
	c.End = c.End.In(Zone)
	if !c.End.After(c.Start) {
		return c, fmt.Errorf("bank: the end %s is not after the start %s", c.End.Format(time.DateOnly), c.Start.Format(time.DateOnly))
	}
	if c.Start.Before(firstDay) || c.End.After(lastDay) {
		return c, fmt.Errorf("bank: the calendar knows %s to %s only", firstDay.Format(time.DateOnly), lastDay.Format(time.DateOnly))
	}
	c.English = share(c.English, 0.04)
	c.Growth = share(c.Growth, 0.12)
	if c.Density == 0 {
		c.Density = 1
	}
	if c.Density < 0 || c.Density > 100 {
		return c, fmt.Errorf("bank: density must lie in 0..100, not %g", c.Density)
	}
	if c.Plan == nil {
		c.Plan = DefaultPlan(int(c.End.Sub(c.Start) / (24 * time.Hour)))
	}
	return c, nil
}

func share(v, def float64) float64 {
	switch {
	case v == 0:
		return def
	case v < 0:
		return 0
	}
	return min(v, 1)
}

func midnight(t time.Time) time.Time {
	t = t.In(Zone)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, Zone)
}

// Bank is a simulated bank. It is immutable and safe for concurrent use.
type Bank struct {
	cfg        Config
	packs      *content
	cal        *almanac
	start, end int64 // microseconds
	world      world
	arrivals   float64 // organic newcomers a day
	text       *writer
}

// New prepares a bank.
func New(cfg Config) (*Bank, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	b := &Bank{cfg: cfg, packs: packs(), cal: theAlmanac(), start: cfg.Start.UnixMicro(), end: cfg.End.UnixMicro(), text: theWriter()}
	b.arrivals = float64(cfg.Customers) * cfg.Growth / 365
	if b.world, err = b.newWorld(cfg.Plan); err != nil {
		return nil, err
	}
	return b, nil
}

// Config gives the configuration with its defaults filled in.
func (b *Bank) Config() Config { return b.cfg }
