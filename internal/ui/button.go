package ui

import (
	"strings"

	"github.com/a-h/templ"
)

// ButtonKind is the weight of a button.
type ButtonKind uint8

// The weights. A page has at most one Ink and at most one CareButton.
const (
	Plain      ButtonKind = iota
	Ink                   // the page's main act
	CareButton            // the one thing that is late
	BareButton            // a quiet second choice
)

// ButtonProps describes a button or a link that looks like one.
type ButtonProps struct {
	Label       string
	Href        string // a link; else a button
	Kind        ButtonKind
	Key         string // the letter that presses it, shown on it: "N"
	Small       bool
	Wide        bool // as wide as its column
	Icon        IconName
	LabelHidden bool   // only the icon is shown; the label is for screen readers
	Submit      bool   // submits its form
	Name        string // sent with the form
	Value       string
	Form        string // id of the form, when the button stands outside it
	Dialog      string // id of a Dialog that asks first; Href is its page without script
	Busy        bool   // the act is under way
	Why         string // why it cannot be pressed now; the button is disabled
	Attrs       templ.Attributes
}

func (b ButtonProps) class() string {
	parts := []string{"btn"}
	switch b.Kind {
	case Ink:
		parts = append(parts, "ink")
	case CareButton:
		parts = append(parts, "care")
	case BareButton:
		parts = append(parts, "bare")
	}
	if b.Small {
		parts = append(parts, "sm")
	}
	if b.Wide {
		parts = append(parts, "fill")
	}
	return strings.Join(parts, " ")
}

func (b ButtonProps) kind() string {
	if b.Submit {
		return "submit"
	}
	return "button"
}

// id is derived from the label, for the description of a disabled button.
func (b ButtonProps) id() string { return "b-" + slug(b.Label) }

func (b ButtonProps) attrs() templ.Attributes {
	a := templ.Attributes{}
	set := func(name, value string) {
		if value != "" {
			a[name] = value
		}
	}
	set("data-key", b.Key)
	set("name", b.Name)
	set("value", b.Value)
	set("form", b.Form)
	set("data-dialog", b.Dialog)
	if b.Key != "" {
		key := b.Key
		if strings.HasPrefix(key, "Ctrl") {
			key = "Control+Enter"
			delete(a, "data-key")
		}
		set("aria-keyshortcuts", key)
	}
	if b.Busy {
		a["aria-busy"] = "true"
	}
	for name, v := range b.Attrs {
		a[name] = v
	}
	return a
}

// FiltersProps is the row of filters over a table or chart.
type FiltersProps struct {
	Chips   []ChipProps
	AddHref string          // where a filter is added; its key is F
	Remark  string          // what the filters leave, rich
	End     templ.Component // at the right end: the saved view
}

// ChipProps is one chip.
type ChipProps struct {
	Label      string // rich: "Resolution: **within 2 days**"
	Href       string
	RemoveHref string // a filter that is set
	Pressed    bool   // the chosen one of a row
	Set        bool   // an option that is switched on, with a check mark
	Attrs      templ.Attributes
}

func (c ChipProps) attrs() templ.Attributes {
	a := templ.Attributes{}
	if c.Pressed {
		a["aria-current"] = "true"
	}
	for name, v := range c.Attrs {
		a[name] = v
	}
	return a
}

// slug makes an id of a label: letters and digits, words joined by hyphens.
func slug(s string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127:
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			dash = false
			b.WriteRune(r)
		default:
			dash = true
		}
	}
	return b.String()
}
