package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"omote/internal/feedback/survey"
	"omote/internal/platform/i18n"
	"omote/internal/platform/scope"
	"omote/internal/ui"
)

// share is a link that anybody may answer at, and its code to print.
type share struct {
	place   string
	units   []ui.Option
	address string
	until   time.Time
}

// shareLife is how long such a link works.
const shareLife = 180 * 24 * time.Hour

func (p Pages) share(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v, err := p.load(r)
	if err != nil {
		return err
	}
	names, err := p.UnitNames(ctx)
	if err != nil {
		return err
	}
	s := share{place: r.URL.Query().Get("place"), units: []ui.Option{{Label: i18n.T(ctx, "feedback.survey.share.anywhere")}}}
	for code, name := range names {
		s.units = append(s.units, ui.Option{Value: code, Label: name})
	}
	slices.SortFunc(s.units[1:], func(a, b ui.Option) int { return strings.Compare(a.Label, b.Label) })
	if _, known := names[s.place]; !known {
		s.place = ""
	}
	if v.version.State == survey.Live {
		sc, _ := scope.From(ctx)
		s.until = p.Clock.Now().Add(shareLife)
		if s.address, err = p.Surveys.OpenLink(ctx, sc.Entity, v.version.Document.ID, s.place, "qr", s.until); err != nil {
			return err
		}
	}
	return ui.Render(w, r, sharePage(p.page(ctx, r, v), v, s))
}
