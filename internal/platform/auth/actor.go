package auth

import (
	"context"
	"slices"
	"strings"

	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
)

// Kind tells people and keys apart.
type Kind string

// The kinds of actor.
const (
	Person Kind = "account"
	Key    Kind = "key"
)

// Grant is a role in a subtree of the organisation.
type Grant struct {
	Role Role
	Unit string // path of the subtree, "/" for the whole entity
}

// Actor is who a request comes from.
type Actor struct {
	Kind   Kind
	ID     string // of the account or key; names nobody
	Entity string
	Grants []Grant
	// Place is the unit that the actor acts in now.
	Place string
	// Session is the id of the session; empty for keys.
	Session string
	// Source is the feed a key sends for; empty for people.
	Source string
}

// Ref is how the actor is written down: "account:…" or "key:…".
func (a Actor) Ref() string { return string(a.Kind) + ":" + a.ID }

// May reports whether the actor holds the permission at the unit path.
func (a Actor) May(p Permission, unit string) bool {
	return slices.ContainsFunc(a.Grants, func(g Grant) bool {
		return strings.HasPrefix(unit, g.Unit) && g.Role.Holds(p)
	})
}

// Has reports whether the actor holds the role at the place they act in.
func (a Actor) Has(r Role) bool {
	return slices.ContainsFunc(a.Grants, func(g Grant) bool { return g.Role == r && strings.HasPrefix(a.Place, g.Unit) })
}

// Places lists the units in which the actor has grants, the highest first.
func (a Actor) Places() []string {
	var out []string
	for _, g := range a.Grants {
		if !slices.Contains(out, g.Unit) {
			out = append(out, g.Unit)
		}
	}
	slices.SortFunc(out, func(x, y string) int {
		if d := strings.Count(x, "/") - strings.Count(y, "/"); d != 0 {
			return d
		}
		return strings.Compare(x, y)
	})
	return out
}

// settle sets the place: the wished one when a grant covers it, else the highest.
func (a Actor) settle(wish string) Actor {
	covered := slices.ContainsFunc(a.Grants, func(g Grant) bool { return wish != "" && strings.HasPrefix(wish, g.Unit) })
	switch places := a.Places(); {
	case covered:
		a.Place = wish
	case len(places) > 0:
		a.Place = places[0]
	}
	return a
}

type actorKey struct{}

// WithActor puts the actor, and the scope they act under, into the context. An
// actor without any grant gets no scope and so can reach no row.
func WithActor(ctx context.Context, a Actor) context.Context {
	if a.Place == "" {
		a = a.settle("")
	}
	ctx = context.WithValue(ctx, actorKey{}, a)
	return scope.With(ctx, scope.Scope{Entity: a.Entity, Unit: a.Place, Actor: a.Ref()})
}

// From gives the actor of the context; ok is false where there is none.
func From(ctx context.Context) (a Actor, ok bool) {
	a, ok = ctx.Value(actorKey{}).(Actor)
	return a, ok
}

// Require gives nil when the actor of the context holds the permission at
// object: the path of a unit, or "" for the place they act in. The platform's
// own work (scope.Process, with no actor in the context) may do everything.
func Require(ctx context.Context, p Permission, object string) error {
	a, ok := From(ctx)
	if !ok {
		if s, ok := scope.From(ctx); ok && s.System {
			return nil
		}
		return errs.Unauthenticated("auth.sign_in_first", "%s needs a signed-in actor", p)
	}
	unit := object
	if unit == "" {
		unit = a.Place
	}
	if !strings.HasPrefix(unit, a.Place) || !a.May(p, unit) {
		return errs.Denied("auth.denied", "%s is not allowed here", p).With("permission", string(p))
	}
	return nil
}

// Can reports whether Require would give nil, for pages that hide what cannot
// be done.
func Can(ctx context.Context, p Permission) bool { return Require(ctx, p, "") == nil }
