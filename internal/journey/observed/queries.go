package observed

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"
	"time"

	"omote/analytics/mining"
	"omote/internal/platform/warehouse"
)

// The numeric columns: what customers said of an event, 0 the lowest, 1 the highest
// point of the scale; and what an event cost, in minor units, where the design of
// the journey names a property that says so.
const (
	columnFeeling = "feeling"
	columnCost    = "cost"
)

// feelings reads the scores that were given about events of the journey.
func (s *Service) feelings(ctx context.Context, journey string, key warehouse.CaseKey, yield func(id, event string, micros int64, score float64)) error {
	id := "case_key"
	switch key {
	case warehouse.ByRecord:
		id = "CAST(record_id AS VARCHAR)"
	case warehouse.ByCustomer:
		id = "CAST(customer_id AS VARCHAR)"
	}
	where, args := "", []any{}
	if journey != "" {
		where, args = " AND journey = $1", append(args, journey)
	}
	rows, err := s.w.Query(ctx, fmt.Sprintf(`WITH scale AS (SELECT instrument AS i, item AS t, MIN(score) AS low, MAX(score) AS high FROM {response} WHERE score IS NOT NULL GROUP BY 1, 2)
SELECT %s, trigger_event, %s, score, low, high FROM {response_customer r} JOIN scale ON i = r.instrument AND t = r.item
WHERE score IS NOT NULL AND trigger_event <> ''%s`, id, s.w.Dialect().Micros("occurred_at"), where), args...)
	if err != nil {
		return fmt.Errorf("read feelings of the journey %q: %w", journey, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, event string
		var micros int64
		var score, low, high float64
		if err := rows.Scan(&id, &event, &micros, &score, &low, &high); err != nil {
			return fmt.Errorf("read feelings of the journey %q: %w", journey, err)
		}
		if low < 0 || id == "" {
			continue // a scale around an expectation is no level of feeling
		}
		low, high = usualScale(low, high)
		yield(id, event, micros, (score-low)/(high-low))
	}
	return rows.Err()
}

// usualScale is the narrowest usual scale that holds the scores seen.
func usualScale(low, high float64) (float64, float64) {
	for _, s := range [][2]float64{{1, 5}, {1, 7}, {0, 10}, {0, 100}} {
		if low >= s[0] && high <= s[1] {
			return s[0], s[1]
		}
	}
	return low, math.Max(high, low+1)
}

// feel gives each event the score that was last given about it.
func (s *Service) feel(ctx context.Context, journey string, key warehouse.CaseKey, c *mining.Columns) error {
	cases := make(map[string]int32, len(c.CaseIDs))
	for i, id := range c.CaseIDs {
		cases[id] = int32(i)
	}
	// Events of a case stand side by side.
	first := make([]int32, len(c.CaseIDs)+1)
	for _, id := range c.Case {
		first[id+1]++
	}
	for i := 1; i < len(first); i++ {
		first[i] += first[i-1]
	}
	var values []float64
	err := s.feelings(ctx, journey, key, func(id, event string, micros int64, score float64) {
		k, known := cases[id]
		a, named := c.Activities.Lookup(event)
		if !known || !named {
			return
		}
		best := int32(-1)
		for i := first[k]; i < first[k+1]; i++ {
			if c.Activity[i] == a && c.Time[i] <= micros && (best < 0 || c.Time[i] >= c.Time[best]) {
				best = i
			}
		}
		if best < 0 {
			return
		}
		if values == nil {
			values = make([]float64, len(c.Time))
			for i := range values {
				values[i] = math.NaN()
			}
		}
		values[best] = score
	})
	if values != nil {
		if c.Numbers == nil {
			c.Numbers = map[string][]float64{}
		}
		c.Numbers[columnFeeling] = values
	}
	return err
}

// customersOf gives the customer of each of some cases, and when that is not one,
// the first.
func (s *Service) customersOf(ctx context.Context, journey string, cases []string) (map[string]string, error) {
	if len(cases) == 0 {
		return nil, nil
	}
	args := []any{journey}
	marks := make([]string, len(cases))
	for i, c := range cases {
		args = append(args, c)
		marks[i] = fmt.Sprintf("$%d", i+2)
	}
	rows, err := s.w.Query(ctx, `SELECT case_key, MIN(CAST(customer_id AS VARCHAR)) FROM {event_customer} WHERE journey = $1 AND case_key IN (`+strings.Join(marks, ", ")+`) GROUP BY case_key`, args...)
	if err != nil {
		return nil, fmt.Errorf("read the customers of cases: %w", err)
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var id string
		var customer sql.NullString
		if err := rows.Scan(&id, &customer); err != nil {
			return nil, fmt.Errorf("read the customers of cases: %w", err)
		}
		out[id] = customer.String
	}
	return out, rows.Err()
}

// month is the beginning of the month of an instant in a zone.
func month(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, t.Location())
}
