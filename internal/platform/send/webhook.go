package send

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/outbox"
)

// WebhookChannel is the outbox's channel of webhooks.
const WebhookChannel = "webhook"

// Webhook is the payload of a message of the channel.
type Webhook struct {
	URL string `json:"url"`
	// Secret signs; made by NewSecret.
	Secret string          `json:"secret"`
	Body   json.RawMessage `json:"body"`
}

// secretPrefix marks a secret of the standard.
const secretPrefix = "whsec_"

// NewSecret makes a secret of 32 random bytes.
func NewSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return secretPrefix + base64.StdEncoding.EncodeToString(b)
}

// Validate checks what a person entered.
func (w Webhook) Validate() error {
	u, err := url.Parse(w.URL)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil {
		return errs.Invalid("send.error.url", "url", "a webhook needs an http or https address without a password")
	}
	if _, err := secret(w.Secret); err != nil {
		return errs.Invalid("send.error.secret", "secret", "the secret is not one of the form whsec_…")
	}
	return nil
}

func secret(s string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, secretPrefix))
	if err != nil || len(key) < 16 {
		return nil, fmt.Errorf("a webhook's secret of %d characters cannot be used", len(s))
	}
	return key, nil
}

// Sign gives the signature of the standard: HMAC-SHA256 over id, time and body.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func Sign(key []byte, id string, at time.Time, body []byte) string {
	h := hmac.New(sha256.New, key)
	fmt.Fprintf(h, "%s.%d.", id, at.Unix())
	h.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// tolerance is how old or new a received webhook's time may be.
const tolerance = 5 * time.Minute

// Verify checks a received webhook's headers against its body. It refuses one that
// is older or newer than five minutes; the caller remembers ids to refuse replays
// within that time.
func Verify(key string, header http.Header, body []byte, now time.Time) error {
	k, err := secret(key)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(header.Get("webhook-timestamp"), 10, 64)
	if err != nil {
		return errs.Unauthenticated("send.error.signature", "the webhook has no time")
	}
	at := time.Unix(seconds, 0)
	if d := now.Sub(at); d > tolerance || d < -tolerance {
		return errs.Unauthenticated("send.error.signature", "the webhook's time is more than five minutes away")
	}
	want := Sign(k, header.Get("webhook-id"), at, body)
	for one := range strings.FieldsSeq(header.Get("webhook-signature")) {
		if hmac.Equal([]byte(one), []byte(want)) {
			return nil
		}
	}
	return errs.Unauthenticated("send.error.signature", "the webhook's signature is not right")
}

// Webhooks sends webhooks. The message's key is the webhook's id, by which a
// receiver recognises a repetition.
type Webhooks struct {
	client *http.Client
	clock  clock.Clock
}

// NewWebhooks makes the sender. local lets it reach this machine.
func NewWebhooks(c clock.Clock, local bool) *Webhooks { return &Webhooks{client(local), c} }

// KeyWindow implements outbox.Sender: receivers keep ids as long as retries last.
func (*Webhooks) KeyWindow() time.Duration { return 24 * time.Hour }

// Send implements outbox.Sender.
func (s *Webhooks) Send(ctx context.Context, m outbox.Message) (string, error) {
	var w Webhook
	if err := json.Unmarshal(m.Payload, &w); err != nil {
		return "", outbox.Rejected(err)
	}
	key, err := secret(w.Secret)
	if err != nil {
		return "", outbox.Rejected(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(w.Body))
	if err != nil {
		return "", outbox.Rejected(err)
	}
	now := s.clock.Now()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("webhook-id", m.Key)
	r.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	r.Header.Set("webhook-signature", Sign(key, m.Key, now, w.Body))
	res, err := s.client.Do(r)
	if err != nil {
		return "", reached(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer))
	return strconv.Itoa(res.StatusCode), answered(res.StatusCode)
}
