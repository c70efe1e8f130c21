package match_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"

	"omote/analytics/linkage"
	"omote/bank"
	"omote/internal/customer"
	"omote/internal/customer/identity"
	"omote/internal/customer/match"
	"omote/internal/platform/audit"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/jobs"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

var tables = []store.Migrations{customer.Migrations, sealed.Migrations, audit.Migrations}

// desk feeds records to the handlers and reads what became of them.
type desk struct {
	t        *testing.T
	ctx      context.Context
	db       *store.DB
	names    *pseudonym.Maker
	identity *identity.Handler
	match    *match.Handler
	service  *match.Service
	clock    int64
}

func newDesk(t *testing.T, db *store.DB) *desk {
	t.Helper()
	ctx := scope.With(t.Context(), scope.Process("bank", "test"))
	box, err := sealed.NewBox(db.Keys())
	if err != nil {
		t.Fatal(err)
	}
	names, err := pseudonym.New(ctx, db.Keys())
	if err != nil {
		t.Fatal(err)
	}
	submit := func(context.Context, store.Tx, string, any, jobs.Submission) (string, error) { return "job", nil }
	return &desk{t, ctx, db, names, identity.NewHandler(names, box), match.NewHandler(names), match.NewService(db, box, submit), 0}
}

func (d *desk) feed(events ...event.Event) {
	d.t.Helper()
	records := make([]eventlog.Record, len(events))
	for i, e := range events {
		d.clock++
		e.Entity, e.Source, e.ReceivedAt = "bank", "app", d.clock
		records[i] = eventlog.Record{Event: e}
	}
	err := d.db.Write(d.ctx, func(ctx context.Context, tx store.Tx) error {
		if err := d.identity.Handle(ctx, tx, records); err != nil {
			return err
		}
		return d.match.Handle(ctx, tx, records)
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// drain weighs all noted records.
func (d *desk) drain() {
	d.t.Helper()
	for {
		n, err := d.service.Step(d.ctx)
		if err != nil {
			d.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

func says(system, id string, traits map[string]string) event.Event {
	for k, v := range traits {
		if v == "" {
			delete(traits, k)
		}
	}
	raw, _ := json.Marshal(traits)
	return event.Event{Kind: event.Identify, System: system, UserID: id, Traits: raw}
}

func statement(r bank.Record) event.Event {
	return says(r.System, r.ID, map[string]string{"name": r.Name, "birth_date": r.Birth, "gender": r.Gender, "phone": r.Phone, "email": r.Email, "citizen_id": r.CitizenID, "address": r.Address})
}

func (d *desk) record(e event.Event) string {
	return d.names.Record("bank", event.UserRecord(e.System, e.UserID)).String()
}

// entities numbers the customers of records.
func (d *desk) entities(records []string) []int32 {
	d.t.Helper()
	out := make([]int32, len(records))
	err := d.db.Read(d.ctx, func(ctx context.Context, tx store.Tx) error {
		number := map[string]int32{}
		for part := range slices.Chunk(records, 400) {
			owners, err := identity.Owners(ctx, tx, part)
			if err != nil {
				return err
			}
			for i, r := range records {
				if o, ok := owners[r]; ok {
					if _, known := number[o]; !known {
						number[o] = int32(len(number))
					}
					out[i] = number[o]
				}
			}
		}
		return nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

// A run brings together what identifiers do not, asks where it is not sure, and
// the stream does the same with what comes later.
func TestRunAndStreamOnTheSimulatedBank(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		b, err := bank.New(bank.Config{Customers: 200, Months: 1, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		var first, later []event.Event
		var truth, lateTruth []int32
		for who, r := range b.Records() {
			if e := statement(r); len(truth)%5 == 4 && len(later) < len(first)/4 {
				later, lateTruth = append(later, e), append(lateTruth, int32(who))
			} else {
				first, truth = append(first, e), append(truth, int32(who))
			}
		}
		for part := range slices.Chunk(first, 100) {
			d.feed(part...)
		}
		var records []string
		for _, e := range first {
			records = append(records, d.record(e))
		}
		exact := linkage.ScoreClusters(truth, d.entities(records), nil)
		res, err := d.service.Run(d.ctx, match.Limits{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		found := linkage.ScoreClusters(truth, d.entities(records), nil)
		t.Logf("exact %+v; with the run %+v; %+v", exact.Pairs, found.Pairs, res)
		if res.Version != 1 || found.Pairs.Recall <= exact.Pairs.Recall || found.Pairs.Precision < 0.99 || found.Pairs.F1 < 0.97 {
			t.Errorf("exact %+v, after the run %+v, %+v", exact.Pairs, found.Pairs, res)
		}
		d.drain()
		for part := range slices.Chunk(later, 50) {
			d.feed(part...)
		}
		for _, e := range later {
			records = append(records, d.record(e))
		}
		truth = append(truth, lateTruth...)
		before := linkage.ScoreClusters(truth, d.entities(records), nil)
		d.drain()
		after := linkage.ScoreClusters(truth, d.entities(records), nil)
		t.Logf("before the stream %+v, after %+v", before.Pairs, after.Pairs)
		if after.Pairs.Recall < before.Pairs.Recall || after.Pairs.Precision < 0.99 || after.Pairs.F1 < 0.97 {
			t.Errorf("before the stream %+v, after %+v", before.Pairs, after.Pairs)
		}
	}, tables...)
}

// learnt makes a desk that has learnt from a bank.
func learnt(t *testing.T, db *store.DB) *desk {
	t.Helper()
	d := newDesk(t, db)
	b, err := bank.New(bank.Config{Customers: 120, Months: 1, Seed: 9})
	if err != nil {
		t.Fatal(err)
	}
	var all []event.Event
	for _, r := range b.Records() {
		all = append(all, statement(r))
	}
	for part := range slices.Chunk(all, 100) {
		d.feed(part...)
	}
	if _, err := d.service.Run(d.ctx, match.Limits{}, nil); err != nil {
		t.Fatal(err)
	}
	d.drain()
	return d
}

// unsure gives two statements of which the model cannot be sure: one number, a
// whole name and a form of address with family and given name.
func unsure(n int) (a, b event.Event) {
	phone := fmt.Sprintf("09510%05d", 7*n+3)
	a = says("core", fmt.Sprintf("u%da", n), map[string]string{"name": "Trần Quỳnh Nhi", "birth_date": fmt.Sprintf("1984-03-%02d", 1+n%28), "phone": phone, "gender": "F"})
	b = says("call", fmt.Sprintf("u%db", n), map[string]string{"name": "Chị Trần Nhi", "phone": phone})
	return a, b
}

func waiting(t *testing.T, d *desk) match.Queue {
	t.Helper()
	q, err := d.service.Queue(d.ctx)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// pairOf finds the pair of two statements in the queue.
func pairOf(t *testing.T, d *desk, a, b event.Event) *match.Pair {
	t.Helper()
	for _, p := range waiting(t, d).Pairs {
		if x, y := d.record(a), d.record(b); p.RecordA == x && p.RecordB == y || p.RecordA == y && p.RecordB == x {
			return &p
		}
	}
	return nil
}

func TestAnswersAreCarriedOutRememberedAndTakenBack(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := learnt(t, db)
		a, b := unsure(1)
		d.feed(a, b)
		d.drain()
		p := pairOf(t, d, a, b)
		if p == nil {
			t.Fatalf("the pair does not wait: %+v", waiting(t, d))
		}
		why, err := d.service.Get(d.ctx, p.ID, "")
		if err != nil {
			t.Fatal(err)
		}
		if why.Why.Steps[0].Field != "name" || why.Revealed || why.Why.Steps[3].Left != "•••010" {
			t.Errorf("%+v", why.Why)
		}
		whole, err := d.service.Get(d.ctx, p.ID, "review of a pair")
		if err != nil || whole.Why.Steps[3].Left != "0951000010" {
			t.Errorf("%+v %v", whole.Why.Steps[3], err)
		}
		same := func() bool {
			e := d.entities([]string{d.record(a), d.record(b)})
			return e[0] == e[1]
		}
		// two people: remembered by both ways
		if _, err := d.service.Answer(d.ctx, p.ID, match.Answer{Same: false}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.service.Answer(d.ctx, p.ID, match.Answer{Same: true}); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("answered twice: %v", err)
		}
		d.feed(b, a)
		d.drain()
		if _, err := d.service.Run(d.ctx, match.Limits{}, nil); err != nil {
			t.Fatal(err)
		}
		if same() || pairOf(t, d, a, b) != nil {
			t.Error("a rejected pair was proposed again")
		}
		if q := waiting(t, d); q.Answers != 1 {
			t.Errorf("%d answers", q.Answers)
		}
		// taken back, then one person
		if _, err := d.service.Undo(d.ctx, p.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := d.service.Answer(d.ctx, p.ID, match.Answer{Same: true, Reason: "seen at the counter"}); err != nil {
			t.Fatal(err)
		}
		if !same() {
			t.Error("the answer did not merge them")
		}
		if _, err := d.service.Undo(d.ctx, p.ID); err != nil {
			t.Fatal(err)
		}
		if same() || pairOf(t, d, a, b) == nil {
			t.Error("the undo did not part them")
		}
	}, tables...)
}

// Answers correct the probabilities: when stewards refuse what the model holds
// for likely, it asks or joins less.
func TestAnswersTeach(t *testing.T) {
	t.Parallel()
	d := learnt(t, testkit.SQLite(t, tables...))
	a, b := unsure(50)
	d.feed(a, b)
	d.drain()
	p := pairOf(t, d, a, b)
	if p == nil {
		t.Fatal("the pair does not wait")
	}
	for n := range 25 {
		x, y := unsure(n)
		d.feed(x, y)
		d.drain()
		if q := pairOf(t, d, x, y); q != nil {
			if _, err := d.service.Answer(d.ctx, q.ID, match.Answer{Same: false}); err != nil {
				t.Fatal(err)
			}
		}
	}
	d.feed(a, b)
	d.drain()
	err := d.db.Read(d.ctx, func(ctx context.Context, tx store.Tx) error {
		var now float64
		if err := tx.NewRaw("SELECT probability FROM customer_match_pair WHERE id = ?", p.ID).Scan(ctx, &now); err != nil {
			return err
		}
		if now > p.Probability-0.1 {
			t.Errorf("%.3f before the answers, %.3f after", p.Probability, now)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// An answer about two records takes back nothing that was said of others of the
// same two customers.
func TestAnAnswerContradictsNoOther(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := learnt(t, db)
		a, b := unsure(1)
		c, _ := unsure(2)
		d.feed(a, b, c)
		d.drain()
		p := pairOf(t, d, a, b)
		if p == nil {
			t.Fatalf("the pair does not wait: %+v", waiting(t, d))
		}
		people := identity.NewService(db)
		if _, err := people.Merge(d.ctx, identity.Pair{A: d.record(a), B: d.record(c)}, "seen at the counter"); err != nil {
			t.Fatal(err)
		}
		if _, err := people.Reject(d.ctx, identity.Pair{A: d.record(c), B: d.record(b)}, "sisters"); err != nil {
			t.Fatal(err)
		}
		if _, err := d.service.Answer(d.ctx, p.ID, match.Answer{Same: true}); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("the answer took another back: %v", err)
		}
		if e := d.entities([]string{d.record(a), d.record(b)}); e[0] == e[1] {
			t.Error("two people who were told apart are one customer")
		}
	}, tables...)
}

// Events, weighing and answers at the same time leave one of the outcomes that
// they would leave one after the other, and no error but a conflict.
func TestConcurrentEventsOfOnePerson(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := learnt(t, db)
		var wg sync.WaitGroup
		var mu sync.Mutex
		for n := range 3 {
			wg.Go(func() {
				for i := range 5 {
					a, b := unsure(100 + i)
					mu.Lock()
					d.feed(a, b)
					mu.Unlock()
					if _, err := d.service.Step(d.ctx); err != nil {
						t.Errorf("step: %v", err)
					}
					q, err := d.service.Queue(d.ctx)
					if err != nil {
						t.Errorf("queue: %v", err)
					}
					for _, p := range q.Pairs[:min(len(q.Pairs), 3)] {
						if _, err := d.service.Answer(d.ctx, p.ID, match.Answer{Same: n%2 == 0}); err != nil && errs.KindOf(err) != errs.KindConflict {
							t.Errorf("answer: %v", err)
						}
					}
				}
			})
		}
		wg.Wait()
		d.drain()
		for i := range 5 {
			a, b := unsure(100 + i)
			e := d.entities([]string{d.record(a), d.record(b)})
			var p match.Pair
			err := db.Read(d.ctx, func(ctx context.Context, tx store.Tx) error {
				x, y := d.record(a), d.record(b)
				return tx.NewSelect().Model(&p).Where("record_a IN (?, ?) AND record_b IN (?, ?)", x, y, x, y).Scan(ctx)
			})
			if store.IsNoRows(err) { // joined or passed over by what the answers before had taught
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if one := e[0] == e[1]; p.State == match.Same && !one || p.State == match.Different && one {
				t.Errorf("pair %d is %s and one customer: %v", i, p.State, one)
			}
		}
	}, tables...)
}

// A value that very many share brings nobody together and costs no more than few.
func TestSharedByVeryMany(t *testing.T) {
	t.Parallel()
	d := learnt(t, testkit.SQLite(t, tables...))
	before := waiting(t, d).Waiting
	var all []event.Event
	var records []string
	for i := range 400 {
		e := says("core", fmt.Sprintf("many%d", i), map[string]string{"name": "\u202eحمد\u200b", "birth_date": "1900-01-01", "phone": "0300000000", "address": "?"})
		all, records = append(all, e), append(records, d.record(e))
	}
	d.feed(all...)
	d.drain()
	size := map[int32]int{}
	for _, e := range d.entities(records) {
		size[e]++
	}
	for e, n := range size {
		if n > identity.MaxAutomatic {
			t.Errorf("customer %d has %d records", e, n)
		}
	}
	if q := waiting(t, d).Waiting - before; q > 3*400 {
		t.Errorf("%d pairs wait", q)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, l := range []match.Limits{{Upper: 0.5, Lower: 0.9}, {Upper: 1, Lower: 0.5}, {Upper: 0.9}, {Lower: 0.5}} {
		if l.Validate() == nil {
			t.Errorf("%+v is taken", l)
		}
	}
	if err := match.Default.Validate(); err != nil {
		t.Error(err)
	}
}
