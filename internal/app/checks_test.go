package app_test

import (
	"context"
	"strings"
	"testing"

	"omote/internal/app"
	"omote/internal/customer/contact"
	customererasure "omote/internal/customer/erasure"
	"omote/internal/customer/request"
	"omote/internal/customer/segment"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
	"omote/internal/testkit/browser"
)

// colleague adds an account at the root and gives the context in which it acts.
func colleague(t *testing.T, a *app.App, ctx context.Context, email, name string, roles ...auth.Role) (context.Context, string) {
	t.Helper()
	n := auth.NewAccount{Email: email, Name: name, Locale: "en"}
	for _, r := range roles {
		n.Grants = append(n.Grants, auth.Grant{Role: r, Unit: "/"})
	}
	var id string
	err := a.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		account, err := a.Auth().AddAccount(ctx, tx, n)
		if err != nil {
			return err
		}
		id = account.ID
		return a.Auth().SetPassword(ctx, tx, id, browserPassword)
	})
	if err != nil {
		t.Fatal(err)
	}
	return auth.WithActor(t.Context(), auth.Actor{Kind: auth.Person, ID: id, Entity: a.Config.Entity, Grants: n.Grants, Place: "/"}), id
}

// secondPerson signs a colleague in who approves the one thing that waits.
func secondPerson(t *testing.T, b *browser.Browser, a *app.App, ctx context.Context, base string) {
	t.Helper()
	colleague(t, a, ctx, "minh.vu@example.com", "Vũ Minh", auth.DPO)
	session, err := a.Auth().SignIn(ctx, auth.Credentials{Email: "minh.vu@example.com", Password: browserPassword}, auth.Client{Agent: "test", Address: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	p := b.Open(base, browser.Desk)
	p.Goto("/sign-in")
	p.Cookie(i18n.CookieName, "en")
	p.Cookie((&auth.Web{}).CookieName(), session)
	p.Goto("/governance/approvals")
	p.Shot("second-person")
	p.ClickText("Look at it")
	p.WaitText("Approve and carry out")
	p.AssertSound()
	p.Shot("second-person-one")
	p.ClickText("Approve and carry out")
	p.WaitText("Approved")
}

// TestSecondPerson goes through everything of customers that one person puts
// forward and another decides: before the decision nothing has changed, the maker
// cannot make it, and afterwards exactly what was proposed is so.
func TestSecondPerson(t *testing.T) {
	t.Parallel()
	b := openBranch(t, crashConfig(t.TempDir()))
	b.fill()
	maker, _ := colleague(t, b.App, b.ctx, "lan.tran@example.com", "Trần Lan", auth.DPO, auth.CXLead)
	checker, _ := colleague(t, b.App, b.ctx, "minh.vu@example.com", "Vũ Minh", auth.DPO)

	policy := func() *contact.Policy {
		t.Helper()
		p, err := b.Contacts().Policy(b.ctx)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	rule := func() (days, waits int) {
		t.Helper()
		all, err := b.Retention().Rules(b.ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			if r.Kind.ID == "comments" {
				if r.Waits != nil {
					waits = r.Waits.Days
				}
				return r.Days, waits
			}
		}
		t.Fatal("no rule for comments")
		return 0, 0
	}
	asked, err := b.Requests().Open(maker, request.New{Customer: b.record(stranger), Kind: request.Erase, Jurisdiction: "VN", Intake: "branch", Locale: "vi"})
	if err == nil {
		err = b.Requests().Check(maker, asked.ID, "branch_document", "")
	}
	if err != nil {
		t.Fatal(err)
	}
	status := func(id string) segment.Status {
		v, err := b.Segments().Get(b.ctx, id, 1)
		if err != nil {
			t.Fatal(err)
		}
		return v.Status
	}
	definition := func(id, use string) segment.Definition {
		return segment.Definition{ID: id, Name: segment.Text{En: id, Vi: id}, Rule: "no login_succeeded within 30d", Uses: []string{use}, Owner: "cx_lead"}
	}
	first := policy().Version
	for name, c := range map[string]struct {
		propose       func() error
		before, after func() bool
	}{
		"contact.publish": {func() error {
			next := *policy()
			next.Gaps = append([]contact.Gap{}, next.Gaps...)
			next.Gaps[0].Hours++
			_, err := b.Contacts().Save(maker, &next, "one more hour")
			return err
		}, func() bool { return policy().Version == first }, func() bool { return policy().Version == first+1 && policy().Note == "one more hour" }},
		"retention.change": {func() error { return b.Retention().Save(maker, "comments", 400, "own rule of 2026") },
			func() bool { d, w := rule(); return d == 3*365 && w == 400 }, func() bool { d, w := rule(); return d == 400 && w == 0 }},
		"segment.publish": {func() error {
			if _, err := b.Segments().Save(maker, definition("quiet_ones", "offer"), "test"); err != nil {
				return err
			}
			_, err := b.Segments().Activate(maker, "quiet_ones", 1)
			return err
		}, func() bool { return status("quiet_ones") == segment.Draft }, func() bool { return status("quiet_ones") != segment.Draft }},
		"erasure.order": {func() error { return b.Requests().OrderErasure(maker, asked.ID) },
			func() bool { r, err := b.Requests().Get(b.ctx, asked.ID); return err == nil && r.Erasure == "" },
			func() bool {
				r, err := b.Requests().Get(b.ctx, asked.ID)
				if err != nil || r.Erasure == "" {
					return false
				}
				c, err := b.Erasures().Carry(b.ctx, r.Erasure)
				return err == nil && c.State == customererasure.Done && c.RequestID == asked.ID
			}},
	} {
		if err := c.propose(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !c.before() {
			t.Errorf("%s: in force before anybody has checked it", name)
		}
		if err := c.propose(); errs.KindOf(err) != errs.KindConflict && name != "segment.publish" {
			t.Errorf("%s: put forward twice: %v", name, err)
		}
		l, err := b.Approvals().List(checker)
		if err != nil || len(l.Waiting) != 1 || l.Waiting[0].Kind != name {
			t.Fatalf("%s: the checker sees %+v, %v", name, l.Waiting, err)
		}
		q := l.Waiting[0].Request
		for _, line := range append(q.Details, q.Title) {
			if line.VI == "" || line.EN == "" || strings.Contains(line.EN, personID) {
				t.Errorf("%s tells the checker %+v", name, line)
			}
		}
		if _, err := b.Approvals().Decide(maker, q.ID, approval.Approve, ""); errs.KindOf(err) != errs.KindDenied {
			t.Errorf("%s: the maker decides: %v", name, err)
		}
		if _, err := b.Approvals().Decide(checker, q.ID, approval.Refuse, "look again"); err != nil {
			t.Fatal(err)
		}
		if err := c.propose(); err != nil {
			t.Fatalf("%s after a refusal: %v", name, err)
		}
		if l, err = b.Approvals().List(checker); err != nil || len(l.Waiting) != 1 {
			t.Fatal(name, l.Waiting, err)
		}
		if _, err := b.Approvals().Decide(checker, l.Waiting[0].ID, approval.Approve, ""); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !c.after() {
			t.Errorf("%s: approved and not so", name)
		}
	}
	// A segment that nobody is contacted for needs no second person.
	if _, err := b.Segments().Save(maker, definition("looked_at", "analysis"), "test"); err != nil {
		t.Fatal(err)
	}
	if waits, err := b.Segments().Activate(maker, "looked_at", 1); err != nil || waits != "" || status("looked_at") == segment.Draft {
		t.Errorf("%q %v %s", waits, err, status("looked_at"))
	}
}
