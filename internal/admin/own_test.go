package admin_test

import (
	"maps"
	"testing"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
)

// People change their own name and language without any administrator's right,
// and of nobody else; the change is in the trail.
func TestOwnAccount(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		id, ctx := r.person("agent@example.org", auth.Grant{Role: auth.Agent, Unit: "/north/b1/"})
		want(t, "own name", r.Accounts.UpdateOwn(ctx, "Tên Mới", "en"), "")
		want(t, "no name", r.Accounts.UpdateOwn(ctx, " ", "en"), "auth.name_invalid")
		want(t, "another language", r.Accounts.UpdateOwn(ctx, "Tên", "fr"), "auth.locale_invalid")
		want(t, "past the own account", r.Accounts.Update(ctx, id, "Khác", "en"), "auth.denied")
		want(t, "no person", r.Accounts.UpdateOwn(r.system(), "Tên", "en"), "auth.sign_in_first")
		a, err := r.Accounts.Get(r.system(), id)
		if err != nil || a.Name != "Tên Mới" || a.Locale != "en" {
			t.Errorf("the account is %+v, %v", a, err)
		}
		lines, err := r.Trail.List(r.system(), audit.Filter{Object: "account/" + id, Action: "admin.account.update"})
		if err != nil || len(lines.Items) != 1 || lines.Items[0].Reason != "by its owner" {
			t.Errorf("the trail says %+v, %v", lines.Items, err)
		}
	})
}

func TestNamesOfUnits(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		_, ctx := r.person("agent@example.org", auth.Grant{Role: auth.Agent, Unit: "/north/b1/"})
		got, err := r.Org.Names(ctx, "/", "/north/b1/", "/nowhere/")
		if err != nil || !maps.Equal(got, map[string]string{"/": "Ngân hàng Ví Dụ", "/north/b1/": "Chi nhánh Một"}) {
			t.Errorf("%v, %v", got, err)
		}
		if got, err := r.Org.Names(ctx); err != nil || len(got) != 0 {
			t.Errorf("no paths give %v, %v", got, err)
		}
	})
}
