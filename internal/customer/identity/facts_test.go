package identity_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"omote/internal/customer/identity"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/warehouse"
	"omote/internal/testkit"
	"omote/internal/testkit/shared"
)

// TestFactsAreRestoredExactly merges, unmerges, rejects and takes back at random
// and compares, in the warehouse of each engine, the facts of every customer with
// what the standing links come to. Facts themselves never change; after every
// decision was taken back each customer has the facts it had.
func TestFactsAreRestoredExactly(t *testing.T) {
	t.Parallel()
	rounds, steps := 2, 25
	if shared.Verify() {
		rounds, steps = 200, 50 // 10,000 decisions
	}
	run := func(t *testing.T, o warehouse.Options) {
		t.Parallel()
		d := newDesk(t, testkit.SQLite(t, tables...))
		o.Pseudonyms, o.Logger, o.Clock = d.names, slog.New(slog.DiscardHandler), d.db.Clock()
		o.Mask = func(s string) string { return s }
		w, err := warehouse.Open(d.ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		})
		f := &factory{desk: d, w: w}
		for round := range rounds {
			f.round(rand.New(rand.NewPCG(uint64(round), 8)), fmt.Sprintf("f%d-", round), steps)
		}
	}
	t.Run("duckdb", func(t *testing.T) { run(t, warehouse.Options{Dir: t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) { run(t, warehouse.Options{URL: testkit.PostgresURL(t)}) })
}

type factory struct {
	*desk
	w   *warehouse.Warehouse
	seq uint64
}

// told is what a customer's facts come to.
type told struct{ N, Sum int64 }

// byCustomer asks the warehouse, as metrics do, with the links of now.
func (f *factory) byCustomer() map[string]told {
	f.t.Helper()
	if _, err := f.w.SyncLinks(f.ctx, identity.NewGraph(f.db)); err != nil {
		f.t.Fatal(err)
	}
	return f.sums("SELECT CAST(customer_id AS VARCHAR), count(*), CAST(sum(amount) AS BIGINT) FROM {event_customer} GROUP BY 1")
}

// byRecord are the facts as they were stated.
func (f *factory) byRecord() map[string]told {
	f.t.Helper()
	return f.sums("SELECT CAST(record_id AS VARCHAR), count(*), CAST(sum(amount) AS BIGINT) FROM {event} GROUP BY 1")
}

func (f *factory) sums(query string) map[string]told {
	f.t.Helper()
	rows, err := f.w.Query(f.ctx, query)
	if err != nil {
		f.t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]told{}
	for rows.Next() {
		var id string
		var v told
		if err := rows.Scan(&id, &v.N, &v.Sum); err != nil {
			f.t.Fatal(err)
		}
		out[id] = v
	}
	if err := rows.Err(); err != nil {
		f.t.Fatal(err)
	}
	return out
}

// want adds the facts of records up by their owners in the store.
func (f *factory) want(stated map[string]told) map[string]told {
	owners := f.links()
	out := map[string]told{}
	for record, v := range stated {
		owner := owners[record]
		if owner == "" {
			owner = record
		}
		sum := out[owner]
		out[owner] = told{sum.N + v.N, sum.Sum + v.Sum}
	}
	return out
}

func (f *factory) round(r *rand.Rand, prefix string, steps int) {
	t, s := f.t, f.service()
	t.Helper()
	const n = 10
	var records []string
	var batch []eventlog.Record
	f.seq++
	for i := range n {
		name := fmt.Sprint(prefix, i)
		f.seen(name)
		records = append(records, f.user(name))
		for k := range 1 + r.IntN(4) {
			e := event.Event{Kind: event.Track, Name: "paid", Entity: "bank", Source: "app", System: "core", UserID: name, MessageID: fmt.Sprint(name, "/", k), Amount: r.Int64N(1e9), Currency: "VND",
				At: testkit.Epoch.Add(time.Duration(k) * time.Hour).UnixMicro(), ReceivedAt: testkit.Epoch.Add(24 * time.Hour).UnixMicro()}
			batch = append(batch, eventlog.Record{Event: e, Seq: f.seq, Index: len(batch)})
		}
	}
	if err := f.w.Apply(f.ctx, eventlog.Batch{After: f.seq - 1, First: f.seq, Last: f.seq, Records: batch}); err != nil {
		t.Fatal(err)
	}
	stated, before := f.byRecord(), f.byCustomer()
	var acts []identity.Act
	for step := range steps {
		a, b := records[r.IntN(n)], records[r.IntN(n)]
		var act identity.Act
		var err error
		switch k := r.IntN(10); {
		case k < 5:
			act, err = s.Merge(f.ctx, identity.Pair{A: a, B: b}, "at random")
		case k < 8:
			act, err = s.Unmerge(f.ctx, a, []string{a}, "at random")
		case k < 9:
			act, err = s.Reject(f.ctx, identity.Pair{A: a, B: b}, "at random")
		default:
			if len(acts) > 0 {
				last := acts[len(acts)-1]
				if _, err = s.Undo(f.ctx, last.ID, "at random"); err == nil {
					acts = acts[:len(acts)-1]
				}
			}
		}
		switch errs.KindOf(err) {
		case errs.KindConflict, errs.KindInvalid: // one customer already, nothing to split
		default:
			if err != nil {
				t.Fatalf("step %d: %v", step, err)
			}
			if act.ID != "" {
				acts = append(acts, act)
			}
		}
		if step%7 == 6 { // the warehouse follows now and then, also over several decisions at once
			if diff := cmp.Diff(f.want(stated), f.byCustomer()); diff != "" {
				t.Fatalf("%sstep %d (-store +warehouse):\n%s", prefix, step, diff)
			}
		}
	}
	for i := len(acts) - 1; i >= 0; i-- {
		if _, err := s.Undo(f.ctx, acts[i].ID, "all back"); err != nil {
			t.Fatalf("take back %s: %v", acts[i].Kind, err)
		}
	}
	if diff := cmp.Diff(before, f.byCustomer()); diff != "" {
		t.Errorf("%safter taking every decision back (-before +after):\n%s", prefix, diff)
	}
	if diff := cmp.Diff(stated, f.byRecord()); diff != "" {
		t.Errorf("%sfacts changed (-before +after):\n%s", prefix, diff)
	}
	if links := f.links(); len(links) > 0 {
		t.Errorf("%s%d links stand after taking every decision back", prefix, len(links))
	}
}
