package observed

import (
	"context"
	"fmt"
	"time"

	"omote/internal/journey/definition"
	"omote/internal/platform/auth"
)

// Summary is one line of the list of journeys.
type Summary struct {
	Definition definition.Definition
	Events     int64
	Cases      int64
	First      time.Time
	Last       time.Time
}

// List gives the journeys that facts speak of, most cases first.
func (s *Service) List(ctx context.Context) (out []Summary, err error) {
	if err := auth.Require(ctx, definition.PermRead, ""); err != nil {
		return nil, err
	}
	definitions, err := s.definitions.All(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.w.Query(ctx, `SELECT journey, COUNT(*), COUNT(DISTINCT case_key), MIN(occurred_at), MAX(occurred_at)
FROM {event} WHERE journey <> '' AND case_key <> '' GROUP BY journey ORDER BY 3 DESC, 1 LIMIT 500`)
	if err != nil {
		return nil, fmt.Errorf("list journeys: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var j Summary
		if err := rows.Scan(&id, &j.Events, &j.Cases, &j.First, &j.Last); err != nil {
			return nil, fmt.Errorf("list journeys: %w", err)
		}
		d, known := definitions[id]
		if !known {
			d = definition.Definition{Journey: id, Name: definition.Text{EN: id, VI: id}, Timeout: definition.DefaultTimeout}
		}
		j.Definition = d
		out = append(out, j)
	}
	return out, rows.Err()
}
