package moment

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"omote/internal/platform/warehouse"
)

// Facts is what the package reads from the warehouse.
type Facts interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	CaseColumns(ctx context.Context, f warehouse.CaseFilter) (*warehouse.CaseColumns, error)
	Dialect() warehouse.Dialect
}

// said is one answered question.
type said struct {
	event, customer, journey, id, instrument, item, trigger, polarity, language string
	micros                                                                      int64
	score                                                                       sql.NullFloat64
	comment                                                                     bool
}

// readAnswers reads what customers said, in the order of customers and times. The
// words themselves stay in the warehouse.
func readAnswers(ctx context.Context, facts Facts, yield func(said)) error {
	rows, err := facts.Query(ctx, fmt.Sprintf(`SELECT CAST(event_id AS VARCHAR), CAST(customer_id AS VARCHAR), journey, case_key, instrument, item, trigger_event,
polarity, language, %s, score, comment IS NOT NULL AND comment <> ''
FROM {response_customer} WHERE score IS NOT NULL OR comment IS NOT NULL ORDER BY 2, 10, 1`, facts.Dialect().Micros("occurred_at")))
	if err != nil {
		return fmt.Errorf("read answers: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s said
		if err := rows.Scan(&s.event, &s.customer, &s.journey, &s.id, &s.instrument, &s.item, &s.trigger, &s.polarity, &s.language, &s.micros, &s.score, &s.comment); err != nil {
			return fmt.Errorf("read answers: %w", err)
		}
		yield(s)
	}
	return rows.Err()
}

// readScales finds the scale of each question from the scores that came in.
func readScales(ctx context.Context, facts Facts) (map[string]scale, error) {
	rows, err := facts.Query(ctx, `SELECT instrument, item, MIN(score), MAX(score) FROM {response} WHERE score IS NOT NULL GROUP BY instrument, item`)
	if err != nil {
		return nil, fmt.Errorf("read the scales of questionnaires: %w", err)
	}
	defer rows.Close()
	out := map[string]scale{}
	for rows.Next() {
		var instrument, item string
		var low, high float64
		if err := rows.Scan(&instrument, &item, &low, &high); err != nil {
			return nil, fmt.Errorf("read the scales of questionnaires: %w", err)
		}
		out[instrument+"/"+item] = scaleOf(instrument+"/"+item, low, high)
	}
	return out, rows.Err()
}

// readRegions gives the region of each unit: the first part of its path.
func readRegions(ctx context.Context, facts Facts) (map[string]string, error) {
	rows, err := facts.Query(ctx, `SELECT code, path FROM {unit}`)
	if err != nil {
		return nil, fmt.Errorf("read units: %w", err)
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var code, path string
		if err := rows.Scan(&code, &path); err != nil {
			return nil, fmt.Errorf("read units: %w", err)
		}
		first, _, _ := strings.Cut(strings.Trim(path, "/"), "/")
		out[code] = first
	}
	return out, rows.Err()
}

// readQuotes reads the masked words of answers by id, in the order of the ids.
func readQuotes(ctx context.Context, facts Facts, ids []string) ([]Quote, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	marks, args := make([]string, len(ids)), make([]any, len(ids))
	for i, id := range ids {
		marks[i], args[i] = fmt.Sprintf("$%d", i+1), id
	}
	rows, err := facts.Query(ctx, `SELECT CAST(event_id AS VARCHAR), occurred_at, comment, language, channel, score FROM {response}
WHERE comment IS NOT NULL AND CAST(event_id AS VARCHAR) IN (`+strings.Join(marks, ", ")+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("read customers' words: %w", err)
	}
	defer rows.Close()
	found := map[string]Quote{}
	for rows.Next() {
		var q Quote
		var at time.Time
		if err := rows.Scan(&q.ID, &at, &q.Words, &q.Language, &q.Channel, &q.Score); err != nil {
			return nil, fmt.Errorf("read customers' words: %w", err)
		}
		q.At = at.UTC()
		found[q.ID] = q
	}
	var out []Quote
	for _, id := range ids {
		if q, ok := found[id]; ok {
			out = append(out, q)
		}
	}
	return out, rows.Err()
}
