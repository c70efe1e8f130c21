package send

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/template"
	"time"

	"gopkg.in/yaml.v3"

	"omote/internal/platform/errs"
	"omote/internal/platform/outbox"
)

// Short is the payload of a message to a person on a channel of short texts.
type Short struct {
	To    string `json:"to"`              // telephone number, Zalo user id, device token
	Title string `json:"title,omitempty"` // where the channel shows one
	Text  string `json:"text"`
	Link  string `json:"link,omitempty"`
	// Template and Values are for gateways that send approved templates only, as
	// Zalo's notification service does.
	Template string            `json:"template,omitempty"`
	Values   map[string]string `json:"values,omitempty"`
}

// GatewayConfig describes one HTTP gateway, as it stands in the channels' file:
//
//	sms:
//	  url: https://sms.example.com/v1/messages
//	  headers: {Authorization: "Bearer ${SMS_TOKEN}"}
//	  body: '{"to": {{json .To}}, "text": {{json .Text}}, "reference": {{json .Key}}}'
//	  key_header: Idempotency-Key
//	  key_window: 24h
//	  receipt: data.id
//
// ${NAME} in a header is replaced by the environment's variable, so that no
// secret stands in the file.
type GatewayConfig struct {
	URL     string            `yaml:"url"`
	Headers map[string]string `yaml:"headers"`
	Body    string            `yaml:"body"`
	// KeyHeader carries the message's key. KeyWindow is how long the gateway
	// recognises it; zero means that it does not, and an unclear answer is then not
	// repeated.
	KeyHeader string        `yaml:"key_header"`
	KeyWindow time.Duration `yaml:"key_window"`
	// Receipt is the dotted path of the gateway's own id in its JSON answer.
	Receipt string `yaml:"receipt"`
	// Ok is the dotted path of a member that must be there, and OkValue its text,
	// for gateways that answer 200 to everything.
	Ok      string `yaml:"ok"`
	OkValue string `yaml:"ok_value"`
	// Reports is how the gateway tells later what became of a message.
	Reports ReportConfig `yaml:"reports"`
}

// ReportConfig describes the delivery reports that a gateway posts, signed by the
// Standard Webhooks:
//
//	reports:
//	  secret: ${SMS_REPORT_SECRET}
//	  id: message.id
//	  status: message.status
//	  delivered: [DELIVRD]
//	  read: [READ]
//	  failed: [UNDELIV, EXPIRED, REJECTD]
type ReportConfig struct {
	Secret    string   `yaml:"secret"`
	ID        string   `yaml:"id"`     // dotted path of the gateway's id, or of the message's key
	Status    string   `yaml:"status"` // dotted path
	Delivered []string `yaml:"delivered"`
	Read      []string `yaml:"read"`
	Failed    []string `yaml:"failed"`
}

// Reported is one delivery report.
type Reported struct {
	ID       string
	Delivery outbox.Delivery
}

// maxReports bounds how many reports one request may bring.
const maxReports = 1000

// Reports reads the delivery reports of a request after it has verified its signature.
// States on the way, such as "queued", are left out.
func (g *Gateway) Reports(header http.Header, body []byte, now time.Time) (out []Reported, err error) {
	c := g.config.Reports
	if c.Secret == "" || c.ID == "" || c.Status == "" {
		return nil, errs.NotFound("send.error.reports", "the channel takes no reports")
	}
	if err := Verify(c.Secret, header, body, now); err != nil {
		return nil, err
	}
	var answer any
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, errs.Invalid("send.error.report", "body", "the report is no JSON").Because(err)
	}
	list, many := answer.([]any)
	if !many {
		list = []any{answer}
	}
	if len(list) > maxReports {
		return nil, errs.TooLarge("send.error.report", "at most %d reports at a time", maxReports)
	}
	for _, one := range list {
		r, status := Reported{ID: at(one, c.ID)}, at(one, c.Status)
		switch {
		case slices.Contains(c.Delivered, status):
			r.Delivery = outbox.Delivered
		case slices.Contains(c.Read, status):
			r.Delivery = outbox.DeliveryRead
		case slices.Contains(c.Failed, status):
			r.Delivery = outbox.DeliveryFailed
		}
		if r.ID != "" && r.Delivery != "" {
			out = append(out, r)
		}
	}
	return out, nil
}

// Gateway sends short texts through an HTTP service.
type Gateway struct {
	config  GatewayConfig
	body    *template.Template
	headers http.Header
	client  *http.Client
}

// ParseGateways reads the channels' file: a gateway for each channel's name. env
// gives the values of variables.
func ParseGateways(raw []byte, env func(string) string, local bool) (map[string]*Gateway, error) {
	var all map[string]GatewayConfig
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	if err := d.Decode(&all); err != nil && err != io.EOF {
		return nil, errs.Invalid("send.error.channels", "channels", "the channels' file cannot be read: %v", err).Because(err)
	}
	out := map[string]*Gateway{}
	for name, c := range all {
		g, err := newGateway(name, c, env, local)
		if err != nil {
			return nil, err
		}
		out[name] = g
	}
	return out, nil
}

func newGateway(name string, c GatewayConfig, env func(string) string, local bool) (*Gateway, error) {
	bad := func(what string, err error) error {
		return errs.Invalid("send.error.channels", "channels", "channel %s: %s", name, what).Because(err)
	}
	if name == MailChannel || name == WebhookChannel {
		return nil, bad("the name is taken", nil)
	}
	if u, err := url.Parse(c.URL); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return nil, bad("url is no http or https address", err)
	}
	body, err := template.New(name).Funcs(template.FuncMap{"json": quoted}).Option("missingkey=error").Parse(c.Body)
	if err != nil {
		return nil, bad("body", err)
	}
	var made bytes.Buffer
	if err := body.Execute(&made, keyed{Key: "k"}); err != nil {
		return nil, bad("body", err)
	}
	headers := http.Header{}
	for k, v := range c.Headers {
		headers.Set(k, os.Expand(v, env))
	}
	if headers.Get("Content-Type") == "" {
		headers.Set("Content-Type", "application/json")
	}
	if strings.HasPrefix(headers.Get("Content-Type"), "application/json") && !json.Valid(made.Bytes()) {
		return nil, bad("body does not make JSON; write members as {{json .Text}}", nil)
	}
	c.Reports.Secret = os.Expand(c.Reports.Secret, env)
	return &Gateway{c, body, headers, client(local)}, nil
}

// keyed is what a body's template sees.
type keyed struct {
	Short
	Key string
}

func quoted(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// KeyWindow implements outbox.Sender.
func (g *Gateway) KeyWindow() time.Duration {
	if g.config.KeyHeader == "" && !strings.Contains(g.config.Body, ".Key") {
		return 0
	}
	return g.config.KeyWindow
}

// Send implements outbox.Sender.
func (g *Gateway) Send(ctx context.Context, m outbox.Message) (string, error) {
	k := keyed{Key: m.Key}
	if err := json.Unmarshal(m.Payload, &k.Short); err != nil {
		return "", outbox.Rejected(err)
	}
	var body bytes.Buffer
	if err := g.body.Execute(&body, k); err != nil {
		return "", outbox.Rejected(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, g.config.URL, &body)
	if err != nil {
		return "", outbox.Rejected(err)
	}
	r.Header = g.headers.Clone()
	if g.config.KeyHeader != "" {
		r.Header.Set(g.config.KeyHeader, m.Key)
	}
	res, err := g.client.Do(r)
	if err != nil {
		return "", reached(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return "", err
	}
	if err := answered(res.StatusCode); err != nil {
		return "", err
	}
	var answer any
	_ = json.Unmarshal(raw, &answer) // an answer that is no JSON has no receipt
	if g.config.Ok != "" {
		if got := at(answer, g.config.Ok); got != g.config.OkValue {
			return "", outbox.Rejected(fmt.Errorf("the gateway answered %s %q", g.config.Ok, got))
		}
	}
	return at(answer, g.config.Receipt), nil
}

// at gives the text of a member by its dotted path.
func at(v any, path string) string {
	if path == "" {
		return ""
	}
	for name := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[name]
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
