package strategy

import (
	"context"
	"slices"

	"omote/internal/governance/packs"
	"omote/internal/governance/record"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Work gives the initiatives that the reader sees, for the tree.
type WorkList interface {
	Work(ctx context.Context) ([]Work, error)
}

// Metrics tells whether the registry has a metric.
type Metrics interface {
	Has(ctx context.Context, metric string) (bool, error)
}

// Service looks after the strategy. It is safe for concurrent use.
type Service struct {
	db      *store.DB
	pack    *packs.Governance
	kpis    []packs.KPI
	metrics Metrics
	work    WorkList
}

// NewService makes the service.
func NewService(db *store.DB, pack *packs.Governance, kpis []packs.KPI, metrics Metrics, work WorkList) *Service {
	return &Service{db, pack, kpis, metrics, work}
}

// nodes are the documents; what the whole bank promised, every unit sees.
var nodes = record.Table[Node]{Name: "node", Thing: "strategy", Sight: record.Along}

// Tree gives the strategy with the work that the reader sees.
func (s *Service) Tree(ctx context.Context) (Tree, error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return Tree{}, err
	}
	var all []record.Doc[Node]
	err := s.db.Read(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		all, err = nodes.List(ctx, tx, record.Filter{State: Live})
		return err
	})
	if err != nil {
		return Tree{}, err
	}
	work, err := s.work.Work(ctx)
	if err != nil {
		return Tree{}, err
	}
	return Build(all, work), nil
}

// Get reads one node.
func (s *Service) Get(ctx context.Context, id string) (d record.Doc[Node], err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return d, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err = nodes.Get(ctx, tx, id)
		return err
	})
	return d, err
}

// Add hangs a node under its parent; a promise has none.
func (s *Service) Add(ctx context.Context, parent string, n Node) (d record.Doc[Node], err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return d, err
	}
	if err := s.check(ctx, n); err != nil {
		return d, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := s.checkParent(ctx, tx, parent, n.Kind); err != nil {
			return err
		}
		if d, err = nodes.Add(ctx, tx, record.Head{State: Live, Ref: parent}, n); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "governance.strategy.add", Object: "node/" + d.ID, After: d})
	})
	return d, err
}

// Change replaces what a node says; its kind and place stay.
func (s *Service) Change(ctx context.Context, id string, version int, n Node) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	if err := s.check(ctx, n); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := nodes.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		if d.Body.Kind != n.Kind {
			return errs.Invalid("governance.strategy.error.kind_fixed", "kind", "the kind of a node does not change")
		}
		before := d
		if version > 0 {
			d.Version = version
		}
		d.Body = n
		if err := nodes.Save(ctx, tx, &d); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "governance.strategy.change", Object: "node/" + id, Before: before, After: d})
	})
}

// Retire takes a node out of the tree. What hangs under it must be gone first.
func (s *Service) Retire(ctx context.Context, id, reason string) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := nodes.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		below, err := nodes.List(ctx, tx, record.Filter{State: Live, Ref: id})
		if err != nil {
			return err
		}
		if len(below) > 0 {
			return errs.Conflict("governance.strategy.error.below", "%d nodes hang under it", len(below)).With("count", len(below))
		}
		d.State = Retired
		if err := nodes.Save(ctx, tx, &d); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "governance.strategy.retire", Object: "node/" + id, Reason: reason, Changed: []string{"state"}})
	})
}

// check asks the registry and the packs for what a node names.
func (s *Service) check(ctx context.Context, n Node) error {
	if err := n.Validate(); err != nil {
		return err
	}
	if s.pack.Role(n.Owner).ID == "" {
		return errs.Invalid("governance.error.role", "owner", "there is no role %q", n.Owner).With("role", n.Owner)
	}
	if n.KPI != "" && !slices.ContainsFunc(s.kpis, func(k packs.KPI) bool { return k.ID == n.KPI }) {
		return errs.Invalid("governance.strategy.error.unknown_kpi", "kpi", "there is no KPI %q", n.KPI).With("kpi", n.KPI)
	}
	if n.Metric == "" {
		return nil
	}
	known, err := s.metrics.Has(ctx, n.Metric)
	if err == nil && !known {
		err = errs.Invalid("governance.error.metric", "metric", "the registry has no metric %q", n.Metric).With("metric", n.Metric)
	}
	return err
}

func (s *Service) checkParent(ctx context.Context, tx store.Tx, parent string, k Kind) error {
	if k == Promise {
		if parent != "" {
			return errs.Invalid("governance.strategy.error.root", "parent", "a promise hangs under nothing")
		}
		return nil
	}
	p, err := nodes.Get(ctx, tx, parent)
	if err != nil {
		return err
	}
	if p.Body.Kind != k.Parent() || p.State != Live {
		return errs.Invalid("governance.strategy.error.parent", "parent", "a %s hangs under a live %s, not under a %s", k, k.Parent(), p.Body.Kind)
	}
	return nil
}

// LiveNode gives a live node in the transaction of another part; absent or
// retired is errs.KindNotFound.
func LiveNode(ctx context.Context, tx store.Tx, id string) (record.Doc[Node], error) {
	d, err := nodes.Get(ctx, tx, id)
	if err == nil && d.State != Live {
		err = errs.NotFound("governance.strategy.error.not_found", "the node %s is retired", id)
	}
	return d, err
}
