package identity_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"omote/internal/customer"
	"omote/internal/customer/identity"
	"omote/internal/platform/audit"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

var tables = []store.Migrations{customer.Migrations, sealed.Migrations, audit.Migrations}

func (d *desk) service() *identity.Service { return identity.NewService(d.db) }

func (d *desk) seen(users ...string) {
	d.t.Helper()
	for _, u := range users {
		d.feed(event.Event{Kind: event.Track, Name: "seen", UserID: u})
	}
}

func (d *desk) states(user, traits string) event.Event {
	return event.Event{Kind: event.Identify, UserID: user, Traits: json.RawMessage(traits)}
}

func (d *desk) customerOf(record string) string {
	d.t.Helper()
	c, err := d.service().CustomerOf(d.ctx, record)
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

func (d *desk) together(a, b string) bool { return d.customerOf(d.user(a)) == d.customerOf(d.user(b)) }

func TestMergeUnmergeAndUndo(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		s := d.service()
		d.seen("1", "2", "3", "4")
		pair := func(a, b string) identity.Pair { return identity.Pair{A: d.user(a), B: d.user(b)} }
		first, err := s.Merge(d.ctx, pair("2", "1"), "same person at the counter")
		if err != nil {
			t.Fatal(err)
		}
		if d.customerOf(d.user("2")) != d.user("1") {
			t.Error("the older record does not lend the customer its id")
		}
		if _, err := s.Merge(d.ctx, pair("1", "2"), "again"); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("merging one customer with itself: %v", err)
		}
		if _, err := s.Merge(d.ctx, pair("2", "3"), "by phone"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Undo(d.ctx, first.ID, "too early"); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("undoing under a later decision: %v", err)
		}
		// Record 2, which held 1 and 3 together, leaves; the two stay together.
		out, err := s.Unmerge(d.ctx, d.user("1"), []string{d.user("2")}, "another person's number")
		if err != nil {
			t.Fatal(err)
		}
		if d.together("1", "2") || !d.together("1", "3") {
			t.Error("after the unmerge: 2 must be alone, 1 and 3 together")
		}
		// No evidence brings them together again.
		d.feed(event.Event{Kind: event.Alias, UserID: "1", PreviousID: "2"}, d.states("2", `{"citizen_id":"001199000001"}`), d.states("3", `{"citizen_id":"001199000001"}`))
		if d.together("1", "2") || d.together("2", "3") {
			t.Error("evidence merged a rejected pair")
		}
		h, err := s.History(d.ctx, d.user("2"))
		if err != nil {
			t.Fatal(err)
		}
		if len(h.Refused) != 2 || h.Refused[0].Why != identity.RefusedRejected {
			t.Errorf("refused pairs are not kept: %+v", h.Refused)
		}
		// Taking the unmerge back takes the refused evidence up.
		if !h.Undoable(out.ID) {
			t.Error("the last decision cannot be undone")
		}
		if _, err := s.Undo(d.ctx, out.ID, "it was them after all"); err != nil {
			t.Fatal(err)
		}
		if !d.together("1", "2") || !d.together("1", "3") {
			t.Error("the undo did not bring them together again")
		}
		// Rejected by hand, then merged in spite of it.
		if _, err := s.Reject(d.ctx, pair("4", "1"), "twins"); err != nil {
			t.Fatal(err)
		}
		d.feed(event.Event{Kind: event.Alias, UserID: "4", PreviousID: "3"})
		if d.together("4", "1") {
			t.Error("an alias merged a rejected pair")
		}
		if _, err := s.Reject(d.ctx, pair("1", "3"), "no"); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("rejecting one customer: %v", err)
		}
		if _, err := s.Merge(d.ctx, pair("4", "2"), "seen together with papers"); err != nil || !d.together("4", "1") {
			t.Errorf("a person could not merge a rejected pair: %v", err)
		}
		if _, err := s.Unmerge(d.ctx, d.user("1"), []string{d.user("1"), d.user("2"), d.user("3"), d.user("4")}, "all"); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("unmerging all records: %v", err)
		}
		if _, err := s.Merge(d.ctx, identity.Pair{A: d.user("1"), B: "nobody"}, "x"); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("merging with nobody: %v", err)
		}
	}, tables...)
}

// world is an oracle: the customers that evidence and standing decisions come to.
type world struct {
	parent map[string]string
}

func (w *world) find(x string) string {
	for w.parent[x] != "" {
		x = w.parent[x]
	}
	return x
}

func (w *world) join(a, b string) {
	if a, b = w.find(a), w.find(b); a != b {
		w.parent[b] = a
	}
}

func partition(owner func(string) string, records []string) []string {
	groups := map[string][]string{}
	for _, r := range records {
		groups[owner(r)] = append(groups[owner(r)], r)
	}
	var out []string
	for _, g := range groups {
		slices.Sort(g)
		out = append(out, strings.Join(g, " "))
	}
	slices.Sort(out)
	return out
}

// TestRandomDecisionsAreUndoneExactly merges, unmerges, rejects and undoes at
// random while evidence arrives, then takes every decision back: the customers,
// and the edges that hold them, must be those of the evidence alone.
func TestRandomDecisionsAreUndoneExactly(t *testing.T) {
	t.Parallel()
	rounds, steps := 4, 30
	if os.Getenv("OMOTE_VERIFY") != "" {
		rounds, steps = 200, 50
	}
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		for round := range rounds {
			decideAtRandom(d, rand.New(rand.NewPCG(uint64(round), 7)), fmt.Sprintf("r%d-", round), steps)
		}
	}, tables...)
}

func decideAtRandom(d *desk, r *rand.Rand, prefix string, steps int) {
	t, s := d.t, d.service()
	t.Helper()
	const n = 12
	name := func(i int) string { return fmt.Sprintf("%s%d", prefix, i) }
	var records []string
	for i := range n {
		d.seen(name(i))
		records = append(records, d.user(name(i)))
	}
	w := &world{map[string]string{}}
	var acts []identity.Act
	for step := range steps {
		a, b := r.IntN(n), r.IntN(n)
		pair := identity.Pair{A: records[a], B: records[b]}
		var act identity.Act
		var err error
		switch k := r.IntN(10); {
		case k < 1: // evidence
			if a != b {
				w.join(records[a], records[b])
				d.feed(event.Event{Kind: event.Alias, UserID: name(a), PreviousID: name(b)})
			}
			continue
		case k < 5:
			act, err = s.Merge(d.ctx, pair, "merge at random")
		case k < 8:
			var members, out []string
			if members, err = s.Records(d.ctx, records[a]); err != nil {
				t.Fatal(err)
			}
			for _, m := range members {
				if r.IntN(2) == 0 {
					out = append(out, m)
				}
			}
			act, err = s.Unmerge(d.ctx, records[a], out, "unmerge at random")
		case k < 9:
			act, err = s.Reject(d.ctx, pair, "reject at random")
		default:
			if len(acts) > 0 {
				i := r.IntN(len(acts))
				if _, err = s.Undo(d.ctx, acts[i].ID, "undo at random"); err == nil {
					acts = slices.Delete(acts, i, i+1)
				}
			}
		}
		switch errs.KindOf(err) {
		case errs.KindConflict, errs.KindInvalid: // one customer already, nothing to split, a later decision
		default:
			if err != nil {
				t.Fatalf("step %d: %v", step, err)
			}
			if act.ID != "" {
				acts = append(acts, act)
			}
		}
	}
	d.links() // no chain, no record with two owners
	for _, a := range slices.Backward(acts) {
		if _, err := s.Undo(d.ctx, a.ID, "all back"); err != nil {
			t.Fatalf("take back %s: %v", a.Kind, err)
		}
	}
	owner := func(id string) string { return d.customerOf(id) }
	if diff := cmp.Diff(partition(w.find, records), partition(owner, records)); diff != "" {
		t.Errorf("%s after taking every decision back (-evidence +customers):\n%s", prefix, diff)
	}
	for _, id := range records {
		h, err := s.History(d.ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range h.Edges {
			if e.ToVersion == nil && e.Act != "" {
				t.Errorf("%s: an edge of a decision that was taken back stands", prefix)
			}
		}
		if len(h.Refused) > 0 {
			t.Errorf("%s: evidence is still refused after all was taken back", prefix)
		}
		// The oldest record lends its id.
		if oldest := slices.MinFunc(h.Records, func(a, b string) int { return slices.Index(records, a) - slices.Index(records, b) }); h.Customer != oldest {
			t.Errorf("%s: the customer is called by a record that is not its oldest", prefix)
		}
	}
}

// links checks the standing links: one owner each, no chains.
func (d *desk) links() map[string]string {
	d.t.Helper()
	owners, _ := d.owners()
	for record, owner := range owners {
		if _, chained := owners[owner]; chained {
			d.t.Errorf("%s belongs to %s, which belongs to another", record, owner)
		}
	}
	return owners
}

func TestExactIdentifiers(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		a, b string
		one  bool
	}{
		"same citizen id":                 {`{"citizen_id":"001199000001","name":"Ví Dụ A"}`, `{"citizen_id":"001 199 000 001","name":"Khác B"}`, true},
		"citizen id as a number":          {`{"citizen_id":101199000001}`, `{"citizen_id":"101199000001"}`, true},
		"phone alone":                     {`{"phone":"0903000001"}`, `{"phone":"+84903000001"}`, false},
		"phone and name, any order":       {`{"phone":"0903000001","name":"Nguyễn Thị Ví Dụ"}`, `{"phone":"+84 903.000.001","name":"VI DU NGUYEN THI"}`, true},
		"phone and birth date":            {`{"phone":"0903000001","birth_date":"1990-05-06"}`, `{"phone":"84903000001","birth_date":"1990-05-06"}`, true},
		"phone and the default date":      {`{"phone":"0903000001","birth_date":"1990-01-01"}`, `{"phone":"0903000001","birth_date":"1990-01-01"}`, false},
		"mail and name":                   {`{"email":"A@x.example","name":"Ví Dụ"}`, `{"email":"a@X.example","name":"Dụ Ví"}`, true},
		"phone and name, other citizens":  {`{"phone":"0903000001","name":"Ví Dụ","citizen_id":"001199000001"}`, `{"phone":"0903000001","name":"Ví Dụ","citizen_id":"001199000002"}`, false},
		"old card beside a citizen id":    {`{"phone":"0903000001","name":"Ví Dụ","citizen_id":"001199000001"}`, `{"phone":"0903000001","name":"Ví Dụ","citizen_id":"123456789"}`, true},
		"customer number of another":      {`{"customer_number":"CRM-0001"}`, `{"crm_id":"crm 0001"}`, true},
		"nothing but fillers":             {`{"citizen_id":"000000000000","phone":"0000000000","email":"@","name":""}`, `{"citizen_id":"000000000000","phone":"0000000000","email":"@","name":""}`, false},
		"zero width and right to left":    {"{\"phone\":\"0903000001\",\"name\":\"V\u200bí \u202eDụ\"}", `{"phone":"0903000001","name":"vi du"}`, true},
		"traits of other kinds":           {`{"phone":["0903000001"],"name":{"x":1},"citizen_id":true}`, `{"phone":["0903000001"],"name":{"x":1},"citizen_id":true}`, false},
		"same address, different persons": {`{"address":"12 Phố Ví Dụ, Hà Nội","name":"A B"}`, `{"address":"12 phố ví dụ, hà nội","name":"C D"}`, false},
	}
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		for i, name := range slices.Sorted(maps.Keys(cases)) {
			c := cases[name]
			// Each case has its own bank, so that identifiers do not meet.
			e := &desk{t, testkit.Context(t), db, d.box, d.names, d.handler, 0}
			a, b := fmt.Sprintf("a%d", i), fmt.Sprintf("b%d", i)
			e.entity(name).feed(e.states(a, c.a), e.states(b, c.b))
			if got := e.sameIn(name, a, b); got != c.one {
				t.Errorf("%s: one customer %v, want %v", name, got, c.one)
			}
		}
	}, tables...)
}

// TestSharedIdentifierStopsLinking gives one phone to more and more records of
// one name: beyond the limit it links nobody, also not those it had linked.
func TestSharedIdentifierStopsLinking(t *testing.T) {
	t.Parallel()
	n := 300
	if os.Getenv("OMOTE_VERIFY") != "" {
		n = 100_000
	}
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		person := func(i int) event.Event {
			return d.states(fmt.Sprintf("u%d", i), fmt.Sprintf(`{"phone":"1900 1234 56","name":"Nguyễn Văn %c"}`, 'A'+i%3))
		}
		for i := range 6 {
			d.feed(person(i))
		}
		if !d.together("u0", "u3") {
			t.Fatal("two records with one phone and name are two customers")
		}
		var some []event.Event
		for i := 6; i < n; i++ {
			if some = append(some, person(i)); len(some) == 5000 || i == n-1 {
				d.feed(some...)
				some = nil
			}
		}
		if owners := d.links(); len(owners) != 0 {
			t.Errorf("a phone that %d records share still links %d of them", n, len(owners))
		}
		h, err := d.service().History(d.ctx, d.user("u0"))
		if err != nil {
			t.Fatal(err)
		}
		if len(h.Shared) == 0 || h.Shared[0].Rule != "phone" || h.Shared[0].Why != identity.SharedMany || h.Shared[0].Holders != int64(n) {
			t.Errorf("the page cannot say that the phone is shared: %+v", h.Shared)
		}
		if len(h.Edges) == 0 || h.Edges[0].ToVersion == nil {
			t.Errorf("the ended edge is not in the history: %+v", h.Edges)
		}
	}, tables...)
}

func TestContradictionsAndChains(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		// One event names a phone of one person and the citizen id of another.
		d.feed(d.states("a", `{"citizen_id":"001199000001","phone":"0903000001","name":"Ví Dụ A"}`),
			d.states("b", `{"citizen_id":"001199000002","phone":"0903000002","name":"Ví Dụ B"}`),
			d.states("c", `{"citizen_id":"001199000002","phone":"0903000001","name":"Ví Dụ A"}`))
		if d.together("a", "b") || !d.together("b", "c") {
			t.Error("the citizen id must win over the phone")
		}
		// A chain through a record without a citizen id must not join two citizens.
		d.feed(d.states("e", `{"citizen_id":"001199000005","phone":"0903000005","name":"Ví Dụ E"}`),
			d.states("f", `{"phone":"0903000005","name":"Ví Dụ E","email":"e@x.example"}`),
			d.states("g", `{"citizen_id":"001199000006","email":"e@x.example","name":"Ví Dụ E"}`))
		if d.together("e", "g") {
			t.Error("a chain joined two citizen ids")
		}
		h, err := d.service().History(d.ctx, d.user("g"))
		if err != nil || len(h.Refused) != 1 || h.Refused[0].Why != identity.RefusedConflict {
			t.Errorf("the refusal is not explained: %+v %v", h.Refused, err)
		}
		// Aliases in a circle, and a long chain: bounded, one customer each.
		var circle []event.Event
		for i := range 50 {
			circle = append(circle, event.Event{Kind: event.Alias, UserID: fmt.Sprintf("k%d", i), PreviousID: fmt.Sprintf("k%d", (i+1)%50)})
		}
		d.feed(circle...)
		if records, _ := d.service().Records(d.ctx, d.user("k7")); len(records) != 50 {
			t.Errorf("a circle of 50 aliases gives a customer of %d records", len(records))
		}
		var chain []event.Event
		for i := range identity.MaxAutomatic + 50 {
			chain = append(chain, event.Event{Kind: event.Alias, UserID: fmt.Sprintf("l%d", i+1), PreviousID: fmt.Sprintf("l%d", i)})
		}
		d.feed(chain...)
		if records, _ := d.service().Records(d.ctx, d.user("l0")); len(records) > identity.MaxAutomatic {
			t.Errorf("a chain of aliases gives a customer of %d records", len(records))
		}
		// One record comes out of the circle and stays out, whatever the circle says.
		if _, err := d.service().Unmerge(d.ctx, d.user("k7"), []string{d.user("k7")}, "another person's id"); err != nil {
			t.Fatal(err)
		}
		d.feed(circle...)
		if records, _ := d.service().Records(d.ctx, d.user("k7")); len(records) != 1 {
			t.Errorf("taken out of the circle it is a customer of %d records", len(records))
		}
		// One event that states the number of one person, the passport of another and
		// the citizen id of a third joins no two citizens, and says what it refused.
		d.feed(d.states("x", `{"citizen_id":"001199000011","customer_number":"KH0000011"}`), d.states("y", `{"citizen_id":"001199000012","passport":"C1234567"}`),
			d.states("z", `{"citizen_id":"001199000013","customer_number":"KH0000011","passport":"C1234567"}`))
		if d.together("x", "y") || d.together("x", "z") || d.together("y", "z") {
			t.Error("one event joined different citizen ids")
		}
		if h, err := d.service().History(d.ctx, d.user("z")); err != nil || len(h.Shared) != 2 || h.Shared[0].Why != identity.SharedContradiction || h.Shared[1].Why != identity.SharedContradiction {
			t.Errorf("the conflict within one event is not explained: %+v %v", h.Shared, err)
		}
	}, tables...)
}

// TestBatchesOfAnySizeGiveTheSame feeds one history in one batch, in small ones
// and event by event.
func TestBatchesOfAnySizeGiveTheSame(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t, tables...)
	r := rand.New(rand.NewPCG(3, 3))
	var all []event.Event
	for i := range 400 {
		user := fmt.Sprintf("u%d", r.IntN(60))
		switch r.IntN(4) {
		case 0:
			all = append(all, event.Event{Kind: event.Identify, UserID: user, At: int64(r.IntN(300)), Traits: json.RawMessage(fmt.Sprintf(
				`{"phone":"090300%04d","name":"Ví Dụ %c","citizen_id":"00119900%04d"}`, r.IntN(12), 'A'+r.IntN(3), r.IntN(30)))})
		case 1:
			all = append(all, event.Event{Kind: event.Identify, UserID: user, At: int64(r.IntN(300)), Traits: json.RawMessage(fmt.Sprintf(
				`{"email":"m%d@x.example","name":"Ví Dụ %c","city":"%d"}`, r.IntN(20), 'A'+r.IntN(3), i))})
		case 2:
			all = append(all, event.Event{Kind: event.Track, Name: "x", UserID: user, AnonymousID: fmt.Sprintf("d%d", r.IntN(80)), At: int64(i)})
		default:
			all = append(all, event.Event{Kind: event.Track, Name: "y", UserID: user, At: int64(i)})
		}
	}
	var want map[string]string
	for _, size := range []int{1, 7, 64, len(all)} {
		d := newDesk(t, db)
		e := d.entity(fmt.Sprintf("bank%d", size))
		for chunk := range slices.Chunk(all, size) {
			e.feed(chunk...)
		}
		got := e.traitsByUser(60)
		if want == nil {
			want = got
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("batches of %d leave other traits than single events:\n%s", size, diff)
		}
	}
}

// branch is the desk of another bank entity.
type branch struct {
	*desk
	name string
}

func (d *desk) entity(name string) *branch { return &branch{d, name} }

func (b *branch) feed(events ...event.Event) {
	b.t.Helper()
	b.feedAs(b.name, events...)
}

func (d *desk) sameIn(entity, a, b string) bool {
	d.t.Helper()
	ctx := processOf(d.t, entity)
	s := d.service()
	x, err := s.CustomerOf(ctx, d.names.Record(entity, "core:"+a).String())
	if err != nil {
		d.t.Fatal(err)
	}
	y, err := s.CustomerOf(ctx, d.names.Record(entity, "core:"+b).String())
	if err != nil {
		d.t.Fatal(err)
	}
	return x == y
}

// traitsByUser gives what every user states, with times and past values.
func (b *branch) traitsByUser(n int) map[string]string {
	b.t.Helper()
	out := map[string]string{}
	err := b.db.Read(processOf(b.t, b.name), func(ctx context.Context, tx store.Tx) error {
		for i := range n {
			id := b.names.Record(b.name, fmt.Sprintf("core:u%d", i)).String()
			row := identity.Traits{Entity: b.name, RecordID: id}
			if err := tx.NewSelect().Model(&row).WherePK().Scan(ctx); store.IsNoRows(err) {
				continue
			} else if err != nil {
				return err
			}
			var past []identity.Past
			if err := tx.NewSelect().Model(&past).Where("entity = ? AND record_id = ?", b.name, id).Order("trait", "from_at").Scan(ctx); err != nil {
				return err
			}
			if err := b.box.Open(ctx, tx, &row, &past); err != nil {
				return err
			}
			text := row.Traits.Plain + row.Times
			for _, p := range past {
				text += fmt.Sprintf(" %s@%d=%s", p.Trait, p.FromAt, p.Value.Plain)
			}
			out[fmt.Sprint(i)] = text
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}
