package send

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"omote/internal/platform/errs"
	"omote/internal/platform/outbox"
)

// TestReports reads signed delivery reports and refuses forged, old and odd ones.
func TestReports(t *testing.T) {
	t.Parallel()
	secretText := NewSecret()
	all, err := ParseGateways([]byte(`sms: {url: "https://sms.example.com", body: '{"to": {{json .To}}}', reports: {secret: "${REPORTS}", id: message.id, status: message.status, delivered: [DELIVRD], failed: [UNDELIV]}}`),
		func(string) string { return secretText }, false)
	if err != nil {
		t.Fatal(err)
	}
	g, now := all["sms"], time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)
	key, err := secret(secretText)
	if err != nil {
		t.Fatal(err)
	}
	signed := func(at time.Time, body string) http.Header {
		h := http.Header{}
		h.Set("webhook-id", "w1")
		h.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
		h.Set("webhook-signature", Sign(key, "w1", at, []byte(body)))
		return h
	}
	body := `[{"message": {"id": "a", "status": "DELIVRD"}}, {"message": {"id": "b", "status": "UNDELIV"}}, {"message": {"id": "c", "status": "QUEUED"}}, {"x": 1}]`
	got, err := g.Reports(signed(now, body), []byte(body), now)
	if err != nil || len(got) != 2 || got[0] != (Reported{"a", outbox.Delivered}) || got[1] != (Reported{"b", outbox.DeliveryFailed}) {
		t.Errorf("%+v, %v", got, err)
	}
	for what, try := range map[string]func() error{
		"a changed body": func() error { _, err := g.Reports(signed(now, body), []byte(body+" "), now); return err },
		"an old one":     func() error { _, err := g.Reports(signed(now, body), []byte(body), now.Add(time.Hour)); return err },
		"no signature":   func() error { _, err := g.Reports(http.Header{}, []byte(body), now); return err },
	} {
		if errs.KindOf(try()) != errs.KindUnauthenticated {
			t.Errorf("%s: %v", what, try())
		}
	}
	if _, err := g.Reports(signed(now, "no"), []byte("no"), now); errs.KindOf(err) != errs.KindInvalid {
		t.Errorf("no JSON: %v", err)
	}
}
