package admin_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"omote/internal/admin"
	"omote/internal/admin/account"
	"omote/internal/admin/key"
	"omote/internal/admin/org"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

var migrations = []store.Migrations{sealed.Migrations, audit.Migrations, auth.Migrations, admin.Migrations}

func TestMigrations(t *testing.T) {
	t.Parallel()
	testkit.CheckMigrations(t, migrations...)
}

func TestTextsExistInBothLanguages(t *testing.T) {
	t.Parallel()
	if err := i18n.Check(admin.Locales()); err != nil {
		t.Error(err)
	}
}

// rig is an installation with a small tree:
//
//	/  ├─ /north/  ├─ /north/b1/
//	   │           └─ /north/b2/
//	   └─ /south/
type rig struct {
	*admin.Admin
	t     *testing.T
	db    *store.DB
	auth  *auth.Service
	units map[string]org.Unit
	moved *moves
}

type moves struct{ list []string }

func (m *moves) UnitMoved(_ context.Context, _ store.Tx, from, to string) error {
	if strings.Contains(to, "refuse") {
		return errors.New("a follower refuses")
	}
	m.list = append(m.list, from+" "+to)
	return nil
}

func each(t *testing.T, fn func(t *testing.T, r rig)) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		box, err := sealed.NewBox(db.Keys())
		if err != nil {
			t.Fatal(err)
		}
		signIn, err := auth.New(t.Context(), db, box, auth.Options{Password: auth.Params{Memory: 8, Time: 1, Threads: 1}})
		if err != nil {
			t.Fatal(err)
		}
		r := rig{t: t, db: db, auth: signIn, units: map[string]org.Unit{}, moved: &moves{}}
		r.Admin = admin.New(db, signIn, r.moved)
		for range 2 { // a second start changes nothing
			if err := r.Org.EnsureEntity(r.system(), "Ngân hàng Ví Dụ"); err != nil {
				t.Fatal(err)
			}
		}
		r.unit("/", "north", org.Region, "Miền Bắc")
		r.unit("/", "south", org.Region, "Miền Nam")
		r.unit("/north/", "b1", org.Single, "Chi nhánh Một")
		r.unit("/north/", "b2", org.Single, "Chi nhánh Hai")
		fn(t, r)
	}, migrations...)
}

func (r rig) system() context.Context { return testkit.Context(r.t) }

func (r rig) unit(parent, code string, kind org.Kind, name string) {
	r.t.Helper()
	u, err := r.Org.Add(r.system(), org.New{Parent: parent, Code: code, Kind: kind, Name: name})
	if err != nil {
		r.t.Fatal(err)
	}
	r.units[code] = u
}

// person adds an active account and gives its id and context.
func (r rig) person(email string, grants ...auth.Grant) (string, context.Context) {
	r.t.Helper()
	a, _, err := r.Accounts.Create(r.system(), auth.NewAccount{Email: email, Name: "Người " + email, Locale: "vi", Grants: grants})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.Accounts.SetPassword(r.system(), a.ID, "con trâu gặm cỏ ngoài đồng"); err != nil {
		r.t.Fatal(err)
	}
	return a.ID, auth.WithActor(r.t.Context(), auth.Actor{Kind: auth.Person, ID: a.ID, Entity: "bank", Grants: grants})
}

func want(t *testing.T, what string, err error, key string) {
	t.Helper()
	e, _ := errors.AsType[*errs.Error](err)
	if key == "" && err == nil || e != nil && e.Key == key {
		return
	}
	t.Errorf("%s: %v, want %q", what, err, key)
}

func paths(units []org.Unit) (out []string) {
	for _, u := range units {
		out = append(out, u.Path)
	}
	return out
}

func (r rig) tree() []string {
	r.t.Helper()
	units, err := r.Org.Tree(r.system())
	if err != nil {
		r.t.Fatal(err)
	}
	return paths(units)
}

func TestTreeListsSearchesAndPages(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		if d := cmp.Diff([]string{"/", "/north/", "/north/b1/", "/north/b2/", "/south/"}, r.tree()); d != "" {
			t.Error(d)
		}
		list := func(ctx context.Context, q org.Query) (out []string) {
			t.Helper()
			for {
				p, err := r.Org.List(ctx, q)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, paths(p.Items)...)
				if q.After = p.Next; q.After == "" {
					return out
				}
			}
		}
		check := func(name string, got []string, want ...string) {
			t.Helper()
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
		check("pages", list(r.system(), org.Query{Limit: 2}), r.tree()...)
		check("search without marks", list(r.system(), org.Query{Search: "chi nhanh"}), "/north/b1/", "/north/b2/")
		check("kind", list(r.system(), org.Query{Kind: org.Region}), "/north/", "/south/")
		_, champion := r.person("c@bank.test", auth.Grant{Role: auth.Champion, Unit: "/north/b1/"})
		check("a place", list(champion, org.Query{}), "/north/b1/")
		if _, err := r.Org.Get(champion, r.units["south"].ID); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("a unit beyond the place: %v", err)
		}
	})
}

func TestUnitsAreCheckedAndAudited(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		add := func(parent, code string, kind org.Kind, name string) error {
			_, err := r.Org.Add(r.system(), org.New{Parent: parent, Code: code, Kind: kind, Name: name})
			return err
		}
		want(t, "bad code", add("/", "North East", org.Region, "x"), "admin.org.error.code")
		want(t, "taken code", add("/south/", "b1", org.Single, "x"), "admin.org.error.code_taken")
		want(t, "no parent", add("/west/", "b9", org.Single, "x"), "admin.org.error.no_path")
		want(t, "region in a unit", add("/north/b1/", "r", org.Region, "x"), "admin.org.error.region_in_unit")
		want(t, "second entity", add("/", "e", org.Entity, "x"), "admin.org.error.kind")
		want(t, "no name", add("/", "e", org.Single, "  "), "admin.org.error.name")
		want(t, "desk in a branch", add("/north/b1/", "desk", org.Single, "Quầy"), "")
		path := "/south/"
		for _, code := range []string{"d2", "d3", "d4", "d5", "d6", "d7", "d8"} {
			want(t, code, add(path, code, org.Single, "x"), "")
			path += code + "/"
		}
		want(t, "too deep", add(path, "d9", org.Single, "x"), "admin.org.error.depth")

		b2 := r.units["b2"].ID
		want(t, "rename", r.Org.Rename(r.system(), b2, "Chi nhánh Mới"), "")
		if u, err := r.Org.Get(r.system(), b2); err != nil || u.Name != "Chi nhánh Mới" || u.Parent() != "/north/" || u.Depth() != 2 {
			t.Errorf("%+v, %v", u, err)
		}
		page, err := r.Trail.List(r.system(), audit.Filter{Object: "unit/" + b2})
		if err != nil || len(page.Items) != 2 || page.Items[0].Action != "admin.org.rename" || page.Items[0].Before == page.Items[0].After {
			t.Errorf("%+v, %v", page.Items, err)
		}
	})
}

func TestUnitsCloseFromBelow(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		id := func(code string) string { return r.units[code].ID }
		root, err := r.Org.List(r.system(), org.Query{Kind: org.Entity})
		if err != nil {
			t.Fatal(err)
		}
		want(t, "the entity", r.Org.Close(r.system(), root.Items[0].ID), "admin.org.error.entity")
		want(t, "open units below", r.Org.Close(r.system(), id("north")), "admin.org.error.open_below")
		for _, code := range []string{"b1", "b2", "north"} {
			want(t, code, r.Org.Close(r.system(), id(code)), "")
		}
		page, err := r.Org.List(r.system(), org.Query{})
		if d := cmp.Diff([]string{"/", "/south/"}, paths(page.Items)); err != nil || d != "" {
			t.Error(d, err)
		}
		want(t, "under a closed one", r.Org.Reopen(r.system(), id("b1")), "admin.org.error.parent_closed")
		_, err = r.Org.Add(r.system(), org.New{Parent: "/north/", Code: "b3", Kind: org.Single, Name: "x"})
		want(t, "a new one under a closed one", err, "admin.org.error.parent_closed")
		_, _, err = r.Accounts.Create(r.system(), auth.NewAccount{Email: "a@bank.test", Name: "x", Locale: "en", Grants: []auth.Grant{{Role: auth.Agent, Unit: "/north/b1/"}}})
		want(t, "a role in a closed one", err, "admin.org.error.closed")
		want(t, "reopen", r.Org.Reopen(r.system(), id("north")), "")
		want(t, "and below", r.Org.Reopen(r.system(), id("b1")), "")
	})
}

func TestMovedSubtreesTakeEverythingAlong(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		champion, _ := r.person("c@bank.test", auth.Grant{Role: auth.Champion, Unit: "/north/b1/"})
		north, b1 := r.units["north"].ID, r.units["b1"].ID
		want(t, "into itself", r.Org.Move(r.system(), north, "/north/b1/"), "admin.org.error.into_itself")
		want(t, "region into a unit", r.Org.Move(r.system(), r.units["south"].ID, "/north/b1/"), "admin.org.error.region_in_unit")
		want(t, "to where it is", r.Org.Move(r.system(), b1, "/north/"), "")
		want(t, "move", r.Org.Move(r.system(), north, "/south/"), "")
		if d := cmp.Diff([]string{"/", "/south/", "/south/north/", "/south/north/b1/", "/south/north/b2/"}, r.tree()); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]string{"/north/ /south/north/"}, r.moved.list); d != "" {
			t.Error(d)
		}
		a, err := r.Accounts.Get(r.system(), champion)
		if err != nil || a.Grants[0].Unit != "/south/north/b1/" {
			t.Errorf("%+v, %v", a.Grants, err)
		}
		// When a follower refuses, nothing moves.
		r.unit("/", "refuse", org.Region, "x")
		if err := r.Org.Move(r.system(), b1, "/refuse/"); err == nil {
			t.Error("moved against a follower")
		}
		if a, err := r.Accounts.Get(r.system(), champion); err != nil || a.Grants[0].Unit != "/south/north/b1/" {
			t.Errorf("%+v, %v", a.Grants, err)
		}
	})
}

func TestAccountsListSearchSortAndPage(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		for i, name := range []string{"Ân", "bình", "Chi", "Đức", "An"} {
			testkit.Clock(r.db).Advance(time.Minute)
			g := []auth.Grant{{Role: auth.Agent, Unit: "/north/b1/"}}
			if i%2 == 1 {
				g = []auth.Grant{{Role: auth.Analyst, Unit: "/south/"}}
			}
			if name == "Đức" {
				g = nil
			}
			if _, _, err := r.Accounts.Create(r.system(), auth.NewAccount{Email: string(rune('e'-i)) + "@bank.test", Name: name, Locale: "vi", Grants: g}); err != nil {
				t.Fatal(err)
			}
		}
		list := func(ctx context.Context, q account.Query) (out []string) {
			t.Helper()
			for {
				p, err := r.Accounts.List(ctx, q)
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range p.Items {
					out = append(out, a.Name)
				}
				if q.After = p.Next; q.After == "" {
					if p.Total != len(out) {
						t.Errorf("total %d of %d", p.Total, len(out))
					}
					return out
				}
			}
		}
		check := func(name string, got []string, want ...string) {
			t.Helper()
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
		check("by name", list(r.system(), account.Query{Limit: 2}), "Ân", "An", "bình", "Chi", "Đức")
		check("by address", list(r.system(), account.Query{Sort: account.ByEmail, Limit: 3}), "An", "Đức", "Chi", "bình", "Ân")
		check("newest first", list(r.system(), account.Query{Sort: account.ByCreated, Desc: true}), "An", "Đức", "Chi", "bình", "Ân")
		check("search", list(r.system(), account.Query{Search: "duc"}), "Đức")
		check("search by address", list(r.system(), account.Query{Search: "d@bank"}), "bình")
		check("role", list(r.system(), account.Query{Role: auth.Analyst}), "bình")
		check("unit", list(r.system(), account.Query{Unit: "/north/"}), "Ân", "An", "Chi")
		check("state", list(r.system(), account.Query{State: auth.Active}))
		_, local := r.person("admin@bank.test", auth.Grant{Role: auth.Admin, Unit: "/south/"})
		check("a place", list(local, account.Query{}), "bình", "Người admin@bank.test")
	})
}

func TestAdministratorsOfASubtreeStayInIt(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		me, local := r.person("local@bank.test", auth.Grant{Role: auth.Admin, Unit: "/north/"})
		inside, _ := r.person("in@bank.test", auth.Grant{Role: auth.Agent, Unit: "/north/b1/"})
		both, _ := r.person("both@bank.test", auth.Grant{Role: auth.Agent, Unit: "/north/b1/"}, auth.Grant{Role: auth.Analyst, Unit: "/"})
		outside, _ := r.person("out@bank.test", auth.Grant{Role: auth.Agent, Unit: "/south/"})
		create := func(grants ...auth.Grant) error {
			_, _, err := r.Accounts.Create(local, auth.NewAccount{Email: "new@bank.test", Name: "x", Locale: "en", Grants: grants})
			return err
		}
		want(t, "create in the place", create(auth.Grant{Role: auth.Champion, Unit: "/north/b2/"}), "")
		want(t, "create above", create(auth.Grant{Role: auth.Admin, Unit: "/"}), "auth.denied")
		want(t, "create beside", create(auth.Grant{Role: auth.Agent, Unit: "/south/"}), "auth.denied")
		want(t, "create without a role", create(), "admin.account.error.grant_missing")
		want(t, "grant in the place", r.Accounts.SetGrants(local, inside, []auth.Grant{{Role: auth.CaseOwner, Unit: "/north/b1/"}}), "")
		want(t, "grant above", r.Accounts.SetGrants(local, inside, []auth.Grant{{Role: auth.CaseOwner, Unit: "/"}}), "auth.denied")
		want(t, "own grants", r.Accounts.SetGrants(local, me, []auth.Grant{{Role: auth.DPO, Unit: "/north/"}}), "admin.account.error.own_grants")
		want(t, "disable who reaches further", r.Accounts.Disable(local, both, "x"), "auth.denied")
		want(t, "disable who is elsewhere", r.Accounts.Disable(local, outside, "x"), "auth.account_not_found")
		want(t, "disable oneself", r.Accounts.Disable(local, me, "x"), "admin.account.error.own_account")
		want(t, "disable inside", r.Accounts.Disable(local, inside, "left the bank"), "")
		if a, err := r.Accounts.Get(local, inside); err != nil || a.State != auth.Disabled {
			t.Errorf("%+v, %v", a, err)
		}
		want(t, "enable", r.Accounts.Enable(local, inside, "came back"), "")
		_, err := r.Accounts.Invite(local, inside)
		want(t, "invite", err, "")
		want(t, "update", r.Accounts.Update(local, inside, "Another Name", "en"), "")
		want(t, "sign out", r.Accounts.EndSessions(local, inside, "lost phone"), "")
		want(t, "two factors", r.Accounts.ClearTwoFactor(local, inside, "lost phone"), "")
		page, err := r.Trail.List(r.system(), audit.Filter{Object: "account/" + inside, Actor: "account:" + me})
		if err != nil || len(page.Items) != 7 {
			t.Errorf("%d entries, %v", len(page.Items), err)
		}
	})
}

func TestTheLastAdministratorStays(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		chief := auth.Grant{Role: auth.Admin, Unit: "/"}
		a, _ := r.person("a@bank.test", chief)
		b, asB := r.person("b@bank.test", chief)
		want(t, "one of two", r.Accounts.Disable(asB, a, "left"), "")
		want(t, "the last, by the operator", r.Accounts.Disable(r.system(), b, "x"), "admin.account.error.last_admin")
		want(t, "the last one's role", r.Accounts.SetGrants(r.system(), b, []auth.Grant{{Role: auth.Analyst, Unit: "/"}}), "admin.account.error.last_admin")
		want(t, "after another came back", r.Accounts.Enable(r.system(), a, "back"), "")
		want(t, "the other's role", r.Accounts.SetGrants(r.system(), b, nil), "")
	})
}

func TestOthersMayNot(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		_, agent := r.person("agent@bank.test", auth.Grant{Role: auth.Agent, Unit: "/"})
		_, auditor := r.person("auditor@bank.test", auth.Grant{Role: auth.Auditor, Unit: "/"})
		id, _ := r.person("x@bank.test")
		acts := map[string]func(context.Context) error{
			"create account": func(ctx context.Context) error {
				_, _, err := r.Accounts.Create(ctx, auth.NewAccount{})
				return err
			},
			"update account":  func(ctx context.Context) error { return r.Accounts.Update(ctx, id, "x", "en") },
			"grants":          func(ctx context.Context) error { return r.Accounts.SetGrants(ctx, id, nil) },
			"disable":         func(ctx context.Context) error { return r.Accounts.Disable(ctx, id, "") },
			"enable":          func(ctx context.Context) error { return r.Accounts.Enable(ctx, id, "") },
			"invite":          func(ctx context.Context) error { _, err := r.Accounts.Invite(ctx, id); return err },
			"password":        func(ctx context.Context) error { return r.Accounts.SetPassword(ctx, id, "x") },
			"two factors":     func(ctx context.Context) error { return r.Accounts.ClearTwoFactor(ctx, id, "") },
			"sessions":        func(ctx context.Context) error { return r.Accounts.EndSessions(ctx, id, "") },
			"add unit":        func(ctx context.Context) error { _, err := r.Org.Add(ctx, org.New{Parent: "/"}); return err },
			"rename unit":     func(ctx context.Context) error { return r.Org.Rename(ctx, r.units["b1"].ID, "x") },
			"close unit":      func(ctx context.Context) error { return r.Org.Close(ctx, r.units["b1"].ID) },
			"reopen unit":     func(ctx context.Context) error { return r.Org.Reopen(ctx, r.units["b1"].ID) },
			"move unit":       func(ctx context.Context) error { return r.Org.Move(ctx, r.units["b1"].ID, "/south/") },
			"name the entity": func(ctx context.Context) error { return r.Org.EnsureEntity(ctx, "x") },
			"create key":      func(ctx context.Context) error { _, _, err := r.Keys.Create(ctx, auth.NewKey{}); return err },
			"revoke key":      func(ctx context.Context) error { return r.Keys.Revoke(ctx, "x", "") },
		}
		for name, act := range acts {
			if k := errs.KindOf(act(t.Context())); k != errs.KindUnauthenticated {
				t.Errorf("nobody: %s: %v", name, k)
			}
			for who, ctx := range map[string]context.Context{"agent": agent, "auditor": auditor} {
				if err := act(ctx); errs.KindOf(err) != errs.KindDenied {
					t.Errorf("%s: %s: %v", who, name, err)
				}
			}
		}
		if _, err := r.Trail.List(agent, audit.Filter{}); errs.KindOf(err) != errs.KindDenied {
			t.Errorf("agent reads the trail: %v", err)
		}
		if _, err := r.Trail.Verify(auditor); err != nil {
			t.Errorf("auditor verifies: %v", err)
		}
	})
}

func TestKeysLieInAPlace(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		_, local := r.person("local@bank.test", auth.Grant{Role: auth.Admin, Unit: "/north/"})
		create := func(ctx context.Context, name, unit string, roles ...auth.Role) (string, string, error) {
			k, secret, err := r.Keys.Create(ctx, auth.NewKey{Name: name, Unit: unit, Roles: roles})
			return k.ID, secret, err
		}
		_, _, err := create(local, "whole", "/", auth.KeyRead)
		want(t, "above the place", err, "auth.denied")
		_, _, err = create(local, "gone", "/north/b9/", auth.KeyRead)
		want(t, "no such unit", err, "admin.org.error.no_path")
		_, _, err = create(local, "person", "/north/", auth.Admin)
		want(t, "a person's role", err, "auth.key_scope_unknown")
		mine, secret, err := create(local, "mine", "/north/", auth.KeyIngest, auth.KeyRead)
		want(t, "in the place", err, "")
		whole, _, err := create(r.system(), "app", "", auth.KeyIngest)
		want(t, "by the operator", err, "")

		names := func(ctx context.Context, q key.Query) (out []string) {
			t.Helper()
			for {
				p, err := r.Keys.List(ctx, q)
				if err != nil {
					t.Fatal(err)
				}
				for _, k := range p.Items {
					out = append(out, k.Name)
				}
				if q.After = p.Next; q.After == "" {
					return out
				}
			}
		}
		if d := cmp.Diff([]string{"mine"}, names(local, key.Query{})); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]string{"app", "mine"}, names(r.system(), key.Query{Limit: 1})); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]string{"mine"}, names(r.system(), key.Query{Role: auth.KeyRead})); d != "" {
			t.Error(d)
		}
		want(t, "another's key", r.Keys.Revoke(local, whole, ""), "auth.key_not_found")
		want(t, "revoke", r.Keys.Revoke(local, mine, "no longer used"), "")
		if got := names(r.system(), key.Query{Active: true, Search: "MINE"}); got != nil {
			t.Errorf("active: %v", got)
		}
		_, err = r.auth.CheckKey(t.Context(), secret)
		want(t, "the revoked secret", err, "auth.key_invalid")
	})
}

func TestTrailPages(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		var got int
		f := audit.Filter{Action: "admin.org.", Limit: 3}
		for {
			p, err := r.Trail.List(r.system(), f)
			if err != nil {
				t.Fatal(err)
			}
			got += len(p.Items)
			if f.After = p.Next; f.After == "" {
				break
			}
		}
		if got != 4 {
			t.Errorf("%d lines", got)
		}
		var out strings.Builder
		if _, err := (&audit.Sealer{DB: r.db}).Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.Trail.Export(r.system(), &out, 0); err != nil {
			t.Fatal(err)
		}
		h, err := audit.ReadHead([]byte(out.String()))
		if err != nil || h.No != 1 || h.Entries != 4 {
			t.Errorf("%+v, %v", h, err)
		}
	})
}
