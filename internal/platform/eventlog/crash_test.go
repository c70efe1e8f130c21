package eventlog

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"omote/internal/platform/keyring"
)

// TestKilledProcessLosesNothing kills a process that appends under load, at
// random moments (every fourth time while it closes), starts it again on the
// same folder, and in the end counts: every acknowledged event is in the log
// exactly once, every other at most once.
func TestKilledProcessLosesNothing(t *testing.T) {
	t.Parallel()
	kills := 6
	if verifying() {
		kills = 200
	}
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(1, 2))
	acknowledged := map[string]bool{}
	var last [workers]int
	for run := range kills {
		last = killOnce(t, dir, run, last, random, acknowledged)
	}
	ring, err := keyring.OpenFile(filepath.Join(dir, "ring.json"))
	if err != nil {
		t.Fatal(err)
	}
	l := openTest(t, filepath.Join(dir, "log"), ring, nil)
	p := newMemory("count")
	start(t, l, p, RunOptions{})
	for partition := range l.Partitions() {
		_, last, err := l.Bounds(t.Context(), partition)
		if err != nil {
			t.Fatal(err)
		}
		waitFor(t, l, "count", Receipt{partition: last})
	}
	effects, order := map[string]int{}, map[string]string{}
	for _, r := range p.all() {
		if r.Duplicate {
			continue
		}
		effects[r.MessageID]++
		if r.MessageID <= order[r.UserID] {
			t.Errorf("%s stands after %s", r.MessageID, order[r.UserID])
		}
		order[r.UserID] = r.MessageID
	}
	for id, n := range effects {
		if n != 1 {
			t.Errorf("%s takes effect %d times", id, n)
		}
	}
	for id := range acknowledged {
		if effects[id] == 0 {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
	t.Logf("%d kills: %d events acknowledged, %d in the log, %d records", kills, len(acknowledged), len(effects), len(p.all()))
	if len(acknowledged) == 0 {
		t.Fatal("nothing was acknowledged; the test shows nothing")
	}
}

// killOnce runs the child, kills it, notes what it had acknowledged and gives
// the last batch of each worker among that, -1 for none.
func killOnce(t *testing.T, dir string, run int, before [workers]int, random *rand.Rand, acknowledged map[string]bool) (last [workers]int) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childPart+"=load", childDir+"="+dir,
		fmt.Sprintf("%s=%d %s", childRun, run, strings.Trim(fmt.Sprint(before), "[]")))
	child.Stdout, child.Stderr = write, os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	lines := scanLines(read)
	select {
	case <-lines: // ready
	case <-time.After(20 * time.Second):
		t.Error("the child did not open the log")
	}
	time.Sleep(soon(random, 200*time.Millisecond))
	if run%4 == 3 {
		_ = child.Process.Signal(syscall.SIGTERM)
		time.Sleep(soon(random, 20*time.Millisecond))
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	for w := range last {
		last[w] = -1
	}
	for line := range lines {
		var of, worker, n int
		if _, err := fmt.Sscan(line, &of, &worker, &n); err != nil {
			t.Errorf("the child printed %q", line)
			continue
		}
		if of == run {
			last[worker] = n
		}
		for _, e := range childBatch(of, worker, n) {
			acknowledged[e.MessageID] = true
		}
	}
	return last
}
