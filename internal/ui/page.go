package ui

import (
	"context"
	"slices"
	"time"

	"github.com/a-h/templ"

	"omote/internal/platform/i18n"
)

// Chrome is what surrounds every page of one request: who is there, where they
// may go, and how they want it shown. Middleware puts it into the context.
type Chrome struct {
	Bank       string // the bank's name, under the logo
	Nav        Nav
	Person     Person
	Scope      Link      // "Whole bank"; leads to the choice of scope
	Now        time.Time // the page's date, in the entity's reporting zone
	Theme      Theme
	Path       string   // path and query of this page, to which preferences return
	SearchHref string   // by default "/search"; receives ?q=
	Locales    []string // choices in the top bar beside vi and en
	Commands   []Command
}

// Person is the one who is signed in. An empty name shows nobody.
type Person struct {
	Name string
	Href string // their account
}

// Command is an entry of the command palette beside the navigation.
type Command struct {
	Label string
	Group string // the word shown at its right: "Action", "Journey"
	Href  string
}

type chromeKey struct{}

// WithChrome puts the surroundings of a request into its context.
func WithChrome(ctx context.Context, c Chrome) context.Context {
	return context.WithValue(ctx, chromeKey{}, c)
}

// ChromeFrom gives the surroundings, empty when none were put there.
func ChromeFrom(ctx context.Context) Chrome {
	c, _ := ctx.Value(chromeKey{}).(Chrome)
	return c
}

// Page is what a page says about itself. Title is the noun of its question, and
// Finding the sentence that answers it.
type Page struct {
	Title     string
	Layer     Layer  // shown in the breadcrumb; by default that of At
	At        string // the navigation entry that is current; by default found by path
	Crumbs    []Link // at most two steps
	Above     templ.Component
	Finding   string // rich
	Promise   string // a promise to customers instead of a finding, in their voice
	Meta      []Item // small facts under the finding
	Actions   []ButtonProps
	Side      templ.Component // panel beside the page
	SideLabel string          // accessible name of the panel
	Notice    templ.Component // a system message over the page
	Toast     *ToastProps     // the result of the action that led here
	Draws     bool            // the page holds interactive charts: their scripts are loaded
	Scripts   []string        // further assets that this page alone needs, such as "map.js"
	Keys      []Shortcut      // keys that work on this page alone, for the list of keys
}

// Shortcut is a line of the list of keys.
type Shortcut struct {
	Keys []string
	Text string // translated
}

// Link is a labelled address. Without an address it is plain text.
type Link struct {
	Label string
	Href  string
}

// layer is the page's layer, given or implied.
func (p Page) layer() Layer {
	if p.Layer != 0 {
		return p.Layer
	}
	return layerOf(NavItem{Key: p.At})
}

// locales are the languages offered in the top bar: Vietnamese and English
// first, in every installation, then the others.
func (c Chrome) locales() []string {
	out := []string{"vi", "en"}
	for _, l := range c.Locales {
		if !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

func (c Chrome) searchHref() string {
	if c.SearchHref != "" {
		return c.SearchHref
	}
	return "/search"
}

func (c Chrome) homeHref() string {
	if c.Nav.HomeHref != "" {
		return c.Nav.HomeHref
	}
	return "/"
}

func (c Chrome) homeLabel(ctx context.Context) string {
	if c.Nav.HomeLabel != "" {
		return c.Nav.HomeLabel
	}
	return i18n.T(ctx, "nav.home")
}

// commands are the entries of the palette: navigation first, then the page's
// and the request's own.
func (c Chrome) commands(ctx context.Context, p Page) []Command {
	out := []Command{{Label: c.homeLabel(ctx), Href: c.homeHref()}}
	for _, layer := range c.Nav.layers(ctx) {
		for _, item := range layer.Items {
			out = append(out, Command{Label: item.Label, Group: layer.Name, Href: item.Href})
		}
	}
	for _, a := range p.Actions {
		if a.Href != "" {
			out = append(out, Command{Label: a.Label, Group: i18n.T(ctx, "ui.palette.action"), Href: a.Href})
		}
	}
	return append(out, c.Commands...)
}
