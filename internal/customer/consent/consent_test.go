package consent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"omote/internal/customer"
	"omote/internal/customer/consent"
	"omote/internal/customer/identity"
	"omote/internal/platform/audit"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
	"omote/internal/testkit/shared"
)

// migrations are the tables that consent needs.
var migrations = []store.Migrations{customer.Migrations, sealed.Migrations, audit.Migrations}

type desk struct {
	t   testing.TB
	ctx context.Context
	db  *store.DB
	*consent.Service
	told []consent.Withdrawal
}

func (d *desk) Withdrawn(_ context.Context, _ store.Tx, w consent.Withdrawal) error {
	d.told = append(d.told, w)
	return nil
}

func newDesk(t testing.TB, db *store.DB) *desk {
	t.Helper()
	box, err := sealed.NewBox(db.Keys())
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, ctx: testkit.Context(t), db: db}
	d.Service = consent.NewService(db, box)
	pack, err := consent.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Install(d.ctx, pack); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) decide(customer, purpose, channel string) (out consent.Decision) {
	d.t.Helper()
	err := d.db.Read(d.ctx, func(ctx context.Context, tx store.Tx) (err error) {
		out, err = d.Decide(ctx, tx, customer, purpose, channel)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

func (d *desk) say(customer, purpose, channel string, granted, whole bool, at store.Micros) {
	d.t.Helper()
	err := d.Record(d.ctx, consent.Said{CustomerID: customer, Purpose: purpose, Channel: channel, Granted: granted, Whole: whole, At: at,
		Source: consent.FromAPI, TextVersion: 1, Evidence: "form 7"})
	if err != nil {
		d.t.Fatal(err)
	}
}

// link sets or ends (owner "") the link of a record, as identity does.
func (d *desk) link(record, owner string, version uint64) {
	d.t.Helper()
	err := d.db.Write(d.ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := tx.NewRaw("UPDATE customer_link SET to_version = ? WHERE entity = 'bank' AND record_id = ? AND to_version IS NULL", version, record).Exec(ctx); err != nil {
			return err
		}
		if owner == "" {
			return nil
		}
		l := identity.Link{Entity: "bank", RecordID: record, CustomerID: owner, FromVersion: version, Reason: "test", MadeBy: "test"}
		_, err := tx.NewInsert().Model(&l).Exec(ctx)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

func TestWhatSilenceMeans(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		for _, c := range []struct {
			purpose, channel string
			allowed          bool
			reason           consent.Reason
		}{
			{"marketing", "email", false, consent.Unknown},
			{"survey", "email", true, consent.NotObjected},
			{"service", "sms", true, consent.ByContract},
			{"legal", "post", true, consent.ByLaw},
			{"legal", "push", false, consent.NotOffered},
			{"nothing", "email", false, consent.UnknownPurpose},
		} {
			if got := d.decide("a", c.purpose, c.channel); got.Allowed != c.allowed || got.Reason != c.reason {
				t.Errorf("%s over %s: %+v", c.purpose, c.channel, got)
			}
		}
	}, migrations...)
}

func TestStatementsCountInTheOrderTheyWereMade(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		now := db.Now()
		hour := store.Micros(time.Hour / time.Microsecond)
		d.say("a", "marketing", "*", true, false, now-3*hour)
		d.say("a", "marketing", "sms", false, false, now-hour)
		d.say("a", "marketing", "*", true, false, now-2*hour) // arrives late: said before the no
		if got := d.decide("a", "marketing", "email"); !got.Allowed || got.Reason != consent.Granted || got.Statement == nil {
			t.Errorf("email: %+v", got)
		}
		if got := d.decide("a", "marketing", "sms"); got.Allowed || got.Reason != consent.Withdrawn {
			t.Errorf("sms: %+v", got)
		}
		// A yes and a no of the same moment: the no counts, whatever the order of writing.
		d.say("b", "marketing", "email", false, false, now-hour)
		d.say("b", "marketing", "email", true, false, now-hour)
		if d.decide("b", "marketing", "email").Allowed {
			t.Error("of two at the same time the yes counted")
		}
		// A time in the future is cut to now: it cannot outlive a later no.
		d.say("c", "marketing", "email", true, false, now+1000*hour)
		testkit.Clock(db).Advance(time.Minute)
		d.say("c", "marketing", "email", false, false, 0)
		if d.decide("c", "marketing", "email").Allowed {
			t.Error("a statement of the future outlived a withdrawal")
		}
		// A no to everything.
		d.say("a", "*", "*", false, true, 0)
		for purpose, want := range map[string]consent.Reason{"marketing": consent.Withdrawn, "survey": consent.Objected, "service": consent.ByContract} {
			if got := d.decide("a", purpose, "email"); got.Reason != want {
				t.Errorf("after a no to everything: %s %+v", purpose, got)
			}
		}
	}, migrations...)
}

// TestLengthOfHistoryChangesNothing says things in any order, many of them at the
// same times, and compares every decision with one over all that was ever said.
func TestLengthOfHistoryChangesNothing(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		type word struct {
			purpose, channel string
			granted          bool
			at               int
		}
		customer := 0
		rapid.Check(t, func(rt *rapid.T) {
			customer++
			id := fmt.Sprintf("history-%d", customer)
			var said []word
			for range rapid.IntRange(0, 25).Draw(rt, "length") {
				w := word{rapid.SampledFrom([]string{"marketing", "profiling", "*"}).Draw(rt, "purpose"), rapid.SampledFrom([]string{"*", "email", "sms"}).Draw(rt, "channel"),
					rapid.Bool().Draw(rt, "yes"), rapid.IntRange(1, 6).Draw(rt, "at")}
				w.granted = w.granted && w.purpose != "*"
				d.say(id, w.purpose, w.channel, w.granted, rapid.Bool().Draw(rt, "whole"), store.Micros(w.at))
				said = append(said, w)
			}
			for _, channel := range []string{"email", "sms"} {
				want, last := consent.Unknown, 0
				for _, w := range said {
					if w.purpose == "profiling" || w.channel != "*" && w.channel != channel || w.at < last {
						continue
					}
					if w.at > last || !w.granted {
						want, last = consent.Withdrawn, w.at
						if w.granted {
							want = consent.Granted
						}
					}
				}
				if got := d.decide(id, "marketing", channel); got.Reason != want {
					rt.Fatalf("%s after %v: %s, want %s", channel, said, got.Reason, want)
				}
			}
			err := db.Read(d.ctx, func(ctx context.Context, tx store.Tx) error {
				var standing, cells int
				err := tx.NewRaw(`SELECT count(*), count(DISTINCT purpose || ' ' || channel || ' ' || whole) FROM customer_consent WHERE record_id = ? AND NOT overtaken`, id).Scan(ctx, &standing, &cells)
				if standing != cells {
					rt.Fatalf("%d statements are read for %d cells", standing, cells)
				}
				return err
			})
			if err != nil {
				rt.Fatal(err)
			}
		})
	}, migrations...)
}

func TestNewTextAsksAgain(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		d.say("a", "marketing", "*", true, false, 0)
		versions, err := d.Versions(d.ctx, "marketing")
		if err != nil {
			t.Fatal(err)
		}
		p := versions[0]
		p.Text.EN += " Small words."
		if p, err = d.SavePurpose(d.ctx, p); err != nil {
			t.Fatal(err)
		}
		if !d.decide("a", "marketing", "email").Allowed {
			t.Error("a small change of the text took consent away")
		}
		p.Renew = true
		if _, err = d.SavePurpose(d.ctx, p); err != nil {
			t.Fatal(err)
		}
		if got := d.decide("a", "marketing", "email"); got.Allowed || got.Reason != consent.Outdated {
			t.Errorf("%+v", got)
		}
		if _, err := d.SavePurpose(d.ctx, p); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("saving over an unseen version: %v", err)
		}
	}, migrations...)
}

// The most restrictive record decides while they are one customer, and each
// record has its own again after the unmerge, for every random history.
func TestMergeIsTheMostRestrictiveAndUnmergeGivesBack(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		version := uint64(0)
		rapid.Check(t, func(rt *rapid.T) {
			a, b, c := uuid.NewString(), uuid.NewString(), uuid.NewString()
			records := []string{a, b, c}
			word := map[string]consent.Decision{}
			rank := map[consent.Reason]int{consent.Withdrawn: 0, consent.Granted: 1, consent.Unknown: 2}
			for _, r := range records {
				for range rapid.IntRange(0, 3).Draw(rt, "said") {
					d.say(r, "marketing", rapid.SampledFrom([]string{"*", "email", "sms"}).Draw(rt, "channel"), rapid.Bool().Draw(rt, "yes"), false,
						store.Micros(rapid.IntRange(1, 5).Draw(rt, "at")))
				}
				word[r] = d.decide(r, "marketing", "email")
			}
			version++
			d.link(b, a, version)
			d.link(c, a, version)
			want := consent.Unknown
			for _, w := range word {
				if rank[w.Reason] < rank[want] {
					want = w.Reason
				}
			}
			for _, r := range records { // asked by any of its records
				if got := d.decide(r, "marketing", "email"); got.Reason != want {
					rt.Fatalf("merged %v: %s, want %s", word, got.Reason, want)
				}
			}
			spoke := rapid.Bool().Draw(rt, "speaks for all")
			if spoke { // the person speaks for all that they are: it counts for all
				yes := rapid.Bool().Draw(rt, "whole yes")
				d.say(b, "marketing", "email", yes, true, 9)
				if got := d.decide(a, "marketing", "email"); got.Allowed != yes {
					rt.Fatalf("the person said %v, the decision is %+v", yes, got)
				}
			}
			version++
			d.link(b, "", version)
			d.link(c, "", version)
			for _, r := range records {
				if spoke && r == b {
					continue // its own last word is the new one
				}
				if got := d.decide(r, "marketing", "email"); got.Reason != word[r].Reason {
					rt.Fatalf("after the unmerge %s has %s, had %s", r, got.Reason, word[r].Reason)
				}
			}
		})
	}, migrations...)
}

func TestWithdrawalTellsWhoWaits(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		d.Follow(d)
		d.say("a", "marketing", "*", true, false, 100)
		d.say("a", "marketing", "sms", false, false, 50) // older than the yes: takes nothing back
		if len(d.told) != 0 {
			t.Errorf("told %+v", d.told)
		}
		d.say("a", "marketing", "sms", false, false, 200)
		if len(d.told) != 1 || d.told[0].Channel != "sms" || strings.Join(d.told[0].Purposes, " ") != "marketing" {
			t.Errorf("told %+v", d.told)
		}
		d.told = nil
		d.say("a", "*", "*", false, true, 300)
		seen := map[string]bool{}
		for _, w := range d.told {
			for _, p := range w.Purposes {
				seen[w.Channel+" "+p] = true
				if p == "service" || p == "legal" {
					t.Errorf("%s was withdrawn, though it needs no consent", p)
				}
			}
		}
		if !seen["email survey"] || !seen["post marketing"] {
			t.Errorf("told %v", seen)
		}
	}, migrations...)
}

func TestEventsSpeak(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		names, err := pseudonym.New(d.ctx, db.Keys())
		if err != nil {
			t.Fatal(err)
		}
		h := consent.NewHandler(d.Service, names)
		feed := func(events ...event.Event) {
			t.Helper()
			records := make([]eventlog.Record, len(events))
			for i, e := range events {
				e.Entity, e.Source, e.System = "bank", "app", "core"
				records[i] = eventlog.Record{Event: e}
			}
			if err := db.Write(d.ctx, func(ctx context.Context, tx store.Tx) error { return h.Handle(ctx, tx, records) }); err != nil {
				t.Fatal(err)
			}
		}
		feed(event.Event{Kind: event.Track, Name: consent.EventGiven, UserID: "1", At: 10, Props: json.RawMessage(`{"purpose":"marketing","basis":"form"}`)},
			event.Event{Kind: event.Track, Name: consent.EventWithdrawn, UserID: "1", At: 20, Props: json.RawMessage(`{"purpose":"marketing","channel":"sms"}`)},
			event.Event{Kind: event.Identify, UserID: "2", At: 10, Traits: json.RawMessage(`{"consents":{"marketing":{"email":true,"sms":false,"dove":true},"survey":false,"*":true}}`)},
			event.Event{Kind: event.Track, Name: consent.EventGiven, UserID: "3", At: 10, Props: json.RawMessage(`{"purpose":7}`)},
			event.Event{Kind: event.Track, Name: consent.EventGiven, UserID: "3", At: 10, Props: json.RawMessage(`{"purpose":"marketing","channel":"dove"}`)})
		id := func(user string) string { return names.Record("bank", "core:"+user).String() }
		for _, c := range []struct {
			user, purpose, channel string
			want                   consent.Reason
		}{
			{"1", "marketing", "email", consent.Granted}, {"1", "marketing", "sms", consent.Withdrawn},
			{"2", "marketing", "email", consent.Granted}, {"2", "marketing", "sms", consent.Withdrawn}, {"2", "survey", "app", consent.Objected},
			{"2", "profiling", "app", consent.Unknown}, {"3", "marketing", "email", consent.Unknown},
		} {
			if got := d.decide(id(c.user), c.purpose, c.channel); got.Reason != c.want {
				t.Errorf("%v: %s", c, got.Reason)
			}
		}
	}, migrations...)
}

func TestLinks(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		token, err := d.Token(d.ctx, "bank", "a", db.Now().Time().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		other, err := d.Token(d.ctx, "bank", "b", db.Now().Time().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Choose(t.Context(), token, "vi", []consent.Choice{{Purpose: "marketing", Channel: "email", Granted: true, TextVersion: 1}}); err != nil {
			t.Fatal(err)
		}
		mine, err := d.Mine(t.Context(), token)
		if err != nil || mine.CustomerID != "a" || len(mine.Said) != 1 || mine.Said[0].Evidence.Plain == "" || mine.Said[0].Locale != "vi" {
			t.Fatalf("%+v, %v", mine, err)
		}
		if d.decide("b", "marketing", "email").Allowed || !d.decide("a", "marketing", "email").Allowed {
			t.Error("the choice did not reach its own customer alone")
		}
		if err := d.StopAll(t.Context(), token, "vi"); err != nil {
			t.Fatal(err)
		}
		if d.decide("a", "marketing", "email").Allowed || d.decide("a", "survey", "email").Allowed {
			t.Error("stop all stopped nothing")
		}
		// Every single changed character, and parts of two links put together, are refused.
		for i := range token {
			for _, c := range []byte{'A', 'B', '.', '-'} {
				forged := token[:i] + string(c) + token[i+1:]
				if forged == token {
					continue
				}
				if _, err := d.Mine(t.Context(), forged); errs.KindOf(err) != errs.KindNotFound {
					t.Fatalf("forged link %q: %v", forged, err)
				}
			}
		}
		x, y := strings.Split(token, "."), strings.Split(other, ".")
		for _, forged := range []string{x[0] + "." + y[1] + "." + x[2], "", "..", x[0] + "." + x[1] + ".", strings.Repeat("A", 2000)} {
			if _, err := d.Mine(t.Context(), forged); errs.KindOf(err) != errs.KindNotFound {
				t.Errorf("forged link %q: %v", forged, err)
			}
		}
		testkit.Clock(db).Advance(time.Hour)
		if _, err := d.Mine(t.Context(), token); errs.KindOf(err) != errs.KindDenied {
			t.Errorf("an expired link: %v", err)
		}
	}, migrations...)
}

// TestDecisionsUnderConcurrentWithdrawals makes decisions while others change the
// same customers' consent: a decision is right when it agrees with a state that
// stood at some moment between its begin and its end. The long form makes
// 1,000,000. It also measures how long a withdrawal takes to be in force.
func TestDecisionsUnderConcurrentWithdrawals(t *testing.T) {
	t.Parallel()
	decisions := int64(4_000)
	if shared.Verify() {
		decisions = 1_000_000
	}
	t.Run("sqlite", func(t *testing.T) {
		hammer(t, testkit.Open(t, store.Options{Dir: t.TempDir()}, migrations...), decisions)
	})
	t.Run("postgres", func(t *testing.T) {
		if !shared.Verify() {
			decisions /= 4
		}
		hammer(t, testkit.Postgres(t, migrations...), decisions)
	})
}

// state is what a customer's consent was between two moments of a common count.
type state struct {
	allowed   bool
	from      int64 // the write that made it began
	committed int64 // and was acknowledged
}

type subject struct {
	mu     sync.Mutex // held by the one who writes
	lists  sync.RWMutex
	states []state
}

func hammer(t *testing.T, db *store.DB, decisions int64) {
	d := newDesk(t, db)
	const customers = 50
	var ticks, made, wrong, changes, slowest atomic.Int64
	var times sync.Mutex
	var took []time.Duration // from the call of a withdrawal until it is in force
	all := make([]*subject, customers)
	for i := range all {
		all[i] = &subject{states: []state{{allowed: false}}}
	}
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for w := range 2 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(7, uint64(w)))
			for {
				select {
				case <-stop:
					return
				default:
				}
				if changes.Load() > 100+made.Load()/25 { // else histories grow without end, which no customer's does
					time.Sleep(time.Millisecond)
					continue
				}
				i := rng.IntN(customers)
				s := all[i]
				s.mu.Lock()
				yes := rng.IntN(2) == 0
				testkit.Clock(db).Advance(time.Millisecond) // statements of one customer have different times
				from := ticks.Add(1)
				s.lists.Lock()
				s.states = append(s.states, state{allowed: yes, from: from, committed: 1 << 62})
				s.lists.Unlock()
				begin := time.Now()
				err := d.Record(d.ctx, consent.Said{CustomerID: fmt.Sprint("c", i), Purpose: "marketing", Channel: "*", Granted: yes, Source: consent.FromAPI, TextVersion: 1})
				lasted := time.Since(begin)
				s.lists.Lock()
				s.states[len(s.states)-1].committed = ticks.Add(1)
				s.lists.Unlock()
				s.mu.Unlock()
				if err != nil {
					t.Error(err)
					return
				}
				if !yes {
					times.Lock()
					took = append(took, lasted)
					times.Unlock()
				}
				changes.Add(1)
				time.Sleep(time.Duration(rng.IntN(2000)) * time.Microsecond)
			}
		})
	}
	var deciders sync.WaitGroup
	for w := range 4 {
		deciders.Go(func() {
			rng := rand.New(rand.NewPCG(11, uint64(w)))
			for made.Add(1) <= decisions {
				i := rng.IntN(customers)
				begin, since := ticks.Add(1), time.Now()
				got := d.decide(fmt.Sprint("c", i), "marketing", consent.Channels[rng.IntN(len(consent.Channels))])
				end, lasted := ticks.Add(1), int64(time.Since(since))
				for was := slowest.Load(); lasted > was && !slowest.CompareAndSwap(was, lasted); was = slowest.Load() {
				}
				if !all[i].possible(got.Allowed, begin, end) {
					wrong.Add(1)
				}
			}
		})
	}
	deciders.Wait()
	close(stop)
	wg.Wait()
	if n := wrong.Load(); n > 0 {
		t.Errorf("%d of %d decisions were wrong", n, decisions)
	}
	if changes.Load() == 0 {
		t.Error("nothing changed meanwhile: the test shows nothing")
	}
	slices.Sort(took)
	// The slowest decision, which waits for nobody, tells how long the machine itself
	// stood still: that much more is no fault of a withdrawal.
	if last, still := took[len(took)-1], time.Duration(slowest.Load()); last > time.Second+still {
		t.Errorf("a withdrawal took %s to be in force, the slowest decision %s", last, still)
	}
	t.Logf("%d decisions, %d changes meanwhile; withdrawals in force after %s in the middle, %s at the 99th percentile, %s at the slowest; slowest decision %s",
		decisions, changes.Load(), took[len(took)/2], took[len(took)*99/100], took[len(took)-1], time.Duration(slowest.Load()))
}

// possible tells whether some state that allowed so stood between begin and end.
func (s *subject) possible(allowed bool, begin, end int64) bool {
	s.lists.RLock()
	defer s.lists.RUnlock()
	for i := len(s.states) - 1; i >= 0; i-- {
		ends := int64(1 << 62) // when the next state was acknowledged
		if i+1 < len(s.states) {
			ends = s.states[i+1].committed
		}
		if ends < begin {
			return false
		}
		if s.states[i].from < end && s.states[i].allowed == allowed {
			return true
		}
	}
	return false
}
