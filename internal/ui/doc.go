// Package ui is the design system: every page of the product is made of its
// components, so that one look, one wording and one keyboard hold everywhere.
//
// A component is a templ function that takes a typed value; text reaches it
// already translated. A component called X takes XProps when it needs more than
// three values:
//
//	@ui.Layout(ui.Page{Title: i18n.T(ctx, "metric.title"), At: ui.NavMeasures}) {
//		@ui.Grid() {
//			@ui.Section(ui.SectionProps{Title: "Week by week", Cols: 8}) { ... }
//			@ui.Section(ui.SectionProps{Title: "What it means", Cols: 4}) { ... }
//		}
//	}
//
// What belongs to a request and not to a page (bank, navigation, person, scope,
// date, theme) is a Chrome, put into the context by WithChrome once per request.
// Pages work without JavaScript; assets/js adds the keyboard, panels and palette,
// and htmx swaps parts. No component writes a style attribute: the
// Content-Security-Policy (assets.ContentSecurityPolicy) forbids it. Data-driven
// widths are SVG geometry.
//
// Text that may stress words is "rich": **bold** becomes <b>, all else is
// escaped. Numbers, money and dates are written by i18n.Fmt(ctx).
//
// # Files
//
//	page.go layout.templ     Page, Chrome, Layout, Door; rail, top bar, head
//	nav.go                   the four layers and their entries
//	preferences.go           language and theme cookies, the switch handler
//	text.go text.templ       Rich, Item and Meta line, Finding, Voice, Quote, Link
//	section.go section.templ Grid, Span, Section, Stack, Inline, Scroll, Tabs, Steps, KeyValues, Docket
//	state.go state.templ     State marks, evidence Grade, Seal, Clock, Worth, MetricRow
//	icon.go                  Icon
//	button.templ             Button, Filters and Chip, Key
//	table.go table.templ     Table: sort, filter, columns, CSV, cursor pages, fold
//	form.go form.templ       Field, Choice, Estimate, FileDrop, ErrorSummary, Actions
//	message.templ            Note, Empty, Failure, Skeleton, Progress, Toast, Dialog
//	palette.templ            command palette, keyboard list
//	flowmarks.templ          Funnel, Variant sequence, Bar
//	chart/                   time chart, funnel plot, sparkline, bars
//	flow/                    maps of paths: layout and drawing
//	assets/                  style sheets, scripts, libraries
//	styleguide/              the page that shows every component
//
// Generated files (*_templ.go) are committed; a test fails when they are old.
package ui

//go:generate go tool templ generate -path .
