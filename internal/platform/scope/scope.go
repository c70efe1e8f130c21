// Package scope says on whose behalf a statement runs and what it may see: the
// bank entity, the subtree of the organisation, the acting person or key, and
// the stated purpose. It travels in the context and with every store
// transaction; a transaction without a scope is refused.
package scope

import (
	"context"
	"strings"
)

// Scope bounds what a transaction may read and write.
type Scope struct {
	// Entity is the bank entity (legal entity) every row belongs to.
	Entity string
	// Unit is the path of the organisation subtree the actor may see, such as
	// "/north/branch-12/". "/" is the whole entity.
	Unit string
	// Actor is the pseudonymous id of the person, key or process that acts.
	Actor string
	// Purpose is why customer data is read; empty where none is read.
	Purpose string
	// System marks the platform's own work (projectors, jobs).
	System bool
}

// Root is the unit path of a whole entity.
const Root = "/"

// DefaultEntity is the entity of an installation that has only one.
const DefaultEntity = "bank"

// Sees reports whether a row of unit path p lies inside the scope's subtree.
func (s Scope) Sees(p string) bool { return strings.HasPrefix(p, s.Unit) }

// Valid reports whether the scope names an entity, a subtree and an actor.
func (s Scope) Valid() bool { return s.Entity != "" && s.Unit != "" && s.Actor != "" }

type key struct{}

// With puts s into the context.
func With(ctx context.Context, s Scope) context.Context {
	return context.WithValue(ctx, key{}, s)
}

// From takes the scope out of the context; ok is false where none was put.
func From(ctx context.Context) (s Scope, ok bool) {
	s, ok = ctx.Value(key{}).(Scope)
	return s, ok && s.Valid()
}

// Process is the scope of the platform's own work named after the part that does it.
func Process(entity, part string) Scope {
	return Scope{Entity: entity, Unit: Root, Actor: "process:" + part, System: true}
}
