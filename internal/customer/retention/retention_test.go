package retention_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"omote/internal/customer"
	"omote/internal/customer/retention"
	"omote/internal/platform/audit"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

func TestOldRowsGoAndYoungOnesStay(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		ctx := testkit.Context(t)
		s := retention.NewService(db, retention.Table(db, "exclusion", 30, 10, "own rule", "customer_exclusion", "until", "", "entity", "record_id", "kind", "ref"))
		now := db.Now().Time()
		err := db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			for i := range 5_000 { // more than two batches are old
				age := 40
				if i%10 == 0 {
					age = 20
				}
				if _, err := tx.NewRaw("INSERT INTO customer_exclusion VALUES ('bank', ?, 'case_open', 'x', 0, ?, 'test')", fmt.Sprint(i), store.At(now.AddDate(0, 0, -age))).Exec(ctx); err != nil {
					return err
				}
			}
			_, err := tx.NewRaw("INSERT INTO customer_exclusion VALUES ('bank', 'stands', 'case_open', 'x', 0, NULL, 'test')").Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		rules, err := s.Rules(ctx)
		if err != nil || rules[0].Due != 4_500 {
			t.Fatalf("%+v %v", rules, err)
		}
		steps := 0
		if err := s.Run(ctx, func(int, int) error { steps++; return nil }); err != nil {
			t.Fatal(err)
		}
		if rules, err = s.Rules(ctx); err != nil || rules[0].Due != 0 || rules[0].Taken != 4_500 || rules[0].LastRun.IsZero() || steps != 2 {
			t.Errorf("%+v %v, %d steps", rules, err, steps)
		}
		if err := s.Save(ctx, "exclusion", 9, "shorter"); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("a rule below the least: %v", err)
		}
		if err := s.Save(ctx, "exclusion", 10, "shorter"); err != nil {
			t.Fatal(err)
		}
		testkit.Clock(db).Advance(time.Second)
		if err := s.Run(ctx, nil); err != nil {
			t.Fatal(err)
		}
		if rules, err = s.Rules(ctx); err != nil || rules[0].Version != 1 || rules[0].Taken != 500 {
			t.Errorf("%+v %v", rules, err)
		}
	}, customer.Migrations, sealed.Migrations, audit.Migrations)
}
