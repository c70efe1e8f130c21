package ui

import (
	"context"
	"html"
	"io"
	"slices"
	"strings"

	"github.com/a-h/templ"
)

// Item is one fact of a meta line: text, perhaps a link, perhaps warm.
type Item struct {
	Label string // rich
	Href  string
	Care  bool // needs care: shown warm
	Key   string
}

// Text is a plain fact of a meta line.
func Text(label string) Item { return Item{Label: label} }

// Anchor is a fact of a meta line that leads somewhere.
func Anchor(label, href string) Item { return Item{Label: label, Href: href} }

// Care is a fact that needs care, such as "6 late".
func Care(label string) Item { return Item{Label: label, Care: true} }

// Rich writes text in which **words** are bold. Everything else is escaped.
func Rich(text string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, richHTML(text))
		return err
	})
}

// richHTML turns pairs of ** into <b>; a lone ** stays as it is.
func richHTML(text string) string {
	parts := strings.Split(text, "**")
	if len(parts)%2 == 0 { // an opening mark without its closing one
		last := len(parts) - 1
		parts[last-1] += "**" + parts[last]
		parts = parts[:last]
	}
	var b strings.Builder
	for i, part := range parts {
		if i%2 == 1 {
			b.WriteString("<b>" + html.EscapeString(part) + "</b>")
		} else {
			b.WriteString(html.EscapeString(part))
		}
	}
	return b.String()
}

// PlainText is rich text without its marks, for titles and labels.
func PlainText(rich string) string { return strings.ReplaceAll(rich, "**", "") }

// langAttr marks a passage in another language than the page.
func langAttr(lang string) templ.Attributes {
	if lang == "" {
		return nil
	}
	return templ.Attributes{"lang": lang}
}

// marked is Rich with <mark> in place of <b>, for customers' words.
func marked(text string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		out := strings.NewReplacer("<b>", "<mark>", "</b>", "</mark>").Replace(richHTML(text))
		_, err := io.WriteString(w, out)
		return err
	})
}

// joined puts the parts that are there together.
func joined(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), sep)
}
