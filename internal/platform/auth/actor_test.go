package auth

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
)

func person(grants ...Grant) Actor {
	return Actor{Kind: Person, ID: "a1", Entity: "bank", Grants: grants}
}

func TestRequireDecidesByRoleAndPlace(t *testing.T) {
	t.Parallel()
	both := person(Grant{Analyst, "/"}, Grant{Champion, "/north/b1/"})
	at := func(a Actor, place string) context.Context { return WithActor(t.Context(), a.settle(place)) }
	cases := []struct {
		name   string
		ctx    context.Context
		perm   Permission
		object string
		want   errs.Kind
	}{
		{"nobody", t.Context(), "insight.metric.read", "", errs.KindUnauthenticated},
		{"own place", at(both, ""), "ingest.plan.edit", "", 0},
		{"a role held only further down", at(both, ""), "customer.profile.read", "", errs.KindDenied},
		{"the same role at an object further down", at(both, ""), "customer.profile.read", "/north/b1/", 0},
		{"the same role in its own place", at(both, "/north/b1/"), "customer.profile.read", "", 0},
		{"a grant from above counts below", at(both, "/north/b1/"), "ingest.plan.edit", "", 0},
		{"an object outside the place", at(both, "/north/b1/"), "ingest.plan.edit", "/south/", errs.KindDenied},
		{"a sibling with the same beginning", at(person(Grant{Champion, "/north/b1/"}), ""), "customer.profile.read", "/north/b10/", errs.KindDenied},
		{"an unknown permission", at(both, ""), "no.such.thing", "", errs.KindDenied},
		{"no grant at all", at(person(), ""), "insight.metric.read", "", errs.KindDenied},
		{"the platform itself", scope.With(t.Context(), scope.Process("bank", "x")), "ingest.plan.edit", "", 0},
		{"an actor inside the platform's scope", scope.With(at(person(), ""), scope.Process("bank", "x")), "ingest.plan.edit", "", errs.KindDenied},
		{"a scope that is not the platform's", scope.With(t.Context(), scope.Scope{Entity: "bank", Unit: "/", Actor: "x"}), "ingest.plan.edit", "", errs.KindUnauthenticated},
	}
	for _, c := range cases {
		err := Require(c.ctx, c.perm, c.object)
		if (err == nil) != (c.want == 0) || (err != nil && errs.KindOf(err) != c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestScopeFollowsThePlace(t *testing.T) {
	t.Parallel()
	a := person(Grant{Champion, "/north/b1/"}, Grant{Analyst, "/south/"})
	if d := cmp.Diff([]string{"/south/", "/north/b1/"}, a.Places()); d != "" {
		t.Error(d)
	}
	s, ok := scope.From(WithActor(t.Context(), a.settle("/north/b1/")))
	if want := (scope.Scope{Entity: "bank", Unit: "/north/b1/", Actor: "account:a1"}); !ok || s != want {
		t.Errorf("%+v", s)
	}
	if s, _ := scope.From(WithActor(t.Context(), a.settle("/"))); s.Unit != "/south/" {
		t.Errorf("an uncovered wish gave %q", s.Unit)
	}
	if _, ok := scope.From(WithActor(t.Context(), person())); ok {
		t.Error("an actor without grants has a scope")
	}
}

// Whatever the grants, no place or object lets an actor do what no grant of
// theirs, at that unit or above, allows.
func TestNoPlaceGivesMoreThanTheGrants(t *testing.T) {
	t.Parallel()
	unit := rapid.SampledFrom([]string{"/", "/a/", "/a/b/", "/a/c/", "/ab/", "/a/b/d/"})
	perms := Permissions()
	rapid.Check(t, func(t *rapid.T) {
		a := person()
		for range rapid.IntRange(0, 4).Draw(t, "n") {
			a.Grants = append(a.Grants, Grant{rapid.SampledFrom(PersonRoles).Draw(t, "role"), unit.Draw(t, "unit")})
		}
		ctx := WithActor(context.Background(), a.settle(unit.Draw(t, "wish")))
		p := rapid.SampledFrom(perms).Draw(t, "perm")
		object := rapid.SampledFrom([]string{"", "/", "/a/", "/a/b/", "/ab/"}).Draw(t, "object")
		if Require(ctx, p, object) != nil {
			return
		}
		acting, _ := From(ctx)
		at := object
		if at == "" {
			at = acting.Place
		}
		if !slices.ContainsFunc(a.Grants, func(g Grant) bool { return strings.HasPrefix(at, g.Unit) && slices.Contains(table[p], g.Role) }) {
			t.Fatalf("%s at %q with %v", p, at, a.Grants)
		}
	})
}

func TestTableNamesOnlyKnownRoles(t *testing.T) {
	t.Parallel()
	all := slices.Concat(PersonRoles, KeyRoles)
	for p, rs := range table {
		for i, r := range rs {
			if !slices.Contains(all, r) || slices.Contains(rs[:i], r) {
				t.Errorf("%s: role %s is unknown or named twice", p, r)
			}
		}
		if strings.HasPrefix(string(p), "customer.profile") && (slices.Contains(rs, Admin) || slices.Contains(rs, Auditor)) {
			t.Errorf("%s is given to whoever runs or audits the machine", p)
		}
	}
}
