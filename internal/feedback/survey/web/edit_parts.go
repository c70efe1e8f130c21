package web

import (
	"context"
	"strconv"
	"time"

	"omote/internal/feedback/form"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

func (d *draft) action() string {
	if d.isNew {
		return listPath + "/new/edit"
	}
	return surveyPath(d.doc.ID) + "/edit"
}

func hoursOf(d time.Duration) string { return strconv.FormatFloat(d.Hours(), 'f', -1, 64) }

func typeOptions(ctx context.Context) (out []ui.Option) {
	for _, t := range form.Types {
		out = append(out, ui.Option{Value: string(t), Label: i18n.T(ctx, "feedback.survey.type."+string(t))})
	}
	return out
}

func anonymities(ctx context.Context) (out []ui.Option) {
	for _, a := range []form.Anonymity{form.Known, form.Anonymous} {
		out = append(out, ui.Option{Value: string(a), Label: i18n.T(ctx, "feedback.survey.anonymity."+string(a))})
	}
	return out
}

func channelOptions(ctx context.Context) (out []ui.Option) {
	for _, c := range []string{"email", "sms", "zalo", "push", "call"} {
		out = append(out, ui.Option{Value: c, Label: i18n.T(ctx, "feedback.survey.channel."+c)})
	}
	return out
}
