package cases

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

var (
	errNotOpen = errs.Conflict("feedback.case.error.escalation", "the escalation is not open")
	errNoStep  = errs.NotFound("feedback.case.error.step", "there is no such step")
)

// casesOf reads what firing needs of the clocks' cases.
func casesOf(ctx context.Context, tx store.Tx, clocks []Clock) (map[string]*Case, error) {
	out := map[string]*Case{}
	if len(clocks) == 0 {
		return out, nil
	}
	ids := make([]string, 0, len(clocks))
	for _, k := range clocks {
		ids = append(ids, k.CaseID)
	}
	var rows []Case
	err := tx.NewSelect().Model(&rows).Column("customer_id", "id", "entity", "number", "unit", "kind", "state", "is_open", "severity", "owner", "version").
		Where("id IN (?) AND is_open", bun.List(ids)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cases of clocks: %w", err)
	}
	for i := range rows {
		out[rows[i].ID] = &rows[i]
	}
	return out, nil
}

// passClocks lets clocks pass their deadline; a breach is of the time that was due,
// however late it is noticed.
func passClocks(ctx context.Context, tx store.Tx, ids []string, state ClockState) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := tx.NewRaw("UPDATE cases_clock SET state = ?, breached = CASE WHEN ? = 'breached' THEN due END WHERE id IN (?) AND state = 'running'",
		string(state), string(state), bun.List(ids)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("pass clocks: %w", err)
	}
	return nil
}

func warnClocks(ctx context.Context, tx store.Tx, ids []string, n int) error {
	if _, err := tx.NewRaw("UPDATE cases_clock SET warned = ? WHERE id IN (?)", n, bun.List(ids)).Exec(ctx); err != nil {
		return fmt.Errorf("warn clocks: %w", err)
	}
	return nil
}

func lateCases(ctx context.Context, tx store.Tx, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	if _, err := tx.NewRaw("UPDATE cases_case SET late = ?, version = version + 1 WHERE id IN (?)", true, bun.List(ids)).Exec(ctx); err != nil {
		return fmt.Errorf("mark cases late: %w", err)
	}
	return nil
}

func insertEntries(ctx context.Context, tx store.Tx, entries []Entry) error {
	n := len(entries)
	if n == 0 {
		return nil
	}
	caseID, id, kind, actor, detail, at := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]store.Micros, n)
	for i, e := range entries {
		caseID[i], id[i], kind[i], actor[i], at[i], detail[i] = e.CaseID, e.ID, string(e.Kind), e.Actor, e.At, jsonText(e.Detail)
	}
	_, err := tx.Batch(ctx, "cases_entry", store.Upsert{}, store.Col("case_id", caseID), store.Col("id", id), store.Col("kind", kind), store.Col("actor", actor),
		store.Col("at", at), store.Col("detail", detail))
	if err != nil {
		return fmt.Errorf("add to histories: %w", err)
	}
	return nil
}

// standingOn gives the escalations of cases that are open or acknowledged, by case
// and ladder.
func standingOn(ctx context.Context, tx store.Tx, cases []string) (map[string][]Escalation, error) {
	var rows []Escalation
	err := tx.NewSelect().Model(&rows).Where("case_id IN (?) AND state IN ('open', 'acknowledged')", bun.List(cases)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("escalations of cases: %w", err)
	}
	out := map[string][]Escalation{}
	for _, e := range rows {
		key := e.CaseID + "/" + e.Ladder
		out[key] = append(out[key], e)
	}
	return out, nil
}

func insertEscalations(ctx context.Context, tx store.Tx, all []Escalation) error {
	n := len(all)
	if n == 0 {
		return nil
	}
	text := make([][]string, 11)
	for i := range text {
		text[i] = make([]string, n)
	}
	step, at, until := make([]int64, n), make([]store.Micros, n), make([]store.Micros, n)
	for i, e := range all {
		for j, v := range []string{e.CaseID, e.ID, e.Entity, e.Clock, e.Ladder, e.Why, e.Role, e.Unit, e.Person, e.State, ""} {
			text[j][i] = v
		}
		step[i], at[i], until[i] = int64(e.Step), e.At, e.Until
	}
	names := []string{"case_id", "id", "entity", "clock", "ladder", "why", "role", "unit", "person", "state", "acknowledged_by"}
	var columns []store.Column
	for j, name := range names {
		columns = append(columns, store.Col(name, text[j]))
	}
	columns = append(columns, store.Col("step", step), store.Col("at", at), store.Col("until", until))
	if _, err := tx.Batch(ctx, "cases_escalation", store.Upsert{}, columns...); err != nil {
		return fmt.Errorf("escalate: %w", err)
	}
	return nil
}

func overtake(ctx context.Context, tx store.Tx, all []Escalation) error {
	if len(all) == 0 {
		return nil
	}
	ids := make([]string, len(all))
	cases := make([]string, len(all))
	for i, e := range all {
		ids[i], cases[i] = e.ID, e.CaseID
	}
	_, err := tx.NewRaw("UPDATE cases_escalation SET state = ? WHERE case_id IN (?) AND id IN (?)", EscalationOvertaken, bun.List(cases), bun.List(ids)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("overtake escalations: %w", err)
	}
	return nil
}

func escalationByID(ctx context.Context, tx store.Tx, caseID, id string) (e Escalation, found bool, err error) {
	err = tx.NewSelect().Model(&e).Where("case_id = ? AND id = ?", caseID, id).Scan(ctx)
	if store.IsNoRows(err) {
		return e, false, nil
	}
	if err != nil {
		return e, false, fmt.Errorf("read escalation: %w", err)
	}
	return e, true, nil
}

func escalationsOf(ctx context.Context, tx store.Tx, caseID string) (out []Escalation, err error) {
	if err := tx.NewSelect().Model(&out).Where("case_id = ?", caseID).Order("at", "id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("escalations of a case: %w", err)
	}
	return out, nil
}

func acknowledge(ctx context.Context, tx store.Tx, caseID, id string) error {
	_, err := tx.NewRaw("UPDATE cases_escalation SET state = ?, acknowledged = ?, acknowledged_by = ? WHERE case_id = ? AND id = ?",
		EscalationAcknowledged, tx.Now(), tx.Scope.Actor, caseID, id).Exec(ctx)
	if err != nil {
		return fmt.Errorf("acknowledge escalation: %w", err)
	}
	return nil
}

// endEscalations ends the open steps of a clock, or of the whole case for "".
func endEscalations(ctx context.Context, tx store.Tx, caseID, clock string) error {
	q := tx.NewUpdate().Model((*Escalation)(nil)).Set("state = ?", EscalationOver).Where("case_id = ? AND state = 'open'", caseID)
	if clock != "" {
		q = q.Where("clock = ?", clock)
	}
	if _, err := q.Exec(ctx); err != nil {
		return fmt.Errorf("end escalations: %w", err)
	}
	return nil
}
