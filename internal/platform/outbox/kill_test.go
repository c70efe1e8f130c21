package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"omote/internal/platform/clock"
	"omote/internal/platform/keyring"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"

	"omote/internal/testkit/shared"
)

// provider is a remote channel: it counts what reached the customer, by path.
// On /keyed it honours the idempotency key, on /plain it does not.
type provider struct {
	mu        sync.Mutex
	delivered map[string]int
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Path + " " + r.Header.Get("Idempotency-Key")
	time.Sleep(rand.N(10 * time.Millisecond))
	p.deliver(id)
	time.Sleep(rand.N(10 * time.Millisecond))
	w.WriteHeader(http.StatusAccepted)
}

func (p *provider) deliver(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.delivered[id] == 0 || !strings.HasPrefix(id, "/keyed") {
		p.delivered[id]++
	}
}

// remote sends to the provider.
type remote struct {
	url    string
	window time.Duration
}

func (r remote) KeyWindow() time.Duration { return r.window }

func (r remote) Send(ctx context.Context, m Message) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, strings.NewReader(string(m.Payload)))
	if err != nil {
		return "", NotSent(err)
	}
	req.Header.Set("Idempotency-Key", m.Key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	return "ok", res.Body.Close()
}

func openKilled(ctx context.Context, url, dir, provider string) (*store.DB, *Outbox, error) {
	keys, err := keyring.OpenFile(filepath.Join(dir, "keys.json"))
	if err != nil {
		return nil, nil, err
	}
	db, err := store.Open(ctx, store.Options{URL: url, Dir: dir, Keys: keys, Clock: clock.System{}})
	if err != nil {
		return nil, nil, err
	}
	box, err := sealed.NewBox(keys)
	if err != nil {
		return nil, nil, err
	}
	senders := map[string]Sender{"keyed": remote{provider + "/keyed", time.Hour}, "plain": remote{provider + "/plain", 0}}
	return db, New(db, box, senders, Options{Lease: 300 * time.Millisecond, Poll: 10 * time.Millisecond, Batch: 4, Attempts: 100}), nil
}

// TestKilledChild is the process that TestKilledProcesses kills; alone it does
// nothing.
func TestKilledChild(t *testing.T) {
	dir := os.Getenv("OMOTE_OUTBOX_DIR")
	if dir == "" {
		return
	}
	_, o, err := openKilled(t.Context(), os.Getenv("OMOTE_OUTBOX_URL"), dir, os.Getenv("OMOTE_OUTBOX_PROVIDER"))
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Dispatching processes are killed at random moments until all messages are
// settled. On the channel that honours keys every message arrives exactly once;
// on the other at most once, and each is either sent or shown as unknown.
func TestKilledProcesses(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { killed(t, "") })
	t.Run("postgres", func(t *testing.T) { killed(t, testkit.PostgresURL(t)) })
}

func killed(t *testing.T, url string) {
	n := 40
	if shared.Verify() {
		n = 1000
	}
	p := &provider{delivered: map[string]int{}}
	server := httptest.NewServer(p)
	defer server.Close()
	dir := t.TempDir()
	db, o, err := openKilled(t.Context(), url, dir, server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context(), sealed.Migrations, Migrations); err != nil {
		t.Fatal(err)
	}
	ctx := scope.With(t.Context(), scope.Process("bank", "test"))
	enqueueMany(ctx, t, db, o, n)

	kills := 0
	for deadline := time.Now().Add(5 * time.Minute); unsettled(ctx, t, db, o) > 0; kills++ {
		if time.Now().After(deadline) {
			t.Fatal("the messages were not settled in time")
		}
		child := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
		child.Env = append(os.Environ(), "OMOTE_OUTBOX_DIR="+dir, "OMOTE_OUTBOX_URL="+url, "OMOTE_OUTBOX_PROVIDER="+server.URL)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30*time.Millisecond + rand.N(90*time.Millisecond))
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // killed
	}
	check(ctx, t, db, o, p, n)
	t.Logf("%d processes were killed", kills)
}

func enqueueMany(ctx context.Context, t *testing.T, db *store.DB, o *Outbox, n int) {
	t.Helper()
	err := db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		for i := range n {
			for _, channel := range []string{"keyed", "plain"} {
				m := Message{CustomerID: fmt.Sprint("c", i), Channel: channel, Purpose: "service", Key: fmt.Sprint(channel, i), Payload: json.RawMessage("{}")}
				if _, err := o.Enqueue(ctx, tx, m); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func unsettled(ctx context.Context, t *testing.T, db *store.DB, o *Outbox) (n int64) {
	t.Helper()
	err := db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		counts, err := o.Counts(ctx, tx)
		n = counts[Pending] + counts[Claimed]
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func check(ctx context.Context, t *testing.T, db *store.DB, o *Outbox, p *provider, n int) {
	t.Helper()
	var all []Message
	err := db.Read(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		all, err = o.List(ctx, tx, "", "", 10*n)
		return err
	})
	if err != nil || len(all) != 2*n {
		t.Fatalf("%d messages, %v", len(all), err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	unknown := 0
	for _, m := range all {
		got := p.delivered["/"+m.Channel+" "+m.Key]
		switch {
		case m.State == Sent && got == 1:
		case m.State == Unknown && m.Channel == "plain" && got <= 1:
			unknown++
		default:
			t.Errorf("%s %s: %s, delivered %d times", m.Channel, m.Key, m.State, got)
		}
	}
	t.Logf("%d of %d messages on the channel without keys are unknown", unknown, n)
}
