package cases

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// problemWeeks counts cases by cause (the reason while no cause is known), product
// and week, back from now.
func problemWeeks(ctx context.Context, tx store.Tx, now store.Micros) ([]problem, error) {
	week := int64(clusterWindow.Microseconds())
	var rows []struct {
		Cause, Product string
		Week           int
		N              int64
	}
	err := tx.NewRaw(`SELECT CASE WHEN cause <> '' THEN cause ELSE reason END AS cause, product, (? - opened) / ? AS week, COUNT(*) AS n
		FROM cases_case WHERE entity = ? AND opened > ? AND opened <= ? AND (cause <> '' OR reason <> '') AND state <> 'merged' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
		int64(now), week, tx.Scope.Entity, int64(now)-week*(clusterWeeks+1), int64(now)).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("count cases by problem: %w", err)
	}
	var out []problem
	for _, r := range rows {
		if n := len(out); n == 0 || out[n-1].cause != r.Cause || out[n-1].product != r.Product {
			out = append(out, problem{cause: r.Cause, product: r.Product})
		}
		if r.Week <= clusterWeeks {
			out[len(out)-1].weeks[r.Week] = r.N
		}
	}
	return out, nil
}

func casesOfProblem(ctx context.Context, tx store.Tx, p problem, since store.Micros) (ids []string, customers int64, err error) {
	var rows []struct{ ID, CustomerID, ContactIx string }
	err = tx.NewRaw(`SELECT id, customer_id, contact_ix FROM cases_case WHERE entity = ? AND opened > ? AND product = ? AND state <> 'merged'
		AND CASE WHEN cause <> '' THEN cause ELSE reason END = ? ORDER BY opened LIMIT 5000`, tx.Scope.Entity, since, p.product, p.cause).Scan(ctx, &rows)
	if err != nil {
		return nil, 0, fmt.Errorf("cases of a problem: %w", err)
	}
	who := map[string]bool{}
	for _, r := range rows {
		ids = append(ids, r.ID)
		switch {
		case r.CustomerID != "":
			who[r.CustomerID] = true
		case r.ContactIx != "":
			who[r.ContactIx] = true
		default:
			who[r.ID] = true
		}
	}
	return ids, int64(len(who)), nil
}

type clusterRow struct {
	bun.BaseModel `bun:"table:cases_cluster"`

	Entity     string `bun:",pk"`
	ID         string `bun:",pk"`
	Cause      string
	Product    string
	Observed   int64
	Expected   float64
	Bound      float64
	Customers  int64
	Cases      string
	Initiative string
	FromAt     store.Micros
	At         store.Micros
	State      ClusterState
	Agreed     string
	Words      sealedText
	ByActor    string
	Held       store.Micros
}

func (r clusterRow) cluster() (c Cluster, err error) {
	c = Cluster{ID: r.ID, Cause: r.Cause, Product: r.Product, Observed: r.Observed, Expected: r.Expected, Bound: r.Bound, Customers: r.Customers, Initiative: r.Initiative,
		From: r.FromAt.Time(), At: r.At.Time(), State: r.State, Agreed: r.Agreed, Words: r.Words.Plain, By: r.ByActor}
	if r.Held > 0 {
		c.Held = r.Held.Time()
	}
	if err := json.Unmarshal([]byte(r.Cases), &c.Cases); err != nil {
		return c, fmt.Errorf("cluster %s: %w", r.ID, err)
	}
	return c, nil
}

func clusterRowByID(ctx context.Context, tx store.Tx, id string) (r clusterRow, err error) {
	err = tx.NewSelect().Model(&r).Where("entity = ? AND id = ?", tx.Scope.Entity, id).Scan(ctx)
	if store.IsNoRows(err) {
		return r, errs.NotFound("feedback.case.error.cluster", "there is no cluster %s", id)
	}
	if err != nil {
		return r, fmt.Errorf("read cluster: %w", err)
	}
	return r, nil
}

func updateCluster(ctx context.Context, tx store.Tx, r *clusterRow) error {
	_, err := tx.NewUpdate().Model(r).Column("initiative", "state", "agreed", "words", "by_actor", "held").Where("entity = ? AND id = ?", r.Entity, r.ID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("keep what a huddle agreed on: %w", err)
	}
	return nil
}

// casesByID reads cases in the order in which they were opened; those that are gone are
// left out.
func casesByID(ctx context.Context, tx store.Tx, ids []string) (out []Case, err error) {
	for from := 0; from < len(ids); from += 1000 {
		var part []Case
		err := tx.NewSelect().Model(&part).Where("entity = ? AND id IN (?)", tx.Scope.Entity, bun.List(ids[from:min(from+1000, len(ids))])).Order("number").Scan(ctx)
		if err != nil {
			return nil, fmt.Errorf("cases of a cluster: %w", err)
		}
		out = append(out, part...)
	}
	return out, nil
}

func clusterKnown(ctx context.Context, tx store.Tx, p problem, since store.Micros) (bool, error) {
	var n int
	err := tx.NewRaw("SELECT COUNT(*) FROM cases_cluster WHERE entity = ? AND cause = ? AND product = ? AND at > ?", tx.Scope.Entity, p.cause, p.product, since).Scan(ctx, &n)
	if err != nil {
		return false, fmt.Errorf("known clusters: %w", err)
	}
	return n > 0, nil
}

func insertCluster(ctx context.Context, tx store.Tx, c Cluster) error {
	raw, err := json.Marshal(c.Cases)
	if err != nil {
		return err
	}
	r := clusterRow{Entity: tx.Scope.Entity, ID: c.ID, Cause: c.Cause, Product: c.Product, Observed: c.Observed, Expected: c.Expected, Bound: c.Bound, Customers: c.Customers,
		Cases: string(raw), Initiative: c.Initiative, FromAt: store.At(c.From), At: store.At(c.At), State: c.State}
	if _, err := tx.NewInsert().Model(&r).Exec(ctx); err != nil {
		return fmt.Errorf("keep cluster: %w", err)
	}
	return nil
}

func clustersOf(ctx context.Context, tx store.Tx, limit int) (out []Cluster, err error) {
	var rows []clusterRow
	if err := tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity).Order("at DESC").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("clusters: %w", err)
	}
	for _, r := range rows {
		c, err := r.cluster()
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// registerRows reads the complaints and disputes of a period with their clocks and
// the sums granted.
func registerRows(ctx context.Context, tx store.Tx, from, to store.Micros) (cases []Case, clocks map[string][]Clock, grants map[string]int64, err error) {
	q := within(tx.NewSelect().Model(&cases).ExcludeColumn("title", "words", "name", "phone", "email").Where("entity = ?", tx.Scope.Entity), "unit", tx.Scope.Unit)
	err = q.Where("kind IN ('complaint', 'dispute') AND opened >= ? AND opened < ?", from, to).Order("number").Limit(MaxRegister).Scan(ctx)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("register: %w", err)
	}
	clocks, grants = map[string][]Clock{}, map[string]int64{}
	for at := 0; at < len(cases); at += 1000 {
		var ids []string
		for _, c := range cases[at:min(at+1000, len(cases))] {
			ids = append(ids, c.ID)
		}
		var rows []Clock
		if err := tx.NewSelect().Model(&rows).Where("case_id IN (?)", bun.List(ids)).Order("case_id", "due").Scan(ctx); err != nil {
			return nil, nil, nil, fmt.Errorf("register: clocks: %w", err)
		}
		for _, k := range rows {
			clocks[k.CaseID] = append(clocks[k.CaseID], k)
		}
		var sums []struct {
			CaseID string
			Sum    int64
		}
		if err := tx.NewRaw("SELECT case_id, SUM(amount) AS sum FROM cases_gesture WHERE case_id IN (?) GROUP BY case_id", bun.List(ids)).Scan(ctx, &sums); err != nil {
			return nil, nil, nil, fmt.Errorf("register: gestures: %w", err)
		}
		for _, s := range sums {
			grants[s.CaseID] = s.Sum
		}
	}
	return cases, clocks, grants, nil
}

func walletUse(ctx context.Context, tx store.Tx, from store.Micros) (out []Use, err error) {
	q := within(tx.NewSelect().TableExpr("cases_gesture").ColumnExpr("by_account AS account").ColumnExpr("COUNT(*) AS n").ColumnExpr("SUM(amount) AS amount").
		Where("entity = ? AND at >= ?", tx.Scope.Entity, from), "unit", tx.Scope.Unit)
	if err := q.GroupExpr("by_account").OrderExpr("SUM(amount) DESC").Limit(200).Scan(ctx, &out); err != nil {
		return nil, fmt.Errorf("use of the wallet: %w", err)
	}
	return out, nil
}
