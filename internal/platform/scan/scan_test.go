package scan

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"omote/internal/platform/errs"
)

// eicar is the test file that every scanner takes for a virus, in two parts so that no
// scanner finds it in this source.
var eicar = []byte(`X5O!P%@AP[4\PZX54(P^)7CC)7}` + `$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`)

// daemon speaks the scanner's side of the protocol: whoever does not is told so.
func daemon(t *testing.T, network, address string, limit int) string {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = c.Write(append([]byte(answer(c, limit)), 0))
			}()
		}
	}()
	return l.Addr().String()
}

func answer(c io.Reader, limit int) string {
	command := make([]byte, len("zINSTREAM\x00"))
	if _, err := io.ReadFull(c, command); err != nil || string(command) != "zINSTREAM\x00" {
		return "UNKNOWN COMMAND"
	}
	var content []byte
	for {
		var n uint32
		if err := binary.Read(c, binary.BigEndian, &n); err != nil {
			return "stream: read ERROR"
		}
		if n == 0 {
			break
		}
		part := make([]byte, n)
		if _, err := io.ReadFull(c, part); err != nil {
			return "stream: read ERROR"
		}
		if content = append(content, part...); len(content) > limit {
			return "INSTREAM size limit exceeded. ERROR"
		}
	}
	if bytes.Contains(content, eicar) {
		return "stream: Eicar-Test-Signature FOUND"
	}
	return "stream: OK"
}

func TestScan(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	for name, address := range map[string]string{
		"tcp":  "tcp://" + daemon(t, "tcp", "127.0.0.1:0", limit),
		"unix": "unix://" + daemon(t, "unix", filepath.Join(t.TempDir(), "clamd.sock"), limit),
	} {
		c, err := New(address)
		if err != nil {
			t.Fatal(err)
		}
		for _, try := range []struct {
			what    string
			content []byte
			clean   bool
			unknown bool
		}{
			{"a letter", []byte("Kính gửi ngân hàng"), true, false},
			{"nothing", nil, true, false},
			{"several pieces", bytes.Repeat([]byte("x"), 3*piece+7), true, false},
			{"a virus", eicar, false, false},
			{"a virus behind a piece", append(bytes.Repeat([]byte("x"), piece-3), eicar...), false, false},
			{"too large for the scanner", bytes.Repeat([]byte("x"), limit+piece), false, true},
		} {
			clean, err := c.Scan(t.Context(), try.content)
			if clean != try.clean || (err != nil) != try.unknown {
				t.Errorf("%s, %s: clean %t, %v", name, try.what, clean, err)
			}
			if err != nil && errs.KindOf(err) != errs.KindUnavailable {
				t.Errorf("%s, %s: the error is %v", name, try.what, err)
			}
		}
	}
}

// TestUnknown holds that silence, rubbish and absence are never taken for clean.
func TestUnknown(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"", "OK", "stream: ", "stream: OK FOUND?", "stream: lstat() failed ERROR", "COMMAND READ TIMED OUT"} {
		if clean, err := read(answer); clean || err == nil {
			t.Errorf("%q: clean %t, %v", answer, clean, err)
		}
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, address := range []string{"tcp://127.0.0.1:1", "tcp://" + silent.Addr().String()} {
		c, err := New(address)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if clean, err := c.Scan(ctx, []byte("x")); clean || err == nil {
			t.Errorf("%s: clean %t, %v", address, clean, err)
		}
		cancel()
	}
	for _, address := range []string{"", "scanner:3310", "tcp://scanner", "tcp://scanner:3310/x", "unix://host/path", "http://scanner:3310"} {
		if _, err := New(address); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("%q is taken as an address: %v", address, err)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add("stream: OK")
	f.Add("stream: Eicar-Test-Signature FOUND")
	f.Fuzz(func(t *testing.T, answer string) {
		if clean, err := read(answer); clean && err != nil {
			t.Error("clean and unknown at once")
		}
	})
}
