package state_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"omote/internal/customer"
	"omote/internal/customer/state"
	"omote/internal/platform/store"
	"omote/internal/testkit"
)

// TestDidIsReadAsItWasWritten notes random events one by one, through the text
// after each, and all at once: both leave the same, and the sums are right.
func TestDidIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"", "a", "đăng nhập", "tab\there", "line\nbreak", "x"})
		var once state.Did
		text := ""
		sums := map[[2]string][2]int64{}
		n := rapid.IntRange(1, 40).Draw(t, "n")
		for i := range n {
			at := store.Micros(rapid.Int64Range(-5, 100).Draw(t, "at"))
			name, currency := "e"+word.Draw(t, "name"), rapid.SampledFrom([]string{"", "VND", "USD"}).Draw(t, "currency")
			amount := rapid.Int64Range(-9, 9).Draw(t, "amount")
			channel, journey, unit := word.Draw(t, "channel"), word.Draw(t, "journey"), word.Draw(t, "unit")
			once.Note(at, name, channel, journey, unit, currency, amount)
			var d state.Did
			if err := d.Parse(text); err != nil {
				t.Fatal(err)
			}
			d.Note(at, name, channel, journey, unit, currency, amount)
			text = string(d.Append(nil))
			s := sums[[2]string{name, currency}]
			sums[[2]string{name, currency}] = [2]int64{s[0] + 1, s[1] + amount}
			if once.Events != int64(i)+1 {
				t.Fatalf("%d events after %d", once.Events, i+1)
			}
		}
		var d state.Did
		if err := d.Parse(text); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(once, d); diff != "" {
			t.Fatalf("at once and through the text differ:\n%s", diff)
		}
		total := int64(0)
		for _, k := range d.Deeds {
			total += k.N
		}
		if len(d.Deeds) != len(sums) || total != int64(n) {
			t.Fatalf("%d names of %d, %d events of %d", len(d.Deeds), len(sums), total, n)
		}
	})
}

func TestDidIsBounded(t *testing.T) {
	t.Parallel()
	var d state.Did
	for i := range 3 * state.MaxDeeds {
		d.Note(store.Micros(i), fmt.Sprint("event", i), "", "", "", "", 0)
	}
	if len(d.Deeds) != state.MaxDeeds || d.Events != 3*state.MaxDeeds {
		t.Errorf("%d names, %d events", len(d.Deeds), d.Events)
	}
}

func FuzzDid(f *testing.F) {
	f.Add("1\t2\t3\ta\tb\tc\td\nx\tVND\t1\t2\t3")
	f.Fuzz(func(t *testing.T, text string) {
		var d, again state.Did
		if d.Parse(text) != nil {
			return
		}
		if err := again.Parse(string(d.Append(nil))); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, again); text != "" && diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestRowsAreWrittenOnceAndOnlyWithTheirTransaction: what is put is seen at once
// in the transaction, is stored with it, and vanishes with it; a savepoint that
// fails before it puts leaves what others have put.
func TestRowsAreWrittenOnceAndOnlyWithTheirTransaction(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		ctx := testkit.Context(t)
		read := func() (did, holder string) {
			err := db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
				rows, err := state.Read(ctx, tx, "bank", []string{"r", "s"})
				if r := rows["r"]; r != nil {
					did, holder = r.Did, r.Holder
				}
				if rows["s"] != nil {
					t.Error("a row that nobody put")
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return did, holder
		}
		wrong := errors.New("wrong")
		change := func(did, holder string, fails bool) error {
			return db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
				step := func(set func(*state.Row)) error {
					return tx.Savepoint(ctx, func(ctx context.Context, tx store.Tx) error {
						rows, err := state.Read(ctx, tx, "bank", []string{"r"})
						if err != nil {
							return err
						}
						row := rows["r"].Or("bank", "r")
						set(row)
						if row.Did == "refused" {
							return wrong
						}
						state.Put(tx, row)
						return nil
					})
				}
				if err := step(func(r *state.Row) { r.Did = "refused" }); !errors.Is(err, wrong) {
					t.Errorf("%v", err)
				}
				if err := step(func(r *state.Row) { r.Did = did }); err != nil {
					return err
				}
				if err := step(func(r *state.Row) { r.Holder = r.Did + holder }); err != nil {
					return err
				}
				if fails {
					return wrong
				}
				return nil
			})
		}
		if err := change("1", "a", false); err != nil {
			t.Fatal(err)
		}
		if did, holder := read(); did != "1" || holder != "1a" {
			t.Errorf("%q %q", did, holder)
		}
		if err := change("2", "b", true); !errors.Is(err, wrong) {
			t.Fatal(err)
		}
		if did, holder := read(); did != "1" || holder != "1a" {
			t.Errorf("after a transaction that failed: %q %q", did, holder)
		}
	}, customer.Migrations)
}
