// Package voice is the one inbox of everything that customers said: answers to
// questionnaires, complaints, calls, chats, reviews and social mentions that feeds
// bring as events or files, and what staff saw or heard.
//
// An [Item] is what one person said at one time. It arrives in the transaction of what
// it comes from ([Service.Take]), counts once by source and reference, and the same
// words of the same customer within a week are one item that was said several times.
// People find items by words (through a keyed index; the words themselves are
// encrypted), take them, write back, and turn them into cases. A reply leaves through
// the outbox where the contact policy lets it, and carries a link at which the customer
// answers; the answer opens the item again. History arrives done: it is read and
// counted, and asks nobody to act.
//
// [Service.Units] lays what staff say beside what customers of their unit say, and
// [Service.Advocacy] what customers promise to do beside what they did.
//
// What an item speaks of is read from its words ([Theme]). Themes at a step of a journey
// in a unit are an [Issue]: every source of voices is laid beside the others and compared
// with its own past, with what customers did and how their staff are. When something was
// changed, a [Notice] tells exactly those who spoke of it, each once, where the contact
// policy lets it.
//
// Files: voice.go (types, limits, Validate), service.go (what people do), reply.go
// (two-way), feed.go (events), theme.go (what words speak of), issue.go (side by side),
// notice.go (you said, we did), unit.go (staff beside customers), advocacy.go, store*.go
// (all SQL). Tables: voice_item, voice_entry, voice_token, voice_theme, voice_notice,
// voice_told. Permissions: feedback.voice.read, .edit, .tell.
package voice

import (
	"embed"

	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of voices.
var Migrations = store.Migrations{Module: "voice", FS: migrations}

//go:embed locales
var locales embed.FS

// Locales are the texts of voices.
func Locales() i18n.Source { return i18n.Source{Name: "feedback/voice", FS: locales, Dir: "locales"} }

// Permissions of voices.
const (
	PermRead auth.Permission = "feedback.voice.read"
	PermEdit auth.Permission = "feedback.voice.edit" // take, write back, make a case
)
