package survey

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"omote/internal/platform/store"
)

// dimColumns names the columns of dimensions; they come from form.Dimensions alone.
func dimColumns(dims []string) string {
	if len(dims) == 0 {
		return ""
	}
	return strings.Join(dims, ", ") + ", "
}

// weighedAnswers groups completed responses by score, probability and dimensions.
func weighedAnswers(ctx context.Context, tx store.Tx, survey string, dims []string, p Period) (out []weighed, err error) {
	columns := dimColumns(dims)
	var rows []struct {
		Unit, Via, Journey, Product string
		Score                       int
		Probability                 float64
		N                           int64
	}
	err = tx.NewRaw("SELECT "+columns+"score, probability, COUNT(*) AS n FROM survey_response WHERE entity = ? AND survey = ? AND completed BETWEEN ? AND ? AND score IS NOT NULL GROUP BY "+
		columns+"score, probability ORDER BY "+columns+"score, probability", tx.Scope.Entity, survey, store.At(p.From), store.At(p.To)).Scan(ctx, &rows)
	for _, r := range rows {
		all := map[string]string{"unit": r.Unit, "via": r.Via, "journey": r.Journey, "product": r.Product}
		g := weighed{Score: r.Score, Probability: r.Probability, N: r.N}
		for _, d := range dims {
			g.Values = append(g.Values, all[d])
		}
		out = append(out, g)
	}
	return out, err
}

// frameOf counts all events of a period that could have led to an asking.
func frameOf(ctx context.Context, tx store.Tx, survey string, dims []string, p Period) (out frame, err error) {
	for _, dim := range dims {
		var rows []struct {
			Value string
			N     int64
		}
		err := tx.NewRaw("SELECT "+dim+" AS value, COUNT(*) AS n FROM survey_invitation WHERE entity = ? AND survey = ? AND created BETWEEN ? AND ? GROUP BY "+dim,
			tx.Scope.Entity, survey, store.At(p.From), store.At(p.To)).Scan(ctx, &rows)
		if err != nil {
			return nil, err
		}
		counts := map[string]float64{}
		for _, r := range rows {
			counts[r.Value] = float64(r.N)
		}
		out = append(out, counts)
	}
	return out, nil
}

func getWeighting(ctx context.Context, tx store.Tx, survey string) (w Weighting, last *Raked, at time.Time, err error) {
	var r struct {
		Settings, Result string
		Computed         store.Micros `bun:",nullzero"`
	}
	err = tx.NewRaw("SELECT settings, result, COALESCE(computed, 0) AS computed FROM survey_weighting WHERE entity = ? AND survey = ?", tx.Scope.Entity, survey).Scan(ctx, &r)
	if store.IsNoRows(err) {
		return w, nil, at, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(r.Settings), &w)
	}
	if err == nil && r.Result != "" {
		last = &Raked{}
		err = json.Unmarshal([]byte(r.Result), last)
	}
	if err != nil {
		return w, nil, at, fmt.Errorf("read the weighting of %s: %w", survey, err)
	}
	return w, last, when(r.Computed), nil
}

func putWeighting(ctx context.Context, tx store.Tx, survey string, w Weighting, r *Raked) error {
	settings, err := json.Marshal(w)
	if err != nil {
		return err
	}
	result, err := encodeRaked(r)
	if err != nil {
		return err
	}
	_, err = tx.NewRaw(`INSERT INTO survey_weighting (entity, survey, settings, result, computed, set_by) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (entity, survey) DO UPDATE SET settings = excluded.settings, result = excluded.result, computed = excluded.computed, set_by = excluded.set_by`,
		tx.Scope.Entity, survey, string(settings), result, tx.Now(), tx.Scope.Actor).Exec(ctx)
	return err
}

func weightedSurveys(ctx context.Context, tx store.Tx) (ids []string, err error) {
	err = tx.NewRaw("SELECT survey FROM survey_weighting WHERE entity = ? ORDER BY survey", tx.Scope.Entity).Scan(ctx, &ids)
	return ids, err
}
