package demo

import (
	"context"
	"strings"

	"omote/bank"
	"omote/internal/admin/org"
	"omote/internal/app"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Password is what every demo account signs in with. The demo holds nothing of
// anybody; a real installation begins with /setup instead.
const Password = "thuyen-nan-1965"

// SignIn is an account of the demo.
type SignIn struct {
	Email string
	Name  string // words for "example"; nobody is called so
	Role  auth.Role
	Unit  string
}

// SignIns are the accounts of the demo, one for each kind of work.
func SignIns() []SignIn {
	first := bank.Branches()[0]
	return []SignIn{
		{"hoidong@demo.example", "Lê Hư Cấu", auth.Council, "/"},
		{"cxlead@demo.example", "Bùi Thị Nháp", auth.CXLead, "/"},
		{"analyst@demo.example", "Vũ Minh Hoạ", auth.Analyst, "/"},
		{"champion@demo.example", "Hồ Ví Dụ", auth.Champion, unitPath(first.Path)},
		{"agent@demo.example", "Đỗ Tượng Trưng", auth.Agent, unitPath(first.Path)},
		{"steward@demo.example", "Trần Mẫu", auth.Steward, "/"},
		{"dpo@demo.example", "Ngô Giả Định", auth.DPO, "/"},
		{"auditor@demo.example", "Phan Thử", auth.Auditor, "/"},
		{"admin@demo.example", "Đinh Quản Trị", auth.Admin, "/"},
		{"taichinh@demo.example", "Trịnh Thị Giả Sử", auth.FinancePart, "/"},
		{"ruiro@demo.example", "Hồ Văn Ước", auth.RiskValidator, "/"},
		{"hanhtrinh@demo.example", "Mai Thị Tưởng", auth.CXLead, "/"},
		{"congnghe@demo.example", "Lý Thử Nghiệm", auth.Council, "/"},
		{"nhansu@demo.example", "Đào Giả Thiết", auth.Council, "/"},
		{"tongdai@demo.example", "Cao Minh Định", auth.Council, "/"},
	}
}

// unitPath is a branch's place in the organisation: codes are lower case there.
func unitPath(path string) string { return strings.ToLower(path) }

// seedPeople makes the organisation and the accounts, unless they are there.
func seedPeople(ctx context.Context, a *app.App) error {
	ctx = a.System(ctx)
	admin := a.Admin()
	add := func(n org.New) error {
		_, err := admin.Org.Add(ctx, n)
		if errs.KindOf(err) == errs.KindConflict {
			return nil
		}
		return err
	}
	for _, r := range bank.Regions {
		if err := add(org.New{Parent: "/", Code: strings.ToLower(r.Code), Kind: org.Region, Name: r.Vi}); err != nil {
			return err
		}
	}
	for _, b := range bank.Branches() {
		if err := add(org.New{Parent: "/" + strings.ToLower(b.Region) + "/", Code: strings.ToLower(b.Code), Kind: org.Single, Name: b.Name}); err != nil {
			return err
		}
	}
	for _, s := range SignIns() {
		account, _, err := admin.Accounts.Create(ctx, auth.NewAccount{Email: s.Email, Name: s.Name, Locale: "vi", Grants: []auth.Grant{{Role: s.Role, Unit: s.Unit}}})
		if errs.KindOf(err) == errs.KindConflict || isTaken(err) {
			continue
		}
		if err != nil {
			return err
		}
		err = a.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			return a.Auth().SetPassword(ctx, tx, account.ID, Password)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func isTaken(err error) bool {
	e, ok := err.(*errs.Error)
	return ok && e.Key == "auth.email_taken"
}
