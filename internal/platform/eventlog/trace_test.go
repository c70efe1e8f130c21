package eventlog

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNoAcknowledgementPrecedesItsFlush traces the system calls of a process
// that appends. It fails if the process says that an append was acknowledged
// while a block of that partition's stream was written and not yet flushed, or
// made and its folder not yet flushed. The second part switches flushing off and expects the check to notice: a check
// that cannot fail shows nothing.
func TestNoAcknowledgementPrecedesItsFlush(t *testing.T) {
	t.Parallel()
	strace := findStrace(t)
	for _, c := range []struct {
		part     string
		violates bool
	}{{"trace", false}, {"trace-unsynced", true}} {
		t.Run(c.part, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			out := filepath.Join(dir, "trace")
			child := exec.Command(strace, "-f", "-y", "-s", "64", "-o", out,
				"-e", "trace=openat,write,pwrite64,writev,pwritev,fsync,fdatasync,sync_file_range,msync", os.Args[0])
			child.Env = append(os.Environ(), childPart+"="+c.part, childDir+"="+dir)
			if b, err := child.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, b)
			}
			f, err := os.Open(out)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var tr trace
			s := bufio.NewScanner(f)
			s.Buffer(nil, 1<<20)
			for s.Scan() {
				tr.line(s.Text())
			}
			if tr.acks != 2*tracedAppends || tr.writes < tr.acks || tr.creates < 4 {
				t.Fatalf("the trace shows %d acknowledgements, %d block writes and %d new blocks; want %d, as many, and at least 4",
					tr.acks, tr.writes, tr.creates, 2*tracedAppends)
			}
			if got := len(tr.violations) > 0; got != c.violates {
				t.Fatalf("%d acknowledgements precede their flush, expected any: %v\n%s", len(tr.violations), c.violates, strings.Join(tr.violations, "\n"))
			}
		})
	}
}

// findStrace gives the path of strace. Where tests are required to be complete
// its absence is a failure.
func findStrace(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("strace is missing: apt-get install strace")
	}
	t.Skip("left out: the system-call trace needs strace (apt-get install strace)")
	return ""
}

// trace follows which block files hold bytes that were not flushed.
type trace struct {
	dirty      map[string]bool   // by path: a block, or a folder with a new block
	flushing   map[string]string // by thread: path being flushed
	redirtied  map[string]bool   // written while it was being flushed
	acks       int
	writes     int
	creates    int
	violations []string
}

var (
	callOf   = regexp.MustCompile(`^(\d+) +(\w+)\(\d+<([^>]*)>`)
	createOf = regexp.MustCompile(`^\d+ +openat\([^"]*"([^"]*)/[^/"]*\.blk", [^,]*O_CREAT`)
	resumed  = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>`)
	resultOf = regexp.MustCompile(`= (-?\d+)`)
	ackOf    = regexp.MustCompile(`"ACK (\w+) (\d+)\\n"`)
)

// line takes the next line of the trace. A write counts from when it begins, a
// flush when it has returned, an acknowledgement when it begins.
func (tr *trace) line(s string) {
	if tr.dirty == nil {
		tr.dirty, tr.flushing, tr.redirtied = map[string]bool{}, map[string]string{}, map[string]bool{}
	}
	if m := resumed.FindStringSubmatch(s); m != nil {
		tr.returned(m[1], m[2], s)
		return
	}
	if m := createOf.FindStringSubmatch(s); m != nil {
		tr.creates++
		tr.dirty[m[1]], tr.redirtied[m[1]] = true, true
		return
	}
	m := callOf.FindStringSubmatch(s)
	if m == nil {
		return
	}
	thread, call, path := m[1], m[2], m[3]
	switch {
	case strings.Contains(call, "sync"):
		tr.flushing[thread] = path
		delete(tr.redirtied, path)
	case ackOf.MatchString(s):
		tr.acknowledged(ackOf.FindStringSubmatch(s))
	case strings.HasSuffix(path, ".blk"):
		tr.writes++
		tr.dirty[path], tr.redirtied[path] = true, true
	}
	if !strings.Contains(s, "<unfinished ...>") {
		tr.returned(thread, call, s)
	}
}

func (tr *trace) returned(thread, call, s string) {
	path, flushing := tr.flushing[thread]
	if !flushing || !strings.Contains(call, "sync") {
		return
	}
	delete(tr.flushing, thread)
	if r := resultOf.FindStringSubmatch(s); r != nil && r[1] == "0" && !tr.redirtied[path] {
		delete(tr.dirty, path)
	}
}

func (tr *trace) acknowledged(m []string) {
	tr.acks++
	for path := range tr.dirty {
		if strings.Contains(path, "/"+m[1]+"/") {
			tr.violations = append(tr.violations, fmt.Sprintf("%s %s while %s was not flushed", m[1], m[2], path))
		}
	}
}
