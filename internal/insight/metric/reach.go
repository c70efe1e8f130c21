package metric

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Reached is whom a figure is about.
type Reached struct {
	Customers int64 // distinct ones
	Facts     int64 // cases, visits or answers
}

// reach gives the table and the condition of the facts that a figure divides
// by: answers, or the events that begin, are the base, or are counted.
func (c *compiler) reach() (table, where string) {
	if a := c.d.Answers; a != nil {
		parts := []string{"instrument = " + c.arg(a.Instrument), "item = " + c.arg(a.Item), "score IS NOT NULL", c.period(false),
			c.where(a.Where, responseFields), c.where(c.q.Where, responseFields)}
		if a.Trigger != "" {
			parts = append(parts, "trigger_event = "+c.arg(a.Trigger))
		}
		return "response_customer", strings.Join(parts, " AND ")
	}
	e := c.d.Events
	for _, other := range []*Events{c.d.Den, c.d.From} {
		if other != nil {
			e = other
		}
	}
	return "event_customer", c.facts(e) + " AND " + c.period(false)
}

func (s *Service) reachQuery(ctx context.Context, id string, version int, period Period, where *Expr) (*Version, *compiler, error) {
	v, err := s.Get(ctx, id, version)
	if err != nil {
		return nil, nil, err
	}
	q, err := question(&v.Definition, s.facts.Zone(scopeEntity(ctx)), Ask{Period: period, Granularity: Total, Where: where, FactsOnly: true})
	if err != nil {
		return nil, nil, err
	}
	return v, &compiler{builder: builder{dialect: s.facts.Dialect()}, d: &v.Definition, q: q}, nil
}

// Reach counts the customers that a figure is about.
func (s *Service) Reach(ctx context.Context, id string, version int, period Period, where *Expr) (r Reached, err error) {
	_, c, err := s.reachQuery(ctx, id, version, period, where)
	if err != nil {
		return r, err
	}
	table, cond := c.reach()
	rows, err := s.facts.Query(ctx, fmt.Sprintf("SELECT count(DISTINCT customer_id), count(*) FROM {%s} WHERE %s", table, cond), c.args...)
	if err != nil {
		return r, fmt.Errorf("count the customers of metric %s: %w", id, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&r.Customers, &r.Facts); err != nil {
			return r, fmt.Errorf("count the customers of metric %s: %w", id, err)
		}
	}
	return r, rows.Err()
}

// Person is a customer that a figure is about, by pseudonym.
type Person struct {
	Customer string
	Last     time.Time // when they last met it
	Facts    int64
}

// MaxPeople bounds the list of customers behind a figure.
const MaxPeople = 200

// People gives the customers that a figure is about, those who met it last first.
// An anonymous metric names nobody.
func (s *Service) People(ctx context.Context, id string, version int, period Period, where *Expr, limit int) (out []Person, err error) {
	v, c, err := s.reachQuery(ctx, id, version, period, where)
	if err != nil || v.Definition.Anonymous {
		return nil, err
	}
	table, cond := c.reach()
	rows, err := s.facts.Query(ctx, fmt.Sprintf(`SELECT CAST(customer_id AS VARCHAR), max(occurred_at) AS last, count(*) FROM {%s} WHERE %s
GROUP BY customer_id ORDER BY last DESC, 1 LIMIT %d`, table, cond, max(1, min(limit, MaxPeople))), c.args...)
	if err != nil {
		return nil, fmt.Errorf("list the customers of metric %s: %w", id, err)
	}
	defer rows.Close()
	for rows.Next() {
		var p Person
		if err := rows.Scan(&p.Customer, &p.Last, &p.Facts); err != nil {
			return nil, fmt.Errorf("list the customers of metric %s: %w", id, err)
		}
		p.Last = p.Last.UTC()
		out = append(out, p)
	}
	return out, rows.Err()
}

// Voice is what a customer said, masked.
type Voice struct {
	At       time.Time
	Words    string
	Language string
	Channel  string
	Unit     string
	Score    *float64
}

// Voices gives what customers said in the same place and time, complaints first: in
// the same questionnaire where the metric is made of answers, else what the customers
// said whom the figure is about. An anonymous metric has no voices.
func (s *Service) Voices(ctx context.Context, id string, version int, period Period, where *Expr, limit int) (out []Voice, err error) {
	v, c, err := s.reachQuery(ctx, id, version, period, where)
	if err != nil || v.Definition.Anonymous {
		return nil, err
	}
	d := &v.Definition
	cond := []string{"coalesce(comment, '') <> ''", c.period(false)}
	if d.Answers != nil {
		cond = append(cond, c.where(where, responseFields), "instrument = "+c.arg(d.Answers.Instrument))
		if d.Answers.Trigger != "" {
			cond = append(cond, "trigger_event = "+c.arg(d.Answers.Trigger))
		}
	} else {
		table, reached := c.reach()
		cond = append(cond, fmt.Sprintf("customer_id IN (SELECT customer_id FROM {%s reached} WHERE %s)", table, reached))
	}
	rows, err := s.facts.Query(ctx, fmt.Sprintf(`SELECT occurred_at, comment, language, channel, unit, min(score) AS score FROM {response_customer} WHERE %s
GROUP BY event_id, occurred_at, comment, language, channel, unit
ORDER BY min(CASE polarity WHEN 'negative' THEN 0 WHEN 'mixed' THEN 1 ELSE 2 END), coalesce(min(score), 99), occurred_at DESC, event_id LIMIT %d`,
		strings.Join(cond, " AND "), max(1, min(limit, 50))), c.args...)
	if err != nil {
		return nil, fmt.Errorf("read voices about metric %s: %w", id, err)
	}
	defer rows.Close()
	for rows.Next() {
		var v Voice
		var score sql.NullFloat64
		if err := rows.Scan(&v.At, &v.Words, &v.Language, &v.Channel, &v.Unit, &score); err != nil {
			return nil, fmt.Errorf("read voices about metric %s: %w", id, err)
		}
		if score.Valid && d.Answers != nil { // the scale of other questionnaires is not known here
			v.Score = &score.Float64
		}
		v.At = v.At.UTC()
		out = append(out, v)
	}
	return out, rows.Err()
}
