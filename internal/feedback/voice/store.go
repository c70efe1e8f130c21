package voice

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Sealed is where voices keep what is encrypted. The index of words is not made anew
// when a key is replaced: it is searched under every key that it was written with.
func Sealed() sealed.Inventory {
	return sealed.Inventory{Fields: []sealed.Marked{
		{Column: sealed.Column{Table: "voice_item", Name: "words"}, PK: []string{"customer_id", "id"}},
		{Column: sealed.Column{Table: "voice_entry", Name: "body"}, PK: []string{"customer_id", "voice_id", "id"}},
	}}
}

var (
	tokenColumn = sealed.Column{Table: "voice_token", Name: "token"}
	sameColumn  = sealed.Column{Table: "voice_item", Name: "same"}
)

func seen(ctx context.Context, tx store.Tx, s Said) (found bool, err error) {
	var n int
	err = tx.NewRaw("SELECT COUNT(*) FROM voice_item WHERE customer_id = ? AND entity = ? AND source = ? AND ref = ?", s.CustomerID, tx.Scope.Entity, s.Source, s.Ref).Scan(ctx, &n)
	return n > 0, err
}

// sameBefore finds the item in which the customer said the same, not longer ago than
// sameWithin before or after.
func sameBefore(ctx context.Context, tx store.Tx, customer, same string, at store.Micros) (i Item, found bool, err error) {
	err = tx.NewSelect().Model(&i).Where("customer_id = ? AND entity = ? AND same = ? AND at BETWEEN ? AND ?", customer, tx.Scope.Entity, same, at.Add(-sameWithin), at.Add(sameWithin)).
		Order("at DESC").Limit(1).Scan(ctx)
	if store.IsNoRows(err) {
		return i, false, nil
	}
	return i, err == nil, err
}

func insertItem(ctx context.Context, tx store.Tx, i *Item, tokens []string) error {
	if _, err := tx.NewInsert().Model(i).Exec(ctx); err != nil {
		return fmt.Errorf("add a voice: %w", err)
	}
	if len(tokens) == 0 {
		return nil
	}
	n := len(tokens)
	customer, id, entity := make([]string, n), make([]string, n), make([]string, n)
	for k := range tokens {
		customer[k], id[k], entity[k] = i.CustomerID, i.ID, i.Entity
	}
	_, err := tx.Batch(ctx, "voice_token", store.Upsert{Key: []string{"customer_id", "voice_id", "token"}, Set: "entity = excluded.entity"},
		store.Col("customer_id", customer), store.Col("voice_id", id), store.Col("entity", entity), store.Col("token", tokens))
	return err
}

func updateItem(ctx context.Context, tx store.Tx, i *Item) error {
	_, err := tx.NewUpdate().Model(i).Column("state", "owner", "case_id", "times", "touched").Where("customer_id = ? AND id = ?", i.CustomerID, i.ID).Exec(ctx)
	return err
}

// insertEntry adds a line unless one of its id is there.
func insertEntry(ctx context.Context, tx store.Tx, e *Entry) (added bool, err error) {
	res, err := tx.NewInsert().Model(e).On("CONFLICT DO NOTHING").Exec(ctx)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

func entries(ctx context.Context, tx store.Tx, i *Item) (out []Entry, err error) {
	err = tx.NewSelect().Model(&out).Where("customer_id = ? AND voice_id = ?", i.CustomerID, i.ID).Order("at", "id").Limit(MaxEntries + 1).Scan(ctx)
	return out, err
}

// itemByID reads an item of the scope's place; others do not exist for the reader.
func itemByID(ctx context.Context, tx store.Tx, id string) (i Item, err error) {
	err = tx.NewSelect().Model(&i).Where("id = ? AND entity = ?", id, tx.Scope.Entity).Limit(1).Scan(ctx)
	if store.IsNoRows(err) || err == nil && !tx.Scope.Sees(i.Unit) {
		return Item{}, errs.NotFound("feedback.voice.error.none", "there is no voice %s", id)
	}
	return i, err
}

// within keeps to units below each of the paths.
func within(q *bun.SelectQuery, units ...string) *bun.SelectQuery {
	for _, unit := range units {
		if unit != "" && unit != scope.Root {
			q = q.Where("unit >= ? AND unit < ?", unit, strings.TrimSuffix(unit, "/")+"0")
		}
	}
	return q
}

func list(ctx context.Context, tx store.Tx, f Query, tokens [][]string) (out []Item, err error) {
	q := within(tx.NewSelect().Model(&out).Where("entity = ?", tx.Scope.Entity), tx.Scope.Unit, f.Unit)
	for column, v := range map[string]string{"kind": string(f.Kind), "owner": f.Owner, "state": string(f.State)} {
		if v != "" {
			q = q.Where("? = ?", bun.Ident(column), v)
		}
	}
	if f.Waiting {
		q = q.Where("state IN (?, ?)", New, Taken)
	}
	if f.Mood != nil {
		q = q.Where("mood = ?", *f.Mood)
	}
	if !f.Since.IsZero() {
		q = q.Where("at >= ?", store.At(f.Since))
	}
	for _, one := range tokens {
		q = q.Where("id IN (SELECT voice_id FROM voice_token WHERE entity = ? AND token IN (?))", tx.Scope.Entity, bun.List(append(one, "-")))
	}
	if at, id, ok := strings.Cut(f.After, "."); ok {
		n, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return nil, errs.Invalid("feedback.voice.error.cursor", "after", "that is no cursor of this list")
		}
		q = q.Where("(at, id) < (?, ?)", n, id)
	}
	return out, q.OrderExpr("at DESC, id DESC").Limit(int64(f.Limit) + 1).Scan(ctx)
}

func count(ctx context.Context, tx store.Tx, week store.Micros) (n Counts, err error) {
	q := within(tx.NewSelect().Model((*Item)(nil)).Where("entity = ?", tx.Scope.Entity), tx.Scope.Unit).
		ColumnExpr("COALESCE(SUM(CASE WHEN state IN ('new', 'taken') THEN 1 ELSE 0 END), 0)").
		ColumnExpr("COALESCE(SUM(CASE WHEN state IN ('new', 'taken') AND mood < 0 THEN 1 ELSE 0 END), 0)").
		ColumnExpr("COALESCE(SUM(CASE WHEN state = 'new' AND owner = '' THEN 1 ELSE 0 END), 0)").
		ColumnExpr("COALESCE(SUM(CASE WHEN at >= ? THEN 1 ELSE 0 END), 0)", week)
	return n, q.Scan(ctx, &n.Waiting, &n.Unhappy, &n.Nobody, &n.Week)
}

func setCase(ctx context.Context, tx store.Tx, customer, source, ref, caseID string) error {
	_, err := tx.NewRaw("UPDATE voice_item SET case_id = ?, state = ?, touched = ? WHERE customer_id = ? AND entity = ? AND source = ? AND ref = ?",
		caseID, Done, tx.Now(), customer, tx.Scope.Entity, source, ref).Exec(ctx)
	return err
}

// weekBefore is when the week of the counts began.
func weekBefore(now store.Micros) store.Micros { return now.Add(-7 * 24 * time.Hour) }
