// Package org is the organisation tree of a bank entity: the entity, its
// regions, their units (branches, contact centres, squads).
//
// A unit's place is its path, the codes from the top: "/north/b1/"; the entity
// itself is "/". Grants, scopes and rows of other modules hold paths, so a
// subtree is everything that begins with its path. Renaming changes no path;
// moving rewrites the paths of the subtree and lets followers rewrite theirs in
// the same transaction. A unit is closed, not deleted: history stays readable.
package org

import (
	"context"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Permissions of the organisation.
const (
	PermRead auth.Permission = "admin.org.read"
	PermEdit auth.Permission = "admin.org.edit"
)

// Kind is what a unit is.
type Kind string

// The kinds of units. Regions lie in the entity or in regions; units lie
// anywhere, also in units (a branch and its desks).
const (
	Entity Kind = "entity"
	Region Kind = "region"
	Single Kind = "unit"
)

// Limits of a unit.
const (
	MaxName  = 120 // characters
	MaxDepth = 8   // codes in a path
)

var codeForm = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$`)

// Unit is one place of the organisation.
type Unit struct {
	ID      string
	Code    string // unique in the entity, part of the path, never changed
	Path    string
	Kind    Kind
	Name    string
	Created time.Time
	Closed  time.Time // zero: open
}

// Parent is the path of the unit above; "" for the entity.
func (u Unit) Parent() string { return parentOf(u.Path) }

// Depth is how far below the entity the unit lies.
func (u Unit) Depth() int { return strings.Count(u.Path, "/") - 1 }

// Open reports whether the unit works.
func (u Unit) Open() bool { return u.Closed.IsZero() }

func parentOf(path string) string {
	if path == "/" {
		return ""
	}
	return path[:strings.LastIndexByte(strings.TrimSuffix(path, "/"), '/')+1]
}

// New is what it takes to add a unit.
type New struct {
	Parent string // path
	Code   string
	Kind   Kind // Region or Single
	Name   string
}

// Validate tells what is wrong with it.
func (n New) Validate() error {
	if !codeForm.MatchString(n.Code) {
		return errs.Invalid("admin.org.error.code", "code", "a code has 1 to 40 lower-case letters, digits and hyphens")
	}
	if n.Kind != Region && n.Kind != Single {
		return errs.Invalid("admin.org.error.kind", "kind", "a unit is a region or a unit, not %q", n.Kind)
	}
	return validateName(n.Name)
}

func validateName(name string) error {
	if n := utf8.RuneCountInString(strings.TrimSpace(name)); n == 0 || n > MaxName || !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		return errs.Invalid("admin.org.error.name", "name", "a name has 1 to %d characters", MaxName).With("max", MaxName)
	}
	return nil
}

// Follower keeps paths of units in rows of its own and rewrites them when a
// subtree moves: every path that begins with from begins with to afterwards.
type Follower interface {
	UnitMoved(ctx context.Context, tx store.Tx, from, to string) error
}

type row struct {
	bun.BaseModel `bun:"table:admin_unit"`

	ID      string `bun:",pk"`
	Entity  string
	Code    string
	Path    string
	Kind    Kind
	Name    string
	Created store.Micros
	Closed  store.Micros `bun:",nullzero"`
}

func (r row) unit() Unit {
	return Unit{ID: r.ID, Code: r.Code, Path: r.Path, Kind: r.Kind, Name: r.Name, Created: r.Created.Time(), Closed: r.Closed.Time()}
}
