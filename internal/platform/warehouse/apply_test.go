package warehouse

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
)

func TestAppendIsIdempotentByPosition(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *Warehouse) {
		rng := rand.New(rand.NewPCG(1, 1))
		fs := facts(rng, 500, 1)
		half := fs[:250]
		for half[len(half)-1].Seq == fs[len(half)].Seq {
			half = fs[:len(half)+1]
		}
		ctx := as(t, scope.Root)
		for _, batch := range [][]Fact{half, half, fs, fs[:10], fs} {
			if err := w.append(ctx, 3, last(batch), batch); err != nil {
				t.Fatal(err)
			}
		}
		if got := one[int](t, ctx, w, `SELECT count(*) FROM {event}`); got != len(fs) {
			t.Errorf("%d events, want %d", got, len(fs))
		}
		if got := one[int](t, ctx, w, `SELECT sum(n) FROM {event_day}`); got != len(fs) {
			t.Errorf("aggregates count %d events, want %d", got, len(fs))
		}
		if pos, err := w.Position(ctx, 3); err != nil || pos != last(fs) {
			t.Errorf("position %d, %v; want %d", pos, err, last(fs))
		}
		if pos, err := w.Position(ctx, 4); err != nil || pos != 0 {
			t.Errorf("position of an unknown partition %d, %v; want 0", pos, err)
		}
	})
}

func TestFailedBatchLeavesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *Warehouse) {
		ctx := as(t, scope.Root)
		boom := errors.New("boom")
		fs := facts(rand.New(rand.NewPCG(2, 2)), 50, 1)
		err := w.inTx(ctx, func(tx writeTx) error {
			var r rows
			for i := range fs {
				w.add(&r, &fs[i])
			}
			if err := r.append(ctx, tx); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		if got := one[int](t, ctx, w, `SELECT count(*) FROM {event}`); got != 0 {
			t.Errorf("%d events after a rollback", got)
		}
		if err := w.append(ctx, 0, last(fs), fs); err != nil {
			t.Fatal("the next batch fails: ", err)
		}
	})
}

func TestAnswersBecomeResponses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *Warehouse) {
		ctx := as(t, scope.Root)
		base := facts(rand.New(rand.NewPCG(3, 3)), 1, 1)[0]
		base.Name = answeredSuffix
		var fs []Fact
		for i, props := range []string{
			`{"instrument":"rel_nps","item":"rn_score","score":9,"verbatim":"gọi 0901234567","language":"vi","aspect":"app","polarity":"pain","trigger":"loan_decided"}`,
			`{"instrument":"rel_nps","item":"rn_score","score":" 7 "}`,
			`{"instrument":"rel_nps","item":"rn_score","score":null}`,
			`{"other":1}`,
			`[1]`,
			`not json`,
		} {
			f := base
			f.MessageID, f.Seq, f.Props = string(rune('a'+i)), uint64(i+1), []byte(props)
			fs = append(fs, f)
		}
		complaint := base
		complaint.Name, complaint.Seq, complaint.Props = "complaint_filed", 7, []byte(`{"severity":"high","score":1,"verbatim":"số 0901234567"}`)
		fs = append(fs, complaint)
		if err := w.append(ctx, 0, last(fs), fs); err != nil {
			t.Fatal(err)
		}
		if got := one[int](t, ctx, w, `SELECT count(*) FROM {response}`); got != 4 {
			t.Errorf("%d responses, want 4", got)
		}
		if got := one[float64](t, ctx, w, `SELECT sum(score) FROM {response}`); got != 16 {
			t.Errorf("sum of scores %v, want 16", got)
		}
		if got := one[string](t, ctx, w, `SELECT comment FROM {response} WHERE comment IS NOT NULL AND trigger_event = $1`, "loan_decided"); got != "masked:gọi 0901234567" {
			t.Errorf("comment %q", got)
		}
		if got := one[int](t, ctx, w, `SELECT count(*) FROM {event} WHERE CAST(props AS VARCHAR) LIKE '%0901%'`); got != 0 {
			t.Error("raw text of a comment is kept in the event's properties")
		}
	})
}

func TestQueriesStayInScope(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *Warehouse) {
		root := as(t, scope.Root)
		fs := facts(rand.New(rand.NewPCG(4, 4)), 400, 1)
		want := map[string]int{}
		for i := range fs {
			if i%5 == 0 {
				fs[i].Entity = "other"
				continue
			}
			want[fs[i].Unit]++
		}
		if err := w.append(root, 0, last(fs), fs); err != nil {
			t.Fatal(err)
		}
		if err := w.ReplaceUnits(root, []Unit{{"hn1", "/north/hn1/"}, {"hn2", "/north/hn2/"}, {"sg1", "/south/sg1/"}}); err != nil {
			t.Fatal(err)
		}
		for path, n := range map[string]int{
			scope.Root:    want["hn1"] + want["hn2"] + want["sg1"] + want[""],
			"/north/":     want["hn1"] + want["hn2"],
			"/north/hn2/": want["hn2"],
			"/west/":      0,
		} {
			for _, q := range []string{`SELECT count(*) FROM {event}`, `SELECT count(*) FROM {event_customer}`, `SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM {event_day}`} {
				if got := one[int](t, as(t, path), w, q); got != n {
					t.Errorf("%s: %s gives %d, want %d", path, q, got, n)
				}
			}
		}
		if _, err := w.Query(t.Context(), `SELECT count(*) FROM {event}`); errs.KindOf(err) != errs.KindDenied {
			t.Errorf("a query without scope: %v", err)
		}
		for _, q := range []string{`SELECT 1`, `SELECT * FROM warehouse.event`, `SELECT * FROM {nothing}`} {
			if _, err := w.Query(root, q); err == nil {
				t.Errorf("%s was allowed", q)
			}
		}
	})
}

func TestHostileEventsGoIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *Warehouse) {
		ctx := as(t, scope.Root)
		base := facts(rand.New(rand.NewPCG(5, 5)), 1, 1)[0]
		deep := strings.Repeat(`{"a":`, 3000) + "1" + strings.Repeat("}", 3000)
		var fs []Fact
		for i, props := range []string{
			`{"a":"\u0000"}`, `{"\u0000":1}`, `{"a":"\ud800"}`, `{"a":1e400}`, `{"a":1e-99999}`, `{"a":` + strings.Repeat("9", 5000) + `}`,
			deep, "{\"a\":\"\xff\"}", "{\"a\":\"\x01\"}", `{"a":1,"a":2}`, `{}`, `{"":1}`, `{"a":"\\u0000"}`, ` {"a":1}`, `null`, `{"a":"` + strings.Repeat("x", 30000) + `"}`,
		} {
			f := base
			f.Seq, f.Props = uint64(i+1), []byte(props)
			f.Case, f.Channel = "\xff\x00bad", "nul\x00"
			f.At = pick[int64](rand.New(rand.NewPCG(uint64(i), 0)), -1<<63, 1<<63-1, 0, -62135596800000001)
			fs = append(fs, f)
		}
		if err := w.append(ctx, 0, last(fs), fs); err != nil {
			t.Fatal(err)
		}
		if got := one[int](t, ctx, w, `SELECT count(*) FROM {event} WHERE occurred_at < TIMESTAMP '2100-01-01 00:00:00' OR `+w.Dialect().Prop("props", "a")+` IS NOT NULL`); got == 0 {
			t.Error("nothing can be read back")
		}
	})
}
