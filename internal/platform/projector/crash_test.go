package projector_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
)

const (
	childDir = "OMOTE_PROJECTOR_DIR" // set in the process that is killed
	childRun = "OMOTE_PROJECTOR_RUN"
)

func TestMain(m *testing.M) {
	if os.Getenv(childDir) == "" {
		os.Exit(m.Run())
	}
	if err := childLoad(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// crashHandlers are the handlers of the crash test; one refuses some events in
// each run but the last, so that parking is killed and resumed too.
func crashHandlers(refusing bool) (*ledger, *ledger) {
	picky := &ledger{name: "picky", refuse: func(r *eventlog.Record) error {
		if refusing && strings.HasSuffix(r.MessageID, "7") {
			return errors.New("not today")
		}
		return nil
	}}
	return &ledger{name: "steady"}, picky
}

const workers = 4

// childBatch is batch n of a worker in a run: ten events of three persons.
func childBatch(run string, worker, n int) []event.Event {
	events := make([]event.Event, 10)
	for i := range events {
		events[i] = made(fmt.Sprintf("r%sw%dp%d", run, worker, i%3), n*10+i)
	}
	return events
}

// childLoad appends and projects until it is killed. Each acknowledged batch is
// a line; each batch is sent twice, as by a sender that heard nothing.
func childLoad() error {
	steady, picky := crashHandlers(true)
	ctx := context.Background()
	_, s, l, err := openAt(ctx, os.Getenv(childDir), steady, picky)
	if err != nil {
		return err
	}
	run := os.Getenv(childRun)
	fmt.Println("ready")
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for n := 0; ; n++ {
				for range 2 {
					if _, err := l.Append(ctx, childBatch(run, w, n)); err != nil {
						time.Sleep(10 * time.Millisecond)
						continue
					}
					fmt.Println(w, n)
				}
			}
		})
	}
	return l.Run(ctx, s, s.Feed())
}

// TestKilledProjectorDoesEverythingOnce kills a process that appends and
// projects at random moments, over and over on the same folders. At the end,
// with nothing refused any more and the dead letters replayed, every
// acknowledged event has taken effect exactly once in every handler, in order,
// and no event twice.
func TestKilledProjectorDoesEverythingOnce(t *testing.T) {
	t.Parallel()
	kills := 5
	if verifying() {
		kills = 100
	}
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(3, 4))
	acknowledged := map[string]string{} // message to person
	for run := range kills {
		for _, e := range killOnce(t, dir, fmt.Sprint(run), random) {
			acknowledged[e.MessageID] = e.UserID
		}
	}
	steady, picky := crashHandlers(false)
	db, s, l, err := openAt(context.Background(), dir, steady, picky)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	defer l.Close(context.Background())
	defer run(t, l, s)()
	end := map[int]uint64{}
	for p := range l.Partitions() {
		if _, end[p], err = l.Bounds(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := l.WaitFor(ctx, s.Name(), end); err != nil {
		t.Fatal(err)
	}
	replayed, err := s.ReplayAll(bank(ctx), "picky")
	if err != nil {
		t.Fatal(err)
	}
	for _, handler := range []string{"steady", "picky"} {
		seen := map[string]bool{}
		for person, messages := range effects(t, db, handler) {
			for i, m := range messages {
				if i > 0 && m <= messages[i-1] {
					t.Errorf("%s, %s: %s took effect after %s", handler, person, m, messages[i-1])
				}
				seen[m] = true
			}
		}
		for m := range acknowledged {
			if !seen[m] {
				t.Errorf("%s: %s was acknowledged and had no effect", handler, m)
			}
		}
	}
	t.Logf("%d kills: %d events acknowledged, %d dead letters replayed", kills, len(acknowledged), replayed)
	if len(acknowledged) == 0 || replayed == 0 {
		t.Fatal("nothing was acknowledged or refused; the test shows nothing")
	}
}

// killOnce runs the child, kills it and gives the events it had acknowledged.
func killOnce(t *testing.T, dir, run string, random *rand.Rand) (events []event.Event) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir, childRun+"="+run)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the child did not start")
	}
	time.AfterFunc(time.Duration(random.Int64N(int64(400*time.Millisecond))), func() { _ = child.Process.Kill() })
	for lines.Scan() {
		var worker, n int
		if _, err := fmt.Sscan(lines.Text(), &worker, &n); err != nil {
			t.Errorf("the child printed %q", lines.Text())
			continue
		}
		events = append(events, childBatch(run, worker, n)...)
	}
	_ = child.Wait()
	return events
}
