package app_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"omote/internal/app"
	"omote/internal/customer/identity"
	"omote/internal/platform/auth"
	"omote/internal/platform/config"
	"omote/internal/platform/event"
	"omote/internal/platform/store"

	"omote/internal/testkit/shared"
)

// crashChild makes the test binary the server that is killed.
const crashChild = "OMOTE_CRASH_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashChild); dir != "" {
		if err := serveChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func crashConfig(dir string) config.Config {
	c := config.Default()
	c.Data, c.Keys, c.Addr = filepath.Join(dir, "data"), filepath.Join(dir, "keys.json"), "127.0.0.1:0"
	return c
}

// serveChild serves until it is killed or told to stop. It says where and with
// which key on its standard output.
func serveChild(dir string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	a, err := app.Open(ctx, app.Options{Config: crashConfig(dir), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	key, err := a.NewKey(ctx, auth.NewKey{Name: "crash", Source: "crash", Roles: []auth.Role{auth.KeyIngest}})
	if err != nil {
		return err
	}
	go func() {
		fmt.Printf("%s %s\n", key, a.WaitAddress(ctx))
		_, _ = io.Copy(io.Discard, os.Stdin) // ends when the parent closes it: a graceful end
		cancel()
	}()
	if err := a.Run(ctx, true); err != nil {
		return err
	}
	return a.Close(context.Background())
}

// ledger remembers what was sent and what was acknowledged.
type ledger struct {
	mu   sync.Mutex
	sent map[string]bool // message id → acknowledged
}

// TestCrash kills the server with SIGKILL at random points under load, while it
// appends, projects, starts or shuts down. Afterwards every acknowledged event is
// in state and warehouse exactly once, every other at most once.
func TestCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("crash runs are left out with -short")
	}
	kills := 6
	if shared.Verify() {
		kills = 200
	}
	dir := t.TempDir()
	l := &ledger{sent: map[string]bool{}}
	r := rand.New(rand.NewPCG(42, uint64(kills)))
	for range kills {
		crashOnce(t, dir, l, r)
	}
	verifyCrash(t, dir, l)
}

// crashOnce starts the server, loads it, and kills it somewhere.
func crashOnce(t *testing.T, dir string, l *ledger, r *rand.Rand) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), crashChild+"="+dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	key, address, ok := strings.Cut(strings.TrimSpace(line), " ")
	if err != nil || !ok {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		t.Fatalf("the server did not start: %v\n%s", err, stderr.String())
	}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for range 3 {
		seed := r.Uint64()
		group.Go(func() { l.load(ctx, address, key, seed) })
	}
	time.Sleep(time.Duration(r.IntN(900)) * time.Millisecond)
	if r.IntN(4) == 0 { // begin to stop, then die on the way
		_ = stdin.Close()
		time.Sleep(time.Duration(r.IntN(60)) * time.Millisecond)
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Log("it had ended already:", err)
	}
	_ = cmd.Wait()
	cancel()
	group.Wait()
}

// load sends batches, now and then one that was sent before, as an SDK does that
// saw no answer.
func (l *ledger) load(ctx context.Context, address, key string, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 7))
	client := &http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	var before []string
	for ctx.Err() == nil {
		ids := before
		if len(ids) == 0 || r.IntN(5) > 0 {
			ids = make([]string, 1+r.IntN(40))
			for i := range ids {
				ids[i] = fmt.Sprintf("%x-%d", r.Uint64(), r.IntN(300))
			}
		}
		l.note(ids, false)
		if l.post(ctx, client, address, key, ids) {
			l.note(ids, true)
			before = nil
			if r.IntN(6) == 0 {
				before = ids // the answer was lost: send it again
			}
			continue
		}
		before = ids
		time.Sleep(5 * time.Millisecond)
	}
}

func (l *ledger) note(ids []string, acknowledged bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		l.sent[id] = l.sent[id] || acknowledged
	}
}

// userOf is the customer of a message: the number at its end.
func userOf(id string) string { return id[strings.LastIndexByte(id, '-')+1:] }

func (l *ledger) post(ctx context.Context, client *http.Client, address, key string, ids []string) bool {
	var b strings.Builder
	b.WriteString(`{"batch":[`)
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"track","event":"crash","messageId":%q,"userId":"u%s"}`, id, userOf(id))
	}
	b.WriteString(`]}`)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v1/batch", strings.NewReader(b.String()))
	if err != nil {
		return false
	}
	req.SetBasicAuth(key, "")
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err == nil && res.StatusCode == http.StatusOK
}

// verifyCrash opens what the killed servers left, lets the projectors catch up,
// and counts.
func verifyCrash(t *testing.T, dir string, l *ledger) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a, err := app.Open(ctx, app.Options{Config: crashConfig(dir), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, false) }()
	system := a.System(ctx)
	if err := a.CaughtUp(system); err != nil {
		t.Fatal(err)
	}
	facts := factCounts(t, a, system)
	perUser := map[string]int64{}
	acknowledged, lost, twice, unasked := 0, 0, 0, len(facts)
	for id, acked := range l.sent {
		n := facts[a.Warehouse.EventID(&event.Event{Entity: "bank", Source: "crash", MessageID: id})]
		if n > 0 {
			unasked--
		}
		perUser[userOf(id)] += int64(n)
		if acked {
			acknowledged++
			if n == 0 {
				lost++
			}
		}
		if n > 1 {
			twice++
		}
	}
	t.Logf("%d events sent, %d acknowledged, %d facts", len(l.sent), acknowledged, len(facts))
	if acknowledged == 0 {
		t.Error("nothing was acknowledged: the test proves nothing")
	}
	if lost > 0 || twice > 0 || unasked > 0 {
		t.Errorf("warehouse: %d acknowledged events are missing, %d are there twice, %d were never sent", lost, twice, unasked)
	}
	checkState(t, a, system, perUser)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := a.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

func factCounts(t *testing.T, a *app.App, ctx context.Context) map[uuid.UUID]int {
	t.Helper()
	rows, err := a.Warehouse.Query(ctx, `SELECT CAST(event_id AS VARCHAR), COUNT(*) FROM {event} GROUP BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	facts := map[uuid.UUID]int{}
	for rows.Next() {
		var id string
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			t.Fatal(err)
		}
		facts[uuid.MustParse(id)] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return facts
}

// checkState compares each record's count with the warehouse's facts.
func checkState(t *testing.T, a *app.App, ctx context.Context, perUser map[string]int64) {
	t.Helper()
	wrong := 0
	err := a.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		ids := make([]string, 0, len(perUser))
		for user := range perUser {
			ids = append(ids, a.Names.Record("bank", "crash:u"+user).String())
		}
		did, err := identity.DidOf(ctx, tx, ids)
		if err != nil {
			return err
		}
		for user, n := range perUser {
			var got int64
			if d := did[a.Names.Record("bank", "crash:u"+user).String()]; d != nil {
				got = d.Events
			}
			if got != n {
				wrong++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if wrong > 0 {
		t.Errorf("state: %d of %d customers have another count than the warehouse", wrong, len(perUser))
	}
}
