package app

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	"omote/internal/customer/segment"
	"omote/internal/governance/initiative"
	"omote/internal/journey/belong"
	blueprintweb "omote/internal/journey/blueprint/web"
	"omote/internal/journey/definition"
	"omote/internal/journey/moment"
	"omote/internal/platform/auth"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/jobs"
	"omote/internal/platform/store"
)

// journeySegments gives journeys the segments of customers that are in use.
type journeySegments struct{ segments *segment.Service }

// Segments implements belong.Source.
func (j journeySegments) Segments(ctx context.Context) (out []belong.Segment, err error) {
	list, err := j.segments.List(ctx, segment.Filter{Status: segment.Live})
	if err != nil {
		return nil, err
	}
	for _, s := range list {
		d := s.Version.Definition
		out = append(out, belong.Segment{ID: d.ID, Name: definition.Text{EN: d.Name.En, VI: d.Name.Vi}})
	}
	slices.SortFunc(out, func(a, b belong.Segment) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// Members implements belong.Source.
func (j journeySegments) Members(ctx context.Context, id string, yield func(customer string)) error {
	return j.segments.Belonging(ctx, id, yield)
}

// segmentOf is the page where customers chosen by a rule become a segment, with
// the rule filled in; "" for readers who may make none.
func segmentOf(ctx context.Context, rule, intent string) string {
	if !auth.Can(ctx, segment.PermEdit) {
		return ""
	}
	return "/customer/segments/new?" + url.Values{"rule": {rule}, "intent": {intent}}.Encode()
}

// worth is what losses and handling cost; the moments are wired after the pages.
func (a *App) worth(ctx context.Context) (moment.Worth, error) { return a.services.moments.Worth(ctx) }

// TestMoments has moments of truth and pains tested now instead of at night; a
// worker does it.
func (a *App) TestMoments(ctx context.Context) error {
	return a.Store.Write(a.system(ctx), func(ctx context.Context, tx store.Tx) error {
		_, err := a.services.jobs.Submit(ctx, tx, moment.JobKind, struct{}{}, jobs.Submission{})
		return err
	})
}

// journeyWork gives the initiatives about a journey that have not ended, the
// latest first, to readers of initiatives.
func (a *App) journeyWork(ctx context.Context, journey string) (out []blueprintweb.Work, err error) {
	if !auth.Can(ctx, initiative.PermRead) {
		return nil, nil
	}
	all, err := a.services.governance.Initiatives.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		i := d.Body
		// A pain's reference begins with the journey it was found in.
		about := i.Journey == journey || i.Source.Kind == "pain" && strings.HasPrefix(i.Source.Ref, journey+".")
		if !about || !i.Ended.IsZero() {
			continue
		}
		w := blueprintweb.Work{Name: i.Title.In(i18n.Locale(ctx)), Note: cmp.Or(i.Source.Label, i.Owner), Href: "/governance/initiatives/" + httpx.PathEscape(d.ID)}
		if end := i.End(); !end.IsZero() {
			w.Due, w.Late = i18n.Fmt(ctx).DateOnly(end.In(a.Config.Location())), end.Before(a.Clock.Now())
		}
		out = append(out, w)
	}
	slices.Reverse(out)
	return out, nil
}
