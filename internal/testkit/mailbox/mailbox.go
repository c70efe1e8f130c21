// Package mailbox is a mail server for tests: it takes every letter that is sent to it
// by SMTP and shows what a mail program would.
//
//	box := mailbox.Start(t)
//	config.Mail = box.Address()
//	letter := box.Wait(t, "an@example.com", "How happy are you")
//	p.Goto(letter.Links()[2])
package mailbox

import (
	"bufio"
	"bytes"
	"fmt"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Letter is one e-mail as it arrived.
type Letter struct {
	To      string
	Subject string
	Text    string
	HTML    string
	Header  mail.Header
}

var href = regexp.MustCompile(`href="([^"]+)"|(https?://[^\s"<>]+)`)

// Links are the addresses in the letter, each once, those of the HTML first.
func (l Letter) Links() (out []string) {
	for _, m := range href.FindAllStringSubmatch(l.HTML+"\n"+l.Text, -1) {
		address := html.UnescapeString(m[1] + m[2])
		if !slices.Contains(out, address) {
			out = append(out, address)
		}
	}
	return out
}

// Link is the first address that holds a text.
func (l Letter) Link(part string) string {
	for _, one := range l.Links() {
		if strings.Contains(one, part) {
			return one
		}
	}
	return ""
}

// Box is the server; it ends with the test.
type Box struct {
	listener net.Listener
	mu       sync.Mutex
	letters  []Letter
	faults   []string
}

// Start begins a server on a free port of this machine.
func Start(t testing.TB) *Box {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &Box{listener: l}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer c.Close()
				if err := b.serve(c); err != nil {
					b.mu.Lock()
					b.faults = append(b.faults, err.Error())
					b.mu.Unlock()
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		open.Wait()
		for _, f := range b.faults {
			t.Error("mailbox:", f)
		}
	})
	return b
}

// Address is the server as configuration names it.
func (b *Box) Address() string { return "smtp://" + b.listener.Addr().String() + "?tls=none" }

// serve speaks the little of SMTP (RFC 5321) that a sender needs.
func (b *Box) serve(c net.Conn) error {
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	in := textproto.NewReader(bufio.NewReader(c))
	say := func(line string) error { _, err := fmt.Fprintf(c, "%s\r\n", line); return err }
	if err := say("220 mailbox"); err != nil {
		return err
	}
	to := ""
	for {
		line, err := in.ReadLine()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		verb, rest, _ := strings.Cut(line, " ")
		answer := "250 fine"
		switch strings.ToUpper(verb) {
		case "RCPT":
			to = strings.Trim(strings.TrimSpace(rest[strings.IndexByte(rest, ':')+1:]), "<>")
		case "DATA":
			if err := say("354 go on"); err != nil {
				return err
			}
			raw, err := in.ReadDotBytes()
			if err != nil {
				return err
			}
			letter, err := read(raw)
			if err != nil {
				return fmt.Errorf("letter to %s: %w", to, err)
			}
			letter.To = to
			b.mu.Lock()
			b.letters = append(b.letters, letter)
			b.mu.Unlock()
		case "QUIT":
			return say("221 bye")
		}
		if err := say(answer); err != nil {
			return err
		}
	}
}

func read(raw []byte) (l Letter, err error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return l, err
	}
	l.Header = m.Header
	if l.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return l, err
	}
	return l, l.part(textproto.MIMEHeader(m.Header), m.Body)
}

// part reads a part and those in it.
func (l *Letter) part(h textproto.MIMEHeader, body io.Reader) error {
	kind, with, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return err
	}
	if strings.HasPrefix(kind, "multipart/") {
		parts := multipart.NewReader(body, with["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			if err := l.part(p.Header, p); err != nil {
				return err
			}
		}
	}
	if strings.EqualFold(h.Get("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	switch kind {
	case "text/plain":
		l.Text += string(text)
	case "text/html":
		l.HTML += string(text)
	}
	return nil
}

// Letters are those that came so far.
func (b *Box) Letters() []Letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.letters)
}

// Wait waits for a letter to somebody whose subject or text holds a text, and gives
// the newest such.
func (b *Box) Wait(t testing.TB, to, part string) Letter {
	t.Helper()
	for range 600 {
		for _, l := range slices.Backward(b.Letters()) {
			if l.To == to && strings.Contains(l.Subject+"\n"+l.Text, part) {
				return l
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	var all []string
	for _, l := range b.Letters() {
		all = append(all, l.To+": "+l.Subject)
	}
	t.Fatalf("no letter to %s with %q came; there are %q", to, part, all)
	return Letter{}
}
