package send

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"omote/internal/platform/clock"
	"omote/internal/platform/outbox"
)

// fate is what an error of a sender says of the message.
func fate(err error) string {
	switch {
	case err == nil:
		return "sent"
	case outbox.IsRejected(err):
		return "rejected"
	case outbox.IsNotSent(err):
		return "not sent"
	}
	return "unknown"
}

// TestSignature signs the example of the standard's own libraries.
func TestSignature(t *testing.T) {
	t.Parallel()
	const key, id, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", `{"test": 2432232314}`
	at := time.Unix(1614265330, 0)
	k, err := secret(key)
	if err != nil {
		t.Fatal(err)
	}
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	if got := Sign(k, id, at, []byte(body)); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	h := http.Header{}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", "1614265330")
	h.Set("webhook-signature", "v1,bm90aGluZw== "+want)
	if err := Verify(key, h, []byte(body), at.Add(time.Minute)); err != nil {
		t.Error(err)
	}
	if Verify(key, h, []byte(body+" "), at) == nil {
		t.Error("a changed body was taken")
	}
	if Verify(key, h, []byte(body), at.Add(6*time.Minute)) == nil {
		t.Error("an old webhook was taken")
	}
	if Verify(NewSecret(), h, []byte(body), at) == nil {
		t.Error("another's signature was taken")
	}
}

// TestWebhook tells what each answer means.
func TestWebhook(t *testing.T) {
	t.Parallel()
	w := Webhook{Secret: NewSecret(), Body: json.RawMessage(`{"type":"case.opened"}`)}
	status := make(chan int, 1)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		if err := Verify(w.Secret, r.Header, raw, time.Now()); err != nil {
			t.Error(err)
		}
		if got := r.Header.Get("webhook-id"); got != "key" {
			t.Errorf("id %q", got)
		}
		switch s := <-status; s {
		case 0:
			hijack(t, rw)
		case http.StatusFound:
			http.Redirect(rw, r, "http://192.0.2.1/", s)
		default:
			rw.WriteHeader(s)
		}
	}))
	defer server.Close()
	w.URL = server.URL
	payload, _ := json.Marshal(w)
	m := outbox.Message{Key: "key", Payload: payload}
	s := NewWebhooks(clock.System{}, true)
	for code, want := range map[int]string{200: "sent", 204: "sent", 302: "rejected", 400: "rejected", 410: "rejected", 429: "not sent", 503: "not sent", 500: "unknown", 409: "unknown", 0: "unknown"} {
		status <- code
		if _, err := s.Send(t.Context(), m); fate(err) != want {
			t.Errorf("%d: %s (%v), want %s", code, fate(err), err, want)
		}
	}
	if _, err := NewWebhooks(clock.System{}, false).Send(t.Context(), m); fate(err) != "rejected" {
		t.Errorf("this machine was reached: %v", err)
	}
	server.Close()
	if _, err := NewWebhooks(clock.System{}, true).Send(t.Context(), m); fate(err) != "not sent" {
		t.Errorf("nobody listens: %s (%v)", fate(err), err)
	}
}

func hijack(t *testing.T, rw http.ResponseWriter) {
	t.Helper()
	c, _, err := rw.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	c.Close()
}

// TestGateway fills a gateway's template and reads its answers.
func TestGateway(t *testing.T) {
	t.Parallel()
	var got struct{ To, Text, Ref string }
	answer := `{"code":0,"data":{"id":"abc"}}`
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer s3cret" || r.Header.Get("Idempotency-Key") != "k1" {
			t.Errorf("headers %v", r.Header)
		}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(rw, answer)
	}))
	defer server.Close()
	all, err := ParseGateways(fmt.Appendf(nil, `
sms:
  url: %s
  headers: {Authorization: "Bearer ${TOKEN}"}
  body: '{"to": {{json .To}}, "text": {{json .Text}}, "ref": {{json .Key}}}'
  key_header: Idempotency-Key
  key_window: 1h
  receipt: data.id
  ok: code
  ok_value: "0"
`, server.URL), func(string) string { return "s3cret" }, true)
	if err != nil {
		t.Fatal(err)
	}
	payload, _ := json.Marshal(Short{To: "+84900000001", Text: "Chào \"chị\"\n{{.To}}"})
	m := outbox.Message{Key: "k1", Payload: payload}
	receipt, err := all["sms"].Send(t.Context(), m)
	if err != nil || receipt != "abc" || got.To != "+84900000001" || got.Text != "Chào \"chị\"\n{{.To}}" || got.Ref != "k1" {
		t.Errorf("receipt %q, %+v, %v", receipt, got, err)
	}
	answer = `{"code":17}`
	if _, err := all["sms"].Send(t.Context(), m); fate(err) != "rejected" {
		t.Errorf("a refusal inside a 200: %s", fate(err))
	}
	if w := all["sms"].KeyWindow(); w != time.Hour {
		t.Errorf("key window %v", w)
	}
}

// TestGatewayFilesAreChecked refuses what could not work.
func TestGatewayFilesAreChecked(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"sms: {url: 'ftp://x', body: '{}'}",
		"sms: {url: 'https://x', body: '{{.Nothing}}'}",
		"sms: {url: 'https://x', body: '{\"a\": {{.Text}}}'}",
		"sms: {url: 'https://x', body: '{}', surprise: 1}",
		"email: {url: 'https://x', body: '{}'}",
		"- 1",
	} {
		if _, err := ParseGateways([]byte(bad), os.Getenv, false); err == nil {
			t.Errorf("taken: %s", bad)
		}
	}
}

// post is a mail server that answers as told.
type post struct {
	net.Listener
	mu      sync.Mutex
	answers map[string]string // by command; "" hangs up
	letters []string
}

func newPost(t *testing.T) *post {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &post{Listener: l, answers: map[string]string{}}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *post) serve(c net.Conn) {
	defer c.Close()
	fmt.Fprint(c, "220 post\r\n")
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		command := strings.ToUpper(strings.Fields(lines.Text() + " x")[0])
		standard := map[string]string{"EHLO": "250 post", "DATA": "354 go on", "QUIT": "221 bye"}[command]
		if !p.say(c, command, standard) {
			return
		}
		if command != "DATA" {
			continue
		}
		var letter strings.Builder
		for lines.Scan() && lines.Text() != "." {
			letter.WriteString(lines.Text() + "\n")
		}
		p.mu.Lock()
		p.letters = append(p.letters, letter.String())
		p.mu.Unlock()
		if !p.say(c, ".", "") {
			return
		}
	}
}

func (p *post) say(c net.Conn, command, standard string) bool {
	p.mu.Lock()
	answer, told := p.answers[command]
	p.mu.Unlock()
	if !told {
		answer = standard
		if answer == "" {
			answer = "250 ok"
		}
	}
	if answer == "" {
		return false
	}
	fmt.Fprint(c, answer+"\r\n")
	return true
}

// TestMail sends letters to a server that fails at each step.
func TestMail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, command, answer, want string }{
		{"all goes well", "", "", "sent"},
		{"no such mailbox", "RCPT", "550 no such mailbox", "rejected"},
		{"try later", "RCPT", "451 greylisted", "not sent"},
		{"hangs up before the letter", "DATA", "", "not sent"},
		{"the letter is refused", ".", "554 spam", "rejected"},
		{"hangs up after the letter", ".", "", "unknown"},
		{"hangs up after it was taken", "RSET", "", "sent"},
		{"no goodbye", "QUIT", "", "sent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPost(t)
			if c.command != "" {
				p.answers[c.command] = c.answer
			}
			s, err := NewMail("smtp://"+p.Addr().String()+"?tls=none", "Ngân hàng Ví Dụ <no-reply@bank.example>")
			if err != nil {
				t.Fatal(err)
			}
			payload, _ := json.Marshal(Letter{To: "a@example.com", Subject: "Chào chị", Text: "một chạm", HTML: "<p>một chạm</p>", Unsubscribe: "https://bank.example/u/1"})
			_, err = s.Send(t.Context(), outbox.Message{ID: "1", Key: "k", Created: time.Unix(0, 0), Payload: payload})
			if fate(err) != c.want {
				t.Errorf("%s (%v), want %s", fate(err), err, c.want)
			}
			if c.want == "sent" && (len(p.letters) != 1 || !strings.Contains(p.letters[0], "List-Unsubscribe-Post: List-Unsubscribe=One-Click")) {
				t.Errorf("%d letters: %v", len(p.letters), p.letters)
			}
		})
	}
	s, err := NewMail("smtp://127.0.0.1:1?tls=none", "a@bank.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = s.Send(t.Context(), outbox.Message{Payload: json.RawMessage(`{"to":"a@example.com"}`)}); fate(err) != "not sent" {
		t.Errorf("no server: %s (%v)", fate(err), err)
	}
}

// TestMailFolder writes a letter where there is no server, and refuses header injection.
func TestMailFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := NewMail("folder:"+dir, "a@bank.example")
	if err != nil {
		t.Fatal(err)
	}
	name, err := s.Send(t.Context(), outbox.Message{ID: "1", Key: "k", Payload: json.RawMessage(`{"to":"a@example.com","subject":"x\r\nBcc: b@example.com","text":"t"}`)})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "\nBcc:") {
		t.Errorf("the subject made a header:\n%s", raw)
	}
	if _, err := s.Send(t.Context(), outbox.Message{ID: "2", Payload: json.RawMessage(`{"to":"a@example.com>\r\nRCPT TO:<b@example.com"}`)}); fate(err) != "rejected" {
		t.Errorf("a hostile address: %s", fate(err))
	}
	for _, bad := range []string{"", "http://x", "folder:", "smtp://h:port"} {
		if _, err := NewMail(bad, "a@bank.example"); err == nil {
			t.Errorf("taken: %q", bad)
		}
	}
	if _, err := NewMail("folder:"+dir, "nobody"); err == nil {
		t.Error("a sender without an address was taken")
	}
}
