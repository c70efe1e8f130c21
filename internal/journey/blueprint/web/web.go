// Package web is the pages of designed journeys: the atlas, a journey's home,
// the editor of its map, its steps, versions, templates and exchange with other
// tools.
//
// The editor works in two ways: the table of the map with the script map.js,
// and plain forms (one for the journey, one for each step) that need none. Both
// send operations to the same service.
package web

import (
	"cmp"
	"context"
	"embed"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"omote/internal/journey/belong"
	"omote/internal/journey/blueprint"
	"omote/internal/journey/conform"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/scope"
	"omote/internal/ui"
)

//go:embed locales
var localeFiles embed.FS

// Locales are the texts of the pages.
func Locales() i18n.Source { return i18n.Source{Name: "blueprint", FS: localeFiles, Dir: "locales"} }

// NavAtlas is the place of the atlas in the navigation.
const NavAtlas = ui.NavJourneys

// EventInfo is an event that steps can be bound to.
type EventInfo struct {
	Name  string
	Label blueprint.Text
}

// Journeys counts the cases of journeys that events carry.
type Journeys func(ctx context.Context) (map[string]int64, error)

// Pages are the pages of designed journeys.
type Pages struct {
	Maps    *blueprint.Service
	Conform *conform.Service
	Clock   clock.Clock
	Zone    *time.Location
	// Names gives the names of actors.
	Names func(ctx context.Context, refs ...string) map[string]string
	// Events lists what the tracking plan declares.
	Events func(ctx context.Context) ([]EventInfo, error)
	// Cases counts the cases by journey.
	Cases Journeys
	// UnitNames gives the names of units by their code.
	UnitNames func(ctx context.Context) (map[string]string, error)
	// Segments lists the segments of customers in use; nil where there are none.
	Segments func(ctx context.Context) ([]belong.Segment, error)
	// Ending is closed when the process ends: open streams stop.
	Ending <-chan struct{}
	// Home are the parts of a journey's home that other modules fill.
	Home HomeParts
}

const (
	atlasPath    = "/journey/atlas"
	galleryPath  = "/journey/templates"
	mapsPath     = "/journey/blueprints"
	importPath   = "/journey/blueprints/import"
	observedPath = "/journey/observed"
)

func homePath(id string) string { return mapsPath + "/" + httpx.PathEscape(id) }

func stepPath(journey, step string) string {
	return homePath(journey) + "/steps/" + httpx.PathEscape(step)
}

// Routes adds the pages.
func (p Pages) Routes(r *httpx.Router) {
	r.Handle("GET /journey/atlas", blueprint.PermRead, p.atlas)
	r.Handle("GET /journey/templates", blueprint.PermRead, p.gallery)
	r.Handle("POST /journey/blueprints", blueprint.PermEdit, p.create)
	r.Handle("GET /journey/blueprints/import", blueprint.PermEdit, p.importForm)
	r.Handle("POST /journey/blueprints/import", blueprint.PermEdit, p.importFile)
	r.Handle("POST /journey/refresh/{task}", blueprint.PermEdit, p.closeTask)
	const one = "/journey/blueprints/{journey}"
	r.Handle("GET "+one, blueprint.PermRead, p.home)
	r.Handle("GET "+one+"/edit", blueprint.PermRead, p.editor)
	r.Handle("POST "+one+"/ops", blueprint.PermEdit, p.ops)
	r.Handle("POST "+one+"/undo", blueprint.PermEdit, p.undo)
	r.Handle("POST "+one+"/redo", blueprint.PermEdit, p.redo)
	r.Handle("POST "+one+"/conflicts/{op}", blueprint.PermEdit, p.settle)
	r.Handle("GET "+one+"/fit", blueprint.PermRead, p.fit)
	r.Handle("GET "+one+"/live", blueprint.PermRead, p.live)
	r.Handle("POST "+one+"/look", blueprint.PermRead, p.look)
	r.Handle("POST "+one+"/leave", blueprint.PermRead, p.leave)
	r.Handle("POST "+one+"/comments", blueprint.PermComment, p.remark)
	r.Handle("POST "+one+"/comments/{comment}", blueprint.PermComment, p.resolve)
	r.Handle("GET "+one+"/steps/{step}", blueprint.PermRead, p.step)
	r.Handle("POST "+one+"/steps/{step}", blueprint.PermEdit, p.saveStep)
	r.Handle("POST "+one+"/shape", blueprint.PermEdit, p.shape)
	r.Handle("GET "+one+"/settings", blueprint.PermEdit, p.settings)
	r.Handle("POST "+one+"/settings", blueprint.PermEdit, p.saveSettings)
	r.Handle("GET "+one+"/diff", blueprint.PermRead, p.diff)
	r.Handle("POST "+one+"/propose", blueprint.PermEdit, p.propose)
	r.Handle("POST "+one+"/decide", blueprint.PermApprove, p.decide)
	r.Handle("POST "+one+"/withdraw", blueprint.PermEdit, p.withdraw)
	r.Handle("POST "+one+"/delete", blueprint.PermEdit, p.delete)
	r.Handle("GET "+one+"/improvements", blueprint.PermEdit, p.improvements)
	r.Handle("POST "+one+"/improvements", blueprint.PermEdit, p.inherit)
	r.Handle("GET "+one+"/conformance", blueprint.PermRead, p.conformance)
	r.Handle("GET "+one+"/export/{format}", blueprint.PermRead, p.export)
}

// in gives a text in the reader's language, or in the other one.
func in(ctx context.Context, t blueprint.Text) string {
	return cmp.Or(t.In(i18n.Locale(ctx)), t.EN, t.VI)
}

// nameOf is what a journey is called.
func nameOf(ctx context.Context, d *blueprint.Document) string {
	return cmp.Or(in(ctx, d.Name), d.Journey)
}

func stepName(ctx context.Context, s *blueprint.Step) string { return cmp.Or(in(ctx, s.Name), s.ID) }

// stepNamed is the name of a step by its id.
func stepNamed(ctx context.Context, d *blueprint.Document, id string) string {
	if s := d.Step(id); s != nil {
		return stepName(ctx, s)
	}
	return id
}

// mayEdit tells whether the reader may change maps, which hold for the whole bank.
func mayEdit(ctx context.Context) bool {
	return auth.Require(ctx, blueprint.PermEdit, scope.Root) == nil
}

func duration(ctx context.Context, d blueprint.Duration) string {
	if d == 0 {
		return ""
	}
	return i18n.Fmt(ctx).Duration(time.Duration(d))
}

// lines splits a text area into its entries, one a line or separated by commas.
func lines(text string) (out []string) {
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == ',' || r == ';' }) {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return out
}

// number reads a number of an address, 0 where there is none.
func number(r *http.Request, name string) int {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil {
		return 0
	}
	return n
}

func crumbs(ctx context.Context, more ...ui.Link) []ui.Link {
	return append([]ui.Link{{Label: i18n.T(ctx, "blueprint.atlas.title"), Href: atlasPath}}, more...)
}
