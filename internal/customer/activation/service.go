package activation

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"omote/internal/customer/consent"
	"omote/internal/customer/identity"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/outbox"
	"omote/internal/platform/scope"
	"omote/internal/platform/send"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Segments tells who belongs; segment.Service does.
type Segments interface {
	// Inside gives those of the customers who belong to the segment now.
	Inside(ctx context.Context, tx store.Tx, segment string, customers []string) (map[string]bool, error)
	// Live reports whether the segment is in use.
	Live(ctx context.Context, tx store.Tx, segment string) (bool, error)
}

// Consents decides about consent; consent.Service does.
type Consents interface {
	DecideOf(ctx context.Context, tx store.Tx, person identity.Person, purpose, channel string) (consent.Decision, error)
}

// Attributes reads traits of a customer's records by name.
type Attributes interface {
	Attributes(ctx context.Context, tx store.Tx, records, names []string) (map[string]string, error)
}

// Plan tells which attributes may leave: those that the tracking plan declares and
// does not mark as personal.
type Plan interface {
	MayLeave(ctx context.Context, attribute string) (bool, error)
}

// Outbox is the way out; outbox.Outbox is.
type Outbox interface {
	Enqueue(ctx context.Context, tx store.Tx, m outbox.Message) (string, error)
	Get(ctx context.Context, tx store.Tx, customerID, id string) (outbox.Message, error)
}

// Deps are what the service needs.
type Deps struct {
	DB         *store.DB
	Box        *sealed.Box
	Segments   Segments
	Consents   Consents
	Attributes Attributes
	Plan       Plan
	Outbox     Outbox
	Entity     string
}

// Service keeps activations and goes their rounds. It is safe for concurrent use.
type Service struct {
	Deps
	wake chan struct{}
}

// NewService makes the service.
func NewService(d Deps) *Service { return &Service{Deps: d, wake: make(chan struct{}, 1)} }

// Summary is an activation with the figures of its rows.
type Summary struct {
	Activation
	Rows Figures
}

// List gives the activations, without secrets.
func (s *Service) List(ctx context.Context) (out []Summary, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		all, err := list(ctx, tx)
		if err != nil {
			return err
		}
		counts, err := figures(ctx, tx)
		if err != nil {
			return err
		}
		out = nil
		for _, a := range all {
			out = append(out, Summary{a, counts[a.ID]})
		}
		return nil
	})
	return out, err
}

// Get gives one activation, without its secret.
func (s *Service) Get(ctx context.Context, id string) (out Summary, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		a, err := get(ctx, tx, id)
		if err != nil {
			return err
		}
		counts, err := figures(ctx, tx)
		if err != nil {
			return err
		}
		a.Secret = sealed.Text{}
		out = Summary{*a, counts[id]}
		return nil
	})
	return out, err
}

// RowPage is a part of the rows, by record.
type RowPage struct {
	Items []Row
	Next  string // "" on the last one
}

// Rows gives what became of each row, at most 500 at a time; state "" gives all.
func (s *Service) Rows(ctx context.Context, id string, state RowState, after string, limit int) (p RowPage, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return p, err
	}
	if state != "" && !slices.Contains(RowStates, state) {
		return p, errs.Invalid("activation.error.state", "state", "%q is no state of a row", state)
	}
	if limit <= 0 || limit > 500 {
		limit = 50
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := get(ctx, tx, id); err != nil {
			return err
		}
		p = RowPage{}
		p.Items, err = rowsIn(ctx, tx, id, state, after, limit+1)
		if len(p.Items) > limit {
			p.Items = p.Items[:limit]
			p.Next = p.Items[limit-1].RecordID
		}
		return err
	})
	return p, err
}

// Save makes an activation (id "") or changes one. secret "" keeps the one that is
// there; a new webhook gets one, which is given back once.
func (s *Service) Save(ctx context.Context, id string, c Config, secret string) (a *Activation, made string, err error) {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return nil, "", err
	}
	if err := c.Validate(); err != nil {
		return nil, "", err
	}
	if err := s.mayLeave(ctx, &c); err != nil {
		return nil, "", err
	}
	if c.Target == Webhook && secret == "" && id == "" {
		secret = send.NewSecret()
		made = secret
	}
	if c.Target == Webhook {
		w := send.Webhook{URL: c.URL, Secret: secret}
		if secret == "" {
			w.Secret = send.NewSecret() // only the address is new
		}
		if err := w.Validate(); err != nil {
			return nil, "", err
		}
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return nil, "", err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		live, err := s.Segments.Live(ctx, tx, c.Segment)
		if err != nil {
			return err
		}
		if !live {
			return errs.Invalid("activation.error.segment", "segment", "segment %s is not in use", c.Segment)
		}
		action, now := "customer.activation.change", tx.Now()
		if id == "" {
			action = "customer.activation.make"
			a = &Activation{Entity: tx.Scope.Entity, ID: uuid.Must(uuid.NewV7()).String(), ConfigJSON: raw, Secret: sealed.New(secret), Due: now, CreatedAt: now, CreatedBy: tx.Scope.Actor}
			if err := s.Box.Seal(ctx, tx, a); err != nil {
				return err
			}
			if _, err := tx.NewInsert().Model(a).Exec(ctx); err != nil {
				return fmt.Errorf("store an activation: %w", err)
			}
		} else {
			if a, err = get(ctx, tx, id); err != nil {
				return err
			}
			columns := []string{"config", "due", "scan", "error"}
			a.ConfigJSON, a.Due, a.Scan, a.Error = raw, now, "", ""
			if secret != "" {
				a.Secret = sealed.New(secret)
				if err := s.Box.Seal(ctx, tx, a); err != nil {
					return err
				}
				columns = append(columns, "secret")
			}
			if err := update(ctx, tx, a, columns...); err != nil {
				return err
			}
		}
		a.Config, a.Secret = c, sealed.Text{}
		return audit.Record(ctx, tx, audit.Entry{Action: action, Object: "activation/" + a.ID, After: c})
	})
	s.nudge()
	return a, made, err
}

// mayLeave asks the plan about every attribute.
func (s *Service) mayLeave(ctx context.Context, c *Config) error {
	for _, f := range c.Fields {
		ok, err := s.Plan.MayLeave(ctx, f.Attribute)
		if err != nil {
			return err
		}
		if !ok {
			return errs.Invalid("activation.error.plan", "fields", "%s is not declared by the tracking plan, or is personal", f.Attribute).With("attribute", f.Attribute)
		}
	}
	return nil
}

// Pause holds an activation, or lets it go on. What is in the outbox still goes.
func (s *Service) Pause(ctx context.Context, id string, paused bool) error {
	act := "resume"
	if paused {
		act = "pause"
	}
	return s.act(ctx, id, act, func(ctx context.Context, tx store.Tx, a *Activation) error {
		a.Paused, a.Due = paused, tx.Now()
		return update(ctx, tx, a, "paused", "due")
	})
}

// RunNow starts a round now.
func (s *Service) RunNow(ctx context.Context, id string) error {
	return s.act(ctx, id, "run", func(ctx context.Context, tx store.Tx, a *Activation) error {
		a.Due = tx.Now()
		return update(ctx, tx, a, "due")
	})
}

// Retry tries the rows again that the other system refused or may not have got.
func (s *Service) Retry(ctx context.Context, id string) error {
	return s.act(ctx, id, "retry", func(ctx context.Context, tx store.Tx, a *Activation) error {
		if _, err := retryRows(ctx, tx, id); err != nil {
			return err
		}
		a.Due = tx.Now()
		return update(ctx, tx, a, "due")
	})
}

// Remove takes an activation away. What the other system holds stays there.
func (s *Service) Remove(ctx context.Context, id string) error {
	return s.act(ctx, id, "remove", func(ctx context.Context, tx store.Tx, _ *Activation) error { return remove(ctx, tx, id) })
}

func (s *Service) act(ctx context.Context, id, act string, fn func(ctx context.Context, tx store.Tx, a *Activation) error) error {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return err
	}
	err := s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		a, err := get(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := fn(ctx, tx, a); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.activation." + act, Object: "activation/" + id})
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

// Run goes rounds until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	ctx = scope.With(ctx, scope.Process(s.Entity, "activations"))
	for ctx.Err() == nil {
		worked, err := s.Step(ctx)
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "activations", "error", err)
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
