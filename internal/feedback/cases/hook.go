package cases

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/outbox"
	"omote/internal/platform/send"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// HookEvents are what subscribers can be told of.
var HookEvents = []string{"case.opened", "case.clock.breached", "case.escalated", "case.closed", "case.solved", "case.reopened"}

// MaxHooks bounds the subscribers of an entity.
const MaxHooks = 20

// Hook is a subscriber: an address that is called when something happens in a case,
// signed by the Standard Webhooks. What it is told names neither customers nor words.
type Hook struct {
	bun.BaseModel `bun:"table:cases_hook"`

	Entity  string `bun:",pk"`
	ID      string `bun:",pk"`
	URL     sealed.Text
	Secret  sealed.Text
	Events  []string // of HookEvents; empty for all
	At      store.Micros
	ByActor string
}

// AddHook adds a subscriber and gives the secret that its calls are signed with, once.
func (s *Service) AddHook(ctx context.Context, url string, events []string) (h Hook, err error) {
	if err := auth.Require(ctx, PermSetup, ""); err != nil {
		return h, err
	}
	for _, e := range events {
		if !slices.Contains(HookEvents, e) {
			return h, errs.Invalid("feedback.case.error.hook_event", "events", "there is no event %q", e)
		}
	}
	secret := send.NewSecret()
	if err := (send.Webhook{URL: url, Secret: secret}).Validate(); err != nil {
		return h, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		present, err := hooksOf(ctx, tx)
		if err != nil {
			return err
		}
		if len(present) >= MaxHooks {
			return errs.TooLarge("feedback.case.error.hook_count", "there are at most %d subscribers", MaxHooks).With("max", MaxHooks)
		}
		h = Hook{Entity: tx.Scope.Entity, ID: newID(), URL: sealed.New(url), Secret: sealed.New(secret), Events: events, At: tx.Now(), ByActor: tx.Scope.Actor}
		if h.Events == nil {
			h.Events = []string{}
		}
		if err := s.box.Seal(ctx, tx, &h); err != nil {
			return err
		}
		if err := insertHook(ctx, tx, &h); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.case.hook_add", Object: "hook/" + h.ID})
	})
	return h, err
}

// Hooks lists the subscribers, without their secrets.
func (s *Service) Hooks(ctx context.Context) (out []Hook, err error) {
	if err := auth.Require(ctx, PermSetup, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if out, err = hooksOf(ctx, tx); err != nil {
			return err
		}
		return s.box.Open(ctx, tx, &out)
	})
	for i := range out {
		out[i].Secret = sealed.Text{}
	}
	return out, err
}

// RemoveHook ends a subscription.
func (s *Service) RemoveHook(ctx context.Context, id string) error {
	if err := auth.Require(ctx, PermSetup, ""); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := deleteHook(ctx, tx, id); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.case.hook_remove", Object: "hook/" + id})
	})
}

// announce tells subscribers what happened in a case.
func (s *Service) announce(ctx context.Context, tx store.Tx, event string, c *Case, more map[string]any) error {
	content, err := s.content(ctx, tx)
	if err != nil {
		return err
	}
	data := map[string]any{"id": c.ID, "ref": c.Ref(), "kind": c.Kind, "state": c.State, "severity": c.Severity, "unit": c.Unit, "product": c.Product, "journey": c.Journey}
	for k, v := range more {
		data[k] = v
	}
	return s.call(ctx, tx, content, event, fmt.Sprintf("%s/%d", c.ID, c.Version), data)
}

// call puts one message a subscriber into the outbox, in the transaction of what
// happened.
func (s *Service) call(ctx context.Context, tx store.Tx, content *Content, event, key string, data map[string]any) error {
	if s.Outbox == nil {
		return nil
	}
	for _, h := range content.hooks {
		if len(h.Events) > 0 && !slices.Contains(h.Events, event) {
			continue
		}
		body, err := json.Marshal(map[string]any{"type": event, "timestamp": tx.Now().Time().Format(time.RFC3339Nano), "data": data})
		if err != nil {
			return err
		}
		payload, err := json.Marshal(send.Webhook{URL: h.URL.Plain, Secret: h.Secret.Plain, Body: body})
		if err != nil {
			return err
		}
		if _, err := s.Outbox.Enqueue(ctx, tx, outbox.Message{Channel: send.WebhookChannel, Purpose: "service", Key: event + "/" + key + "/" + h.ID, Payload: payload}); err != nil {
			return err
		}
	}
	return nil
}
