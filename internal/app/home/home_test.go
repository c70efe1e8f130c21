package home

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"omote/internal/module"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/platform/scope"
	"omote/internal/ui"
)

func TestTexts(t *testing.T) {
	t.Parallel()
	if err := i18n.Check(Locales()); err != nil {
		t.Error(err)
	}
}

// read draws the page for a role from parts that say who they are.
func read(t *testing.T, role auth.Role, locale string, parts ...module.Home) string {
	t.Helper()
	bundle, err := i18n.New(ui.Locales(), Locales())
	if err != nil {
		t.Fatal(err)
	}
	ctx := auth.WithActor(t.Context(), auth.Actor{Kind: auth.Person, ID: "p", Entity: scope.DefaultEntity, Place: "/", Grants: []auth.Grant{{Role: role, Unit: scope.Root}}})
	ctx = i18n.With(ctx, bundle.Localizer(locale))
	w := httptest.NewRecorder()
	p := Page{Parts: func() []module.Home { return parts }}
	if err := p.home(w, httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx)); err != nil {
		t.Fatal(err)
	}
	return w.Body.String()
}

func waiting(key string, permission auth.Permission, titles ...string) module.Home {
	return module.Home{Key: key, Permission: permission, Read: func(context.Context) (module.HomePart, error) {
		p := module.HomePart{Title: "part-" + key, Calm: "calm-" + key, Count: len(titles)}
		for _, title := range titles {
			p.Items = append(p.Items, module.HomeItem{Title: title, Href: "/x"})
		}
		return p, nil
	}}
}

// Each role sees its parts in its own order, what waits before what is calm, and
// nothing that its permissions do not let it see.
func TestPartsFollowTheRole(t *testing.T) {
	parts := []module.Home{
		waiting(Signals, "insight.signal.read", "a fall"), waiting(Council, "governance.council.read", "a meeting"),
		waiting(Approvals, "governance.approval.decide"), waiting(Requests, "customer.request.decide", "forget me"),
		{Key: Cases, Permission: "feedback.case.edit", Read: func(context.Context) (module.HomePart, error) {
			return module.HomePart{}, errors.New("the store is slow")
		}},
	}
	places := func(page string, want ...string) {
		t.Helper()
		at := -1
		for _, w := range want {
			next := strings.Index(page, w)
			if next <= at {
				t.Errorf("%q stands at %d, after %d", w, next, at)
			}
			at = next
		}
	}
	lead := read(t, auth.CXLead, "en", parts...)
	places(lead, "You are needed in 2 places today", "part-"+Signals, "a fall", "part-"+Council, "part-"+Approvals, "calm-"+Approvals)
	if strings.Contains(lead, "part-"+Requests) {
		t.Error("the lead sees the requests of data subjects")
	}
	council := read(t, auth.Council, "vi", parts...)
	places(council, "Hôm nay cần bạn ở 2 chỗ", "part-"+Council, "part-"+Signals)
	places(read(t, auth.DPO, "en", parts...), "You are needed in 2 places", "part-"+Requests, "part-"+Signals)
	if page := read(t, auth.Agent, "en"); !strings.Contains(page, "Nothing waits for you") {
		t.Error("an empty page says nothing")
	}
}
