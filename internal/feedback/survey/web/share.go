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
	tablet  string // address for a tablet
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
		if code == "" {
			continue // the bank as a whole is anywhere
		}
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
	if s.address != "" {
		sc, _ := scope.From(ctx)
		if s.tablet, err = p.Surveys.OpenLink(ctx, sc.Entity, v.version.Document.ID, s.place, kioskChannel, s.until); err != nil {
			return err
		}
	}
	return ui.Render(w, r, sharePage(p.page(ctx, r, v), v, s))
}

// snippet is how the bank's own app or site asks: it shows the questions itself, and
// sends each answer as it is given. The answer names the question that comes next.
func snippet(address string) string {
	at := strings.LastIndex(address, "/")
	base, token := address[:at], address[at+1:]
	return `const visit = crypto.randomUUID(); // kept by the app until the thanks
const say = (answers) => fetch("` + base + `/answers", { method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ token: "` + token + `", visit, locale: "vi", answers }) }).then((r) => r.json());
// say({ QUESTION: ["9"] }) gives { complete, next }`
}
