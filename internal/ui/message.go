package ui

import (
	"context"
	"math"
	"regexp"
	"strconv"

	"github.com/a-h/templ"

	"omote/internal/platform/i18n"
)

// NoteKind says why a note is there.
type NoteKind uint8

// The kinds of notes.
const (
	NotePlain NoteKind = iota
	NoteGood           // it worked
	NoteBad            // this part failed
	NoteFew            // something was set aside or is missing
	NoteStale          // out of date
	NoteLock           // not permitted
)

func (k NoteKind) state() string {
	return [...]string{"", "better", "worse", "few", "stale", ""}[min(k, NoteLock)]
}

func (k NoteKind) icon() IconName {
	return [...]IconName{IconChat, IconBetter, IconAlert, IconFew, IconStale, IconLock}[min(k, NoteLock)]
}

func (k NoteKind) attrs() templ.Attributes {
	a := templ.Attributes{}
	if s := k.state(); s != "" {
		a["data-s"] = s
	}
	if k == NoteBad {
		a["role"] = "alert"
	}
	return a
}

// NoteProps is a message in the flow of the page: its head says what happened,
// its text what follows and where to go.
type NoteProps struct {
	Kind NoteKind
	Head string // rich
	Text string // rich
	Link Link   // at the end of the text
	Acts []ButtonProps
	Ref  string // reference of an error, for the one who helps
}

// EmptyKind tells the three kinds of empty apart.
type EmptyKind uint8

// The kinds of empty.
const (
	EmptyFirst    EmptyKind = iota // nothing here yet: what it is for, one start
	EmptyFiltered                  // the filter leaves nothing: how many lie outside
	EmptyGood                      // nothing needs you
)

// EmptyProps is what stands where a result would.
type EmptyProps struct {
	Kind  EmptyKind
	Title string
	Text  string // rich
	Acts  []ButtonProps
}

func (k EmptyKind) word() string {
	return [...]string{"first", "filtered", "good"}[min(k, EmptyGood)]
}

// FailureProps is a part of a page that could not be shown.
type FailureProps struct {
	Title     string // "The cause tree did not load."
	Cause     string // in plain words, with what happens next
	Reference string
	RetryHref string
}

// ProgressProps is long work: how far, how long still, and how to stop it.
type ProgressProps struct {
	ID         string // of the element, which a poll replaces
	Title      string
	Done       float64 // 0 to 1; below 0 when unknown
	Left       string  // "about 40 seconds left"
	Remark     string  // "you may leave this page"
	Paused     bool
	PauseHref  string // POST; pauses or, when Paused, goes on
	CancelHref string // POST
	PollHref   string // GET every second while it runs, answered with this component
	Facts      []Item
}

func (p ProgressProps) attrs() templ.Attributes {
	a := templ.Attributes{}
	if p.ID != "" {
		a["id"] = p.ID
	}
	if p.PollHref != "" {
		a["hx-get"] = p.PollHref
		a["hx-trigger"] = "every 1s"
		a["hx-swap"] = "outerHTML"
	}
	return a
}

func (p ProgressProps) barAttrs() templ.Attributes {
	a := templ.Attributes{"role": "progressbar", "aria-valuemin": "0", "aria-valuemax": "100", "aria-label": p.Title}
	if p.Done >= 0 {
		a["aria-valuenow"] = percentWhole(p.Done)
	}
	return a
}

// ToastProps is the result of one's own action, with undo.
type ToastProps struct {
	Text     string // rich
	UndoHref string // POST; key Z
}

// DialogProps asks before what cannot be undone, by naming the thing.
type DialogProps struct {
	ID      string
	Title   string
	Text    string // rich: what will be gone and who notices
	Action  string // POST address of the act
	Verb    string // "Delete the survey"
	Confirm string // when set, the reader must type it
}

func failureActs(ctx context.Context, f FailureProps) []ButtonProps {
	if f.RetryHref == "" {
		return nil
	}
	return []ButtonProps{{Label: i18n.T(ctx, "ui.retry"), Href: f.RetryHref, Small: true}}
}

// boneWidth varies the lengths of a skeleton's first column as text varies.
func boneWidth(row, col int) string {
	if col > 0 {
		return "w5"
	}
	return [...]string{"w4", "w3", "w5", "w3", "w2"}[row%5]
}

// quotePattern makes an HTML pattern that matches the text itself.
func quotePattern(text string) string { return regexp.QuoteMeta(text) }

// percentWhole is a share as a whole percentage, "62".
func percentWhole(share float64) string {
	return strconv.Itoa(int(math.Round(max(0, min(share, 1)) * 100)))
}
