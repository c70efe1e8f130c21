package metric

import (
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"omote/internal/platform/errs"
	"omote/internal/platform/warehouse"
)

// Row is one fact behind a figure. Nothing in it names a person: the record is a
// pseudonym and comments were masked before they were stored.
type Row struct {
	EventID    string    `json:"event_id"`
	RecordID   string    `json:"record_id"`
	OccurredAt time.Time `json:"occurred_at"`
	ReceivedAt time.Time `json:"received_at"`
	// Part says which part of the definition the fact is: answers, events, num,
	// den or from. Name is the event's name, or the answered item.
	Part    string   `json:"part"`
	Name    string   `json:"name"`
	Case    string   `json:"case"`
	Channel string   `json:"channel"`
	Unit    string   `json:"unit"`
	Product string   `json:"product"`
	Score   *float64 `json:"score,omitempty"`
	Comment string   `json:"comment,omitempty"`
	Source  string   `json:"source"`
}

// RowsAsk chooses the facts behind one figure.
type RowsAsk struct {
	Period Period
	By     string
	Group  string // value of By; read only when By is set
	Where  *Expr
	After  string // cursor of the page before
	Limit  int    // 1 to 200; 0 means 50
}

// Rows gives the facts behind a figure, latest first, and the cursor of the next
// page, "" when there is none. They stay hidden where the figure does, and
// always where the metric is anonymous.
func (s *Service) Rows(ctx context.Context, id string, version int, ask RowsAsk) (page []Row, next string, err error) {
	v, err := s.Get(ctx, id, version)
	if err != nil {
		return nil, "", err
	}
	d := &v.Definition
	if d.Anonymous {
		return nil, "", errs.Denied("metric.error.anonymous", "the answers behind %s are anonymous", id)
	}
	if err := s.enough(ctx, v, ask); err != nil {
		return nil, "", err
	}
	if ask.Limit <= 0 {
		ask.Limit = 50
	}
	ask.Limit = min(ask.Limit, 200)
	q, err := question(d, s.facts.Zone(scopeEntity(ctx)), Ask{Period: ask.Period, Granularity: Total, By: ask.By, Where: ask.Where, FactsOnly: true})
	if err != nil {
		return nil, "", err
	}
	c := &compiler{builder: builder{dialect: s.facts.Dialect()}, d: d, q: q}
	query, err := c.rows(ask)
	if err != nil {
		return nil, "", err
	}
	found, err := s.facts.Query(ctx, query, c.args...)
	if err != nil {
		return nil, "", fmt.Errorf("read the rows behind metric %s: %w", id, err)
	}
	if page, err = scanRows(found); err != nil {
		return nil, "", fmt.Errorf("read the rows behind metric %s: %w", id, err)
	}
	if len(page) > ask.Limit {
		page = page[:ask.Limit]
		next = cursor(page[ask.Limit-1])
	}
	return page, next, nil
}

// enough refuses rows of a figure that is itself hidden.
func (s *Service) enough(ctx context.Context, v *Version, ask RowsAsk) error {
	r, err := evaluate(ctx, s.facts, &v.Definition, v.Version, Ask{Period: ask.Period, Granularity: Total, By: ask.By, Where: ask.Where})
	if err != nil {
		return err
	}
	for _, p := range r.Points {
		if ask.By == "" || p.Group == ask.Group {
			if p.State == Few {
				break
			}
			return nil
		}
	}
	return errs.Denied("metric.error.few", "fewer than %d: the rows stay hidden with the figure", v.Definition.MinN).With("min", v.Definition.MinN)
}

// rows is the SQL of the facts behind the figure of one group.
func (c *compiler) rows(ask RowsAsk) (string, error) {
	var parts []string
	if a := c.d.Answers; a != nil {
		where := []string{"instrument = " + c.arg(a.Instrument), "item = " + c.arg(a.Item), "score IS NOT NULL",
			c.period(false), c.where(a.Where, responseFields), c.where(c.q.Where, responseFields)}
		if a.Trigger != "" {
			where = append(where, "trigger_event = "+c.arg(a.Trigger))
		}
		parts = append(parts, c.rowsOf("response", "answers", "item", "score", "coalesce(comment, '')", responseFields, strings.Join(where, " AND ")))
	}
	for _, p := range []struct {
		name   string
		events *Events
	}{{"events", c.d.Events}, {"num", c.d.Num}, {"den", c.d.Den}, {"from", c.d.From}} {
		if p.events != nil {
			none := "CAST(NULL AS " + c.dialect.Double() + ")"
			parts = append(parts, c.rowsOf("event", p.name, "name", none, "''", eventFields, c.facts(p.events)+" AND "+c.period(false)))
		}
	}
	var keep []string
	if ask.By != "" {
		keep = append(keep, "grp = "+c.arg(ask.Group))
	}
	if ask.After != "" {
		at, id, part, err := parseCursor(ask.After)
		if err != nil {
			return "", err
		}
		keep = append(keep, fmt.Sprintf("(occurred_at, id, part) < (%s, %s, %s)", warehouse.Timestamp(at), c.arg(id), c.arg(part)))
	}
	if len(keep) == 0 {
		keep = []string{"true"}
	}
	return fmt.Sprintf(`SELECT id, record, occurred_at, received_at, part, name, case_key, channel, unit, product, score, comment, source
FROM (%s) f WHERE %s
ORDER BY occurred_at DESC, id DESC, part DESC LIMIT %d`, strings.Join(parts, "\nUNION ALL\n"), strings.Join(keep, " AND "), ask.Limit+1), nil
}

func (c *compiler) rowsOf(table, part, name, score, comment string, fields fieldSet, where string) string {
	return fmt.Sprintf(`SELECT CAST(event_id AS VARCHAR) AS id, CAST(record_id AS VARCHAR) AS record, occurred_at, received_at, '%s' AS part, %s AS name,
case_key, channel, unit, product, %s AS score, %s AS comment, source, %s AS grp FROM {%s} WHERE %s`,
		part, name, score, comment, c.group(fields), table, where)
}

func scanRows(found *sql.Rows) (out []Row, err error) {
	defer found.Close()
	for found.Next() {
		var r Row
		var score sql.NullFloat64
		if err := found.Scan(&r.EventID, &r.RecordID, &r.OccurredAt, &r.ReceivedAt, &r.Part, &r.Name, &r.Case, &r.Channel, &r.Unit, &r.Product,
			&score, &r.Comment, &r.Source); err != nil {
			return nil, err
		}
		if score.Valid {
			r.Score = &score.Float64
		}
		out = append(out, r)
	}
	return out, found.Err()
}

// cursor names the place after a row.
func cursor(r Row) string {
	return base64.RawURLEncoding.EncodeToString([]byte(r.OccurredAt.UTC().Format(time.RFC3339Nano) + "\x00" + r.EventID + "\x00" + r.Part))
}

func parseCursor(s string) (at time.Time, id, part string, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	fields := strings.Split(string(raw), "\x00")
	if err == nil && len(fields) == 3 {
		at, err = time.Parse(time.RFC3339Nano, fields[0])
	}
	if err != nil || len(fields) != 3 {
		return at, "", "", errs.Invalid("metric.error.cursor", "after", "the cursor is not one of ours")
	}
	return at, fields[1], fields[2], nil
}
