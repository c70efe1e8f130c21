package web

import (
	"context"
	"slices"
	"strings"

	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

func callTitle(ctx context.Context, a todayAct) string {
	name := a.Name.Plain
	if name == "" {
		name = i18n.T(ctx, "feedback.case.unnamed")
	}
	return i18n.T(ctx, "feedback.today.call", "name", name)
}

// short cuts a quote to what a card holds, at a word.
func short(s string) string {
	runes := []rune(s)
	if len(runes) <= 140 {
		return s
	}
	cut := string(runes[:140])
	if i := strings.LastIndexByte(cut, ' '); i > 80 {
		cut = cut[:i]
	}
	return cut + " …"
}

func firstKind(i int) ui.ButtonKind {
	if i == 0 {
		return ui.CareButton
	}
	return ui.Plain
}

// dial keeps what a phone can dial.
func dial(phone string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '+' {
			return r
		}
		return -1
	}, phone)
}

func yesNo(answer string) string {
	if answer == "solved" {
		return "yes"
	}
	return "no"
}

// unitOptions are units in the order of their paths, the reader's own place first.
func unitOptions(units map[string]string) []ui.Option {
	var paths []string
	for path := range units {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	out := []ui.Option{{Label: "—"}}
	for _, path := range paths {
		out = append(out, ui.Option{Value: path, Label: strings.Repeat("\u2003", max(0, strings.Count(path, "/")-1)) + units[path]})
	}
	return out
}
