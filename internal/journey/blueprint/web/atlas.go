package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"omote/internal/journey/blueprint"
	"omote/internal/journey/conform"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/platform/scope"
	"omote/internal/ui"
)

// atlasView is all journeys of the bank at a glance.
type atlasView struct {
	p         Pages
	docs      []*blueprint.Document
	journeys  map[string]blueprint.Journey
	summaries map[string]conform.Summary
	cases     map[string]int64
	tasks     []conform.Task
	overlaps  []blueprint.Overlap
	gaps      []blueprint.Gap
	circles   [][]string
	review    map[string]int    // versions that wait for a decision
	labels    map[string]string // of events and of the gallery's journeys
	whole     bool              // the reader sees the whole bank
}

func (p Pages) atlas(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := &atlasView{p: p, journeys: map[string]blueprint.Journey{}, whole: auth.Require(ctx, blueprint.PermRead, scope.Root) == nil}
	if err := v.load(ctx); err != nil {
		return err
	}
	page := ui.Page{Title: i18n.T(ctx, "blueprint.atlas.title"), At: NavAtlas}
	live := 0
	for _, j := range v.journeys {
		if j.LiveVersion > 0 {
			live++
		}
	}
	if len(v.docs) > 0 {
		page.Finding = i18n.T(ctx, "blueprint.atlas.finding", "count", len(v.docs), "live", live, "tasks", len(v.tasks))
	}
	page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "blueprint.atlas.observed"), Href: observedPath, Key: "O"}, {Label: i18n.T(ctx, "blueprint.gallery.title"), Href: galleryPath, Key: "T"}}
	if mayEdit(ctx) {
		page.Actions = append(page.Actions, ui.ButtonProps{Label: i18n.T(ctx, "blueprint.import.title"), Href: importPath, Key: "I"})
	}
	return ui.Render(w, r, atlasPage(page, v, v.table(ctx)))
}

func (v *atlasView) load(ctx context.Context) error {
	all, err := v.p.Maps.List(ctx)
	if err != nil {
		return err
	}
	for _, j := range all {
		v.docs = append(v.docs, j.Draft)
		v.journeys[j.Draft.Journey] = j
	}
	live, err := v.p.Maps.Live(ctx)
	if err != nil {
		return err
	}
	for _, l := range live { // what is in force is what is shown
		i := slices.IndexFunc(v.docs, func(d *blueprint.Document) bool { return d.Journey == l.Document.Journey })
		if i >= 0 {
			v.docs[i] = l.Document
		}
	}
	if v.summaries, err = v.p.Conform.Summaries(ctx); err != nil {
		return err
	}
	if v.tasks, err = v.p.Conform.Tasks(ctx); err != nil {
		return err
	}
	if v.cases, err = v.p.Cases(ctx); err != nil {
		return err
	}
	events, err := v.p.Conform.Events(ctx)
	if err != nil {
		return err
	}
	// What has no map is called as the gallery and the tracking plan call it.
	if v.labels, err = v.p.eventLabels(ctx); err != nil {
		return err
	}
	templates, err := v.p.Maps.Templates(ctx)
	if err != nil {
		return err
	}
	for _, t := range templates {
		v.labels[t.Document.Journey] = nameOf(ctx, t.Document)
	}
	v.overlaps, v.circles = blueprint.Overlaps(v.docs), blueprint.Circles(v.docs)
	v.gaps = blueprint.Gaps(v.docs, v.cases, events, notOfJourney)
	return nil
}

// ownPrefixes begin the names of events that are no part of any journey by their
// nature: answers, messages, and the bank's own bookkeeping.
var ownPrefixes = []string{"survey_", "message_", "consent_", "clock_", "subject_request_", "month_end_", "profile_", "incident_", "behaviour_", "case_", "withdrawal_"}

func notOfJourney(event string) bool {
	return slices.ContainsFunc(ownPrefixes, func(p string) bool { return strings.HasPrefix(event, p) })
}

func (v *atlasView) table(ctx context.Context) ui.TableProps {
	f := i18n.Fmt(ctx)
	t := ui.TableProps{ID: "atlas", Label: i18n.T(ctx, "blueprint.atlas.title"), Columns: []ui.Column{
		{Key: "name", Label: i18n.T(ctx, "blueprint.atlas.journey"), Wide: true}, {Key: "owner", Label: i18n.T(ctx, "blueprint.field.owner")},
		{Key: "state", Label: i18n.T(ctx, "blueprint.atlas.state")}, {Key: "fit", Label: i18n.T(ctx, "blueprint.row.fit"), Numeric: true},
		{Key: "worst", Label: i18n.T(ctx, "blueprint.atlas.worst")}, {Key: "cover", Label: i18n.T(ctx, "blueprint.cover.title"), Numeric: true},
		{Key: "cases", Label: i18n.T(ctx, "blueprint.atlas.cases"), Numeric: true}}}
	for _, b := range blueprint.Flat(blueprint.Tree(v.docs)) {
		d := b.Document
		j := v.journeys[d.Journey]
		name := ui.Cell{Text: strings.Repeat("\u2003", min(b.Depth, 4)) + nameOf(ctx, d), Sub: i18n.T(ctx, "blueprint.atlas.size", "stages", len(d.Stages), "count", len(d.Steps())), Href: homePath(d.Journey)}
		owner := ui.Cell{Text: d.Owner}
		if d.Owner == "" {
			owner = ui.Cell{Text: i18n.T(ctx, "blueprint.atlas.nobody"), Care: true}
		}
		state := ui.Cell{Text: i18n.T(ctx, "blueprint.state.draft"), Mute: true}
		if j.LiveVersion > 0 {
			state = ui.Cell{Text: i18n.T(ctx, "blueprint.state.live", "version", j.LiveVersion)}
			if j.Ahead > 0 {
				state.Sub = i18n.T(ctx, "blueprint.home.ahead", "count", j.Ahead)
			}
		}
		fit, worst, cover := ui.Cell{Text: "–", Mute: true}, ui.Cell{Text: "–", Mute: true}, ui.Cell{Text: "–", Mute: true}
		if s, ok := v.summaries[d.Journey]; ok && s.Cases > 0 {
			fit = ui.Cell{Text: "**" + fitText(ctx, s.Fitness.Value) + "**", Sub: "n = " + f.Int(s.Fitness.N), Href: homePath(d.Journey) + "/conformance"}
			if s.Worst != "" {
				worst = ui.Cell{Text: stepNamed(ctx, d, s.Worst), Sub: fitText(ctx, s.WorstFit)}
			}
			cover = ui.Cell{Text: f.Percent(s.Breadth, 0), Sub: i18n.T(ctx, "blueprint.atlas.blind", "count", s.Blind)}
		}
		t.Rows = append(t.Rows, ui.Row{ID: d.Journey, Cells: []ui.Cell{name, owner, state, fit, worst, cover, {Text: f.Int(v.cases[d.Journey])}}})
	}
	return t
}

// overlapTable lists pairs of journeys that bind the same events.
func (v *atlasView) overlapTable(ctx context.Context) ui.TableProps {
	f := i18n.Fmt(ctx)
	t := ui.TableProps{ID: "overlaps", Label: i18n.T(ctx, "blueprint.overlap.title"), Columns: []ui.Column{{Key: "pair", Label: i18n.T(ctx, "blueprint.overlap.pair")},
		{Key: "share", Label: i18n.T(ctx, "blueprint.overlap.share"), Numeric: true}, {Key: "events", Label: i18n.T(ctx, "blueprint.row.events")}}}
	for _, o := range v.overlaps[:min(len(v.overlaps), 10)] {
		sub := ""
		if o.SameStart {
			sub = i18n.T(ctx, "blueprint.overlap.start")
		}
		note := ""
		if n := len(o.Shared); n > 0 {
			note = i18n.T(ctx, "blueprint.overlap.shared", "count", n)
		}
		t.Rows = append(t.Rows, ui.Row{ID: o.A + o.B, Cells: []ui.Cell{{Text: v.name(ctx, o.A) + " · " + v.name(ctx, o.B), Sub: sub}, {Text: f.Percent(o.Share, 0)},
			{Text: strings.Join(o.Events[:min(len(o.Events), 5)], ", "), Sub: note}}})
	}
	return t
}

func (v *atlasView) name(ctx context.Context, journey string) string {
	for _, d := range v.docs {
		if d.Journey == journey {
			return nameOf(ctx, d)
		}
	}
	return journey
}

// gapTable lists what customers go through and no map tells.
func (v *atlasView) gapTable(ctx context.Context) ui.TableProps {
	t := ui.TableProps{ID: "gaps", Label: i18n.T(ctx, "blueprint.gap.title"), Columns: []ui.Column{{Key: "what", Label: i18n.T(ctx, "blueprint.gap.what")},
		{Key: "n", Label: i18n.T(ctx, "blueprint.gap.n"), Numeric: true}}}
	for _, g := range v.gaps[:min(len(v.gaps), 12)] {
		cell := ui.Cell{Text: cmp.Or(v.labels[g.Name], g.Name), Sub: i18n.T(ctx, "blueprint.gap."+string(g.Kind))}
		if g.Kind != blueprint.GapEvent {
			cell.Href = homePath(g.Name)
		}
		t.Rows = append(t.Rows, ui.Row{ID: string(g.Kind) + g.Name, Cells: []ui.Cell{cell, {Text: i18n.Fmt(ctx).Int(g.N)}}})
	}
	return t
}

func (v *atlasView) taskOwner(ctx context.Context, t conform.Task) string {
	return cmp.Or(t.Owner, i18n.T(ctx, "blueprint.atlas.nobody"))
}

func (p Pages) closeTask(w http.ResponseWriter, r *http.Request) error {
	if err := p.Conform.Close(r.Context(), r.PathValue("task"), r.FormValue("outcome")); err != nil {
		return err
	}
	http.Redirect(w, r, atlasPath, http.StatusSeeOther)
	return nil
}

// gallery shows the journeys that a bank can begin from.
func (p Pages) gallery(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all, err := p.Maps.Templates(ctx)
	if err != nil {
		return err
	}
	list, err := p.Maps.List(ctx)
	if err != nil {
		return err
	}
	v := galleryView{templates: all, made: map[string][]blueprint.Journey{}, better: map[string]int{}}
	for _, j := range list {
		if t := j.Draft.Template; t != "" {
			v.made[t] = append(v.made[t], j)
			b, err := p.Maps.Improvements(ctx, j.Draft.Journey)
			if err != nil {
				return err
			}
			v.better[j.Draft.Journey] = len(b.Taken)
		}
	}
	page := ui.Page{Title: i18n.T(ctx, "blueprint.gallery.title"), At: NavAtlas, Crumbs: crumbs(ctx), Finding: i18n.T(ctx, "blueprint.gallery.finding", "count", len(all), "made", len(v.made))}
	return ui.Render(w, r, galleryPage(page, v))
}

type galleryView struct {
	templates []blueprint.Template
	made      map[string][]blueprint.Journey // by template
	better    map[string]int                 // improvements by journey
}

// strays counts how a journey differs from its template.
func strays(t blueprint.Template, j blueprint.Journey) int {
	return len(blueprint.Diff(t.In(j.Locale), j.Draft))
}

func (p Pages) create(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	n := blueprint.New{Template: r.FormValue("template"), Journey: strings.TrimSpace(r.FormValue("journey")), Locale: i18n.Locale(ctx)}
	if name := strings.TrimSpace(r.FormValue("name")); name != "" {
		n.Name = blueprint.Text{EN: name, VI: name}
	}
	j, err := p.Maps.Create(ctx, n)
	if err != nil {
		return err
	}
	http.Redirect(w, r, homePath(j.Draft.Journey)+"/edit", http.StatusSeeOther)
	return nil
}

func (p Pages) delete(w http.ResponseWriter, r *http.Request) error {
	if err := p.Maps.Delete(r.Context(), r.PathValue("journey")); err != nil {
		return err
	}
	http.Redirect(w, r, atlasPath, http.StatusSeeOther)
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }
