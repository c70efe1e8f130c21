package governance_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"omote/internal/governance"
	"omote/internal/governance/measure"
	"omote/internal/governance/role"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

// rig is the module on a store, with invented people, journeys and readings.
type rig struct {
	t         *testing.T
	db        *store.DB
	auth      *auth.Service
	approvals *approval.Service
	*governance.Governance
	values map[string]float64 // readings, by metric
}

// Has, Now and Over are the registry.
func (r *rig) Has(_ context.Context, metric string) (bool, error) {
	_, ok := r.values[metric]
	return ok, nil
}

func (r *rig) Now(context.Context) (map[string]measure.Reading, error) {
	out := map[string]measure.Reading{}
	for m := range r.values {
		out[m], _ = r.Over(r.t.Context(), m, measure.Window{})
	}
	return out, nil
}

func (r *rig) Over(_ context.Context, metric string, w measure.Window) (measure.Reading, error) {
	v, ok := r.values[metric]
	if !ok {
		return measure.Reading{}, errs.NotFound("metric.error.not_found", "no metric %s", metric)
	}
	if len(w.Units) > 0 && !w.Except && w.From.After(testkit.Epoch.AddDate(0, 0, -20)) {
		v += 0.06 // the units that changed got better
	}
	return measure.Reading{Metric: metric, Version: 1, Known: v >= 0, Value: v, Low: v - 0.01, High: v + 0.01, N: 1000, Direction: "higher"}, nil
}

type journeys struct{}

func (journeys) List(context.Context) ([]role.Journey, error) {
	return []role.Journey{{ID: "personal_loan", Name: approval.Text{VI: "Vay cá nhân", EN: "Personal loan"},
		Steps: []role.Step{{ID: "loan_application_submitted", Bound: true}, {ID: "loan_decision_made", Bound: true}}}}, nil
}

func each(t *testing.T, fn func(r *rig)) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		box, err := sealed.NewBox(db.Keys())
		must(t, err)
		r := &rig{t: t, db: db, values: map[string]float64{"ces_mean": 5.1, "onboarding_completion": 0.66, "hidden": -1}}
		r.auth, err = auth.New(t.Context(), db, box, auth.Options{})
		must(t, err)
		r.approvals = approval.New(db, r.auth)
		r.Governance, err = governance.New(governance.Deps{Store: db, Approvals: r.approvals, Registry: r, Journeys: journeys{}})
		must(t, err)
		fn(r)
	}, sealed.Migrations, audit.Migrations, auth.Migrations, approval.Migrations, governance.Migrations)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// person adds an account and gives the context in which it acts.
func (r *rig) person(email, unit string, roles ...auth.Role) context.Context {
	r.t.Helper()
	var grants []auth.Grant
	for _, role := range roles {
		grants = append(grants, auth.Grant{Role: role, Unit: unit})
	}
	var id string
	must(r.t, r.db.Write(testkit.Context(r.t), func(ctx context.Context, tx store.Tx) error {
		a, err := r.auth.AddAccount(ctx, tx, auth.NewAccount{Email: email, Name: "Lan Example", Locale: "vi", Grants: grants})
		id = a.ID
		return err
	}))
	return auth.WithActor(r.t.Context(), auth.Actor{Kind: auth.Person, ID: id, Entity: scope.DefaultEntity, Grants: grants})
}

func ref(ctx context.Context) string {
	a, _ := auth.From(ctx)
	return a.Ref()
}

// refused checks the key of an error.
func (r *rig) refused(what string, err error, key string) {
	r.t.Helper()
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Key != key {
		r.t.Errorf("%s: want %s, got %v", what, key, err)
	}
}

// approve has somebody decide what waits.
func (r *rig) approve(ctx context.Context, q approval.Request, err error) {
	r.t.Helper()
	must(r.t, err)
	_, err = r.approvals.Decide(ctx, q.ID, approval.Approve, "")
	must(r.t, err)
}

func (r *rig) advance(days int) { testkit.Clock(r.db).Advance(time.Duration(days) * 24 * time.Hour) }

func words(en string) approval.Text { return approval.Text{VI: en + " (vi)", EN: en} }
