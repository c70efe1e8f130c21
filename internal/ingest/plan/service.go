package plan

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.yaml.in/yaml/v3"

	"omote/analytics/text/normalise"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Permissions of the tracking plan.
const (
	PermRead auth.Permission = "ingest.plan.read"
	PermEdit auth.Permission = "ingest.plan.edit"
	// PermDeclare is held by whoever may import: their files may add to the plan.
	PermDeclare auth.Permission = "ingest.import.edit"
)

//go:embed packs/bank.yaml
var bankPack []byte

// Default is the plan that an entity starts with.
func Default() (*Plan, error) { return Parse(bankPack) }

// Parse reads a plan from YAML and validates it.
func Parse(raw []byte) (*Plan, error) {
	var p Plan
	if err := yaml.Unmarshal(raw, &p); err != nil {
		return nil, errs.Invalid("plan.error.yaml", "body", "the plan is no valid YAML: %v", err)
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return &p, nil
}

// Service keeps the tracking plans of all entities and hands out checkers. The
// streaming doors ask it for every request, so checkers stand ready in memory.
type Service struct {
	db       *store.DB
	counter  *Counter
	currency string
	standard *Checker
	checkers atomic.Pointer[map[string]*Checker]
}

// NewService loads the plans of all entities. currency is what an amount
// without a currency is in.
func NewService(ctx context.Context, db *store.DB, counter *Counter, currency string) (*Service, error) {
	standard, err := Default()
	if err != nil {
		return nil, fmt.Errorf("built-in tracking plan: %w", err)
	}
	checker, err := NewChecker(standard, currency)
	if err != nil {
		return nil, fmt.Errorf("built-in tracking plan: %w", err)
	}
	s := &Service{db: db, counter: counter, currency: currency, standard: checker}
	s.checkers.Store(&map[string]*Checker{})
	return s, s.Reload(ctx)
}

// Checker gives the checker of an entity's current plan.
func (s *Service) Checker(entity string) *Checker {
	if c, ok := (*s.checkers.Load())[entity]; ok {
		return c
	}
	return s.standard
}

// Reload takes up plans that other nodes have saved.
func (s *Service) Reload(ctx context.Context) error {
	ctx = scope.With(ctx, scope.Process(scope.DefaultEntity, "ingest"))
	fresh := maps.Clone(*s.checkers.Load())
	err := s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		var heads []planRow
		newest := tx.NewSelect().TableExpr("ingest_plan AS o").ColumnExpr("MAX(o.version)").Where("o.entity = plan_row.entity")
		if err := tx.NewSelect().Model(&heads).Where("version = (?)", newest).Scan(ctx); err != nil {
			return fmt.Errorf("read tracking plans: %w", err)
		}
		for i := range heads {
			if c, ok := fresh[heads[i].Entity]; ok && c.plan.Version == heads[i].Version {
				continue
			}
			p, err := heads[i].plan()
			if err != nil {
				return err
			}
			if fresh[heads[i].Entity], err = NewChecker(p, s.currency); err != nil {
				return fmt.Errorf("tracking plan %s/%d: %w", heads[i].Entity, heads[i].Version, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.checkers.Store(&fresh)
	return nil
}

// Run flushes counts and takes up changes until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			return s.counter.Flush(last, s.db)
		case <-tick.C:
			if err := s.counter.Flush(ctx, s.db); err != nil && ctx.Err() == nil {
				s.db.Logger().Warn("violations were not stored and are kept in memory", "error", err)
			}
			if err := s.Reload(ctx); err != nil && ctx.Err() == nil {
				s.db.Logger().Warn("tracking plans were not reloaded", "error", err)
			}
		}
	}
}

// Current gives the plan in force.
func (s *Service) Current(ctx context.Context) (*Plan, error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	sc, _ := scope.From(ctx)
	return s.Checker(sc.Entity).Plan(), nil
}

// Versions gives the plan's history, newest first.
func (s *Service) Versions(ctx context.Context) (out []Version, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = versions(ctx, tx)
		return err
	})
	return out, err
}

// Violations gives how often facts broke the plan in the last days.
func (s *Service) Violations(ctx context.Context, days int) (out []Count, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	since := s.db.Clock().Now().AddDate(0, 0, -days).Format(time.DateOnly)
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = readCounts(ctx, tx, since)
		return err
	})
	return out, err
}

// Save puts a new version of the plan into force. basedOn is the version that
// was edited: when another was saved meanwhile the result is a conflict.
func (s *Service) Save(ctx context.Context, p *Plan, basedOn uint32, note string) (*Plan, error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return nil, err
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return s.change(ctx, note, func(current *Plan) (*Plan, error) {
		if current.Version != basedOn {
			return nil, errs.Conflict("plan.error.conflict", "version %d was saved meanwhile; look at it and try again", current.Version).With("version", current.Version)
		}
		return p, nil
	})
}

// Declare adds properties to events, as an import does for the columns that its
// mapping keeps. Nothing is saved when all is declared already.
func (s *Service) Declare(ctx context.Context, declared map[string][]Property, note string) (*Plan, error) {
	events := make([]Event, 0, len(declared))
	for name, props := range declared {
		events = append(events, Event{Name: name, Properties: props})
	}
	return s.Extend(ctx, events, note)
}

// Extend adds events and their properties; what is declared already stays.
func (s *Service) Extend(ctx context.Context, events []Event, note string) (*Plan, error) {
	if err := auth.Require(ctx, PermDeclare, ""); err != nil {
		return nil, err
	}
	return s.change(ctx, note, func(current *Plan) (*Plan, error) {
		next, any := current, false
		for _, e := range events {
			changed := false
			next, changed = next.Declare(e)
			any = any || changed
		}
		if !any {
			return nil, nil
		}
		return next, next.Validate()
	})
}

// change saves what edit makes of the current plan; nil changes nothing.
func (s *Service) change(ctx context.Context, note string, edit func(current *Plan) (*Plan, error)) (result *Plan, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		current, err := latest(ctx, tx, tx.Scope.Entity)
		if err != nil {
			return err
		}
		if current == nil {
			standard := *s.standard.Plan()
			current = &standard
		}
		next, err := edit(current)
		if err != nil || next == nil {
			result = current
			return err
		}
		saved := *next
		saved.Version = current.Version + 1
		result = &saved
		if err := insert(ctx, tx, &saved, note, s.db.Now()); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "ingest.plan.save", Object: fmt.Sprintf("plan/%d", saved.Version), Reason: note})
	})
	if err != nil {
		return nil, err
	}
	return result, s.Reload(ctx)
}

// Label gives what people call an event, in the language of the context; an event
// without a label is called by its name.
func (s *Service) Label(ctx context.Context, name string) string {
	sc, _ := scope.From(ctx)
	label, ok := s.Checker(sc.Entity).labels[name]
	switch {
	case !ok:
		return name
	case strings.HasPrefix(i18n.Locale(ctx), "vi") && label.VI != "":
		return label.VI
	case label.EN != "":
		return label.EN
	}
	return name
}

// Named gives the names of the events whose name or label, in either language,
// contains a text, without regard to case and diacritics; at most 50.
func (s *Service) Named(ctx context.Context, text string) (names []string) {
	want := fold(text)
	if want == "" {
		return nil
	}
	sc, _ := scope.From(ctx)
	for name, label := range s.Checker(sc.Entity).labels {
		if strings.Contains(fold(name), want) || strings.Contains(fold(label.EN), want) || strings.Contains(fold(label.VI), want) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names[:min(len(names), 50)]
}

func fold(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(string(normalise.AppendFold(nil, []byte(text))), "_", " "))
}
