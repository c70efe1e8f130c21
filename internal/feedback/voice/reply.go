package voice

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"omote/internal/platform/errs"
	"omote/internal/platform/link"
	"omote/internal/platform/outbox"
	"omote/internal/platform/scope"
	"omote/internal/platform/send"
	"omote/internal/platform/store"

	"github.com/google/uuid"
)

// linkPurpose marks the links at which customers answer a reply.
const linkPurpose = "voice"

// replyKind is the kind of contact that a reply is: the customer spoke first, so it is
// service, which the contact policy caps least; who has died or asked to be left alone
// is still left alone.
const replyKind = "service"

// Reply writes to the customer who said it, where the contact policy lets it. done says
// that it tells what was changed, and ends the item.
func (s *Service) Reply(ctx context.Context, id, text string, done bool) error {
	return s.change(ctx, id, "reply", func(ctx context.Context, tx store.Tx, i *Item) error {
		if err := someWords(text); err != nil {
			return err
		}
		if i.CustomerID == "" {
			return errs.Conflict("feedback.voice.error.unknown", "nobody knows who said it")
		}
		lines, err := entries(ctx, tx, i)
		if err != nil {
			return err
		}
		if len(lines) >= MaxEntries {
			return errs.Conflict("feedback.voice.error.full", "the conversation has %d lines", MaxEntries).With("max", MaxEntries)
		}
		to, err := s.Customers.Reach(ctx, tx, i.CustomerID)
		if err != nil {
			return err
		}
		channel, address := s.route(to, i.Channel)
		if address == "" {
			return errs.Conflict("feedback.voice.error.address", "no address of the customer is known")
		}
		key := "voice/" + i.ID + "/" + uuid.NewString()
		d, err := s.Customers.May(ctx, tx, i.CustomerID, replyKind, channel, key)
		if err != nil {
			return err
		}
		if !d.Allowed {
			return errs.Conflict("feedback.voice.error.not_now", "the contact policy says no: %s", d.Reason).With("reason", d.Reason)
		}
		subject := "Về ý kiến của Quý khách"
		if strings.HasPrefix(to.Locale, "en") {
			subject = "About what you told us"
		}
		if err := s.post(ctx, tx, post{i.CustomerID, i.ID, to, channel, address, key, subject, strings.TrimSpace(text)}); err != nil {
			return err
		}
		i.State = Answered
		if done {
			i.State = Done
		}
		return s.line(ctx, tx, i, EntryReply, text)
	})
}

// route picks how to write to a customer: the way they came by where it can carry an
// answer, else by e-mail, Zalo or SMS, whichever is set up here and known of them.
func (s *Service) route(to Reach, came string) (channel, address string) {
	prefer := map[string]string{"zalo": "zalo", "sms": "sms", "phone": "sms", "call": "sms", "contact_centre": "sms", "email": send.MailChannel}[came]
	for _, c := range []string{prefer, send.MailChannel, "zalo", "sms"} {
		if a := to.on(c); a != "" && (c == send.MailChannel || slices.Contains(s.Channels, c)) {
			return c, a
		}
	}
	return "", ""
}

// post is one message to one customer.
type post struct {
	customer, voice  string
	to               Reach
	channel, address string
	key              string
	subject, text    string
}

// post hands a message to the outbox, with a link at which the customer answers.
func (s *Service) post(ctx context.Context, tx store.Tx, p post) error {
	i, err := itemByID(ctx, tx, p.voice)
	if err != nil && errs.KindOf(err) != errs.KindNotFound {
		return err
	}
	address := ""
	if err == nil {
		// The link names the record under which the words were kept.
		token, err := link.Sign(ctx, s.Keys, linkPurpose, tx.Now().Time().Add(replyLife), tx.Scope.Entity, i.CustomerID, i.ID)
		if err != nil {
			return err
		}
		address = strings.TrimSuffix(s.BaseURL, "/") + "/feedback/reply/" + token
	}
	var message any
	if p.channel == send.MailChannel {
		message = letter(p, address, s.Bank)
	} else {
		message = send.Short{To: p.address, Title: s.Bank, Text: strings.TrimSpace(p.text + " " + address), Link: address}
	}
	payload, err := json.Marshal(message)
	if err != nil {
		return err
	}
	_, err = s.Outbox.Enqueue(ctx, tx, outbox.Message{CustomerID: p.customer, Channel: p.channel, Purpose: replyKind, Key: p.key, Payload: payload})
	return err
}

// letter writes the e-mail around a message.
func letter(p post, address, bank string) send.Letter {
	hello, answer := "Kính gửi Quý khách,", "Để trả lời: "
	if strings.HasPrefix(p.to.Locale, "en") {
		hello, answer = "Dear customer,", "To answer: "
	}
	text := hello + "\n\n" + p.text + "\n\n"
	if address != "" {
		text += answer + address + "\n\n"
	}
	return send.Letter{To: p.address, Subject: p.subject, Text: text + bank + "\n"}
}

// Asked is what the page behind a reply's link shows: the bank's words, nothing else.
type Asked struct {
	Locale string
	Reply  string
	Bank   string
}

// open finds the item of a link.
func (s *Service) open(ctx context.Context, tx store.Tx, parts []string) (i Item, err error) {
	if len(parts) != 3 {
		return i, errs.NotFound("feedback.voice.error.link", "this link is not valid or has expired")
	}
	if i, err = itemByID(ctx, tx, parts[2]); err != nil || i.CustomerID != parts[1] {
		return Item{}, errs.NotFound("feedback.voice.error.link", "this link is not valid or has expired")
	}
	return i, nil
}

func public(ctx context.Context, entity string) context.Context {
	return scope.With(ctx, scope.Process(entity, "customer_link"))
}

// Asked reads what the bank wrote last. It changes nothing: programs open links too.
func (s *Service) Asked(ctx context.Context, token string) (a Asked, err error) {
	parts, err := link.Open(ctx, s.Keys, linkPurpose, s.DB.Now().Time(), token)
	if err != nil {
		return a, err
	}
	err = s.DB.Read(public(ctx, parts[0]), func(ctx context.Context, tx store.Tx) error {
		i, err := s.open(ctx, tx, parts)
		if err != nil {
			return err
		}
		lines, err := entries(ctx, tx, &i)
		if err != nil {
			return err
		}
		if err := s.Box.Open(ctx, tx, &lines); err != nil {
			return err
		}
		a = Asked{Locale: i.Locale, Bank: s.Bank}
		for _, l := range lines {
			if l.Kind == EntryReply || l.Kind == EntryTold {
				a.Reply = l.Body.Plain
			}
		}
		return nil
	})
	return a, err
}

// Back takes the customer's answer to a reply and opens the item again. The same words
// posted twice are one line.
func (s *Service) Back(ctx context.Context, token, text string) error {
	parts, err := link.Open(ctx, s.Keys, linkPurpose, s.DB.Now().Time(), token)
	if err != nil {
		return err
	}
	if err := someWords(text); err != nil {
		return err
	}
	return s.DB.Write(public(ctx, parts[0]), func(ctx context.Context, tx store.Tx) error {
		i, err := s.open(ctx, tx, parts)
		if err != nil {
			return err
		}
		lines, err := entries(ctx, tx, &i)
		if err != nil {
			return err
		}
		if err := s.Box.Open(ctx, tx, &lines); err != nil {
			return err
		}
		if len(lines) >= MaxEntries {
			return errs.Conflict("feedback.voice.error.full", "the conversation has %d lines", MaxEntries).With("max", MaxEntries)
		}
		for k := len(lines) - 1; k >= 0 && lines[k].Kind != EntryReply && lines[k].Kind != EntryTold; k-- {
			if lines[k].Kind == EntryAnswer && lines[k].Body.Plain == strings.TrimSpace(text) {
				return nil
			}
		}
		if i.State = New; i.Owner != "" {
			i.State = Taken
		}
		i.Touched = tx.Now()
		if err := updateItem(ctx, tx, &i); err != nil {
			return err
		}
		return s.line(ctx, tx, &i, EntryAnswer, text)
	})
}
