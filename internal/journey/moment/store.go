package moment

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/platform/store"
)

type runRow struct {
	bun.BaseModel `bun:"table:moment_run"`
	Entity        string       `bun:",pk"`
	TestedAt      store.Micros `bun:",pk"`
	Body          json.RawMessage
}

type findingRow struct {
	bun.BaseModel `bun:"table:moment_finding"`
	Entity        string       `bun:",pk"`
	Journey       string       `bun:",pk"`
	Step          string       `bun:",pk"`
	Outcome       string       `bun:",pk"`
	TestedAt      store.Micros `bun:",pk"`
	Verdict       string
	Body          json.RawMessage
}

type painRow struct {
	bun.BaseModel `bun:"table:moment_pain"`
	Entity        string `bun:",pk"`
	ID            string `bun:",pk"`
	Journey       string
	Place         int64
	Body          json.RawMessage
}

type curveRow struct {
	bun.BaseModel `bun:"table:moment_curve"`
	Entity        string `bun:",pk"`
	Journey       string `bun:",pk"`
	Body          json.RawMessage
}

type worthRow struct {
	bun.BaseModel `bun:"table:moment_worth"`
	Entity        string `bun:",pk"`
	Body          json.RawMessage
	UpdatedAt     store.Micros
	UpdatedBy     string
}

type feasibilityRow struct {
	bun.BaseModel `bun:"table:moment_feasibility"`
	Entity        string `bun:",pk"`
	Journey       string `bun:",pk"`
	Body          json.RawMessage
	UpdatedAt     store.Micros
	UpdatedBy     string
}

// save adds a test to the history and replaces pains and curves.
func save(ctx context.Context, tx store.Tx, found *result) error {
	entity, at := tx.Scope.Entity, store.At(found.run.Tested)
	body, err := json.Marshal(found.run)
	if err != nil {
		return fmt.Errorf("encode a test of moments: %w", err)
	}
	if _, err := tx.NewInsert().Model(&runRow{Entity: entity, TestedAt: at, Body: body}).Exec(ctx); err != nil {
		return fmt.Errorf("store a test of moments: %w", err)
	}
	var findings []findingRow
	for _, f := range found.findings {
		if body, err = json.Marshal(f); err != nil {
			return fmt.Errorf("encode a finding: %w", err)
		}
		findings = append(findings, findingRow{Entity: entity, Journey: f.Journey, Step: f.Step, Outcome: string(f.Outcome), TestedAt: at, Verdict: f.Verdict, Body: body})
	}
	var pains []painRow
	for _, p := range found.pains {
		if body, err = json.Marshal(p); err != nil {
			return fmt.Errorf("encode a pain: %w", err)
		}
		pains = append(pains, painRow{Entity: entity, ID: p.ID, Journey: p.Journey, Place: int64(p.Rank), Body: body})
	}
	var curves []curveRow
	for journey, points := range found.curves {
		if body, err = json.Marshal(points); err != nil {
			return fmt.Errorf("encode a curve: %w", err)
		}
		curves = append(curves, curveRow{Entity: entity, Journey: journey, Body: body})
	}
	for _, table := range []any{(*painRow)(nil), (*curveRow)(nil)} {
		if _, err := tx.NewDelete().Model(table).Where("entity = ?", entity).Exec(ctx); err != nil {
			return fmt.Errorf("replace what an earlier test found: %w", err)
		}
	}
	if len(findings) > 0 {
		_, err = tx.NewInsert().Model(&findings).Exec(ctx)
	}
	if err == nil && len(pains) > 0 {
		_, err = tx.NewInsert().Model(&pains).Exec(ctx)
	}
	if err == nil && len(curves) > 0 {
		_, err = tx.NewInsert().Model(&curves).Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("store what a test found: %w", err)
	}
	return nil
}

// newestRun gives the newest test, and false when there is none.
func newestRun(ctx context.Context, tx store.Tx) (run Run, ok bool, err error) {
	var r runRow
	err = tx.NewSelect().Model(&r).Where("entity = ?", tx.Scope.Entity).OrderExpr("tested_at DESC").Limit(1).Scan(ctx)
	if store.IsNoRows(err) {
		return run, false, nil
	}
	if err != nil {
		return run, false, fmt.Errorf("read the newest test of moments: %w", err)
	}
	return run, true, json.Unmarshal(r.Body, &run)
}

// findingsAt gives the findings of one test, of a journey or, when it is empty,
// of all.
func findingsAt(ctx context.Context, tx store.Tx, at time.Time, journey string) ([]Finding, error) {
	var rows []findingRow
	q := tx.NewSelect().Model(&rows).Where("entity = ? AND tested_at = ?", tx.Scope.Entity, store.At(at))
	if journey != "" {
		q = q.Where("journey = ?", journey)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("read findings: %w", err)
	}
	return decode(rows)
}

// findingHistory gives all findings about a step, oldest first.
func findingHistory(ctx context.Context, tx store.Tx, journey, step string) ([]Finding, error) {
	var rows []findingRow
	err := tx.NewSelect().Model(&rows).Where("entity = ? AND journey = ? AND step = ?", tx.Scope.Entity, journey, step).
		OrderExpr("tested_at, outcome").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the history of a step: %w", err)
	}
	return decode(rows)
}

func decode(rows []findingRow) ([]Finding, error) {
	out := make([]Finding, len(rows))
	for i, r := range rows {
		if err := json.Unmarshal(r.Body, &out[i]); err != nil {
			return nil, fmt.Errorf("decode a finding: %w", err)
		}
	}
	return out, nil
}

// verdict is one entry of the history of a hypothesis.
type verdict struct {
	Journey, Step, Outcome, Verdict string
	TestedAt                        store.Micros
}

// verdicts gives the verdicts of all tests before an instant, oldest first.
func verdicts(ctx context.Context, tx store.Tx, before time.Time) ([]verdict, error) {
	var out []verdict
	err := tx.NewSelect().Model((*findingRow)(nil)).Column("journey", "step", "outcome", "verdict", "tested_at").
		Where("entity = ? AND tested_at < ?", tx.Scope.Entity, store.At(before)).OrderExpr("tested_at").Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("read earlier verdicts: %w", err)
	}
	return out, nil
}

func readPains(ctx context.Context, tx store.Tx, journey string) ([]Pain, error) {
	var rows []painRow
	q := tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity).OrderExpr("place")
	if journey != "" {
		q = q.Where("journey = ?", journey)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("read pains: %w", err)
	}
	out := make([]Pain, len(rows))
	for i, r := range rows {
		if err := json.Unmarshal(r.Body, &out[i]); err != nil {
			return nil, fmt.Errorf("decode a pain: %w", err)
		}
	}
	return out, nil
}

func readCurve(ctx context.Context, tx store.Tx, journey string) (points []FeelingPoint, err error) {
	var r curveRow
	err = tx.NewSelect().Model(&r).Where("entity = ? AND journey = ?", tx.Scope.Entity, journey).Scan(ctx)
	if store.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a curve: %w", err)
	}
	return points, json.Unmarshal(r.Body, &points)
}

func readWorth(ctx context.Context, tx store.Tx) (Worth, error) {
	var r worthRow
	err := tx.NewSelect().Model(&r).Where("entity = ?", tx.Scope.Entity).Scan(ctx)
	if store.IsNoRows(err) {
		return AssumedWorth(), nil
	}
	if err != nil {
		return Worth{}, fmt.Errorf("read what losses are worth: %w", err)
	}
	var w Worth
	if err := json.Unmarshal(r.Body, &w); err != nil {
		return Worth{}, fmt.Errorf("read what losses are worth: %w", err)
	}
	if w.Handling == nil { // stated before handling was asked for
		w.Handling, w.Assumed = assumedHandling(), true
	}
	return w, nil
}

func saveWorth(ctx context.Context, tx store.Tx, w Worth) error {
	body, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("encode what losses are worth: %w", err)
	}
	r := worthRow{Entity: tx.Scope.Entity, Body: body, UpdatedAt: tx.Now(), UpdatedBy: tx.Scope.Actor}
	_, err = tx.NewInsert().Model(&r).On("CONFLICT (entity) DO UPDATE").Set("body = EXCLUDED.body").Set("updated_at = EXCLUDED.updated_at").
		Set("updated_by = EXCLUDED.updated_by").Exec(ctx)
	if err != nil {
		return fmt.Errorf("store what losses are worth: %w", err)
	}
	return nil
}

func readFeasibility(ctx context.Context, tx store.Tx) (map[string]Merit, error) {
	var rows []feasibilityRow
	if err := tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the feasibility of journeys: %w", err)
	}
	out := map[string]Merit{}
	for _, r := range rows {
		var m Merit
		if err := json.Unmarshal(r.Body, &m); err != nil {
			return nil, fmt.Errorf("decode the feasibility of %s: %w", r.Journey, err)
		}
		out[r.Journey] = m
	}
	return out, nil
}

func saveFeasibility(ctx context.Context, tx store.Tx, journey string, m Merit) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode the feasibility of a journey: %w", err)
	}
	r := feasibilityRow{Entity: tx.Scope.Entity, Journey: journey, Body: body, UpdatedAt: tx.Now(), UpdatedBy: tx.Scope.Actor}
	_, err = tx.NewInsert().Model(&r).On("CONFLICT (entity, journey) DO UPDATE").Set("body = EXCLUDED.body").Set("updated_at = EXCLUDED.updated_at").
		Set("updated_by = EXCLUDED.updated_by").Exec(ctx)
	if err != nil {
		return fmt.Errorf("store the feasibility of a journey: %w", err)
	}
	return nil
}
