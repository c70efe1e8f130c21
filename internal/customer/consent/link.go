package consent

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/keyring"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// LinkLife is how long a link to the preference centre works.
const LinkLife = 180 * 24 * time.Hour

// linkMAC is how many bytes of the signature a link carries: 128 bits.
const linkMAC = 16

// subject is whom a link speaks for.
type subject struct {
	entity, customer string
	expires          time.Time
}

// Token signs a link to the preference centre of a customer. Whoever has the link
// may read and change what the customer allows, and nothing else; it names nobody.
func (s *Service) Token(ctx context.Context, entity, customerID string, expires time.Time) (string, error) {
	if strings.ContainsAny(entity+customerID, "|") || entity == "" || customerID == "" {
		return "", errs.Invalid("customer.consent.error.record", "customer", "a link needs a customer")
	}
	key, err := s.keys.Current(ctx, keyring.Session)
	if err != nil {
		return "", fmt.Errorf("sign a link: %w", err)
	}
	payload := entity + "|" + customerID + "|" + strconv.FormatInt(expires.Unix(), 36)
	mac, err := linkSignature(key, payload)
	if err != nil {
		return "", err
	}
	enc := base64.RawURLEncoding
	return enc.EncodeToString([]byte(key.ID)) + "." + enc.EncodeToString([]byte(payload)) + "." + enc.EncodeToString(mac), nil
}

func linkSignature(key keyring.Key, payload string) ([]byte, error) {
	secret, err := hkdf.Key(sha256.New, key.Secret[:], nil, "omote/customer/preferences", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("sign a link: %w", err)
	}
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(payload))
	return h.Sum(nil)[:linkMAC], nil
}

// errLink is what a link that this installation did not sign gets; it does not
// say what is wrong with it.
func errLink() error {
	return errs.NotFound("customer.consent.error.link", "the link is not one of ours")
}

// open checks a token.
func (s *Service) open(ctx context.Context, token string) (who subject, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(token) > 1000 {
		return who, errLink()
	}
	var raw [3][]byte
	for i, p := range parts {
		if raw[i], err = base64.RawURLEncoding.Strict().DecodeString(p); err != nil {
			return who, errLink()
		}
	}
	key, err := s.keys.Lookup(ctx, keyring.Session, string(raw[0]))
	if errors.Is(err, keyring.ErrUnknownKey) {
		return who, errLink()
	}
	if err != nil {
		return who, fmt.Errorf("check a link: %w", err)
	}
	mac, err := linkSignature(key, string(raw[1]))
	if err != nil {
		return who, err
	}
	if !hmac.Equal(mac, raw[2]) {
		return who, errLink()
	}
	fields := strings.Split(string(raw[1]), "|")
	if len(fields) != 3 {
		return who, errLink()
	}
	until, err := strconv.ParseInt(fields[2], 36, 64)
	if err != nil {
		return who, errLink()
	}
	who = subject{fields[0], fields[1], time.Unix(until, 0).UTC()}
	if !s.db.Now().Time().Before(who.expires) {
		return who, errs.Denied("customer.consent.error.expired", "the link has expired")
	}
	return who, nil
}

// centre is the scope of the preference centre: the person's own doing.
func (w subject) centre(ctx context.Context) context.Context {
	return scope.With(ctx, scope.Scope{Entity: w.entity, Unit: scope.Root, Actor: "customer:" + w.customer, System: true})
}

// Link makes a link for staff to hand to the customer they serve; it stands in
// the audit trail.
func (s *Service) Link(ctx context.Context, customerID string) (token string, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return "", err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if token, err = s.Token(ctx, tx.Scope.Entity, customerID, tx.Now().Time().Add(LinkLife)); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.consent.link", Object: "customer/" + customerID})
	})
	return token, err
}

// Mine reads where the holder of a link stands.
func (s *Service) Mine(ctx context.Context, token string) (out Standing, err error) {
	who, err := s.open(ctx, token)
	if err != nil {
		return out, err
	}
	err = s.db.Read(who.centre(ctx), func(ctx context.Context, tx store.Tx) error {
		out, err = s.standing(ctx, tx, who.customer)
		return err
	})
	return out, err
}

// Choice is what the person wishes for a purpose and channel.
type Choice struct {
	Purpose, Channel string
	Granted          bool
	TextVersion      int
}

// Choose keeps the wishes of a link's holder, for all their records. Wishes that
// change nothing are not written again.
func (s *Service) Choose(ctx context.Context, token, locale string, choices []Choice) error {
	who, err := s.open(ctx, token)
	if err != nil {
		return err
	}
	return s.db.Write(who.centre(ctx), func(ctx context.Context, tx store.Tx) error {
		now, err := s.standing(ctx, tx, who.customer)
		if err != nil {
			return err
		}
		var said []Said
		for _, c := range choices {
			if now.allows(c.Purpose, c.Channel) == c.Granted {
				continue
			}
			said = append(said, Said{CustomerID: who.customer, Purpose: c.Purpose, Channel: c.Channel, Granted: c.Granted, Whole: true,
				Source: FromCentre, TextVersion: c.TextVersion, Locale: locale, Evidence: "preference centre"})
		}
		if len(said) == 0 {
			return nil
		}
		if err := s.RecordIn(ctx, tx, said...); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.consent.choose", Object: "customer/" + who.customer, After: said})
	})
}

// StopAll says no to everything that can be refused, in one row.
func (s *Service) StopAll(ctx context.Context, token, locale string) error {
	who, err := s.open(ctx, token)
	if err != nil {
		return err
	}
	return s.db.Write(who.centre(ctx), func(ctx context.Context, tx store.Tx) error {
		err := s.RecordIn(ctx, tx, Said{CustomerID: who.customer, Purpose: AllPurposes, Channel: AnyChannel, Whole: true, Source: FromCentre,
			Locale: locale, Evidence: "preference centre: stop all"})
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.consent.stop", Object: "customer/" + who.customer})
	})
}

// allows tells what stands for a purpose and channel.
func (s Standing) allows(purpose, channel string) bool {
	for _, p := range s.Purposes {
		for _, d := range p.Decisions {
			if d.Purpose == purpose && d.Channel == channel {
				return d.Allowed
			}
		}
	}
	return false
}
