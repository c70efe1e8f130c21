package chart

import (
	"io"

	"github.com/a-h/templ"
)

// writer shortens the signature of components.
type writer = io.Writer

func figureAttrs(f figure) templ.Attributes {
	a := templ.Attributes{}
	if f.id != "" {
		a["id"] = f.id
	}
	return a
}

// stepAttrs make a plot a stop of the keyboard when its points can be stepped.
func stepAttrs(f figure) templ.Attributes {
	if !f.steps {
		return nil
	}
	return templ.Attributes{"tabindex": "0", "data-steps": true, "role": "group", "aria-label": f.label}
}
