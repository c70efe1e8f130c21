package cases

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/i18n/fmtx"
	"omote/internal/platform/money"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// within bounds a query to a subtree of the organisation. Paths end with "/", so
// those below one lie between it and its last byte raised by one.
func within(q *bun.SelectQuery, column string, units ...string) *bun.SelectQuery {
	for _, unit := range units {
		if unit != "" && unit != scope.Root {
			q = q.Where("? >= ? AND ? < ?", bun.Ident(column), unit, bun.Ident(column), strings.TrimSuffix(unit, "/")+"0")
		}
	}
	return q
}

func pick(tx store.Tx, q *bun.SelectQuery, f Query) *bun.SelectQuery {
	q = within(q.Where("entity = ?", tx.Scope.Entity), "unit", tx.Scope.Unit, f.Unit)
	if !f.Closed && len(f.States) == 0 {
		q = q.Where("is_open = ?", true)
	}
	if len(f.States) > 0 {
		q = q.Where("state IN (?)", bun.List(f.States))
	}
	for column, v := range map[string]string{"owner": f.Owner, "kind": string(f.Kind), "severity": string(f.Severity), "product": f.Product, "journey": f.Journey,
		"channel": f.Channel, "customer_id": f.Customer} {
		if v != "" {
			q = q.Where("? = ?", bun.Ident(column), v)
		}
	}
	if f.Nobody {
		q = q.Where("owner = ''")
	}
	if f.Late {
		q = q.Where("late = ?", true)
	}
	if !f.DueBefore.IsZero() {
		q = q.Where("next_due < ?", store.At(f.DueBefore))
	}
	if f.Watching != "" {
		q = q.Where("id IN (SELECT case_id FROM cases_watcher WHERE account = ?)", f.Watching)
	}
	return q
}

// listCases reads one more case than the limit, so that the caller knows of a next page.
func listCases(ctx context.Context, tx store.Tx, f Query, number int64, contacts []string) (out []Case, err error) {
	q := pick(tx, tx.NewSelect().Model(&out), f)
	switch {
	case number > 0:
		q = q.Where("number = ?", number)
	case f.Search != "":
		q = q.Where("contact_ix IN (?)", bun.List(append(contacts, "-")))
	}
	if due, id, ok := strings.Cut(f.After, "."); ok {
		at, err := strconv.ParseInt(due, 10, 64)
		if err != nil {
			return nil, errs.Invalid("feedback.case.error.cursor", "after", "that is no cursor of this list")
		}
		q = q.Where("(next_due, id) > (?, ?)", at, id)
	}
	if err := q.Order("next_due", "id").Limit(int64(f.Limit) + 1).Scan(ctx); err != nil {
		return nil, fmt.Errorf("list cases: %w", err)
	}
	return out, nil
}

func countCases(ctx context.Context, tx store.Tx, f Query, endOfDay store.Micros) (n Counts, err error) {
	q := pick(tx, tx.NewSelect().Model((*Case)(nil)), Query{Unit: f.Unit}).
		ColumnExpr("COUNT(*)").ColumnExpr("COALESCE(SUM(CASE WHEN late THEN 1 ELSE 0 END), 0)").
		ColumnExpr("COALESCE(SUM(CASE WHEN next_due >= ? AND next_due < ? THEN 1 ELSE 0 END), 0)", tx.Now(), endOfDay).
		ColumnExpr("COALESCE(SUM(CASE WHEN owner = '' THEN 1 ELSE 0 END), 0)")
	if err := q.Scan(ctx, &n.Open, &n.Late, &n.DueToday, &n.Nobody); err != nil {
		return n, fmt.Errorf("count cases: %w", err)
	}
	return n, nil
}

func caseAnyEntity(ctx context.Context, tx store.Tx, id string) (c Case, err error) {
	err = tx.NewSelect().Model(&c).Where("id = ?", id).Limit(1).Scan(ctx)
	if store.IsNoRows(err) {
		return c, errToken()
	}
	return c, err
}

func watch(ctx context.Context, tx store.Tx, caseID, account, why string) error {
	if bad(account, 1, 60) {
		return errs.Invalid("feedback.case.error.owner", "owner", "that is no account")
	}
	_, err := tx.NewRaw("INSERT INTO cases_watcher (case_id, account, why, at) VALUES (?, ?, ?, ?) ON CONFLICT (case_id, account) DO NOTHING", caseID, account, why, tx.Now()).Exec(ctx)
	if err != nil {
		return fmt.Errorf("watch a case: %w", err)
	}
	return nil
}

func unwatch(ctx context.Context, tx store.Tx, caseID, account string) error {
	if _, err := tx.NewRaw("DELETE FROM cases_watcher WHERE case_id = ? AND account = ?", caseID, account).Exec(ctx); err != nil {
		return fmt.Errorf("watch a case no longer: %w", err)
	}
	return nil
}

func watches(ctx context.Context, tx store.Tx, caseID, account string) (yes bool, err error) {
	var n int
	if err := tx.NewRaw("SELECT COUNT(*) FROM cases_watcher WHERE case_id = ? AND account = ?", caseID, account).Scan(ctx, &n); err != nil {
		return false, fmt.Errorf("watchers: %w", err)
	}
	return n > 0, nil
}

func moveSignals(ctx context.Context, tx store.Tx, from, to string) error {
	if _, err := tx.NewRaw("UPDATE cases_signal SET case_id = ? WHERE case_id = ?", to, from).Exec(ctx); err != nil {
		return fmt.Errorf("move signals: %w", err)
	}
	return nil
}

func addLink(ctx context.Context, tx store.Tx, caseID, other, kind string) error {
	_, err := tx.NewRaw("INSERT INTO cases_link (case_id, other_id, kind, at) VALUES (?, ?, ?, ?) ON CONFLICT (case_id, other_id, kind) DO NOTHING", caseID, other, kind, tx.Now()).Exec(ctx)
	if err != nil {
		return fmt.Errorf("link cases: %w", err)
	}
	return nil
}

func linksOf(ctx context.Context, tx store.Tx, caseID string) (out []LinkView, err error) {
	var rows []struct {
		Kind   string
		ID     string
		Number int64
	}
	err = tx.NewRaw(`SELECT l.kind, c.id, c.number FROM cases_link l JOIN cases_case c ON c.id = l.other_id WHERE l.case_id = ?
		UNION SELECT l.kind, c.id, c.number FROM cases_link l JOIN cases_case c ON c.id = l.case_id WHERE l.other_id = ? ORDER BY 3`, caseID, caseID).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("links of a case: %w", err)
	}
	for _, r := range rows {
		out = append(out, LinkView{r.Kind, r.ID, Case{Number: r.Number}.Ref()})
	}
	return out, nil
}

func countFiles(ctx context.Context, tx store.Tx, caseID string) (n int, err error) {
	if err := tx.NewRaw("SELECT COUNT(*) FROM cases_file WHERE case_id = ?", caseID).Scan(ctx, &n); err != nil {
		return 0, fmt.Errorf("count files: %w", err)
	}
	return n, nil
}

func insertFile(ctx context.Context, tx store.Tx, f *File) error {
	if _, err := tx.NewInsert().Model(f).Exec(ctx); err != nil {
		return fmt.Errorf("keep file: %w", err)
	}
	return nil
}

func filesOf(ctx context.Context, tx store.Tx, caseID string) (out []File, err error) {
	if err := tx.NewSelect().Model(&out).ExcludeColumn("content").Where("case_id = ?", caseID).Order("id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("files of a case: %w", err)
	}
	return out, nil
}

func fileByID(ctx context.Context, tx store.Tx, caseID, id string) (f File, err error) {
	err = tx.NewSelect().Model(&f).Where("case_id = ? AND id = ?", caseID, id).Scan(ctx)
	if store.IsNoRows(err) {
		return f, errs.NotFound("feedback.case.error.file", "the case has no such file")
	}
	if err != nil {
		return f, fmt.Errorf("read file: %w", err)
	}
	return f, nil
}

// fileToScan finds a file of the entity that no scanner has decided about, the oldest.
func fileToScan(ctx context.Context, tx store.Tx) (f File, found bool, err error) {
	err = tx.NewSelect().Model(&f).Where("(scan = 'waiting' OR scan = 'unscanned') AND case_id IN (SELECT id FROM cases_case WHERE entity = ?)", tx.Scope.Entity).
		Order("at", "id").Limit(1).Scan(ctx)
	if store.IsNoRows(err) {
		return f, false, nil
	}
	if err != nil {
		return f, false, fmt.Errorf("find a file to scan: %w", err)
	}
	return f, true, nil
}

// setScan writes a scan's result, unless somebody else has; an infected file loses its
// content.
func setScan(ctx context.Context, tx store.Tx, f File, scan string) (changed bool, err error) {
	q := tx.NewUpdate().Model((*File)(nil)).Set("scan = ?", scan).Where("case_id = ? AND id = ? AND scan = ?", f.CaseID, f.ID, f.Scan)
	if scan == ScanInfected {
		q = q.Set("content = NULL")
	}
	res, err := q.Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("keep a scan: %w", err)
	}
	rows, err := res.RowsAffected()
	return rows == 1, err
}

func insertFollowUp(ctx context.Context, tx store.Tx, f *FollowUp) error {
	if _, err := tx.NewInsert().Model(f).Exec(ctx); err != nil {
		return fmt.Errorf("ask the customer: %w", err)
	}
	return nil
}

func updateFollowUp(ctx context.Context, tx store.Tx, f *FollowUp) error {
	if _, err := tx.NewUpdate().Model(f).Column("answer", "answered", "words").WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("save the customer's answer: %w", err)
	}
	return nil
}

func followUpByToken(ctx context.Context, tx store.Tx, hash string) (f FollowUp, found bool, err error) {
	err = tx.NewSelect().Model(&f).Where("token_hash = ?", hash).Scan(ctx)
	if store.IsNoRows(err) {
		return f, false, nil
	}
	if err != nil {
		return f, false, fmt.Errorf("find the question: %w", err)
	}
	return f, true, nil
}

func followUpsOf(ctx context.Context, tx store.Tx, caseID string) (out []FollowUp, err error) {
	if err := tx.NewSelect().Model(&out).Where("case_id = ?", caseID).Order("round").Scan(ctx); err != nil {
		return nil, fmt.Errorf("follow-ups of a case: %w", err)
	}
	return out, nil
}

func insertGesture(ctx context.Context, tx store.Tx, g *Gesture) error {
	if _, err := tx.NewInsert().Model(g).Exec(ctx); err != nil {
		return fmt.Errorf("grant a gesture: %w", err)
	}
	return nil
}

func gesturesOf(ctx context.Context, tx store.Tx, caseID string) (out []Gesture, err error) {
	if err := tx.NewSelect().Model(&out).Where("case_id = ?", caseID).Order("id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("gestures of a case: %w", err)
	}
	return out, nil
}

// spending is what was granted already, in minor units. Customer and case count all
// limits together, so that asking twice does not help.
type spending struct{ inCase, customer, person int64 }

func spentBy(ctx context.Context, tx store.Tx, c *Case, account, wallet string, month, year store.Micros) (s spending, err error) {
	customer := c.CustomerID
	if customer == "" {
		customer = c.ContactIx
	}
	for _, each := range []struct {
		into  *int64
		where string
		args  []any
	}{
		{&s.inCase, "case_id = ?", []any{c.ID}},
		{&s.customer, "entity = ? AND customer = ? AND customer <> '' AND at >= ?", []any{c.Entity, customer, year}},
		{&s.person, "entity = ? AND by_account = ? AND wallet = ? AND at >= ?", []any{c.Entity, account, wallet, month}},
	} {
		if err := tx.NewRaw("SELECT COALESCE(SUM(amount), 0) FROM cases_gesture WHERE "+each.where, each.args...).Scan(ctx, each.into); err != nil {
			return s, fmt.Errorf("count gestures: %w", err)
		}
	}
	return s, nil
}

func openEscalations(ctx context.Context, tx store.Tx, account string, roles []string, limit int) (out []Escalation, err error) {
	q := within(tx.NewSelect().Model(&out).Where("entity = ? AND state = 'open'", tx.Scope.Entity), "unit")
	err = q.Where("(person = ? OR role IN (?))", account, bun.List(append(roles, "-"))).Order("at").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("open escalations: %w", err)
	}
	return out, nil
}

func insertView(ctx context.Context, tx store.Tx, v SavedView) error {
	_, err := tx.NewRaw("INSERT INTO cases_view (entity, id, account, name, query) VALUES (?, ?, ?, ?, ?)", tx.Scope.Entity, v.ID, v.Account, v.Name, v.Query).Exec(ctx)
	if err != nil {
		return fmt.Errorf("save view: %w", err)
	}
	return nil
}

func viewsOf(ctx context.Context, tx store.Tx, account string) (out []SavedView, err error) {
	err = tx.NewRaw("SELECT id, account, name, query FROM cases_view WHERE entity = ? AND account IN ('', ?) ORDER BY name", tx.Scope.Entity, account).Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("views: %w", err)
	}
	return out, nil
}

// amountText is an amount for the history, the same in both languages.
func amountText(a money.Amount) string { return fmtx.For("vi").Money(a) }

func insertHook(ctx context.Context, tx store.Tx, h *Hook) error {
	if _, err := tx.NewInsert().Model(h).Exec(ctx); err != nil {
		return fmt.Errorf("add subscriber: %w", err)
	}
	return nil
}

func hooksOf(ctx context.Context, tx store.Tx) (out []Hook, err error) {
	if err := tx.NewSelect().Model(&out).Where("entity = ?", tx.Scope.Entity).Order("id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("subscribers: %w", err)
	}
	return out, nil
}

func deleteHook(ctx context.Context, tx store.Tx, id string) error {
	if _, err := tx.NewDelete().Model((*Hook)(nil)).Where("entity = ? AND id = ?", tx.Scope.Entity, id).Exec(ctx); err != nil {
		return fmt.Errorf("remove subscriber: %w", err)
	}
	return nil
}

// OpenFor reports whether a customer with the records has an open case, and whether
// one of them is a complaint or dispute: for those who decide about contacts.
func (s *Service) OpenFor(ctx context.Context, tx store.Tx, records []string) (open, complaint bool, err error) {
	if len(records) == 0 {
		return false, false, nil
	}
	var n, complaints int
	err = tx.NewRaw("SELECT COUNT(*), COALESCE(SUM(CASE WHEN kind IN ('complaint', 'dispute') THEN 1 ELSE 0 END), 0) FROM cases_case WHERE customer_id IN (?) AND is_open = ?",
		bun.List(records), true).Scan(ctx, &n, &complaints)
	if err != nil {
		return false, false, fmt.Errorf("open cases of a customer: %w", err)
	}
	return n > 0, complaints > 0, nil
}
