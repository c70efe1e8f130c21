// Package styleguide is the page that shows every component of the design
// system with example data, in both languages, light and dark. It is where a
// component is looked at before it is used, and what the visual tests open.
//
// Mount Handler at Path. All names and figures on it are invented.
//
// Files: styleguide.go (handler), samples.go (series and rows drawn from a fixed
// seed), page.templ (the page), flows.go (example maps).
package styleguide

import (
	"context"
	"net/http"
	"time"

	"omote/internal/platform/i18n"
	"omote/internal/ui"
	"omote/internal/ui/assets"
)

// Path is where Handler is mounted.
const Path = "/styleguide"

// Handler serves the page. The language comes from the request, as everywhere;
// the rail shows all entries with example counts.
func Handler(b *i18n.Bundle) http.Handler {
	return b.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chrome := sampleChrome(r.Context())
		chrome.Theme, chrome.Path = ui.ThemeOf(r), r.URL.RequestURI()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", assets.ContentSecurityPolicy)
		ctx := ui.WithChrome(r.Context(), chrome)
		if err := page(r.URL).Render(ctx, w); err != nil {
			http.Error(w, i18n.Error(ctx, err), http.StatusInternalServerError)
		}
	}))
}

// say is an example text in both languages. Real pages use keys.
func say(ctx context.Context, en, vi string) string {
	if i18n.Locale(ctx) == "vi" {
		return vi
	}
	return en
}

var day = time.Date(2026, 11, 19, 9, 41, 0, 0, time.UTC)

func sampleChrome(ctx context.Context) ui.Chrome {
	items := []ui.NavItem{}
	for _, e := range []struct {
		key   string
		count int
		care  bool
	}{
		{ui.NavMeasures, 0, false}, {ui.NavSignals, 3, true}, {ui.NavVoices, 0, false}, {ui.NavSurveys, 0, false}, {ui.NavCases, 128, false},
		{ui.NavJourneys, 22, false}, {ui.NavMoments, 0, false}, {ui.NavPains, 0, false}, {ui.NavInitiatives, 17, false}, {ui.NavExperiments, 4, false},
		{ui.NavCustomers, 0, false}, {ui.NavSegments, 0, false}, {ui.NavFlows, 0, false}, {ui.NavModels, 0, false}, {ui.NavData, 0, false},
		{ui.NavDecisions, 1, true}, {ui.NavScorecards, 0, false}, {ui.NavCampaigns, 0, false}, {ui.NavLearning, 0, false}, {ui.NavObligations, 0, false},
	} {
		items = append(items, ui.NavItem{Key: e.key, Href: "/" + e.key, Count: e.count, Care: e.care})
	}
	return ui.Chrome{
		Bank:   say(ctx, "Bến Lành Bank", "Ngân hàng Bến Lành"),
		Nav:    ui.Nav{HomeLabel: say(ctx, "CX Lead home", "Trang CX Lead"), Items: items},
		Person: ui.Person{Name: "Lê Hư Cấu", Href: "/account"},
		Scope:  ui.Link{Label: say(ctx, "Whole bank", "Toàn ngân hàng"), Href: "/scope"},
		Now:    day,
	}
}
