package activation

import (
	"encoding/json"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"omote/analytics/rule"
	"omote/internal/customer/consent"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Permissions of activations.
const (
	PermRead auth.Permission = "customer.activation.read"
	PermEdit auth.Permission = "customer.activation.edit"
)

// Target is how the other system is written to.
type Target string

// The targets.
const (
	Webhook  Target = "webhook"  // Standard Webhooks
	Postgres Target = "postgres" // an upsert into a table
)

// Targets lists the targets.
var Targets = []Target{Webhook, Postgres}

// Limits of an activation.
const (
	MaxName      = 120 // characters
	MaxFields    = 30
	MinEvery     = time.Minute
	MaxEvery     = 7 * 24 * time.Hour
	MaxPerMinute = 6_000
	// MaxAttempts is how often a row that the system refuses is tried before it
	// waits for a change.
	MaxAttempts = 5
)

// Field is an attribute that is written.
type Field struct {
	Attribute string `json:"attribute"` // its name in the tracking plan
	Column    string `json:"column"`    // what the other system calls it
	// Fill writes only where the other system has nothing yet; otherwise the
	// other system's value is replaced.
	Fill bool `json:"fill,omitempty"`
}

// Table is where an upsert goes.
type Table struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Name     string `json:"name"` // of the database
	User     string `json:"user"`
	Insecure bool   `json:"insecure,omitempty"` // without TLS; for a database on this machine
	Table    string `json:"table"`              // with its schema where it has one
	Key      string `json:"key"`                // unique column that holds the system's own id
}

// Config is what an activation does. It holds no secret.
type Config struct {
	Name string `json:"name"`
	// System is the source system whose records are written back, by its own ids.
	System string `json:"system"`
	// Segment and Member: whether the customer belongs goes into the column Member.
	Segment string  `json:"segment"`
	Member  string  `json:"member"`
	Fields  []Field `json:"fields,omitempty"`
	// Purpose and Channel are what consent is asked for, at the moment of use.
	Purpose string `json:"purpose"`
	Channel string `json:"channel"`
	Target  Target `json:"target"`
	URL     string `json:"url,omitempty"`   // of a webhook
	Table   *Table `json:"table,omitempty"` // of an upsert
	// Every is the time between rounds, PerMinute the most rows sent in a minute.
	Every     time.Duration `json:"every"`
	PerMinute int           `json:"per_minute"`
}

var (
	columnForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)
	tableForm  = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,62}$`)
	systemForm = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)
)

// Validate checks what can be told without the plan and the segments.
func (c *Config) Validate() error {
	switch n := len([]rune(strings.TrimSpace(c.Name))); {
	case n == 0 || n > MaxName:
		return errs.Invalid("activation.error.name", "name", "an activation needs a name of at most %d characters", MaxName).With("max", MaxName)
	case !systemForm.MatchString(c.System):
		return errs.Invalid("activation.error.system", "system", "name the system with lower-case letters, digits, '_' and '-'")
	case !rule.ValidID(c.Segment):
		return errs.Invalid("activation.error.segment", "segment", "name a segment")
	case !columnForm.MatchString(c.Member):
		return errs.Invalid("activation.error.column", "member", "%q is no column name", c.Member)
	case len(c.Fields) > MaxFields:
		return errs.TooLarge("activation.error.fields", "at most %d attributes are written", MaxFields).With("max", MaxFields)
	case c.Purpose == "" || c.Purpose == consent.AllPurposes:
		return errs.Invalid("activation.error.purpose", "purpose", "say for which purpose the other system uses it")
	case !slices.Contains(consent.Channels, c.Channel):
		return errs.Invalid("activation.error.channel", "channel", "the channel is one of %s", strings.Join(consent.Channels, ", "))
	case c.Every < MinEvery || c.Every > MaxEvery:
		return errs.Invalid("activation.error.every", "every", "a round starts every minute to every 7 days")
	case c.PerMinute < 1 || c.PerMinute > MaxPerMinute:
		return errs.Invalid("activation.error.per_minute", "per_minute", "1 to %d rows a minute are sent", MaxPerMinute).With("max", MaxPerMinute)
	}
	columns := map[string]bool{strings.ToLower(c.Member): true}
	for _, f := range c.Fields {
		name := strings.ToLower(f.Column)
		if f.Attribute == "" || !columnForm.MatchString(f.Column) || columns[name] {
			return errs.Invalid("activation.error.column", "fields", "%q is no column name, or is named twice", f.Column)
		}
		columns[name] = true
	}
	switch {
	case c.Target == Webhook && c.Table == nil && c.URL != "":
		return nil // the outbox's channel checks the address
	case c.Target == Postgres && c.Table != nil && c.URL == "":
		if columns[strings.ToLower(c.Table.Key)] {
			return errs.Invalid("activation.error.column", "key", "the key column cannot be written too")
		}
		return c.Table.validate()
	}
	return errs.Invalid("activation.error.target", "target", "a target is a webhook with an address or a database with a table")
}

func (t *Table) validate() error {
	switch {
	case t.Host == "" || strings.ContainsAny(t.Host, " /@?#") || t.Port < 1 || t.Port > 65535 || t.Name == "" || t.User == "":
		return errs.Invalid("activation.error.address", "host", "name host, port, database and user")
	case !tableForm.MatchString(t.Table):
		return errs.Invalid("activation.error.table", "table", "%q is no table name", t.Table)
	case !columnForm.MatchString(t.Key):
		return errs.Invalid("activation.error.column", "key", "%q is no column name", t.Key)
	}
	return nil
}

// Place is where an activation writes, without any secret: for people and logs.
func (c *Config) Place() string {
	if t := c.Table; t != nil {
		return fmt.Sprintf("postgres://%s/%s · %s", net.JoinHostPort(t.Host, strconv.Itoa(t.Port)), t.Name, t.Table)
	}
	return c.URL
}

// State is how an activation does.
type State string

// The states.
const (
	Waiting State = "waiting" // never went round
	Good    State = "good"
	Failing State = "failing" // its last round ended with an error
	Paused  State = "paused"
)

// Activation is an activation as it stands.
type Activation struct {
	bun.BaseModel `bun:"table:customer_activation,alias:a"`
	Entity        string          `bun:",pk"`
	ID            string          `bun:",pk"`
	ConfigJSON    json.RawMessage `bun:"config"`
	Secret        sealed.Text     // signs webhooks, or is the database's password
	Paused        bool
	Scan          string // the last record of the round that was looked at; "" between rounds
	Due           store.Micros
	Lease         store.Micros
	Next          store.Micros // the pace: not before this the next row is sent
	LastRun       store.Micros `bun:",nullzero"`
	LastGood      store.Micros `bun:",nullzero"` // the end of the last whole round
	Error         string
	CreatedAt     store.Micros
	CreatedBy     string

	Config Config `bun:"-"`
}

func (a *Activation) decode() error {
	if err := json.Unmarshal(a.ConfigJSON, &a.Config); err != nil {
		return fmt.Errorf("decode activation %s: %w", a.ID, err)
	}
	return nil
}

// State tells how the activation does.
func (a *Activation) State() State {
	switch {
	case a.Paused:
		return Paused
	case a.Error != "":
		return Failing
	case a.LastGood == 0:
		return Waiting
	}
	return Good
}

// RowState is what became of a row's last message.
type RowState string

// The states of a row.
const (
	Queued    RowState = "queued"
	Delivered RowState = "delivered"
	Refused   RowState = "refused"   // by the other system; tried again MaxAttempts times
	Withheld  RowState = "withheld"  // consent ended before it went out
	Uncertain RowState = "uncertain" // it may have arrived; repeated at the next change
)

// RowStates lists the states in the order of the way.
var RowStates = []RowState{Queued, Delivered, Withheld, Refused, Uncertain}

// Row is what the other system was told of one of its records, and the result.
type Row struct {
	bun.BaseModel `bun:"table:customer_activation_row,alias:r"`
	Entity        string `bun:",pk"`
	RecordID      string `bun:",pk"`
	ActivationID  string `bun:",pk"`
	// Digest is of the content that was sent last; "" makes the next scan send.
	Digest string
	Member bool
	// Told: the other system has, or may have, heard that the record belongs.
	Told      bool
	Version   int64 // counts the messages of the row
	State     RowState
	Reason    string
	Attempts  int // that the other system refused since the content changed
	MessageID string
	Recheck   bool // look at it before the round does
	QueuedAt  store.Micros
	SettledAt store.Micros `bun:",nullzero"`
}

// Figures count the rows by what became of them.
type Figures map[RowState]int64

// Content is what the other system should hold of a record.
type Content struct {
	Key        string            `json:"key"` // the system's own id
	Member     bool              `json:"member"`
	Attributes map[string]string `json:"attributes"`
}

// Sealed is where the package keeps what is encrypted.
func Sealed() sealed.Inventory {
	return sealed.Inventory{Fields: []sealed.Marked{{Column: sealed.Column{Table: "customer_activation", Name: "secret"}, PK: []string{"entity", "id"}}}}
}
