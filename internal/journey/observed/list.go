package observed

import (
	"context"
	"fmt"
	"time"

	"omote/internal/journey/definition"
	"omote/internal/platform/auth"
	"omote/internal/platform/scope"
)

// Summary is one line of the list of journeys.
type Summary struct {
	Definition definition.Definition
	Events     int64
	Cases      int64
	First      time.Time
	Last       time.Time
}

// listed is a list in memory: counting distinct cases reads every fact.
type listed struct {
	summaries []Summary
	readAt    time.Time
	keep      time.Duration
}

// List gives the journeys that facts speak of, most cases first. It may be some
// seconds old.
func (s *Service) List(ctx context.Context) ([]Summary, error) {
	if err := auth.Require(ctx, definition.PermRead, ""); err != nil {
		return nil, err
	}
	sc, _ := scope.From(ctx)
	key, now := sc.Entity+"\x00"+sc.Unit, s.clock.Now()
	s.mu.Lock()
	held := s.lists[key]
	s.mu.Unlock()
	if now.Sub(held.readAt) < held.keep {
		return held.summaries, nil
	}
	started := time.Now() // how long it takes decides how long it is kept
	found, err := s.count(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lists) >= maxLists {
		clear(s.lists)
	}
	s.lists[key] = listed{found, now, min(max(time.Second, 50*time.Since(started)), 5*time.Minute)}
	return found, nil
}

// maxLists bounds the lists in memory: one for each place that people act in.
const maxLists = 64

func (s *Service) count(ctx context.Context) (out []Summary, err error) {
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
