package approval_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

const perm = auth.Permission("insight.metric.approve") // cx_lead, council, risk_validator

func TestMigrations(t *testing.T) {
	t.Parallel()
	testkit.CheckMigrations(t, audit.Migrations, approval.Migrations)
}

// rig is a store with people, and a kind that notes what was carried out.
type rig struct {
	t    *testing.T
	db   *store.DB
	auth *auth.Service
	*approval.Service
	done   []string
	closed []approval.State
	fail   error
}

func each(t *testing.T, fn func(r *rig)) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		box, err := sealed.NewBox(db.Keys())
		must(t, err)
		signIn, err := auth.New(t.Context(), db, box, auth.Options{})
		must(t, err)
		r := &rig{t: t, db: db, auth: signIn, Service: approval.New(db, signIn)}
		r.Register(approval.Kind{Name: "test.publish", Permission: perm, Life: time.Hour,
			Approved: func(_ context.Context, _ store.Tx, q approval.Request) error {
				var what string
				if err := q.Decode(&what); err != nil {
					return err
				}
				r.done = append(r.done, what)
				return r.fail
			},
			Closed: func(_ context.Context, _ store.Tx, q approval.Request) error {
				r.closed = append(r.closed, q.State)
				return nil
			}})
		fn(r)
	}, sealed.Migrations, audit.Migrations, auth.Migrations, approval.Migrations)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// person adds an account and gives the context in which it acts.
func (r *rig) person(email string, role auth.Role, unit string) context.Context {
	r.t.Helper()
	grants := []auth.Grant{{Role: role, Unit: unit}}
	var id string
	must(r.t, r.db.Write(testkit.Context(r.t), func(ctx context.Context, tx store.Tx) error {
		a, err := r.auth.AddAccount(ctx, tx, auth.NewAccount{Email: email, Name: "Lan Example", Locale: "vi", Grants: grants})
		id = a.ID
		return err
	}))
	return auth.WithActor(r.t.Context(), auth.Actor{Kind: auth.Person, ID: id, Entity: scope.DefaultEntity, Grants: grants})
}

func (r *rig) propose(ctx context.Context, object string, change ...func(*approval.Proposal)) (q approval.Request, err error) {
	p := approval.Proposal{Kind: "test.publish", Object: object, Version: 3, Title: approval.Text{VI: "Ban hành bản 3", EN: "Publish version 3"},
		Details: []approval.Text{{VI: "Chạm tới 900 khách hàng", EN: "Reaches 900 customers"}}, Href: "/thing", Payload: "body of " + object}
	for _, f := range change {
		f(&p)
	}
	err = r.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		q, err = r.Propose(ctx, tx, p)
		return err
	})
	return q, err
}

func (r *rig) mustPropose(ctx context.Context, object string) approval.Request {
	r.t.Helper()
	q, err := r.propose(ctx, object)
	must(r.t, err)
	return q
}

func (r *rig) refused(what string, err error, key string) {
	r.t.Helper()
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Key != key {
		r.t.Errorf("%s: want %s, got %v", what, key, err)
	}
}

func TestDecide(t *testing.T) {
	each(t, func(r *rig) {
		maker, checker := r.person("lan@example.com", auth.Analyst, "/"), r.person("minh@example.com", auth.CXLead, "/")
		q := r.mustPropose(maker, "map/1")
		l, err := r.List(checker)
		must(r.t, err)
		if len(l.Waiting) != 1 || !l.Waiting[0].May || l.Waiting[0].Details[0].EN != "Reaches 900 customers" {
			r.t.Fatalf("waiting for the checker: %+v", l.Waiting)
		}
		got, err := r.Decide(checker, q.ID, approval.Approve, "")
		must(r.t, err)
		if got.State != approval.Approved || len(r.done) != 1 || r.done[0] != "body of map/1" {
			r.t.Fatalf("state %s, carried out %v", got.State, r.done)
		}
		_, err = r.Decide(checker, q.ID, approval.Approve, "")
		r.refused("twice", err, "approval.error.decided")
		q = r.mustPropose(maker, "map/1")
		_, err = r.Decide(checker, q.ID, approval.Refuse, " ")
		r.refused("refusal without a reason", err, "approval.error.reason")
		_, err = r.Decide(checker, q.ID, approval.Refuse, "not yet tried with customers")
		must(r.t, err)
		if len(r.done) != 1 || len(r.closed) != 1 || r.closed[0] != approval.Refused {
			r.t.Fatalf("carried out %v, closed %v", r.done, r.closed)
		}
		l, err = r.List(maker)
		must(r.t, err)
		if len(l.Mine) != 2 || l.Mine[0].Reason != "not yet tried with customers" || len(l.Waiting) != 0 {
			r.t.Fatalf("the maker sees %+v", l)
		}
	})
}

// Nobody checks what they made, under whatever name.
func TestMakerIsNeverChecker(t *testing.T) {
	each(t, func(r *rig) {
		maker := r.person("lan@example.com", auth.CXLead, "/")
		q := r.mustPropose(maker, "map/1")
		_, err := r.Decide(maker, q.ID, approval.Approve, "")
		r.refused("the maker", err, "approval.error.own")

		plus := r.person("Lan+lead@Example.com", auth.CXLead, "/")
		_, err = r.Decide(plus, q.ID, approval.Approve, "")
		r.refused("the maker's other address", err, "approval.error.own")

		second, third := r.person("ttl@example.com", auth.CXLead, "/"), r.person("lan.private@example.com", auth.CXLead, "/")
		join := func(a, b context.Context) {
			x, _ := auth.From(a)
			y, _ := auth.From(b)
			must(r.t, r.db.Write(testkit.Context(r.t), func(ctx context.Context, tx store.Tx) error { return r.auth.JoinPersons(ctx, tx, x.ID, y.ID) }))
		}
		join(third, second)
		join(second, maker)
		for _, ctx := range []context.Context{second, third} {
			_, err = r.Decide(ctx, q.ID, approval.Approve, "")
			r.refused("an account declared to be the maker's", err, "approval.error.own")
		}

		var key auth.APIKey
		must(r.t, r.db.Write(maker, func(ctx context.Context, tx store.Tx) (err error) {
			key, _, err = r.auth.AddKey(ctx, tx, auth.NewKey{Name: "k", Roles: []auth.Role{auth.KeyAdmin}})
			return err
		}))
		asKey := auth.WithActor(r.t.Context(), key.Actor())
		q2 := r.mustPropose(asKey, "map/2")
		_, err = r.Decide(maker, q2.ID, approval.Approve, "")
		r.refused("who made the key that proposed", err, "approval.error.own")
		_, err = r.Decide(asKey, q.ID, approval.Approve, "")
		if errs.KindOf(err) != errs.KindDenied {
			r.t.Errorf("a key decided: %v", err)
		}
		if len(r.done) != 0 {
			r.t.Errorf("carried out %v", r.done)
		}
		other := r.person("minh@example.com", auth.CXLead, "/")
		_, err = r.Decide(other, q.ID, approval.Approve, "")
		must(r.t, err)
		_, err = r.Decide(other, q2.ID, approval.Approve, "")
		must(r.t, err)
	})
}

func TestCheckerNeedsPermissionAndPlace(t *testing.T) {
	each(t, func(r *rig) {
		maker := r.person("lan@example.com", auth.Analyst, "/")
		q := r.mustPropose(maker, "map/1")
		_, err := r.Decide(r.person("a@example.com", auth.Champion, "/"), q.ID, approval.Approve, "")
		r.refused("without the permission", err, "auth.denied")
		north := r.person("b@example.com", auth.CXLead, "/north/")
		_, err = r.Decide(north, q.ID, approval.Approve, "")
		r.refused("a head of one region on the whole bank", err, "approval.error.not_found")
		if _, err := r.Get(north, q.ID); errs.KindOf(err) != errs.KindNotFound {
			r.t.Errorf("a head of one region reads it: %v", err)
		}
		in, err := r.propose(maker, "map/2", func(p *approval.Proposal) { p.Unit = "/north/b1/" })
		must(r.t, err)
		_, err = r.Decide(r.person("c@example.com", auth.CXLead, "/south/"), in.ID, approval.Approve, "")
		r.refused("a head of another region", err, "approval.error.not_found")
		_, err = r.Decide(north, in.ID, approval.Approve, "")
		must(r.t, err)
		_, err = r.propose(north, "map/3", func(p *approval.Proposal) { p.Unit = "/south/" })
		r.refused("beyond the maker's place", err, "approval.error.unit")
		must(r.t, r.db.Write(testkit.Context(r.t), func(ctx context.Context, tx store.Tx) error { return r.UnitMoved(ctx, tx, "/north/b1/", "/south/b1/") }))
		got, err := r.Get(maker, in.ID)
		must(r.t, err)
		if got.Unit != "/south/b1/" {
			r.t.Errorf("the unit moved, the proposal stays at %s", got.Unit)
		}
	})
}

// What the decision does and the decision are kept together or not at all.
func TestDecisionAndEffectAreOne(t *testing.T) {
	each(t, func(r *rig) {
		maker, checker := r.person("lan@example.com", auth.Analyst, "/"), r.person("minh@example.com", auth.CXLead, "/")
		q := r.mustPropose(maker, "map/1")
		r.fail = errors.New("the map is locked")
		if _, err := r.Decide(checker, q.ID, approval.Approve, ""); !errors.Is(err, r.fail) {
			r.t.Fatalf("got %v", err)
		}
		got, err := r.Get(checker, q.ID)
		must(r.t, err)
		if got.State != approval.Waiting {
			r.t.Fatalf("decided although nothing was done: %s", got.State)
		}
		r.fail = nil
		must(r.t, r.db.Write(testkit.Context(r.t), func(ctx context.Context, tx store.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE approval_request SET payload = '\"another body\"'")
			return err
		}))
		_, err = r.Decide(checker, q.ID, approval.Approve, "")
		r.refused("another payload", err, "approval.error.changed")
	})
}

func TestOneWaitsAndExpires(t *testing.T) {
	each(t, func(r *rig) {
		maker, checker := r.person("lan@example.com", auth.Analyst, "/"), r.person("minh@example.com", auth.CXLead, "/")
		q := r.mustPropose(maker, "map/1")
		_, err := r.propose(maker, "map/1")
		r.refused("two for one object", err, "approval.error.waits")
		if err := r.Withdraw(checker, q.ID, ""); errs.KindOf(err) != errs.KindDenied {
			r.t.Errorf("another withdrew it: %v", err)
		}
		must(r.t, r.Withdraw(maker, q.ID, "a mistake in step 3"))
		q = r.mustPropose(maker, "map/1")
		testkit.Clock(r.db).Advance(time.Hour)
		_, err = r.Decide(checker, q.ID, approval.Approve, "")
		r.refused("too late", err, "approval.error.expired")
		got, err := r.Get(maker, q.ID)
		must(r.t, err)
		if got.State != approval.Expired {
			r.t.Errorf("state %s", got.State)
		}
		r.mustPropose(maker, "map/1")
		r.mustPropose(maker, "map/2")
		testkit.Clock(r.db).Advance(2 * time.Hour)
		r.mustPropose(maker, "map/1") // the one that expired stands in nobody's way
		n, err := r.Expire(testkit.Context(r.t))
		must(r.t, err)
		if n != 1 || len(r.done) != 0 {
			r.t.Errorf("%d expired, %v carried out", n, r.done)
		}
		if got := len(r.closed); got != 4 {
			r.t.Errorf("%d closed: %v", got, r.closed)
		}
	})
}
