package warehouse

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"omote/internal/platform/scope"
)

// A person who is erased leaves their numbers and nothing by which they are found;
// facts that arrived later, and everybody else's, stay as they are.
func TestErase(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *Warehouse) {
		ctx := as(t, scope.Root)
		all := facts(rand.New(rand.NewPCG(1, 2)), 2_000, 1)
		if err := w.append(ctx, 0, last(all), all); err != nil {
			t.Fatal(err)
		}
		person := w.opt.Pseudonyms.Record(scope.DefaultEntity, "core:u7")
		at := time.Date(2026, 1, 25, 0, 0, 0, 0, time.UTC)
		count := func(where string, args ...any) int64 {
			t.Helper()
			return one[int64](t, ctx, w, "SELECT count(*) FROM {event} WHERE "+where, args...)
		}
		answers := func(where string) int64 {
			t.Helper()
			return one[int64](t, ctx, w, "SELECT count(*) FROM {response} WHERE "+where)
		}
		mine := "record_id = '" + person.String() + "'::uuid"
		before, early := count(mine), count(mine+" AND received_at <= $1", at)
		if early == 0 || before == early || answers(mine+" AND comment IS NOT NULL") == 0 {
			t.Fatalf("%d facts of the person, %d of them early: the test shows nothing", before, early)
		}
		cases := one[int64](t, ctx, w, "SELECT count(DISTINCT case_key) FROM {event} WHERE "+mine+" AND received_at <= $1", at)
		amounts := one[float64](t, ctx, w, "SELECT CAST(sum(amount) AS DOUBLE PRECISION) FROM {event}")
		n, err := w.Erase(ctx, []uuid.UUID{person}, at)
		if err != nil || n.Events != early {
			t.Fatalf("%+v, %v; want %d", n, err, early)
		}
		if got := count(mine); got != before-early {
			t.Errorf("%d facts still name the person, want the %d that arrived later", got, before-early)
		}
		if got := count("case_key LIKE 'erased-%' AND props IS NULL"); got != early {
			t.Errorf("%d facts without words and case, want %d", got, early)
		}
		if got := one[int64](t, ctx, w, "SELECT count(DISTINCT case_key) FROM {event} WHERE case_key LIKE 'erased-%'"); got != cases {
			t.Errorf("%d journeys, there were %d", got, cases)
		}
		if got := one[int64](t, ctx, w, "SELECT count(*) FROM {response} WHERE case_key LIKE 'erased-%' AND comment IS NOT NULL"); got != 0 {
			t.Errorf("%d comments are left", got)
		}
		if got := one[float64](t, ctx, w, "SELECT CAST(sum(amount) AS DOUBLE PRECISION) FROM {event}"); got != amounts || count("true") != 2_000 {
			t.Errorf("amounts were %v, are %v", amounts, got)
		}
		if n, err := w.Erase(ctx, []uuid.UUID{person}, at); err != nil || n.Events != 0 {
			t.Errorf("again: %+v %v", n, err)
		}
		old, err := w.ForgetComments(ctx, at)
		if left, err2 := w.OldComments(ctx, at); err != nil || err2 != nil || old == 0 || left != 0 {
			t.Errorf("%d old comments forgotten, %d left: %v %v", old, left, err, err2)
		}
	})
}
