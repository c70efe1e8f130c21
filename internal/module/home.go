package module

import (
	"context"

	"omote/internal/platform/auth"
	"omote/internal/ui"
)

// Home is what a module puts on the first page of whoever has the permission: what
// waits for them, or how their own figures stand. The page is one; each module
// fills its part of it.
type Home struct {
	Key        string // names the part, and its place in the order of a role
	Permission auth.Permission
	Read       func(ctx context.Context) (HomePart, error)
}

// HomePart is one part of the first page, in the reader's language. A part with
// neither items nor rows says that nothing waits, or is left out where it says
// nothing.
type HomePart struct {
	Title string
	Href  string // the whole list
	All   string // label of the link to it
	Items []HomeItem
	Count int // how many wait in all; those listed when 0
	Late  int // of them, beyond their promise
	// Calm is what the part says when nothing waits; "" leaves the part out.
	Calm string
	// Rows are figures, which wait for nobody; Working tells that more are being
	// computed; Note stands under them.
	Rows    []ui.MetricRowProps
	Working bool
	Note    string
}

// Waits is how many things of the part wait for the reader.
func (p HomePart) Waits() int { return max(p.Count, len(p.Items)) }

// HomeItem is one thing that waits.
type HomeItem struct {
	Title string
	Note  string // where, since when
	Href  string
	Due   string // what is promised, or how dear it is
	Late  bool
}
