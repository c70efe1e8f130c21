package survey

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"omote/internal/feedback/form"
	"omote/internal/platform/store"
)

// BenchResults writes the tallies that n responses of a year in 200 units leave
// behind, and tells how long the results with five dimensions take to read: the
// median of several readings. It is for measuring alone, in a store of its own.
func (s *Service) BenchResults(ctx context.Context, id string, n int) (took time.Duration, err error) {
	d, err := s.benchDocument(ctx, id)
	if err != nil {
		return 0, err
	}
	r := rand.New(rand.NewPCG(1, 2))
	now := s.DB.Now().Time()
	t := newTally(s.Zone)
	score := d.Score()
	for range n {
		point := score.Scale.Min + r.IntN(score.Scale.Max-score.Scale.Min+1)
		one := &Response{Survey: id, Probability: []float64{0.1, 0.35}[r.IntN(2)], Unit: fmt.Sprint("U", r.IntN(200)), Via: fmt.Sprint("via", r.IntN(6)),
			Journey: fmt.Sprint("j", r.IntN(12)), Product: fmt.Sprint("p", r.IntN(20)), Channel: fmt.Sprint("c", r.IntN(4)), Started: now.Add(-time.Duration(r.IntN(365*24)) * time.Hour)}
		t.answer(one, score.ID, form.Answer{Number: &point}, 1)
		t.count(one)
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error { return t.keep(ctx, tx) })
	if err != nil {
		return 0, err
	}
	var all []time.Duration
	for range 7 {
		begin := time.Now()
		p := Period{From: now.Add(-365 * 24 * time.Hour), To: now}
		if _, err := s.Result(ctx, id, p); err != nil {
			return 0, err
		}
		for _, dim := range Dims {
			if _, err := s.Groups(ctx, id, dim, p); err != nil {
				return 0, err
			}
		}
		all = append(all, time.Since(begin))
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

func (s *Service) benchDocument(ctx context.Context, id string) (d *form.Document, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		v, err := s.current(ctx, tx, id)
		if err == nil {
			d = v.Document
		}
		return err
	})
	return d, err
}
