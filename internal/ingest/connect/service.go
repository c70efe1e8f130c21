package connect

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"omote/internal/ingest/imports"
	"omote/internal/ingest/plan"
	"omote/internal/ingest/quarantine"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/i18n"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Log is where events go; *eventlog.Log is one.
type Log interface {
	Append(ctx context.Context, events []event.Event) (eventlog.Receipt, error)
}

// Deps are what connectors need.
type Deps struct {
	DB         *store.DB
	Box        *sealed.Box
	Log        Log
	Plans      *plan.Service
	Quarantine *quarantine.Service
	Imports    *imports.Service
	Entity     string
}

// Service keeps and runs connectors. It is safe for concurrent use.
type Service struct {
	Deps
	wake chan struct{}
}

// NewService makes the service.
func NewService(d Deps) *Service { return &Service{Deps: d, wake: make(chan struct{}, 1)} }

// List gives the connectors, without their secrets.
func (s *Service) List(ctx context.Context) (out []Connector, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = list(ctx, tx)
		return err
	})
	return out, err
}

// Get gives one connector, without its secret.
func (s *Service) Get(ctx context.Context, id string) (c *Connector, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		c, err = get(ctx, tx, id)
		return err
	})
	return c, err
}

// Save makes a connector (id "") or changes one. A password of "" keeps the one
// that is there. What was read stays read, unless the source itself changed.
func (s *Service) Save(ctx context.Context, id string, config Config, password string) (c *Connector, err error) {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return nil, err
	}
	if err := config.Validate(); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	if err := s.declare(ctx, &config); err != nil {
		return nil, err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		now := tx.Now()
		action := "ingest.connector.change"
		if id == "" {
			action = "ingest.connector.make"
			c = &Connector{Entity: tx.Scope.Entity, ID: uuid.Must(uuid.NewV7()).String(), ConfigJSON: raw, Due: now, CreatedAt: now, CreatedBy: tx.Scope.Actor,
				ColumnsJSON: json.RawMessage("[]")}
			c.Secret = sealed.New(password)
			if err := s.Box.Seal(ctx, tx, c); err != nil {
				return err
			}
			if _, err := tx.NewInsert().Model(c).Exec(ctx); err != nil {
				return fmt.Errorf("store a connector: %w", err)
			}
		} else {
			if c, err = get(ctx, tx, id); err != nil {
				return err
			}
			columns := []string{"config", "due", "error"}
			if other(&c.Config, &config) {
				c.Mark, c.MarkKey = "", ""
				columns = append(columns, "mark", "mark_key")
			}
			c.ConfigJSON, c.Due, c.Error = raw, now, ""
			if password != "" {
				c.Secret = sealed.New(password)
				if err := s.Box.Seal(ctx, tx, c); err != nil {
					return err
				}
				columns = append(columns, "secret")
			}
			if _, err := tx.NewUpdate().Model(c).Column(columns...).WherePK().Exec(ctx); err != nil {
				return fmt.Errorf("change a connector: %w", err)
			}
		}
		c.Config, c.Secret = config, sealed.Text{}
		return audit.Record(ctx, tx, audit.Entry{Action: action, Object: "connector/" + c.ID, After: config})
	})
	s.nudge()
	return c, err
}

// other tells whether a change makes what was read so far meaningless.
func other(a, b *Config) bool {
	if a.Source == nil || b.Source == nil {
		return a.Kind != b.Kind
	}
	x, y := *a.Source, *b.Source
	x.Page, y.Page, x.Overlap, y.Overlap, x.User, y.User, x.Insecure, y.Insecure = 0, 0, 0, 0, "", "", false, false
	return x != y
}

// declare makes the properties of the mapping known to the tracking plan.
func (s *Service) declare(ctx context.Context, c *Config) error {
	props := c.Mapping.Declarations()
	if len(props) == 0 || c.Mapping.Kind == "customers" {
		return nil
	}
	name := c.Mapping.Constants["event"]
	if name == "" {
		return nil
	}
	_, err := s.Plans.Declare(ctx, map[string][]plan.Property{name: props}, "connector "+c.Name)
	return err
}

// Pause stops a connector until it is resumed.
func (s *Service) Pause(ctx context.Context, id string, paused bool) error {
	action := "ingest.connector.resume"
	if paused {
		action = "ingest.connector.pause"
	}
	return s.change(ctx, id, action, func(c *Connector, now store.Micros) []string {
		c.Paused, c.Due = paused, now
		return []string{"paused", "due"}
	})
}

// RunNow makes a connector due.
func (s *Service) RunNow(ctx context.Context, id string) error {
	return s.change(ctx, id, "ingest.connector.run", func(c *Connector, now store.Micros) []string {
		c.Due = now
		return []string{"due"}
	})
}

// Remove takes a connector away; what it brought stays.
func (s *Service) Remove(ctx context.Context, id string) error {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		c, err := get(ctx, tx, id)
		if err != nil {
			return err
		}
		if _, err := tx.NewDelete().Table("ingest_connector_file").Where("entity = ? AND connector_id = ?", c.Entity, c.ID).Exec(ctx); err != nil {
			return fmt.Errorf("remove a connector: %w", err)
		}
		if _, err := tx.NewDelete().Model(c).WherePK().Exec(ctx); err != nil {
			return fmt.Errorf("remove a connector: %w", err)
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "ingest.connector.remove", Object: "connector/" + id, Before: c.Config})
	})
}

func (s *Service) change(ctx context.Context, id, action string, fn func(c *Connector, now store.Micros) []string) error {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return err
	}
	err := s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		c, err := get(ctx, tx, id)
		if err != nil {
			return err
		}
		if _, err := tx.NewUpdate().Model(c).Column(fn(c, tx.Now())...).WherePK().Exec(ctx); err != nil {
			return fmt.Errorf("change a connector: %w", err)
		}
		return audit.Record(ctx, tx, audit.Entry{Action: action, Object: "connector/" + id})
	})
	s.nudge()
	return err
}

func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// leaseTime is how long a run that died keeps a connector to itself.
const leaseTime = 10 * time.Minute

// Run runs whatever is due until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	ctx = scope.With(ctx, scope.Process(s.Entity, "connectors"))
	for ctx.Err() == nil {
		worked, err := s.Step(ctx)
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "connectors", "error", err)
		}
		if worked {
			continue
		}
		pause, cancel := context.WithTimeout(ctx, time.Second)
		select {
		case <-s.wake:
		case <-pause.Done():
		}
		cancel()
	}
	return nil
}

// Step runs one connector that is due; false when there is none.
func (s *Service) Step(ctx context.Context) (bool, error) {
	var c *Connector
	err := s.DB.Claim(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		if c, err = claim(ctx, tx); err != nil || c == nil {
			return err
		}
		return s.Box.Open(ctx, tx, c)
	})
	if err != nil || c == nil {
		return false, err
	}
	run := s.pull
	if c.Config.Kind == Folder {
		run = s.sweep
	}
	err = run(ctx, c)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	now := s.DB.Now()
	c.LastRun, c.Lease, c.Due = now, 0, now.Add(c.Config.Every)
	c.Error = ""
	if err != nil {
		c.Error = reason(err)
		slog.WarnContext(ctx, "a connector failed", "connector", c.ID, "place", c.Config.Place(), "error", c.Error)
	} else {
		c.LastGood = now
	}
	return true, s.note(ctx, c)
}

// reason is what people see of an error: its own text, without causes that may
// hold more.
func reason(err error) string {
	text := err.Error()
	if e, ok := errors.AsType[*errs.Error](err); ok {
		text = e.Text
	}
	return string([]rune(text)[:min(len([]rune(text)), 500)])
}

// note writes how far a connector is.
func (s *Service) note(ctx context.Context, c *Connector) error {
	columns, err := json.Marshal(c.Columns)
	if err != nil {
		return err
	}
	if c.Columns == nil {
		columns = []byte("[]")
	}
	c.ColumnsJSON = columns
	return s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.NewUpdate().Model(c).Column("mark", "mark_key", "due", "lease", "last_run", "last_good", "newest", "rows", "sent", "quarantined", "last_rows", "error", "columns").WherePK().Exec(ctx)
		if err != nil {
			return fmt.Errorf("note how far a connector is: %w", err)
		}
		return nil
	})
}

func list(ctx context.Context, tx store.Tx) (out []Connector, err error) {
	if err := tx.NewSelect().Model(&out).ExcludeColumn("secret").Where("entity = ?", tx.Scope.Entity).Order("id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("list connectors: %w", err)
	}
	for i := range out {
		if err := out[i].decode(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func get(ctx context.Context, tx store.Tx, id string) (*Connector, error) {
	var c Connector
	err := tx.NewSelect().Model(&c).ExcludeColumn("secret").Where("entity = ? AND id = ?", tx.Scope.Entity, id).Scan(ctx)
	if store.IsNoRows(err) {
		return nil, errs.NotFound("connect.error.not_found", "there is no connector %s", id)
	}
	if err != nil {
		return nil, fmt.Errorf("read a connector: %w", err)
	}
	return &c, c.decode()
}

// claim takes the connector that is longest due and marks it taken.
func claim(ctx context.Context, tx store.Tx) (*Connector, error) {
	var id string
	err := tx.NewRaw("SELECT id FROM ingest_connector WHERE entity = ? AND NOT paused AND due <= ? AND lease <= ? ORDER BY due LIMIT 1"+tx.Engine.SkipLocked(),
		tx.Scope.Entity, tx.Now(), tx.Now()).Scan(ctx, &id)
	if store.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find a connector that is due: %w", err)
	}
	var c Connector
	if err := tx.NewSelect().Model(&c).Where("entity = ? AND id = ?", tx.Scope.Entity, id).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read a connector: %w", err)
	}
	c.Lease = tx.Now().Add(leaseTime)
	if _, err := tx.NewUpdate().Model(&c).Column("lease").WherePK().Exec(ctx); err != nil {
		return nil, fmt.Errorf("take a connector: %w", err)
	}
	return &c, c.decode()
}

//go:embed locales
var localeFiles embed.FS

// Locales are the texts of connectors.
func Locales() i18n.Source { return i18n.Source{Name: "connect", FS: localeFiles, Dir: "locales"} }
