package form

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"omote/internal/platform/errs"
)

// CSVColumns are the columns of a questionnaire as a table, in the order in which
// [WriteCSV] writes them. A file may have them in any order, leave any but type and a
// text out, and separate them by comma, semicolon or tab. Options and rows are lines of
// the form "id | tiếng Việt | English"; several in one line are separated by ";".
var CSVColumns = []string{"id", "type", "text_vi", "text_en", "help_vi", "help_en", "required", "options", "rows", "min", "max", "low_vi", "low_en", "high_vi", "high_en",
	"max_choices", "shuffle", "show_if", "dim"}

// csvNames are other names of columns that are understood.
var csvNames = map[string]string{"question_vi": "text_vi", "question_en": "text_en", "question": "text_en", "text": "text_en", "code": "id", "choices": "options", "condition": "show_if",
	"cau_hoi": "text_vi", "kind": "type", "mandatory": "required"}

// csvTypes are other names of types that are understood.
var csvTypes = map[string]Type{"nps": NPS, "0-10": NPS, "rating": Rating, "scale": Rating, "stars": Stars, "faces": Faces, "single": Single, "choice": Single, "radio": Single, "multi": Multi,
	"multiple": Multi, "checkbox": Multi, "yes_no": YesNo, "yesno": YesNo, "matrix": Matrix, "rank": Rank, "ranking": Rank, "paired": Paired, "text": Words, "comment": Words, "date": Date,
	"file": File}

// ParseCSV makes a document of a table.
func ParseCSV(raw []byte, id string) (*Imported, error) {
	wrong := func(cause error) error {
		return errs.Invalid("feedback.form.error.import_csv", "file", "the table cannot be read: %v", cause).Because(cause)
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	r := csv.NewReader(bytes.NewReader(raw))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes, r.TrimLeadingSpace = separator(raw), -1, true, true
	head, err := r.Read()
	if err != nil {
		return nil, wrong(err)
	}
	c := newCollector()
	columns := make([]string, len(head))
	for i, h := range head {
		name := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(h)), " ", "_")
		if same := csvNames[name]; same != "" {
			name = same
		}
		if columns[i] = name; !slices.Contains(CSVColumns, name) && name != "" {
			c.note("", NoteRow, "column "+h)
		}
	}
	if !slices.Contains(columns, "type") || !slices.Contains(columns, "text_vi") && !slices.Contains(columns, "text_en") {
		return nil, wrong(errors.New("it needs the columns type, and text_vi or text_en"))
	}
	for line := 2; ; line++ {
		record, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, wrong(err)
		}
		row := map[string]string{}
		for i, cell := range record {
			if i < len(columns) && len(cell) <= 64<<10 {
				row[columns[i]] = strings.TrimSpace(strings.ToValidUTF8(cell, ""))
			}
		}
		c.csvRow(line, row)
	}
	return c.finish(Text{}, id)
}

// separator is the one of comma, semicolon and tab that stands most often in the first line.
func separator(raw []byte) rune {
	line, _, _ := bytes.Cut(raw, []byte("\n"))
	best, most := ',', bytes.Count(line, []byte(","))
	for _, s := range []rune{';', '\t'} {
		if n := bytes.Count(line, []byte(string(s))); n > most {
			best, most = s, n
		}
	}
	return best
}

func (c *collector) csvRow(line int, row map[string]string) {
	at := row["id"]
	if at == "" {
		at = fmt.Sprint("line ", line)
	}
	text := Text{VI: c.plain(at, row["text_vi"]), EN: c.plain(at, row["text_en"])}
	if row["type"] == "" && text == (Text{}) {
		return
	}
	typ, known := csvTypes[strings.ToLower(row["type"])]
	switch {
	case !known:
		c.leave(at, NoteType, row["type"])
		return
	case text == (Text{}):
		c.leave(at, NoteRow, "no text")
		return
	}
	it := Item{Type: typ, Text: c.both(at, text, "", ""), Required: yes(row["required"]), Shuffle: yes(row["shuffle"]), Dim: short(row["dim"], 60)}
	if help := (Text{VI: c.plain(at, row["help_vi"]), EN: c.plain(at, row["help_en"])}); help != (Text{}) {
		it.Help = c.both(at, help, "", "")
	}
	it.Options, it.Rows = c.choices(at, row["options"]), c.choices(at, row["rows"])
	switch {
	case typ == NPS:
		it.Scale = c.csvScale(at, row, 0, 10)
		it.Scale.Min, it.Scale.Max = 0, 10
	case typ.Scored() || typ == Matrix || typ == Paired:
		it.Scale = c.csvScale(at, row, 1, 5)
		if typ == Paired {
			it.Second = plainScale(1, 5)
		}
	}
	switch {
	case it.Scale != nil && !it.Scale.valid():
		c.leave(at, NoteType, row["type"]+": "+row["min"]+" – "+row["max"])
		return
	case (typ == Single || typ == Multi || typ == Rank) && (len(it.Options) < 2 || len(it.Options) > MaxOptions):
		c.leave(at, NoteType, fmt.Sprint(row["type"], ": ", len(it.Options), " options"))
		return
	case typ == Matrix && (len(it.Rows) == 0 || len(it.Rows) > MaxOptions):
		c.leave(at, NoteType, fmt.Sprint(row["type"], ": ", len(it.Rows), " rows"))
		return
	}
	if typ != Single && typ != Multi && typ != Rank {
		it.Options = nil
	}
	if typ != Matrix {
		it.Rows = nil
	}
	if n, err := strconv.Atoi(row["max_choices"]); err == nil && n > 0 && typ == Multi {
		it.Max = min(n, len(it.Options))
	}
	seen := map[string]bool{}
	for _, other := range c.doc.Items {
		seen[other.ID] = true
	}
	if it.ShowIf = row["show_if"]; refersBack(it.ShowIf, seen) != nil {
		c.note(at, NoteCondition, it.ShowIf)
		it.ShowIf = ""
	}
	if row["id"] == "" {
		it.ID = idOf(fmt.Sprint("q", len(c.doc.Items)+1), func(id string) bool { return c.doc.Item(id) != nil })
		c.ids[it.ID] = it.ID
	} else {
		it.ID = c.newID(row["id"])
	}
	c.add(it)
}

func yes(cell string) bool {
	return slices.Contains([]string{"1", "y", "yes", "true", "x", "có"}, strings.ToLower(cell))
}

func (c *collector) csvScale(at string, row map[string]string, low, high int) *Scale {
	s := &Scale{Min: low, Max: high, Labels: map[int]Text{}}
	if n, err := strconv.Atoi(row["min"]); err == nil {
		s.Min = n
	}
	if n, err := strconv.Atoi(row["max"]); err == nil {
		s.Max = n
	}
	for _, end := range []struct {
		v    int
		name string
	}{{s.Min, "low"}, {s.Max, "high"}} {
		if t := (Text{VI: c.plain(at, row[end.name+"_vi"]), EN: c.plain(at, row[end.name+"_en"])}); t != (Text{}) {
			s.Labels[end.v] = c.both(at, t, "", "")
		}
	}
	return s
}

// choices reads options: lines, or parts between semicolons, of one to three fields.
func (c *collector) choices(at, cell string) (list []Option) {
	for line := range strings.FieldsFuncSeq(cell, func(r rune) bool { return r == '\n' || r == ';' }) {
		parts := strings.SplitN(line, "|", 3)
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		switch {
		case strings.Join(parts, "") == "":
		case len(parts) == 3:
			list = choice(list, parts[0], c.both(at, Text{VI: c.plain(at, parts[1]), EN: c.plain(at, parts[2])}, parts[0], parts[0]))
		case len(parts) == 2:
			list = choice(list, parts[1], c.both(at, Text{VI: c.plain(at, parts[0]), EN: c.plain(at, parts[1])}, parts[0], parts[0]))
		default:
			list = choice(list, parts[0], c.both(at, Text{EN: c.plain(at, parts[0])}, "–", "–"))
		}
	}
	return list
}

// WriteCSV writes a document as a table that [ParseCSV] reads. Reactions, draws and
// the asking are not in it.
func WriteCSV(w io.Writer, d *Document) error {
	out := csv.NewWriter(w)
	if err := out.Write(CSVColumns); err != nil {
		return err
	}
	flag := map[bool]string{true: "yes"}
	lines := func(list []Option) string {
		var b strings.Builder
		for i, o := range list {
			if i > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(o.ID + " | " + o.Text.VI + " | " + o.Text.EN)
		}
		return b.String()
	}
	for i := range d.Items {
		it := &d.Items[i]
		row := []string{it.ID, string(it.Type), it.Text.VI, it.Text.EN, it.Help.VI, it.Help.EN, flag[it.Required], lines(it.Options), lines(it.Rows), "", "", "", "", "", "", "",
			flag[it.Shuffle], it.ShowIf, it.Dim}
		if s := it.Scale; s != nil {
			low, high := s.Labels[s.Min], s.Labels[s.Max]
			copy(row[9:], []string{strconv.Itoa(s.Min), strconv.Itoa(s.Max), low.VI, low.EN, high.VI, high.EN})
		}
		if it.Max > 0 {
			row[15] = strconv.Itoa(it.Max)
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
