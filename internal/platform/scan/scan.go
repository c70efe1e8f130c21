// Package scan lets a virus scanner look at what people send in before anybody opens it.
//
// It speaks the INSTREAM command of ClamAV's daemon, which other scanners offer too,
// over TCP or a Unix socket: the content in pieces with their length before them, an
// empty piece at the end, and one line as the answer. Nothing is written to disk.
//
//	clamd, err := scan.New("tcp://scanner.bank.example:3310")
//	clean, err := clamd.Scan(ctx, content)
//
// An error says that nobody knows: the caller holds the file back and asks again.
//
// Source: the protocol is described in the manual page clamd(8), section COMMANDS.
package scan

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"omote/internal/platform/errs"
)

// Limits of a scan.
const (
	piece     = 64 << 10         // bytes that are sent at once
	maxAnswer = 4 << 10          // bytes of the scanner's line
	patience  = 30 * time.Second // of a scan, from connecting to the answer
)

// Clamd asks a ClamAV daemon. It is safe for concurrent use; every scan has a
// connection of its own.
type Clamd struct{ network, address string }

// New reads where the scanner listens: tcp://host:port or unix:///path.
func New(address string) (*Clamd, error) {
	u, err := url.Parse(address)
	switch {
	case err == nil && u.Scheme == "tcp" && u.Host != "" && u.Port() != "" && u.Path == "":
		return &Clamd{"tcp", u.Host}, nil
	case err == nil && u.Scheme == "unix" && u.Host == "" && strings.HasPrefix(u.Path, "/"):
		return &Clamd{"unix", u.Path}, nil
	}
	return nil, errs.Invalid("scan.error.address", "scanner", "the scanner's address is tcp://host:port or unix:///path").Because(err)
}

// Scan gives whether the content is clean. An error means that the scanner could not
// tell: it cannot be reached, is busy, or takes no file of this size.
func (c *Clamd) Scan(ctx context.Context, content []byte) (clean bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, c.network, c.address)
	if err != nil {
		return false, errs.Unavailable("scan.error.unreachable", "the virus scanner cannot be reached").Because(err)
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return false, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	// A scanner that has read enough answers and closes: the answer counts, not the
	// error of the rest that nobody read.
	sendErr := send(conn, content)
	answer, err := bufio.NewReader(io.LimitReader(conn, maxAnswer)).ReadBytes(0)
	if err != nil {
		return false, errs.Unavailable("scan.error.unreachable", "the virus scanner gave no answer").Because(errors.Join(sendErr, err))
	}
	return read(string(bytes.TrimRight(answer, "\x00")))
}

func send(w io.Writer, content []byte) error {
	if _, err := io.WriteString(w, "zINSTREAM\x00"); err != nil {
		return err
	}
	var length [4]byte
	for len(content) > 0 {
		n := min(piece, len(content))
		binary.BigEndian.PutUint32(length[:], uint32(n))
		if _, err := w.Write(length[:]); err != nil {
			return err
		}
		if _, err := w.Write(content[:n]); err != nil {
			return err
		}
		content = content[n:]
	}
	_, err := w.Write([]byte{0, 0, 0, 0})
	return err
}

// read understands the scanner's line: "stream: OK", "stream: NAME FOUND" or
// "… ERROR". Whatever else it says is no clearance.
func read(answer string) (clean bool, err error) {
	switch answer = strings.TrimSpace(answer); {
	case answer == "stream: OK":
		return true, nil
	case strings.HasPrefix(answer, "stream: ") && strings.HasSuffix(answer, " FOUND"):
		return false, nil
	}
	return false, errs.Unavailable("scan.error.answer", "the virus scanner could not tell").Because(fmt.Errorf("it answered %q", answer))
}
