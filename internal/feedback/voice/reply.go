package voice

import (
	"context"
	"encoding/json"
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
		if to.Email == "" {
			return errs.Conflict("feedback.voice.error.address", "no address of the customer is known")
		}
		key := "voice/" + i.ID + "/" + uuid.NewString()
		ok, reason, err := s.Customers.May(ctx, tx, i.CustomerID, replyKind, send.MailChannel, key)
		if err != nil {
			return err
		}
		if !ok {
			return errs.Conflict("feedback.voice.error.not_now", "the contact policy says no: %s", reason).With("reason", reason)
		}
		token, err := link.Sign(ctx, s.Keys, linkPurpose, tx.Now().Time().Add(replyLife), tx.Scope.Entity, i.CustomerID, i.ID)
		if err != nil {
			return err
		}
		letter := s.letter(to, strings.TrimSpace(text), strings.TrimSuffix(s.BaseURL, "/")+"/feedback/reply/"+token)
		payload, err := json.Marshal(letter)
		if err != nil {
			return err
		}
		if _, err := s.Outbox.Enqueue(ctx, tx, outbox.Message{CustomerID: i.CustomerID, Channel: send.MailChannel, Purpose: replyKind, Key: key, Payload: payload}); err != nil {
			return err
		}
		i.State = Answered
		if done {
			i.State = Done
		}
		return s.line(ctx, tx, i, EntryReply, text)
	})
}

// letter writes the e-mail around a reply.
func (s *Service) letter(to Reach, text, address string) send.Letter {
	if strings.HasPrefix(to.Locale, "en") {
		return send.Letter{To: to.Email, Subject: "About what you told us", Text: "Dear customer,\n\n" + text + "\n\nTo answer: " + address + "\n\n" + s.Bank + "\n"}
	}
	return send.Letter{To: to.Email, Subject: "Về ý kiến của Quý khách", Text: "Kính gửi Quý khách,\n\n" + text + "\n\nĐể trả lời: " + address + "\n\n" + s.Bank + "\n"}
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
			if l.Kind == EntryReply {
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
		for k := len(lines) - 1; k >= 0 && lines[k].Kind != EntryReply; k-- {
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
