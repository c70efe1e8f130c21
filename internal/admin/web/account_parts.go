package web

import (
	"context"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// codeState says whether a one-time code is asked for.
func codeState(ctx context.Context, v accountView) ui.Item {
	if v.me.TwoFactor {
		return ui.Text(i18n.T(ctx, "admin.web.code.state.on"))
	}
	return ui.Text(i18n.T(ctx, "admin.web.code.state.off"))
}

// spaced sets a secret in groups of four, for typing.
func spaced(secret string) string {
	var groups []string
	for part := range slices.Chunk([]byte(secret), 4) {
		groups = append(groups, string(part))
	}
	return strings.Join(groups, " ")
}

// sessionTable lists the browsers that are signed in.
func sessionTable(ctx context.Context, sessions []auth.Session) ui.TableProps {
	t := ui.TableProps{Label: i18n.T(ctx, "admin.web.sessions"), Columns: []ui.Column{
		{Key: "agent", Label: i18n.T(ctx, "admin.web.sessions.agent")},
		{Key: "address", Label: i18n.T(ctx, "admin.web.sessions.address")},
		{Key: "begun", Label: i18n.T(ctx, "admin.web.sessions.begun"), Numeric: true},
		{Key: "seen", Label: i18n.T(ctx, "admin.web.sessions.seen"), Numeric: true},
		{Key: "act", Label: "", Numeric: true},
	}}
	for _, s := range sessions {
		name := s.Agent
		if name == "" {
			name = i18n.T(ctx, "admin.web.sessions.unknown")
		}
		first := ui.Cell{Text: name}
		act := ui.Cell{Node: postButton(accountPath+"/sessions/"+s.ID+"/end", ui.ButtonProps{Label: i18n.T(ctx, "admin.web.sessions.end"), Small: true, Submit: true})}
		if s.Current {
			first.Text, act = "**"+name+"**", ui.Cell{Text: i18n.T(ctx, "admin.web.sessions.this"), Mute: true}
		}
		t.Rows = append(t.Rows, ui.Row{ID: s.ID, Cells: []ui.Cell{first, {Text: s.Address}, {Text: ui.When(ctx, s.Created)}, {Text: ui.When(ctx, s.Seen)}, act}})
	}
	return t
}

// postButton is a form of nothing but its button.
func postButton(action string, b ui.ButtonProps) templ.Component {
	return postForm(action, ui.Button(b))
}
