// Package cases closes the loop with one customer: a problem is taken up, has one
// owner, keeps its clocks, is put right, and is solved when the customer says so.
//
// (The folder would be named case, were that no word of the language.)
//
// # A case
//
// [Case] is one problem of one customer. It begins with a signal: an unhappy
// answer, a complaint by phone, counter, web form or letter, an event. Rules
// ([SignalRule]) say which signals make a case and of which kind; several signals of
// one customer about one issue join one case ([Service.Take]). A case belongs to a
// unit and has at most one owner.
//
// # Marks and clocks
//
// What happens in a case is a mark: complaint_filed, complaint_acknowledged,
// case_first_contact, final_response_sent ... Acts of people set marks; rule packs
// ([Pack]) start and stop clocks at marks. A case carries every clock that applies
// ([Clock]) at the same time: acknowledge, first contact, resolve, statutory. Each
// remembers its rule, the version it started under, its pauses, extensions and
// swaps; package worktime computes the deadline. A clock's next moment (a warning,
// the deadline) is a timer, so it is reached also when nobody looks; what then
// happens is the ladder ([Ladder]).
//
// # Putting right, closing, verifying
//
// A gesture ([Gesture]) is granted within the wallet. Closing needs a root cause and
// an action. Then the customer is asked with one tap; yes closes for good, no
// reopens, silence is shown as silence.
//
// # Files
//
//	case.go         Case, kinds, states, Validate
//	facts.go        what conditions (package condition) ask about
//	pack.go         clock rules, calendars, ladders, wallet, texts: the content
//	setting.go      content as versions in the store
//	clock.go        clocks of a case: start, stop, pause, extend, swap
//	fire.go         what timers do: warnings, breaches, ladders, silence
//	take.go         signals into cases
//	act.go          what people do; file.go attachments; solve.go closing and follow-up;
//	                wallet.go gestures
//	queue.go        lists; register.go for the regulator; cluster.go many cases of one
//	                cause, the huddle over them and the change it proposes
//	store*.go       all SQL
//
// Tables: cases_*. Permissions: feedback.case.read, .edit, .lead, .setup,
// .register. Personal text (title, words, name, phone, e-mail, entries) is sealed.
package cases

import (
	"embed"

	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of cases.
var Migrations = store.Migrations{Module: "cases", FS: migrations}

//go:embed locales
var locales embed.FS

// Locales are the texts of cases.
func Locales() i18n.Source { return i18n.Source{Name: "cases", FS: locales, Dir: "locales"} }

// Permissions of cases.
const (
	PermRead     auth.Permission = "feedback.case.read"
	PermEdit     auth.Permission = "feedback.case.edit"     // work on a case
	PermLead     auth.Permission = "feedback.case.lead"     // assign others, extend, swap, merge
	PermSetup    auth.Permission = "feedback.case.setup"    // packs, ladders, calendars, rules
	PermRegister auth.Permission = "feedback.case.register" // the regulator's register
)
