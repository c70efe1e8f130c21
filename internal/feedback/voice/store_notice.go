package voice

import (
	"context"
	"fmt"
	"math"

	"github.com/uptrace/bun"

	"omote/internal/platform/store"
)

// never is when a customer is asked about again whom the policy refuses for good.
const never = store.Micros(math.MaxInt64 >> 1)

type noticeRow struct {
	bun.BaseModel `bun:"table:voice_notice"`

	Entity  string `bun:",pk"`
	ID      string `bun:",pk"`
	Theme   string
	Journey string
	Step    string
	Unit    string
	Since   store.Micros
	TextVI  string `bun:"text_vi"`
	TextEN  string `bun:"text_en"`
	ByActor string
	At      store.Micros
}

func (r noticeRow) notice() Notice {
	return Notice{Issue: Issue{r.Theme, r.Journey, r.Step, r.Unit}, ID: r.ID, Since: r.Since.Time(), TextVI: r.TextVI, TextEN: r.TextEN, By: r.ByActor, At: r.At.Time()}
}

func insertNotice(ctx context.Context, tx store.Tx, n Notice) error {
	r := noticeRow{Entity: tx.Scope.Entity, ID: n.ID, Theme: n.Theme, Journey: n.Journey, Step: n.Step, Unit: n.Unit, Since: store.At(n.Since), TextVI: n.TextVI, TextEN: n.TextEN, ByActor: n.By, At: store.At(n.At)}
	if _, err := tx.NewInsert().Model(&r).Exec(ctx); err != nil {
		return fmt.Errorf("keep a notice: %w", err)
	}
	return nil
}

// sameNotice finds a notice of the same words about the same issue: a form sent twice.
func sameNotice(ctx context.Context, tx store.Tx, n Notice) (id string, err error) {
	err = tx.NewRaw("SELECT id FROM voice_notice WHERE entity = ? AND theme = ? AND journey = ? AND step = ? AND unit = ? AND text_vi = ? AND text_en = ? LIMIT 1",
		tx.Scope.Entity, n.Theme, n.Journey, n.Step, n.Unit, n.TextVI, n.TextEN).Scan(ctx, &id)
	if store.IsNoRows(err) {
		return "", nil
	}
	return id, err
}

// spoken is one known customer's voice about an issue.
type spoken struct {
	CustomerID string
	VoiceID    string
}

// spokenBy are the voices of known customers about an issue, the newest first.
func spokenBy(ctx context.Context, tx store.Tx, i Issue, since store.Micros) (out []spoken, err error) {
	err = i.at(tx.NewSelect().TableExpr("voice_theme").ColumnExpr("customer_id").ColumnExpr("voice_id"), tx).
		Where("feeling < 0 AND theme = ? AND at >= ? AND customer_id <> '' AND kind <> ?", i.Theme, since, Observation).OrderExpr("at DESC, voice_id DESC").Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("customers concerned: %w", err)
	}
	return out, nil
}

type toldRow struct {
	bun.BaseModel `bun:"table:voice_told"`

	CustomerID string `bun:",pk"`
	NoticeID   string `bun:",pk"`
	Entity     string
	VoiceID    string
	State      string
	Reason     string
	Due        store.Micros
	At         store.Micros
}

func insertTold(ctx context.Context, tx store.Tx, notice string, list []spoken) error {
	const chunk = 500
	for from := 0; from < len(list); from += chunk {
		var rows []toldRow
		for _, one := range list[from:min(from+chunk, len(list))] {
			rows = append(rows, toldRow{CustomerID: one.CustomerID, NoticeID: notice, Entity: tx.Scope.Entity, VoiceID: one.VoiceID, State: toldWaiting, Due: tx.Now(), At: tx.Now()})
		}
		if _, err := tx.NewInsert().Model(&rows).Exec(ctx); err != nil {
			return fmt.Errorf("whom a notice goes to: %w", err)
		}
	}
	return nil
}

// nextTold takes the customer who has waited longest.
func nextTold(ctx context.Context, tx store.Tx) (t toldRow, n Notice, found bool, err error) {
	err = tx.NewRaw("SELECT * FROM voice_told WHERE entity = ? AND state = ? AND due <= ? ORDER BY due, customer_id LIMIT 1"+tx.Engine.SkipLocked(), tx.Scope.Entity, toldWaiting, tx.Now()).Scan(ctx, &t)
	if store.IsNoRows(err) {
		return t, n, false, nil
	}
	if err != nil {
		return t, n, false, fmt.Errorf("find who is to be told: %w", err)
	}
	var r noticeRow
	if err := tx.NewSelect().Model(&r).Where("entity = ? AND id = ?", tx.Scope.Entity, t.NoticeID).Scan(ctx); err != nil {
		return t, n, false, fmt.Errorf("read a notice: %w", err)
	}
	return t, r.notice(), true, nil
}

func updateTold(ctx context.Context, tx store.Tx, t *toldRow) error {
	_, err := tx.NewUpdate().Model(t).Column("state", "reason", "due", "at").Where("customer_id = ? AND notice_id = ?", t.CustomerID, t.NoticeID).Exec(ctx)
	return err
}

// noticesOf are the notices about an issue, the newest first, with whom they reached.
func noticesOf(ctx context.Context, tx store.Tx, i Issue) (out []NoticeView, err error) {
	var rows []noticeRow
	q := within(tx.NewSelect().Model(&rows).Where("entity = ? AND theme = ?", tx.Scope.Entity, i.Theme), tx.Scope.Unit)
	if i.Journey != "" {
		q = q.Where("journey = ?", i.Journey)
	}
	if err := q.OrderExpr("at DESC").Limit(20).Scan(ctx); err != nil {
		return nil, fmt.Errorf("notices: %w", err)
	}
	for _, r := range rows {
		v := NoticeView{Notice: r.notice()}
		var states []struct {
			State string
			N     int64
		}
		if err := tx.NewRaw("SELECT state, COUNT(*) AS n FROM voice_told WHERE entity = ? AND notice_id = ? GROUP BY state", tx.Scope.Entity, r.ID).Scan(ctx, &states); err != nil {
			return nil, fmt.Errorf("whom a notice reached: %w", err)
		}
		for _, s := range states {
			v.Concerned += s.N
			switch s.State {
			case toldSent:
				v.Told = s.N
			case toldHeld:
				v.Held = s.N
			case toldUnreachable:
				v.Unreachable = s.N
			case toldWaiting:
				v.Waiting = s.N
			}
		}
		out = append(out, v)
	}
	return out, nil
}
