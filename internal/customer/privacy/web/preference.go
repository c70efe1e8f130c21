package web

import (
	"net/http"
	"slices"
	"strconv"

	"omote/internal/customer/consent"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// choices is what the preference centre shows.
type choices struct {
	token   string
	mine    consent.Standing
	saved   bool
	stopped bool
}

// anything reports whether there is anything that the customer could stop.
func (c choices) anything() bool {
	return slices.ContainsFunc(c.mine.Purposes, func(p consent.PurposeStanding) bool { return p.Purpose.Asks() && p.Allowed() })
}

func (p Pages) preference(w http.ResponseWriter, r *http.Request) error {
	mine, err := p.Consents.Mine(r.Context(), r.PathValue("token"))
	if err != nil {
		return p.linkRefused(w, r, err)
	}
	ctx, q := r.Context(), r.URL.Query()
	c := choices{token: r.PathValue("token"), mine: mine, saved: q.Get("done") == "saved", stopped: q.Get("done") == "stopped"}
	page := ui.Page{Title: i18n.T(ctx, "customer.pref.title"), Finding: i18n.T(ctx, "customer.pref.finding.some")}
	if !c.anything() {
		page.Finding = i18n.T(ctx, "customer.pref.finding.none")
	}
	// The address speaks for the customer: it stays out of caches and referrers.
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Robots-Tag", "noindex")
	return ui.Render(w, r, preferencePage(page, c))
}

// linkRefused says that a link does not work, on a page for customers.
func (p Pages) linkRefused(w http.ResponseWriter, r *http.Request, err error) error {
	kind := errs.KindOf(err)
	if kind != errs.KindNotFound && kind != errs.KindDenied {
		return err
	}
	status := http.StatusNotFound
	if kind == errs.KindDenied {
		status = http.StatusGone
	}
	ctx := r.Context()
	return ui.RenderStatus(w, r, status, refusedPage(ui.Page{Title: i18n.T(ctx, "customer.pref.refused")}, i18n.Error(ctx, err)))
}

func (p Pages) preferenceSave(w http.ResponseWriter, r *http.Request) error {
	if err := form(r); err != nil {
		return err
	}
	token := r.PathValue("token")
	mine, err := p.Consents.Mine(r.Context(), token)
	if err != nil {
		return p.linkRefused(w, r, err)
	}
	var wishes []consent.Choice
	for _, each := range mine.Purposes {
		if !each.Purpose.Asks() {
			continue
		}
		// What the form did not show is not changed: a purpose may be new meanwhile.
		version, err := strconv.Atoi(r.PostForm.Get("version." + each.Purpose.ID))
		if err != nil {
			continue
		}
		for _, d := range each.Decisions {
			wishes = append(wishes, consent.Choice{Purpose: each.Purpose.ID, Channel: d.Channel, TextVersion: version,
				Granted: r.PostForm.Get("yes."+each.Purpose.ID+"."+d.Channel) == "1"})
		}
	}
	if err := p.Consents.Choose(r.Context(), token, i18n.Locale(r.Context()), wishes); err != nil {
		return err
	}
	return seeOther(w, r, prefsPath+"/"+token+"?done=saved")
}

// preferenceStop is the one tap, and what a mail program's own unsubscribe button
// calls (RFC 8058).
func (p Pages) preferenceStop(w http.ResponseWriter, r *http.Request) error {
	token := r.PathValue("token")
	if err := p.Consents.StopAll(r.Context(), token, i18n.Locale(r.Context())); err != nil {
		return p.linkRefused(w, r, err)
	}
	return seeOther(w, r, prefsPath+"/"+token+"?done=stopped")
}
