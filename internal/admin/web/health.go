package web

import (
	"context"
	"net/http"
	"time"

	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// healthView is the state of the system. What could not be asked stays empty and
// says so in its own part.
type healthView struct {
	at      time.Time
	parts   []Part
	place   Place
	flow    Flow
	letters Letters
	outbox  []StateCount
	jobs    []Job
	// Why a part could not be shown; nil when it could.
	flowErr, lettersErr, outboxErr, jobsErr error
	seesJobs, seesOutbox                    bool
	edit, editJobs                          bool
}

// Limits of what the page lists.
const (
	shownLetters = 20
	shownJobs    = 20
)

func (p Pages) health(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := p.look(ctx)
	page := ui.Page{Title: i18n.T(ctx, "admin.web.health.title"), At: NavSystem, Layer: ui.LayerPlatform, Toast: p.toast(w, r)}
	return ui.Render(w, r, healthPage(page, v))
}

// healthLive is the part of the page that refreshes itself.
func (p Pages) healthLive(w http.ResponseWriter, r *http.Request) error {
	return ui.Render(w, r, healthLive(p.look(r.Context())))
}

func (p Pages) look(ctx context.Context) healthView {
	v := healthView{at: ui.ChromeFrom(ctx).Now, parts: p.Health.Try(ctx), place: p.Health.Place(), seesJobs: auth.Can(ctx, PermJobRead), seesOutbox: auth.Can(ctx, PermOutbox),
		edit: auth.Can(ctx, PermSystemEdit), editJobs: auth.Can(ctx, PermJobEdit)}
	v.flow, v.flowErr = p.Health.Flow(ctx)
	v.letters, v.lettersErr = p.Health.Letters(ctx, shownLetters)
	if v.seesOutbox {
		v.outbox, v.outboxErr = p.Health.Outbox(ctx)
	}
	if v.seesJobs {
		v.jobs, v.jobsErr = p.Health.Jobs(ctx, shownJobs)
	}
	return v
}

// finding says in one sentence whether something needs a person.
func (v healthView) finding(ctx context.Context) string {
	for _, part := range v.parts {
		if part.Err != nil {
			return i18n.T(ctx, "admin.web.health.finding.part", "part", i18n.T(ctx, "admin.web.health.part."+part.Key))
		}
	}
	if v.letters.Failed > 0 {
		return i18n.T(ctx, "admin.web.health.finding.letters", "count", v.letters.Failed)
	}
	var behind time.Duration
	for _, pr := range v.flow.Projectors {
		behind = max(behind, pr.Behind)
		if pr.Failure != "" {
			return i18n.T(ctx, "admin.web.health.finding.projector", "projector", projectorName(ctx, pr.Name))
		}
	}
	if behind > lagTold {
		return i18n.T(ctx, "admin.web.health.finding.behind", "time", i18n.Fmt(ctx).Duration(behind))
	}
	return i18n.T(ctx, "admin.web.health.finding.calm", "count", len(v.parts))
}

// lagTold is the lag from which the page speaks of it: the freshness that figures
// promise.
const lagTold = 10 * time.Second

func (p Pages) jobAct(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	var key string
	var err error
	switch r.PathValue("act") {
	case "cancel":
		key, err = "job.cancelled", p.Health.CancelJob(r.Context(), id)
	case "restart":
		key, err = "job.restarted", p.Health.RestartJob(r.Context(), id)
	default:
		return errs.NotFound("http.error.not_found", "there is no act %q", r.PathValue("act"))
	}
	if err != nil {
		httpx.LogFailure(r, err)
		return err
	}
	return p.done(w, r, healthPath+"#jobs", told{Key: key})
}
