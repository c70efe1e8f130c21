package send

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"

	"omote/internal/platform/errs"
	"omote/internal/platform/outbox"
)

// MailChannel is the outbox's channel of e-mails.
const MailChannel = "email"

// Letter is the payload of a message of the channel.
type Letter struct {
	To      string `json:"to"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html,omitempty"`
	ReplyTo string `json:"reply_to,omitempty"`
	// Unsubscribe is the address at which the receiver stops such letters with one
	// click (RFC 8058); letters of marketing and surveys have it.
	Unsubscribe string `json:"unsubscribe,omitempty"`
}

// Mail sends letters by SMTP, or writes them into a folder.
type Mail struct {
	client *mail.Client
	folder string
	from   string
	domain string
}

// NewMail makes the sender from an address such as
//
//	smtp://user:password@host:587    STARTTLS, required
//	smtps://user:password@host:465   TLS from the first byte
//	smtp://host:25?tls=none          a relay in the bank's own network
//	folder:/var/omote/mail           .eml files, for trying out
//
// from is the sender as receivers see it: "Bank <no-reply@bank.example>".
func NewMail(address, from string) (*Mail, error) {
	bad := func(err error) error {
		return errs.Invalid("send.error.mail", "mail", "mail is smtp://, smtps:// or folder: and needs mail_from").Because(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, bad(errors.New("the address cannot be read")) // it may hold a password
	}
	probe := mail.NewMsg()
	if err := probe.From(from); err != nil {
		return nil, bad(err)
	}
	s := &Mail{from: from, domain: "omote.invalid"}
	if sender := probe.GetFrom(); len(sender) == 1 {
		if _, host, ok := cutLast(sender[0].Address, '@'); ok {
			s.domain = host
		}
	}
	switch u.Scheme {
	case "folder":
		s.folder = u.Opaque + u.Path
		if s.folder == "" {
			return nil, bad(nil)
		}
		return s, os.MkdirAll(s.folder, 0o700)
	case "smtp", "smtps":
		s.client, err = smtp(u)
		if err != nil {
			return nil, bad(err)
		}
		return s, nil
	}
	return nil, bad(nil)
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == sep {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

func smtp(u *url.URL) (*mail.Client, error) {
	o := []mail.Option{mail.WithTimeout(timeout), mail.WithTLSPortPolicy(mail.TLSMandatory)}
	switch {
	case u.Scheme == "smtps":
		o = append(o, mail.WithSSLPort(false))
	case u.Query().Get("tls") == "none":
		o = append(o, mail.WithTLSPolicy(mail.NoTLS))
	}
	if p := u.Port(); p != "" {
		n, err := strconv.Atoi(p)
		if err != nil {
			return nil, err
		}
		o = append(o, mail.WithPort(n))
	}
	if u.User != nil {
		password, _ := u.User.Password()
		o = append(o, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	return mail.NewClient(u.Hostname(), o...)
}

// KeyWindow implements outbox.Sender: SMTP recognises no repetition.
func (*Mail) KeyWindow() time.Duration { return 0 }

// Send implements outbox.Sender. The message's key makes the Message-ID, so that a
// repetition is at least seen as the same letter.
func (s *Mail) Send(ctx context.Context, m outbox.Message) (string, error) {
	var l Letter
	if err := json.Unmarshal(m.Payload, &l); err != nil {
		return "", outbox.Rejected(err)
	}
	msg, err := s.message(m, l)
	if err != nil {
		return "", outbox.Rejected(err)
	}
	if s.client == nil {
		name := filepath.Join(s.folder, m.ID+".eml")
		return name, msg.WriteToFile(name)
	}
	if err := s.client.DialAndSendWithContext(ctx, msg); err != nil && !msg.IsDelivered() {
		return "", refused(err)
	}
	return msg.GetMessageID(), nil
}

func (s *Mail) message(m outbox.Message, l Letter) (*mail.Msg, error) {
	msg := mail.NewMsg()
	if err := errors.Join(msg.From(s.from), msg.To(l.To)); err != nil {
		return nil, err
	}
	if l.ReplyTo != "" {
		if err := msg.ReplyTo(l.ReplyTo); err != nil {
			return nil, err
		}
	}
	msg.Subject(l.Subject)
	msg.SetDateWithValue(m.Created)
	sum := sha256.Sum256([]byte(m.Entity + "\x00" + m.CustomerID + "\x00" + m.Key))
	msg.SetMessageIDWithValue(fmt.Sprintf("%s@%s", hex.EncodeToString(sum[:16]), s.domain))
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	if l.Unsubscribe != "" {
		msg.SetGenHeader(mail.HeaderListUnsubscribe, "<"+l.Unsubscribe+">")
		msg.SetGenHeader(mail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
	}
	msg.SetBodyString(mail.TypeTextPlain, l.Text)
	if l.HTML != "" {
		msg.AddAlternativeString(mail.TypeTextHTML, l.HTML)
	}
	return msg, nil
}

// refused sorts an SMTP error: before the letter's content was handed over nothing
// is out; a refusal with a code is final when it begins with 5; a connection lost
// while the content was confirmed leaves it open.
func refused(err error) error {
	e, ok := errors.AsType[*mail.SendError](err)
	if !ok {
		return outbox.NotSent(err) // no connection, or no sign-in
	}
	switch {
	case e.ErrorCode() >= 500:
		return outbox.Rejected(err)
	case e.ErrorCode() >= 400:
		return outbox.NotSent(err)
	case e.Reason == mail.ErrSMTPDataClose || e.Reason == mail.ErrWriteContent:
		return err
	case e.Reason == mail.ErrGetSender || e.Reason == mail.ErrGetRcpts || e.Reason == mail.ErrNoUnencoded:
		return outbox.Rejected(err)
	}
	return outbox.NotSent(err)
}
