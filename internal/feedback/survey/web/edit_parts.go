package web

import (
	"context"
	"strconv"
	"strings"
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

func daysOf(d time.Duration) string { return strconv.FormatFloat(d.Hours()/24, 'f', -1, 64) }

// triples reads lines of three parts with a bar between.
func triples(text string) (out [][3]string) {
	for _, line := range lines(text) {
		var p [3]string
		for i, part := range strings.SplitN(line, "|", 3) {
			p[i] = strings.TrimSpace(part)
		}
		out = append(out, p)
	}
	return out
}

func shareLines(all []form.Share) string {
	var b strings.Builder
	for _, s := range all {
		b.WriteString(s.Dim + " | " + s.Value + " | " + strconv.FormatFloat(100*s.Share, 'f', -1, 64) + "%\n")
	}
	return b.String()
}

func quotaLines(all []form.Quota) string {
	var b strings.Builder
	for _, q := range all {
		b.WriteString(q.Dim + " | " + q.Value + " | " + strconv.Itoa(q.Daily) + "\n")
	}
	return b.String()
}
