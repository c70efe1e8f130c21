package voice

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/platform/store"
)

// who counts a customer once, and each voice of nobody known.
const who = "CASE WHEN customer_id = '' THEN %s ELSE customer_id END"

type themeRow struct {
	bun.BaseModel `bun:"table:voice_theme"`

	CustomerID string `bun:",pk"`
	VoiceID    string `bun:",pk"`
	Theme      string `bun:",pk"`
	Entity     string
	Unit       string
	Journey    string
	Step       string
	Kind       Kind
	Feeling    int
	At         store.Micros
}

func insertThemes(ctx context.Context, tx store.Tx, i *Item, themes []Theme) error {
	if len(themes) == 0 {
		return nil
	}
	var rows []themeRow
	for _, t := range themes {
		rows = append(rows, themeRow{CustomerID: i.CustomerID, VoiceID: i.ID, Theme: t.Name, Entity: i.Entity, Unit: i.Unit, Journey: i.Journey, Step: i.Step, Kind: i.Kind, Feeling: t.Feeling, At: i.At})
	}
	if _, err := tx.NewInsert().Model(&rows).Exec(ctx); err != nil {
		return fmt.Errorf("keep the themes of a voice: %w", err)
	}
	return nil
}

func replaceThemes(ctx context.Context, tx store.Tx, i *Item, themes []Theme) error {
	if _, err := tx.NewRaw("DELETE FROM voice_theme WHERE customer_id = ? AND voice_id = ?", i.CustomerID, i.ID).Exec(ctx); err != nil {
		return fmt.Errorf("drop themes: %w", err)
	}
	if err := insertThemes(ctx, tx, i, themes); err != nil {
		return err
	}
	_, err := tx.NewRaw("UPDATE voice_item SET reader = ? WHERE customer_id = ? AND id = ?", readerVersion, i.CustomerID, i.ID).Exec(ctx)
	return err
}

// unread are items that the present reader has not filled.
func unread(ctx context.Context, tx store.Tx, limit int) (out []Item, err error) {
	err = tx.NewSelect().Model(&out).Where("reader < ? AND entity = ?", readerVersion, tx.Scope.Entity).Order("reader", "id").Limit(int64(limit)).Scan(ctx)
	return out, err
}

// at keeps to an issue's journey, step and unit, within the reader's place.
func (i Issue) at(q *bun.SelectQuery, tx store.Tx) *bun.SelectQuery {
	q = within(q.Where("entity = ?", tx.Scope.Entity), tx.Scope.Unit, i.Unit)
	if i.Journey != "" {
		q = q.Where("journey = ?", i.Journey)
	}
	if i.Step != "" {
		q = q.Where("step = ?", i.Step)
	}
	return q
}

// maxStandings bounds a list of issues.
const maxStandings = 60

// standings counts unhappy customers by columns of an issue, in both windows.
func standings(ctx context.Context, tx store.Tx, i Issue, by string, w windows) (out []Standing, err error) {
	person := fmt.Sprintf(who, "voice_id")
	q := i.at(tx.NewSelect().TableExpr("voice_theme").ColumnExpr(by), tx).
		ColumnExpr("COUNT(DISTINCT CASE WHEN at >= ? THEN "+person+" END) AS now", w.now).
		ColumnExpr("COUNT(DISTINCT CASE WHEN at < ? THEN "+person+" END) AS before", w.now).
		ColumnExpr("COUNT(DISTINCT kind) AS kinds").
		Where("feeling < 0 AND at >= ?", w.before).GroupExpr(by).OrderExpr("now DESC, before DESC, " + by).Limit(maxStandings)
	if i.Theme != "" {
		q = q.Where("theme = ?", i.Theme)
	}
	var rows []struct {
		Theme, Journey, Step, Unit string
		Now, Before                int64
		Kinds                      int
	}
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("issues: %w", err)
	}
	for _, r := range rows {
		one := i
		if by == "unit" {
			one.Unit = r.Unit
		} else {
			one.Theme, one.Journey, one.Step = r.Theme, r.Journey, r.Step
		}
		out = append(out, Standing{Issue: one, Now: r.Now, Before: r.Before, Kinds: r.Kinds})
	}
	return out, nil
}

// unhappy counts all customers who were unhappy about anything, now and before.
func unhappy(ctx context.Context, tx store.Tx, unit string, w windows) (n [2]int64, err error) {
	person := fmt.Sprintf(who, "voice_id")
	err = Issue{Unit: unit}.at(tx.NewSelect().TableExpr("voice_theme"), tx).ColumnExpr("COUNT(DISTINCT CASE WHEN at >= ? THEN "+person+" END)", w.now).
		ColumnExpr("COUNT(DISTINCT CASE WHEN at < ? THEN "+person+" END)", w.now).Where("feeling < 0 AND at >= ?", w.before).Scan(ctx, &n[0], &n[1])
	return n, err
}

func speakers(ctx context.Context, tx store.Tx, i Issue, w windows) (n int64, err error) {
	err = i.at(tx.NewSelect().TableExpr("voice_theme"), tx).ColumnExpr("COUNT(DISTINCT "+fmt.Sprintf(who, "voice_id")+")").
		Where("feeling < 0 AND theme = ? AND at >= ?", i.Theme, w.now).Scan(ctx, &n)
	return n, err
}

// sourceCount is one source: customers who spoke of the issue and all who spoke, now and
// before, and those who spoke of it week by week.
type sourceCount struct {
	kind      Kind
	hits, all [2]int64
	weeks     []float64
}

func bySource(ctx context.Context, tx store.Tx, i Issue, w windows) (out []sourceCount, err error) {
	out = make([]sourceCount, len(Kinds))
	for k := range out {
		out[k] = sourceCount{kind: Kinds[k], weeks: make([]float64, issueWeeks)}
	}
	count := func(table, id string, into func(c *sourceCount) *[2]int64, more func(q *bun.SelectQuery) *bun.SelectQuery) error {
		person := fmt.Sprintf(who, id)
		var rows []struct {
			Kind        Kind
			Now, Before int64
		}
		q := i.at(tx.NewSelect().TableExpr(table), tx).ColumnExpr("kind").ColumnExpr("COUNT(DISTINCT CASE WHEN at >= ? THEN "+person+" END) AS now", w.now).
			ColumnExpr("COUNT(DISTINCT CASE WHEN at < ? THEN "+person+" END) AS before", w.now).Where("at >= ?", w.before).GroupExpr("kind")
		if err := more(q).Scan(ctx, &rows); err != nil {
			return fmt.Errorf("sources of an issue: %w", err)
		}
		for _, r := range rows {
			if k := slices.Index(Kinds, r.Kind); k >= 0 {
				*into(&out[k]) = [2]int64{r.Now, r.Before}
			}
		}
		return nil
	}
	err = count("voice_item", "id", func(c *sourceCount) *[2]int64 { return &c.all }, func(q *bun.SelectQuery) *bun.SelectQuery { return q })
	if err != nil {
		return nil, err
	}
	spoke := func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("feeling < 0 AND theme = ?", i.Theme) }
	if err := count("voice_theme", "voice_id", func(c *sourceCount) *[2]int64 { return &c.hits }, spoke); err != nil {
		return nil, err
	}
	week := int64((7 * 24 * time.Hour).Microseconds())
	var rows []struct {
		Kind Kind
		Ago  int
		N    int64
	}
	q := spoke(i.at(tx.NewSelect().TableExpr("voice_theme"), tx)).ColumnExpr("kind").ColumnExpr("(? - at) / ? AS ago", int64(w.end), week).
		ColumnExpr("COUNT(DISTINCT "+fmt.Sprintf(who, "voice_id")+") AS n").Where("at > ?", int64(w.end)-issueWeeks*week).GroupExpr("1, 2")
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("weeks of an issue: %w", err)
	}
	for _, r := range rows {
		if k := slices.Index(Kinds, r.Kind); k >= 0 && r.Ago >= 0 && r.Ago < issueWeeks {
			out[k].weeks[issueWeeks-1-r.Ago] = float64(r.N)
		}
	}
	return out, nil
}

// aboutIt is which voices speak of an issue unhappily since a time.
func (i Issue) aboutIt(tx store.Tx, since store.Micros) *bun.SelectQuery {
	return i.at(tx.NewSelect().TableExpr("voice_theme").ColumnExpr("voice_id"), tx).Where("feeling < 0 AND theme = ? AND at >= ?", i.Theme, since)
}

func newest(ctx context.Context, tx store.Tx, i Issue, since store.Micros, limit int) (out []Item, err error) {
	err = tx.NewSelect().Model(&out).Where("entity = ? AND id IN (?)", tx.Scope.Entity, i.aboutIt(tx, since)).OrderExpr("at DESC, id DESC").Limit(int64(limit)).Scan(ctx)
	return out, err
}

// replies counts the voices about an issue since a time, and those the bank wrote back to.
func replies(ctx context.Context, tx store.Tx, i Issue, since store.Micros) (replied, said int64, err error) {
	err = tx.NewSelect().TableExpr("voice_item AS v").ColumnExpr("COUNT(*)").
		ColumnExpr("COALESCE(SUM(CASE WHEN EXISTS (SELECT 1 FROM voice_entry e WHERE e.customer_id = v.customer_id AND e.voice_id = v.id AND e.kind = 'reply') THEN 1 ELSE 0 END), 0)").
		Where("v.entity = ? AND v.id IN (?)", tx.Scope.Entity, i.aboutIt(tx, since)).Scan(ctx, &said, &replied)
	return replied, said, err
}
