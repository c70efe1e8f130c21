// Package survey asks customers and takes their answers: whom, when, on which
// channel and with which probability; the page they answer on; and what the
// answers say, weighted back to all customers.
//
// # Asking
//
// A live questionnaire (package form) names the events that start an asking. The
// state projector's handler draws the sample by a hash, so that the probability is
// known, and writes an invitation with its cause in the projector's transaction:
// an event that is read twice asks once. When the invitation is due, a timer asks
// the contact policy. Its every rule's word is kept with the invitation, so "why was
// this customer not asked?" has an answer for each person. An allowed one leaves
// through the outbox.
//
// # Answering
//
// The link in the message is signed and only preselects: mail scanners open links,
// so an answer is recorded when the page is posted. Every answer is saved at once
// ([Intake] commits many people's answers in one transaction). The same answers
// adjust the tallies, so results need no scan; [Service.Recount] proves them against
// full recomputation. A completed response becomes events of the log, once.
//
// An anonymous questionnaire keeps no customer, no invitation and no time of day
// with a response.
//
// # Files
//
//	survey.go    versions, publish        ask.go     handler, timer, invitation
//	intake.go    answers, group commit    answer.go  the respondent's session
//	tally.go     live counts              result.go  estimates, weights, report
//	tell.go      events of responses      store*.go  all SQL
//
// Tables: survey_version, survey_invitation, survey_response, survey_tally.
// Permissions: feedback.survey.read, .edit, .answers (texts of people).
package survey

import (
	"embed"

	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of surveys.
var Migrations = store.Migrations{Module: "survey", FS: migrations}

//go:embed locales
var localeFiles embed.FS

// Locales are the texts of surveys.
func Locales() i18n.Source {
	return i18n.Source{Name: "feedback/survey", FS: localeFiles, Dir: "locales"}
}

// Permissions of surveys.
const (
	PermRead    auth.Permission = "feedback.survey.read"
	PermEdit    auth.Permission = "feedback.survey.edit"
	PermApprove auth.Permission = "feedback.survey.approve"
	PermAnswers auth.Permission = "feedback.survey.answers" // single answers and texts
)
