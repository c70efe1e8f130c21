package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

// channel is a mock sender: it counts what reaches the customer. A channel with
// a window recognises keys and delivers once.
type channel struct {
	mu        sync.Mutex
	window    time.Duration
	fail      error // given after delivering, unless it is marked as not sent
	delivered map[string]int
	calls     int
}

func newChannel(window time.Duration) *channel {
	return &channel{window: window, delivered: map[string]int{}}
}

func (c *channel) KeyWindow() time.Duration { return c.window }

func (c *channel) Send(_ context.Context, m Message) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if errors.Is(c.fail, errRejected) || errors.Is(c.fail, errNotSent) {
		return "", c.fail
	}
	if c.window == 0 || c.delivered[m.Key] == 0 {
		c.delivered[m.Key]++
	}
	return "r-" + m.Key, c.fail
}

// gate is a mock: it refuses, delays or fails as told and counts reservations.
type gate struct {
	verdict  Verdict
	err      error
	reserved int
}

func (g *gate) Admit(context.Context, store.Tx, Message) (Verdict, error) {
	if g.err == nil && !g.verdict.void && g.verdict.later.IsZero() {
		g.reserved++
	}
	return g.verdict, g.err
}

func (g *gate) Release(context.Context, store.Tx, Message) error { g.reserved--; return nil }

type rig struct {
	*Outbox
	t            *testing.T
	keyed, plain *channel
	gate         *gate
}

func newRig(t *testing.T, db *store.DB) *rig {
	t.Helper()
	box, err := sealed.NewBox(db.Keys())
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, keyed: newChannel(24 * time.Hour), plain: newChannel(0), gate: &gate{}}
	r.Outbox = New(db, box, map[string]Sender{"keyed": r.keyed, "plain": r.plain}, Options{Gate: r.gate, Node: "n1", Attempts: 4})
	return r
}

func (r *rig) write(fn func(context.Context, store.Tx) error) {
	r.t.Helper()
	if err := r.db.Write(testkit.Context(r.t), fn); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) enqueue(channel, key string) (id string) {
	r.t.Helper()
	r.write(func(ctx context.Context, tx store.Tx) (err error) {
		id, err = r.Enqueue(ctx, tx, Message{CustomerID: "c1", Channel: channel, Purpose: "service", Key: key, Payload: json.RawMessage(`{"to":"x"}`)})
		return err
	})
	return id
}

func (r *rig) get(id string) (m Message) {
	r.t.Helper()
	err := r.db.Read(testkit.Context(r.t), func(ctx context.Context, tx store.Tx) (err error) {
		m, err = r.Get(ctx, tx, "c1", id)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

func (r *rig) run() {
	r.t.Helper()
	if _, err := r.RunOnce(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) advance(d time.Duration) { testkit.Clock(r.db).Advance(d) }

func (r *rig) want(id string, state State, reason string, deliveries int, c *channel) {
	r.t.Helper()
	m := r.get(id)
	if m.State != state || m.Reason != reason || c.delivered[m.Key] != deliveries {
		r.t.Errorf("state %s, reason %q, delivered %d times; want %s, %q, %d", m.State, m.Reason, c.delivered[m.Key], state, reason, deliveries)
	}
}

func each(t *testing.T, fn func(t *testing.T, r *rig)) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) { fn(t, newRig(t, db)) }, sealed.Migrations, Migrations)
}

func TestMigrations(t *testing.T) {
	t.Parallel()
	testkit.CheckMigrations(t, sealed.Migrations, Migrations)
}

func TestSendsOnceAndKeepsTheReceipt(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		id := r.enqueue("keyed", VisitKey("flow-1", "mail", 1))
		if again := r.enqueue("keyed", VisitKey("flow-1", "mail", 1)); again != id {
			t.Errorf("the same key made a second message: %s, %s", id, again)
		}
		r.run()
		r.run()
		r.want(id, Sent, "", 1, r.keyed)
		m := r.get(id)
		if m.Receipt != "r-flow-1/mail/1" || m.Attempts != 1 || string(m.Payload) != `{"to":"x"}` {
			t.Errorf("%+v", m)
		}
		if r.keyed.calls != 1 || r.gate.reserved != 1 {
			t.Errorf("%d calls, %d reservations", r.keyed.calls, r.gate.reserved)
		}
	})
}

func TestWaitsForItsTime(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		var id string
		r.write(func(ctx context.Context, tx store.Tx) (err error) {
			id, err = r.Enqueue(ctx, tx, Message{CustomerID: "c1", Channel: "plain", Purpose: "p", Key: "k", Payload: json.RawMessage(`1`),
				Due: testkit.Epoch.Add(time.Hour)})
			return err
		})
		r.run()
		r.want(id, Pending, "", 0, r.plain)
		r.advance(time.Hour)
		r.run()
		r.want(id, Sent, "", 1, r.plain)
	})
}

// A process dies between two steps: at each place, on each kind of channel.
func TestDeathBetweenSteps(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		ctx := t.Context()
		claimAll := func() []row {
			t.Helper()
			claims, _, err := r.claim(ctx)
			if err != nil || len(claims) != 2 {
				t.Fatalf("%d claims, %v", len(claims), err)
			}
			return claims
		}
		// After the claim, before the send: nothing went out, but nobody can know.
		k1, p1 := r.enqueue("keyed", "k1"), r.enqueue("plain", "p1")
		claimAll()
		// After the send, before the result.
		k2, p2 := r.enqueue("keyed", "k2"), r.enqueue("plain", "p2")
		for _, c := range claimAll() {
			if _, err := r.send(ctx, c); err != nil {
				t.Fatal(err)
			}
		}
		r.run()
		for _, id := range []string{k1, p1, k2, p2} {
			if m := r.get(id); m.State != Claimed {
				t.Errorf("before the lease ends: %s", m.State)
			}
		}
		r.advance(3 * time.Minute)
		r.run()
		r.want(k1, Sent, "", 1, r.keyed)
		r.want(k2, Sent, "", 1, r.keyed)
		r.want(p1, Unknown, NoResult, 0, r.plain)
		r.want(p2, Unknown, NoResult, 1, r.plain)

		var counts map[State]int64
		r.write(func(ctx context.Context, tx store.Tx) (err error) {
			if counts, err = r.Counts(ctx, tx); err != nil {
				return err
			}
			if err := r.Resolve(ctx, tx, "c1", p1, false, "asked the provider"); err != nil {
				return err
			}
			return r.Resolve(ctx, tx, "c1", p2, true, "asked the provider")
		})
		if d := cmp.Diff(map[State]int64{Pending: 0, Claimed: 0, Sent: 2, Failed: 0, Unknown: 2, Void: 0}, counts); d != "" {
			t.Error(d)
		}
		r.want(p1, Failed, "asked the provider", 0, r.plain)
		r.want(p2, Sent, "asked the provider", 1, r.plain)
		if r.gate.reserved != 3 { // four claims, one given back
			t.Errorf("%d reservations", r.gate.reserved)
		}
	})
}

// A process that only slept past its lease comes back with a result.
func TestLateResults(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		ctx := t.Context()
		k, p := r.enqueue("keyed", "k"), r.enqueue("plain", "p")
		claims, _, err := r.claim(ctx)
		if err != nil {
			t.Fatal(err)
		}
		r.advance(3 * time.Minute)
		r.run() // keyed: sent by another holder; plain: unknown
		r.want(k, Sent, "", 1, r.keyed)
		r.want(p, Unknown, NoResult, 0, r.plain)
		for _, c := range claims {
			var failed error
			if c.Channel == "keyed" {
				failed = Rejected(errors.New("stale word"))
			}
			if err := r.result(ctx, c, "late", failed); err != nil {
				t.Fatal(err)
			}
		}
		if m := r.get(k); m.State != Sent || m.Receipt != "r-k" {
			t.Errorf("a stale result changed the message: %+v", m)
		}
		if m := r.get(p); m.State != Sent || m.Receipt != "late" {
			t.Errorf("a late result of the last holder did not settle the unknown: %+v", m)
		}
	})
}

func TestErrorsOfSenders(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		boom := errors.New("boom")
		r.plain.fail = Rejected(boom)
		rejected := r.enqueue("plain", "rejected")
		r.run()
		r.want(rejected, Failed, WasRejected, 0, r.plain)

		r.plain.fail = NotSent(boom)
		down := r.enqueue("plain", "down")
		r.run()
		r.want(down, Pending, WasNotSent, 0, r.plain)
		r.plain.fail = nil
		r.advance(time.Minute)
		r.run()
		r.want(down, Sent, "", 1, r.plain)

		r.plain.fail = NotSent(boom)
		given := r.enqueue("plain", "given up")
		for range 5 {
			r.run()
			r.advance(time.Hour)
		}
		r.want(given, Failed, WasNotSent, 0, r.plain)
		if m := r.get(given); m.Attempts != 4 {
			t.Errorf("%d attempts", m.Attempts)
		}

		r.plain.fail, r.keyed.fail = boom, boom // delivered, but the answer is lost
		unclear := r.enqueue("plain", "unclear")
		repeated := r.enqueue("keyed", "repeated")
		r.run()
		r.want(unclear, Unknown, NoAnswer, 1, r.plain)
		r.want(repeated, Claimed, NoAnswer, 1, r.keyed)
		r.keyed.fail = nil
		r.advance(time.Minute)
		r.run()
		r.want(repeated, Sent, "", 1, r.keyed)

		if r.gate.reserved != 3 { // down, unclear, repeated
			t.Errorf("%d reservations", r.gate.reserved)
		}
	})
}

// A key is honoured only for so long: after that a repeat could arrive twice.
func TestNoRepeatAfterTheKeyWindow(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		id := r.enqueue("keyed", "k")
		if _, _, err := r.claim(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.advance(24 * time.Hour)
		r.run()
		r.want(id, Unknown, NoResult, 0, r.keyed)
	})
}

func TestGate(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.gate.verdict = Refuse("no_consent")
		refused := r.enqueue("plain", "refused")
		r.run()
		r.want(refused, Void, "no_consent", 0, r.plain)

		r.gate.verdict = Later(testkit.Epoch.Add(8*time.Hour), "quiet_hours")
		later := r.enqueue("plain", "later")
		r.run()
		r.want(later, Pending, "quiet_hours", 0, r.plain)
		r.gate.verdict = Go()
		r.advance(8 * time.Hour)
		r.run()
		r.want(later, Sent, "", 1, r.plain)

		r.gate.err = errors.New("boom")
		failed := r.enqueue("plain", "failed")
		r.run()
		r.want(failed, Pending, GateFailed, 0, r.plain)
		r.gate.err = nil
		r.advance(time.Minute)
		r.run()
		r.want(failed, Sent, "", 1, r.plain)
	})
}

func TestVoidWithdrawsWhatIsNotClaimed(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		claimed := r.enqueue("plain", "claimed")
		if _, _, err := r.claim(t.Context()); err != nil {
			t.Fatal(err)
		}
		pending := r.enqueue("plain", "pending")
		other := r.enqueue("keyed", "other channel")
		var n int64
		r.write(func(ctx context.Context, tx store.Tx) (err error) {
			n, err = r.Void(ctx, tx, Selection{CustomerID: "c1", Channel: "plain"}, "withdrawn")
			return err
		})
		if n != 1 {
			t.Errorf("%d voided", n)
		}
		r.want(claimed, Claimed, "", 0, r.plain)
		r.want(pending, Void, "withdrawn", 0, r.plain)
		r.want(other, Pending, "", 0, r.keyed)
	})
}

func TestEnqueueRefuses(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		good := Message{Channel: "plain", Purpose: "p", Key: "k", Payload: json.RawMessage(`{}`)}
		bad := map[string]func(*Message){
			"no channel": func(m *Message) { m.Channel = "" }, "unknown channel": func(m *Message) { m.Channel = "pigeon" },
			"no purpose": func(m *Message) { m.Purpose = "" }, "no key": func(m *Message) { m.Key = "" },
			"no JSON": func(m *Message) { m.Payload = json.RawMessage("{") },
			"too large": func(m *Message) {
				m.Payload = json.RawMessage(fmt.Sprintf("%q", make([]byte, MaxPayload)))
			},
		}
		for name, spoil := range bad {
			m := good
			spoil(&m)
			err := r.db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
				_, err := r.Enqueue(ctx, tx, m)
				return err
			})
			if k := errs.KindOf(err); k != errs.KindInvalid && k != errs.KindTooLarge {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestListPagesAndPurge(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		var want []string
		for i := range 5 {
			want = append([]string{r.enqueue("plain", fmt.Sprint(i))}, want...)
		}
		r.run()
		var got []string
		after := ""
		for range 3 {
			r.write(func(ctx context.Context, tx store.Tx) error {
				page, err := r.List(ctx, tx, Sent, after, 2)
				for _, m := range page {
					got, after = append(got, m.ID), m.ID
				}
				return err
			})
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		r.advance(time.Hour)
		r.write(func(ctx context.Context, tx store.Tx) error {
			n, err := r.Purge(ctx, tx, tx.Now().Time())
			if n != 5 {
				t.Errorf("purged %d", n)
			}
			return err
		})
	})
}
