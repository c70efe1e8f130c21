package form

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"omote/internal/platform/errs"
)

// Imported is what was made of a questionnaire of another program: a document that is
// valid, and everything that could not be carried over as it stood.
type Imported struct {
	Document *Document
	Notes    []Note
	Carried  int // questions
	Left     int // questions that are not in the document
}

// Note is one thing that was changed or left behind.
type Note struct {
	At     string `json:"at"`               // the question's code, or "" for the whole
	Code   string `json:"code"`             // what happened, one of the Note constants
	Detail string `json:"detail,omitempty"` // the other program's words
}

// What may have happened on the way.
const (
	NoteType      = "type"      // no such type of question here: left behind
	NoteCondition = "condition" // the condition cannot be read: the question is always shown
	NoteLanguage  = "language"  // one language is missing: the other stands for both
	NotePart      = "part"      // a part of the question, such as a comment beside a choice
	NoteMarkup    = "markup"    // formatting or pictures in a text
	NotePiping    = "piping"    // a placeholder that is not known here
	NoteRule      = "rule"      // a validation or a setting of the question
	NoteID        = "id"        // the code is no id here and was changed
	NoteBranch    = "branch"    // quotas, assessments, tokens and other parts of the survey
	NoteRow       = "row"       // a line of the file that is no question
)

// MaxImport bounds a file in bytes.
const MaxImport = 5 << 20

// Import reads a questionnaire by its file's name or, where that tells nothing, its
// beginning: .lss of LimeSurvey, or a table in CSV. id names the new questionnaire;
// "" makes one of the title.
func Import(name string, content []byte, id string) (*Imported, error) {
	if len(content) > MaxImport {
		return nil, errs.TooLarge("feedback.form.error.import_size", "a questionnaire has at most %d bytes", MaxImport).With("max", MaxImport>>20)
	}
	if strings.HasSuffix(strings.ToLower(name), ".lss") || strings.HasPrefix(strings.TrimSpace(string(content[:min(len(content), 200)])), "<?xml") {
		return ParseLSS(content, id)
	}
	return ParseCSV(content, id)
}

// collector makes a document of what a parser finds.
type collector struct {
	doc   *Document
	notes []Note
	left  int
	ids   map[string]string // other program's code, here
}

func newCollector() *collector {
	return &collector{ids: map[string]string{}, doc: &Document{Kind: "transactional", Anonymity: Known, Close: Text{VI: "Cảm ơn {you}.", EN: "Thank you."},
		Asking: Asking{Contact: "survey", ValidFor: 7 * 24 * time.Hour, Channels: []string{"email"}}}}
}

func (c *collector) note(at, code, detail string) {
	if n := (Note{at, code, short(detail, 200)}); !slices.Contains(c.notes, n) {
		c.notes = append(c.notes, n)
	}
}

// leave leaves a question behind.
func (c *collector) leave(at, code, detail string) {
	c.left++
	c.note(at, code, detail)
}

// add puts a question at the end, when there is room.
func (c *collector) add(it Item) {
	if len(c.doc.Items) == MaxItems {
		c.leave(it.ID, NoteRow, fmt.Sprintf("a questionnaire has at most %d questions", MaxItems))
		return
	}
	c.doc.Items = append(c.doc.Items, it)
}

// finish gives the result, or what is wrong with it.
func (c *collector) finish(title Text, id string) (*Imported, error) {
	c.doc.Name = c.both("", title, "Khảo sát nhập vào", "Imported survey")
	if c.doc.ID = id; id == "" {
		c.doc.ID = idOf(c.doc.Name.EN, nil)
	}
	if len(c.doc.Items) == 0 {
		return nil, errs.Invalid("feedback.form.error.import_empty", "file", "the file holds no question that can be carried over")
	}
	if err := c.doc.Validate(); err != nil {
		return nil, err
	}
	return &Imported{Document: c.doc, Notes: c.notes, Carried: len(c.doc.Items), Left: c.left}, nil
}

// newID makes an id of a code that is not taken among the questions.
func (c *collector) newID(code string) string {
	id := idOf(code, func(id string) bool { return c.doc.Item(id) != nil })
	if id != strings.ToLower(code) {
		c.note(code, NoteID, id)
	}
	c.ids[code] = id
	return id
}

var notID = regexp.MustCompile(`[^a-z0-9]+`)

// idOf makes an id of any text.
func idOf(text string, taken func(string) bool) string {
	id := strings.Trim(notID.ReplaceAllString(strings.ToLower(text), "_"), "_")
	if id == "" || id[0] < 'a' || id[0] > 'z' {
		id = "q" + id
	}
	id = strings.Trim(short(id, 56), "_")
	for n, base := 2, id; taken != nil && taken(id); n++ {
		id = fmt.Sprint(base, "_", n)
	}
	return id
}

// choice adds an option with an id of its own.
func choice(list []Option, code string, t Text) []Option {
	id := idOf(code, func(id string) bool { return slices.ContainsFunc(list, func(o Option) bool { return o.ID == id }) })
	return append(list, Option{ID: id, Text: t})
}

// both fills a missing language from the other, and both from what is given last.
func (c *collector) both(at string, t Text, vi, en string) Text {
	switch {
	case t.both():
	case strings.TrimSpace(t.VI) != "":
		t.EN = t.VI
		c.note(at, NoteLanguage, "en")
	case strings.TrimSpace(t.EN) != "":
		t.VI = t.EN
		c.note(at, NoteLanguage, "vi")
	default:
		t = Text{VI: vi, EN: en}
		c.note(at, NoteLanguage, "vi, en")
	}
	return t
}

var (
	tagForm    = regexp.MustCompile(`(?s)<[^>]*>`)
	breakForm  = regexp.MustCompile(`(?i)<(br|/p|/div|/li)[^>]*>`)
	hiddenForm = regexp.MustCompile(`(?is)<(script|style)[^>]*>.*?</(script|style)>|<!--.*?-->`)
	placeForm  = regexp.MustCompile(`\{[^{}]*\}`)
	spaceForm  = regexp.MustCompile(`[ \t\x{00a0}]+`)
	linesForm  = regexp.MustCompile(`\s*\n\s*`)
)

// plain takes the markup out of a text and turns placeholders into those known here.
func (c *collector) plain(at, text string) string {
	text = strings.ToValidUTF8(text, "")
	bare := breakForm.ReplaceAllString(hiddenForm.ReplaceAllString(text, ""), "\n")
	if tags := tagForm.FindAllString(bare, -1); len(tags) > 0 {
		for _, t := range tags {
			if l := strings.ToLower(t); !strings.HasPrefix(l, "<p") && !strings.HasPrefix(l, "<span") && !strings.HasPrefix(l, "</") && !strings.HasPrefix(l, "<div") {
				c.note(at, NoteMarkup, t)
				break
			}
		}
		bare = tagForm.ReplaceAllString(bare, "")
	}
	bare = html.UnescapeString(bare)
	bare = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f {
			return ' '
		}
		return r
	}, bare)
	bare = placeForm.ReplaceAllStringFunc(bare, func(p string) string {
		name := strings.Trim(p, "{}")
		switch name {
		case "you", "You", "bank", "thing", "do_thing":
			return p
		}
		code, _, _ := strings.Cut(strings.TrimPrefix(name, "answer."), ".")
		if id := c.ids[code]; id != "" {
			return "{answer." + id + "}"
		}
		c.note(at, NotePiping, p)
		return ""
	})
	bare = strings.TrimSpace(linesForm.ReplaceAllString(spaceForm.ReplaceAllString(bare, " "), "\n"))
	return short(bare, MaxText)
}

// short cuts a text to so many characters.
func short(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:n-1])) + "…"
}
