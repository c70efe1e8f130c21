// Package form is a questionnaire: what is asked, of whom which part, and what an
// answer may be. It is pure: the same document and answers give the same next
// question on the server, in a test and in the editor's preview.
//
// # A document
//
// A [Document] is one version of a questionnaire, complete in itself: questions
// ([Item]) with their scales and options, in Vietnamese and English side by side,
// what follows an answer ([Reaction]), and which questions one person sees
// ([Draw]). [Document.Validate] reads like its specification.
//
// # Answering
//
// [Document.Shown] gives the questions that a person sees after the answers so far:
// drawn at random but always the same for one seed, then branched by show_if.
// [Document.Check] takes what came in, one question's answer at a time, and gives a
// clean [Answer] or the reason why not. An answer to a question that is no longer
// shown is dropped by [Document.Clean]; a skipped question has no answer and so
// never counts.
//
// # Files
//
//	document.go  Document, Item, Validate
//	answer.go    Answers, Check, Clean
//	file.go      files that answer a question
//	shown.go     draw, order, branching, piping, forms of address
//	pack.go      the shipped questionnaires
//	imported.go  questionnaires of other programs: lss.go LimeSurvey; csv.go plain tables
package form
