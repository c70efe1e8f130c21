package ui

import (
	"context"
	"strings"

	"github.com/a-h/templ"

	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
)

// Width is how wide a control is.
type Width uint8

// The widths of a control.
const (
	WidthFull Width = iota
	WidthMiddle
	WidthShort
)

// Option is a choice of a select, a radio group or a list of check boxes.
type Option struct {
	Value string
	Label string
	Note  string // a quiet second line, in cards
}

// FieldProps is one labelled control: an input, a text area when Rows is set, or
// a select when Options is.
type FieldProps struct {
	Name         string // also its id, unless ID is set
	ID           string
	Label        string
	Hint         string // rich
	Error        string // what is wrong, with the given value, and what would be right
	Value        string
	Type         string // text by default; email, password, date, number, search, url …
	Placeholder  string
	Options      []Option
	Rows         int
	Width        Width
	Affix        string // unit inside the right end of the control
	Numeric      bool   // right-aligned, with the keyboard for numbers
	Required     bool
	ReadOnly     bool
	Autofocus    bool
	Autocomplete string
	Attrs        templ.Attributes
}

// ChoiceProps is a group of radio cards, or of check boxes when Many is set.
type ChoiceProps struct {
	Name    string
	Legend  string
	Hint    string
	Error   string
	Options []Option
	Chosen  []string
	Many    bool
	Side    bool // cards beside one another
}

// CheckProps is one check box.
type CheckProps struct {
	Name    string
	Label   string // rich
	Note    string
	Value   string // "1" by default
	Checked bool
	Error   string
}

// EstimateProps asks for three numbers in place of one: low, expected, high. The
// fields are named name.low, name.mid and name.high.
type EstimateProps struct {
	Name           string
	Legend         string
	Hint           string
	Unit           string
	Low, Mid, High string
	Error          string
	Wrong          string // "low", "mid" or "high": the field that is marked
}

// FileDropProps takes files by choosing or by dropping.
type FileDropProps struct {
	Name   string
	Label  string
	Hint   string
	Error  string
	Accept string // ".csv,.ndjson,.parquet,.xes,.gz"
	Many   bool
}

// FieldError is one thing to correct before a form can be sent.
type FieldError struct {
	Field string // id of the control
	Text  string
}

// FieldErrors are the things to correct, in the order of the fields.
type FieldErrors []FieldError

// For gives the error of a field, empty when it has none.
func (e FieldErrors) For(field string) string {
	for _, fe := range e {
		if fe.Field == field {
			return fe.Text
		}
	}
	return ""
}

// ErrorsFrom makes the list for a form of the errors of a service: every
// errs.Error in the tree of err, explained in the language of the context.
func ErrorsFrom(ctx context.Context, err error) FieldErrors {
	var out FieldErrors
	for _, e := range leaves(err) {
		fe := FieldError{Text: i18n.Error(ctx, e)}
		if known, ok := e.(*errs.Error); ok {
			fe.Field = known.Field
		}
		out = append(out, fe)
	}
	return out
}

// leaves walks joined and wrapped errors down to the errs.Error in them.
func leaves(err error) []error {
	switch e := err.(type) {
	case nil:
		return nil
	case *errs.Error:
		return []error{e}
	case interface{ Unwrap() []error }:
		var out []error
		for _, each := range e.Unwrap() {
			out = append(out, leaves(each)...)
		}
		return out
	case interface{ Unwrap() error }:
		if inner := leaves(e.Unwrap()); len(inner) > 0 {
			if _, ok := inner[0].(*errs.Error); ok {
				return inner
			}
		}
	}
	return []error{err}
}

func (f FieldProps) id() string {
	if f.ID != "" {
		return f.ID
	}
	return f.Name
}

func (f FieldProps) class() string {
	class := "input"
	switch f.Width {
	case WidthMiddle:
		class += " w-m"
	case WidthShort:
		class += " w-s"
	}
	if f.Numeric {
		class += " num"
	}
	return class
}

func (f FieldProps) attrs() templ.Attributes {
	a := controlAttrs(f.id(), f.Hint != "", f.Error != "")
	set := func(name, value string) {
		if value != "" {
			a[name] = value
		}
	}
	set("placeholder", f.Placeholder)
	set("autocomplete", f.Autocomplete)
	if f.Numeric {
		a["inputmode"] = "decimal"
	}
	for name, on := range map[string]bool{"required": f.Required, "readonly": f.ReadOnly, "autofocus": f.Autofocus} {
		if on {
			a[name] = true
		}
	}
	for name, v := range f.Attrs {
		a[name] = v
	}
	return a
}

// controlAttrs ties a control to its hint and error.
func controlAttrs(id string, hint, wrong bool) templ.Attributes {
	a := templ.Attributes{}
	var by []string
	if hint {
		by = append(by, id+"-h")
	}
	if wrong {
		by = append(by, id+"-e")
		a["aria-invalid"] = "true"
	}
	if len(by) > 0 {
		a["aria-describedby"] = strings.Join(by, " ")
	}
	return a
}

func (f FieldProps) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

func (c ChoiceProps) kind() string {
	if c.Many {
		return "checkbox"
	}
	return "radio"
}

func (c CheckProps) value() string {
	if c.Value == "" {
		return "1"
	}
	return c.Value
}

// FormProps is a form of one column.
type FormProps struct {
	Action string
	Method string // "post" by default
	Errors FieldErrors
	Files  bool // it carries files
	Draft  bool // what is typed is kept in this tab until it is sent
	ID     string
	Attrs  templ.Attributes
}

func (f FormProps) attrs(ctx context.Context) templ.Attributes {
	a := templ.Attributes{}
	if f.ID != "" {
		a["id"] = f.ID
	}
	if f.Draft {
		a["data-draft"] = i18n.T(ctx, "ui.form.draft", "time", "{time}")
	}
	if f.Files {
		a["enctype"] = "multipart/form-data"
	}
	for name, v := range f.Attrs {
		a[name] = v
	}
	return a
}

func (f FormProps) method() string {
	if f.Method == "" {
		return "post"
	}
	return f.Method
}

func affixWidth(w Width) string {
	return [...]string{"", "w-m", "w-s"}[min(w, WidthShort)]
}

func estimateAttrs(e EstimateProps, part string) templ.Attributes {
	return controlAttrs(e.Name, e.Hint != "", e.Error != "" && (e.Wrong == "" || e.Wrong == part))
}
