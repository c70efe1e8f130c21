// Package connect brings records of other systems in without anybody pushing
// them: rows of an SQL database, asked for again and again, and CSV files that are
// dropped into a folder.
//
// A connector remembers how far it has read. An SQL connector reads the rows
// whose watermark column has grown, a page at a time: the page's events are on
// disk in the log before the mark moves, and a row's message id is made of its key
// and its mark, so that a page read twice adds nothing. Rows that were committed
// late are caught by reading an overlap again. A folder connector takes a file
// when it has stopped growing, hands it to the imports, and moves it away when the
// import is over; a file with the same content is taken once.
//
// Rows that do not fit go to the quarantine with their reason. Passwords are
// sealed in the store; they are never shown, logged or part of an error.
//
// File map: connect.go (types), database.go (drivers and queries), pull.go (one
// run of an SQL connector), folder.go (one run of a folder), service.go, worker.go,
// store.go. Tables: ingest_connector, ingest_connector_file.
package connect

import (
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/ingest/mapping"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Permissions of connectors.
const (
	PermRead auth.Permission = "ingest.connector.read"
	PermEdit auth.Permission = "ingest.connector.edit"
)

// Kind is where a connector reads.
type Kind string

// The kinds.
const (
	Database Kind = "database"
	Folder   Kind = "folder"
)

// Driver is a kind of database.
type Driver string

// The drivers.
const (
	Postgres  Driver = "postgres"
	MySQL     Driver = "mysql"
	SQLServer Driver = "sqlserver"
)

// Drivers lists the databases that can be read.
var Drivers = []Driver{Postgres, MySQL, SQLServer}

// Limits of a connector.
const (
	MaxQuery    = 20_000
	MinEvery    = 10 * time.Second
	MaxEvery    = 7 * 24 * time.Hour
	DefaultPage = 2_000
	MaxPage     = 20_000
	MaxOverlap  = 24 * time.Hour
)

// Source is an SQL database and what to read there.
type Source struct {
	Driver   Driver `json:"driver"`
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Name     string `json:"name"` // of the database
	User     string `json:"user"`
	Insecure bool   `json:"insecure,omitempty"` // without TLS; for a database on this machine
	// Query gives the rows, without order and limit: SELECT … FROM …
	Query string `json:"query"`
	// Key is the column that tells rows apart, Mark the one that grows whenever a
	// row is made or changed: a time or a number. MarkIs says which.
	Key    string `json:"key"`
	Mark   string `json:"mark"`
	MarkIs Marks  `json:"mark_is"`
	// Overlap is how far behind the mark rows are read again, for those that were
	// committed late. Times only.
	Overlap time.Duration `json:"overlap,omitempty"`
	Page    int           `json:"page,omitempty"`
}

// Marks is the type of a watermark.
type Marks string

// The types of watermarks.
const (
	ByTime   Marks = "time"
	ByNumber Marks = "number"
)

// Drop is a folder on this machine into which files are dropped.
type Drop struct {
	Dir     string        `json:"dir"`
	Pattern string        `json:"pattern"` // of file names, such as crm_*.csv
	Settle  time.Duration `json:"settle"`  // how long a file must not have grown
}

// Config is what a connector does. It holds no secret.
type Config struct {
	Name    string          `json:"name"`
	Kind    Kind            `json:"kind"`
	System  string          `json:"system"` // whose ids the rows carry
	Every   time.Duration   `json:"every"`
	History bool            `json:"history"` // rows update state and start nothing
	Mapping mapping.Mapping `json:"mapping"`
	Source  *Source         `json:"source,omitempty"`
	Drop    *Drop           `json:"drop,omitempty"`
}

var (
	columnForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
	systemForm = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)
)

// Validate checks a connector.
func (c *Config) Validate() error {
	if n := len([]rune(strings.TrimSpace(c.Name))); n == 0 || n > 120 {
		return errs.Invalid("connect.error.name", "name", "a connector needs a name of at most 120 characters")
	}
	if !systemForm.MatchString(c.System) {
		return errs.Invalid("connect.error.system", "system", "name the system with lower-case letters, digits, '_' and '-'")
	}
	if c.Every < MinEvery || c.Every > MaxEvery {
		return errs.Invalid("connect.error.every", "every", "a connector runs every 10 seconds to 7 days")
	}
	if err := c.Mapping.Validate(); err != nil {
		return err
	}
	switch {
	case c.Kind == Database && c.Source != nil:
		return c.Source.validate()
	case c.Kind == Folder && c.Drop != nil:
		return c.Drop.validate()
	}
	return errs.Invalid("connect.error.kind", "kind", "a connector reads a database or a folder")
}

func (s *Source) validate() error {
	switch {
	case !slices.Contains(Drivers, s.Driver):
		return errs.Invalid("connect.error.driver", "driver", "the database is postgres, mysql or sqlserver")
	case s.Host == "" || strings.ContainsAny(s.Host, " /@?#") || s.Port < 1 || s.Port > 65535 || s.Name == "" || s.User == "":
		return errs.Invalid("connect.error.address", "host", "name host, port, database and user")
	case strings.TrimSpace(s.Query) == "" || len(s.Query) > MaxQuery || strings.Contains(s.Query, ";"):
		return errs.Invalid("connect.error.query", "query", "give one SELECT without order, limit and semicolon")
	case !strings.HasPrefix(strings.ToUpper(strings.TrimSpace(s.Query)), "SELECT"):
		return errs.Invalid("connect.error.query", "query", "give one SELECT without order, limit and semicolon")
	case !columnForm.MatchString(s.Key) || !columnForm.MatchString(s.Mark):
		return errs.Invalid("connect.error.columns", "key", "name the key column and the watermark column of the query")
	case s.MarkIs != ByTime && s.MarkIs != ByNumber:
		return errs.Invalid("connect.error.mark", "mark_is", "the watermark is a time or a number")
	case s.Overlap < 0 || s.Overlap > MaxOverlap || s.Overlap > 0 && s.MarkIs != ByTime:
		return errs.Invalid("connect.error.overlap", "overlap", "the overlap is at most a day, and for times only")
	case s.Page < 0 || s.Page > MaxPage:
		return errs.Invalid("connect.error.page", "page", "a page has at most %d rows", MaxPage)
	}
	return nil
}

func (d *Drop) validate() error {
	if !filepath.IsAbs(d.Dir) || strings.Contains(d.Dir, "\x00") {
		return errs.Invalid("connect.error.dir", "dir", "the folder is an absolute path on this machine")
	}
	if _, err := filepath.Match(d.Pattern, "x"); err != nil || d.Pattern == "" || strings.ContainsAny(d.Pattern, "/\\") {
		return errs.Invalid("connect.error.pattern", "pattern", "the pattern is one of file names, such as crm_*.csv")
	}
	if d.Settle < time.Second || d.Settle > time.Hour {
		return errs.Invalid("connect.error.settle", "settle", "a file must be still for 1 second to 1 hour")
	}
	return nil
}

// Place is where a connector reads, without any secret: for people and logs.
func (c *Config) Place() string {
	if c.Drop != nil {
		return filepath.Join(c.Drop.Dir, c.Drop.Pattern)
	}
	if s := c.Source; s != nil {
		return fmt.Sprintf("%s://%s/%s", s.Driver, net.JoinHostPort(s.Host, strconv.Itoa(s.Port)), s.Name)
	}
	return ""
}

// Column is a column that a connector has seen, and what becomes of it.
type Column struct {
	Name   string `json:"name"`
	To     string `json:"to"`     // field or property; "" is left out
	Filled int64  `json:"filled"` // rows of the last run in which it had a value
}

// Connector is a connector as it stands.
type Connector struct {
	bun.BaseModel `bun:"table:ingest_connector,alias:c"`
	Entity        string          `bun:",pk"`
	ID            string          `bun:",pk"`
	ConfigJSON    json.RawMessage `bun:"config"`
	Secret        sealed.Text
	Paused        bool
	Mark          string // how far it has read
	MarkKey       string // the last row's key at the mark
	Due           store.Micros
	Lease         store.Micros
	LastRun       store.Micros `bun:",nullzero"`
	LastGood      store.Micros `bun:",nullzero"`
	// Newest is the newest mark seen, where it is a time: the lag is its age.
	Newest      store.Micros `bun:",nullzero"`
	Rows        int64
	Sent        int64
	Quarantined int64
	LastRows    int64 // of the last run
	Error       string
	ColumnsJSON json.RawMessage `bun:"columns"`
	CreatedAt   store.Micros
	CreatedBy   string

	Config  Config   `bun:"-"`
	Columns []Column `bun:"-"`
}

func (c *Connector) decode() error {
	if err := json.Unmarshal(c.ConfigJSON, &c.Config); err != nil {
		return fmt.Errorf("decode connector %s: %w", c.ID, err)
	}
	return json.Unmarshal(c.ColumnsJSON, &c.Columns)
}

// State is how a connector does.
type State string

// The states.
const (
	Waiting State = "waiting" // never ran
	Good    State = "good"
	Failing State = "failing"
	Paused  State = "paused"
)

// State tells how the connector does.
func (c *Connector) State() State {
	switch {
	case c.Paused:
		return Paused
	case c.Error != "":
		return Failing
	case c.LastGood == 0:
		return Waiting
	}
	return Good
}

// Coverage is the share of the seen columns that the mapping uses.
func (c *Connector) Coverage() (used, all int) {
	for _, col := range c.Columns {
		if all++; col.To != "" {
			used++
		}
	}
	return used, all
}

// target says what becomes of a column under a mapping.
func target(m *mapping.Mapping, column string) string {
	for field, name := range m.Fields {
		if name == column {
			return string(field)
		}
	}
	for _, p := range m.Properties {
		if p.Column == column {
			return p.Name
		}
	}
	return ""
}

// Sealed is where the module keeps what is encrypted.
func Sealed() sealed.Inventory {
	return sealed.Inventory{Fields: []sealed.Marked{{Column: sealed.Column{Table: "ingest_connector", Name: "secret"}, PK: []string{"entity", "id"}}}}
}
