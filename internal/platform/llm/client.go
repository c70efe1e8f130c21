package llm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"omote/analytics/text/pii"
	"omote/internal/platform/clock"
)

// Message is one turn of a conversation.
type Message struct {
	Role    string `json:"role"` // "system", "user" or "assistant"
	Content string `json:"content"`
}

// Config names the model and its limits. The zero value is off.
type Config struct {
	BaseURL     string        // such as http://model.bank.internal:8000/v1; empty is off
	Model       string        // name that the server knows
	Key         string        // bearer token, if the server wants one
	Timeout     time.Duration // of one call; at most MaxTimeout
	DayRequests int           // requests a day
	DayTokens   int           // tokens a day, as the server counts them
	MaxTokens   int           // of one answer
	CacheSize   int           // answers kept in memory
}

// MaxTimeout bounds one call.
const MaxTimeout = 2 * time.Minute

// maxAnswer bounds the bytes read from the server.
const maxAnswer = 4 << 20

// Errors of Complete.
var (
	ErrOff    = errors.New("no language model is configured")
	ErrBudget = errors.New("the day's budget of the language model is used up")
)

// Validate reports the first setting out of range.
func (c Config) Validate() error {
	if c.BaseURL == "" {
		return nil
	}
	u, err := url.Parse(c.BaseURL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("llm: base URL %q must be http or https with a host", c.BaseURL)
	case c.Model == "":
		return errors.New("llm: a model must be named")
	case c.Timeout <= 0 || c.Timeout > MaxTimeout:
		return fmt.Errorf("llm: timeout %v must be above 0 and at most %v", c.Timeout, MaxTimeout)
	case c.DayRequests <= 0 || c.DayTokens <= 0 || c.MaxTokens <= 0 || c.CacheSize < 0:
		return errors.New("llm: requests and tokens a day and tokens of an answer must be above 0")
	}
	return nil
}

// Client talks to the model. It is safe for concurrent use.
type Client struct {
	config Config
	http   *http.Client
	clock  clock.Clock

	mu       sync.Mutex
	day      string
	requests int
	tokens   int
	cache    map[[32]byte]string
	order    [][32]byte // keys of the cache, oldest first
}

// New makes a client; with an empty base URL it is off.
func New(c Config, now clock.Clock) (*Client, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Client{config: c, http: &http.Client{Timeout: c.Timeout}, clock: now, cache: make(map[[32]byte]string)}, nil
}

// On tells whether a model is configured.
func (c *Client) On() bool { return c.config.BaseURL != "" }

type request struct {
	Model       string    `json:"model"`
	Messages    []Message `json:"messages"`
	MaxTokens   int       `json:"max_tokens"`
	Temperature float64   `json:"temperature"`
}

type response struct {
	Choices []struct {
		Message Message `json:"message"`
	} `json:"choices"`
	Usage struct {
		Total int `json:"total_tokens"`
	} `json:"usage"`
}

// Complete asks the model, with personal data masked, and returns its answer.
func (c *Client) Complete(ctx context.Context, messages []Message) (string, error) {
	if !c.On() {
		return "", ErrOff
	}
	body, err := json.Marshal(request{Model: c.config.Model, Messages: maskAll(messages), MaxTokens: c.config.MaxTokens})
	if err != nil {
		return "", fmt.Errorf("llm: %w", err)
	}
	key := sha256.Sum256(body)
	answer, known, err := c.reserve(key)
	if err != nil || known {
		return answer, err
	}
	answer, tokens, err := c.call(ctx, body)
	c.settle(key, answer, tokens, err == nil)
	return answer, err
}

func maskAll(messages []Message) []Message {
	out := make([]Message, len(messages))
	for i, m := range messages {
		masked, _ := pii.Mask(m.Content)
		out[i] = Message{Role: m.Role, Content: masked}
	}
	return out
}

// reserve answers from the cache or takes one request and the tokens of a
// full answer from the day's budget.
func (c *Client) reserve(key [32]byte) (answer string, known bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if answer, known = c.cache[key]; known {
		return answer, true, nil
	}
	if day := c.clock.Now().UTC().Format(time.DateOnly); day != c.day {
		c.day, c.requests, c.tokens = day, 0, 0
	}
	if c.requests >= c.config.DayRequests || c.tokens+c.config.MaxTokens > c.config.DayTokens {
		return "", false, ErrBudget
	}
	c.requests++
	c.tokens += c.config.MaxTokens
	return "", false, nil
}

// settle replaces the reserved tokens by those used and keeps the answer.
func (c *Client) settle(key [32]byte, answer string, tokens int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ok && tokens > 0 {
		c.tokens += tokens - c.config.MaxTokens
	}
	if !ok || c.config.CacheSize == 0 {
		return
	}
	if _, known := c.cache[key]; known {
		return
	}
	if len(c.order) >= c.config.CacheSize {
		delete(c.cache, c.order[0])
		c.order = c.order[1:]
	}
	c.cache[key] = answer
	c.order = append(c.order, key)
}

func (c *Client) call(ctx context.Context, body []byte) (answer string, tokens int, err error) {
	target, err := url.JoinPath(c.config.BaseURL, "chat/completions")
	if err != nil {
		return "", 0, fmt.Errorf("llm: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return "", 0, fmt.Errorf("llm: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.config.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.config.Key)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return "", 0, fmt.Errorf("llm: asking the model: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", 0, fmt.Errorf("llm: the model's server answered %s", res.Status)
	}
	var r response
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&r); err != nil {
		return "", 0, fmt.Errorf("llm: reading the answer: %w", err)
	}
	if len(r.Choices) == 0 {
		return "", 0, errors.New("llm: the answer is empty")
	}
	return r.Choices[0].Message.Content, r.Usage.Total, nil
}
