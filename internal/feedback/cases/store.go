package cases

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

func caseByID(ctx context.Context, tx store.Tx, id string) (c Case, err error) {
	err = tx.NewSelect().Model(&c).Where("id = ? AND entity = ?", id, tx.Scope.Entity).Limit(1).Scan(ctx)
	if store.IsNoRows(err) {
		return c, errs.NotFound("feedback.case.error.not_found", "there is no case %s", id)
	}
	if err != nil {
		return c, fmt.Errorf("read case: %w", err)
	}
	return c, nil
}

func caseByNumber(ctx context.Context, tx store.Tx, number int64) (c Case, err error) {
	err = tx.NewSelect().Model(&c).Where("number = ? AND entity = ?", number, tx.Scope.Entity).Limit(1).Scan(ctx)
	if store.IsNoRows(err) {
		return c, errs.NotFound("feedback.case.error.not_found", "there is no case %d", number)
	}
	if err != nil {
		return c, fmt.Errorf("read case: %w", err)
	}
	return c, nil
}

func insertCase(ctx context.Context, tx store.Tx, c *Case) error {
	if _, err := tx.NewInsert().Model(c).Exec(ctx); err != nil {
		return fmt.Errorf("add case: %w", err)
	}
	return nil
}

// saveCase writes a case whose version nobody else has raised meanwhile.
func saveCase(ctx context.Context, tx store.Tx, c *Case) error {
	c.Version++
	res, err := tx.NewUpdate().Model(c).ExcludeColumn("title", "words", "name", "phone", "email", "customer_id", "id", "entity", "number", "opened").
		Where("customer_id = ? AND id = ? AND version = ?", c.CustomerID, c.ID, c.Version-1).Exec(ctx)
	if err != nil {
		return fmt.Errorf("save case: %w", err)
	}
	if n, _ := res.RowsAffected(); n == 0 {
		return errs.Conflict("feedback.case.error.changed", "somebody else has changed the case meanwhile")
	}
	return nil
}

// nextNumber takes the next number of the entity's cases.
func nextNumber(ctx context.Context, tx store.Tx) (n int64, err error) {
	err = tx.NewRaw(`INSERT INTO cases_number_last AS t (entity, number) VALUES (?, 1)
		ON CONFLICT (entity) DO UPDATE SET number = t.number + 1 RETURNING number`, tx.Scope.Entity).Scan(ctx, &n)
	if err != nil {
		return 0, fmt.Errorf("number a case: %w", err)
	}
	return n, nil
}

// sameIssue finds the open case of a customer (or, unknown, of a contact) about an
// issue that was opened or touched since.
func sameIssue(ctx context.Context, tx store.Tx, customer string, contacts []string, issue string, since store.Micros) (c Case, found bool, err error) {
	q := tx.NewSelect().Model(&c).Where("entity = ? AND issue = ? AND is_open AND touched >= ?", tx.Scope.Entity, issue, since)
	switch {
	case customer != "":
		q = q.Where("customer_id = ?", customer)
	case len(contacts) > 0:
		q = q.Where("contact_ix IN (?)", bun.List(contacts))
	default:
		return c, false, nil
	}
	err = q.Order("opened DESC").Limit(1).Scan(ctx)
	if store.IsNoRows(err) {
		return c, false, nil
	}
	if err != nil {
		return c, false, fmt.Errorf("find the case of an issue: %w", err)
	}
	return c, true, nil
}

// nextFree locks the most urgent open case of the place that nobody has, past those that
// others have locked. skills are the fitting ones; nil takes any.
func nextFree(ctx context.Context, tx store.Tx, skills []string) (c Case, found bool, err error) {
	query, args := "SELECT * FROM cases_case WHERE entity = ? AND is_open AND owner = ''", []any{tx.Scope.Entity}
	if tx.Scope.Unit != scope.Root {
		query += " AND unit >= ? AND unit < ?"
		args = append(args, tx.Scope.Unit, strings.TrimSuffix(tx.Scope.Unit, "/")+"0")
	}
	if skills != nil {
		query += " AND skill IN (?)"
		args = append(args, bun.List(skills))
	}
	err = tx.NewRaw(query+" ORDER BY next_due, id LIMIT 1"+tx.Engine.SkipLocked(), args...).Scan(ctx, &c)
	if store.IsNoRows(err) {
		return c, false, nil
	}
	if err != nil {
		return c, false, fmt.Errorf("find the next case: %w", err)
	}
	return c, true, nil
}

// lastClosed finds the customer's case that was closed last, since a time.
func lastClosed(ctx context.Context, tx store.Tx, customer string, since store.Micros) (c Case, found bool, err error) {
	err = tx.NewSelect().Model(&c).Where("entity = ? AND customer_id = ? AND state IN (?, ?, ?) AND closed >= ?", tx.Scope.Entity, customer, Asked, Solved, Silent, since).
		Order("closed DESC").Limit(1).Scan(ctx)
	if store.IsNoRows(err) {
		return c, false, nil
	}
	if err != nil {
		return c, false, fmt.Errorf("find the case closed last: %w", err)
	}
	return c, true, nil
}

type signalRow struct {
	bun.BaseModel `bun:"table:cases_signal"`

	Entity string `bun:",pk"`
	Source string `bun:",pk"`
	Ref    string `bun:",pk"`
	CaseID string
	Kind   string
	Rule   string
	Score  *float64
	Words  sealedText
	At     store.Micros
}

// signalSeen gives the case that a signal already belongs to.
func signalSeen(ctx context.Context, tx store.Tx, source, ref string) (caseID string, err error) {
	err = tx.NewRaw("SELECT case_id FROM cases_signal WHERE entity = ? AND source = ? AND ref = ?", tx.Scope.Entity, source, ref).Scan(ctx, &caseID)
	if store.IsNoRows(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find signal: %w", err)
	}
	return caseID, nil
}

func insertSignal(ctx context.Context, tx store.Tx, r *signalRow) error {
	if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
		return fmt.Errorf("add signal: %w", err)
	}
	return nil
}

func signalsOf(ctx context.Context, tx store.Tx, caseID string) (out []signalRow, err error) {
	if err := tx.NewSelect().Model(&out).Where("case_id = ?", caseID).Order("at").Limit(200).Scan(ctx); err != nil {
		return nil, fmt.Errorf("signals of a case: %w", err)
	}
	return out, nil
}

func insertEntry(ctx context.Context, tx store.Tx, e *Entry) error {
	if _, err := tx.NewInsert().Model(e).Exec(ctx); err != nil {
		return fmt.Errorf("add to a case's history: %w", err)
	}
	return nil
}

func entriesOf(ctx context.Context, tx store.Tx, caseID string, limit int) (out []Entry, err error) {
	if err := tx.NewSelect().Model(&out).Where("case_id = ?", caseID).Order("at DESC", "id DESC").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("history of a case: %w", err)
	}
	return out, nil
}

func clocksOf(ctx context.Context, tx store.Tx, caseID string) (out []Clock, err error) {
	if err := tx.NewSelect().Model(&out).Where("case_id = ?", caseID).Order("due", "id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("clocks of a case: %w", err)
	}
	return out, nil
}

func clockByID(ctx context.Context, tx store.Tx, caseID, id string) (k Clock, err error) {
	err = tx.NewSelect().Model(&k).Where("id = ? AND case_id = ?", id, caseID).Scan(ctx)
	if store.IsNoRows(err) {
		return k, errs.NotFound("feedback.case.error.clock", "the case has no clock %s", id)
	}
	if err != nil {
		return k, fmt.Errorf("read clock: %w", err)
	}
	return k, nil
}

func clocksByID(ctx context.Context, tx store.Tx, ids []string) (out []Clock, err error) {
	if err := tx.NewSelect().Model(&out).Where("id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read clocks: %w", err)
	}
	return out, nil
}

func openClocksOf(ctx context.Context, tx store.Tx, calendarPrefix string) (out []Clock, err error) {
	err = tx.NewSelect().Model(&out).Where("entity = ? AND state IN ('running', 'paused') AND calendar LIKE ?", tx.Scope.Entity, calendarPrefix+"%").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("clocks of a calendar: %w", err)
	}
	return out, nil
}

func insertClock(ctx context.Context, tx store.Tx, k *Clock) error {
	if _, err := tx.NewInsert().Model(k).Exec(ctx); err != nil {
		return fmt.Errorf("start clock: %w", err)
	}
	return nil
}

func updateClock(ctx context.Context, tx store.Tx, k *Clock) error {
	if _, err := tx.NewUpdate().Model(k).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("save clock: %w", err)
	}
	return nil
}

func settingStamp(ctx context.Context, tx store.Tx) (string, error) {
	var n, hooks int64
	var last, lastHook sql.NullInt64
	err := tx.NewRaw(`SELECT (SELECT COUNT(*) FROM cases_setting WHERE entity = ?0), (SELECT MAX(at) FROM cases_setting WHERE entity = ?0),
		(SELECT COUNT(*) FROM cases_hook WHERE entity = ?0), (SELECT MAX(at) FROM cases_hook WHERE entity = ?0)`, tx.Scope.Entity).Scan(ctx, &n, &last, &hooks, &lastHook)
	if err != nil {
		return "", fmt.Errorf("settings of cases: %w", err)
	}
	return fmt.Sprint(n, last.Int64, hooks, lastHook.Int64), nil
}

func allSettings(ctx context.Context, tx store.Tx) (out []Setting, err error) {
	if err := tx.NewSelect().Model(&out).Where("entity = ?", tx.Scope.Entity).Order("at", "kind", "id", "version").Scan(ctx); err != nil {
		return nil, fmt.Errorf("settings of cases: %w", err)
	}
	return out, nil
}

func insertSetting(ctx context.Context, tx store.Tx, r *Setting) error {
	if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
		return fmt.Errorf("publish setting: %w", err)
	}
	return nil
}

func settingBody(ctx context.Context, tx store.Tx, kind, id string, version int) (body string, err error) {
	err = tx.NewRaw("SELECT body FROM cases_setting WHERE entity = ? AND kind = ? AND id = ? AND version = ?", tx.Scope.Entity, kind, id, version).Scan(ctx, &body)
	if store.IsNoRows(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read setting: %w", err)
	}
	return body, nil
}

// load counts the open cases of accounts.
func load(ctx context.Context, tx store.Tx, accounts []string) (map[string]int, error) {
	var rows []struct {
		Owner string
		N     int
	}
	err := tx.NewRaw("SELECT owner, COUNT(*) AS n FROM cases_case WHERE entity = ? AND is_open AND owner IN (?) GROUP BY owner", tx.Scope.Entity, bun.List(accounts)).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("load of people: %w", err)
	}
	out := map[string]int{}
	for _, r := range rows {
		out[r.Owner] = r.N
	}
	return out, nil
}

// jsonText is a map as JSON; it cannot fail for texts.
func jsonText(v map[string]string) string {
	if v == nil {
		return "{}"
	}
	raw, _ := json.Marshal(v)
	return string(raw)
}
