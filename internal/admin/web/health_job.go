package web

import (
	"context"
	"time"

	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// jobTime is when a job ended, else when it was asked for.
func jobTime(j Job) time.Time {
	if !j.Ended.IsZero() && j.Ended.Unix() > 0 {
		return j.Ended
	}
	return j.Created
}

// jobAct is what can be done with a job now.
func jobAct(ctx context.Context, v healthView, j Job) ui.Cell {
	path := healthPath + "/jobs/" + j.ID
	switch {
	case !v.editJobs:
	case j.running() && !j.Stopping:
		return ui.Cell{Node: postButton(path+"/cancel", ui.ButtonProps{Label: i18n.T(ctx, "admin.web.health.job.cancel"), Small: true, Submit: true})}
	case j.State == "failed" || j.State == "cancelled":
		return ui.Cell{Node: postButton(path+"/restart", ui.ButtonProps{Label: i18n.T(ctx, "admin.web.health.job.restart"), Small: true, Submit: true})}
	}
	return ui.Cell{}
}
