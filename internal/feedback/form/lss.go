package form

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"omote/internal/platform/errs"
)

// lssRows bounds how many rows a file may have.
const lssRows = 20_000

// lssDepth bounds how deep elements may lie in each other.
const lssDepth = 12

// lss is the tables of a LimeSurvey structure file: rows of named fields, as
// LimeSurvey's export of its database writes them. Up to version 3 a question's row
// holds its texts and there is one row a language; from version 4 on texts stand in
// tables of their own (…_l10ns).
type lss map[string][]map[string]string

// readLSS reads the tables.
func readLSS(raw []byte) (lss, error) {
	wrong := func(cause error) error {
		return errs.Invalid("feedback.form.error.import_lss", "file", "the file is no LimeSurvey structure (.lss): %v", cause).Because(cause)
	}
	d := xml.NewDecoder(bytes.NewReader(raw))
	d.Strict = true
	tables, path, rows := lss{}, []string{}, 0
	var row map[string]string
	var text strings.Builder
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, wrong(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			path = append(path, t.Name.Local)
			if len(path) > lssDepth || len(path) == 1 && path[0] != "document" {
				return nil, wrong(errors.New("it does not begin with <document>"))
			}
			if len(path) == 4 && path[2] == "rows" {
				row = map[string]string{}
				if rows++; rows > lssRows {
					return nil, wrong(errors.New("it has too many rows"))
				}
			}
			text.Reset()
		case xml.CharData:
			if len(path) == 5 || len(path) == 2 || len(path) == 3 {
				text.Write(t)
			}
		case xml.EndElement:
			switch {
			case len(path) == 5 && row != nil:
				row[path[4]] = text.String()
			case len(path) == 4 && row != nil:
				tables[path[1]] = append(tables[path[1]], row)
				row = nil
			case len(path) == 2 && path[1] == "LimeSurveyDocType" && strings.TrimSpace(text.String()) != "Survey":
				return nil, wrong(errors.New("it is not a survey but a " + short(strings.TrimSpace(text.String()), 40)))
			}
			path = path[:len(path)-1]
		}
	}
	if len(tables["questions"]) == 0 {
		return nil, wrong(errors.New("it has no questions"))
	}
	return tables, nil
}

// by sorts rows by an order given as numbers, the id last so that it is always the same.
func by(rows []map[string]string, fields ...string) []map[string]string {
	out := slices.Clone(rows)
	number := func(r map[string]string, f string) int { n, _ := strconv.Atoi(strings.TrimSpace(r[f])); return n }
	slices.SortStableFunc(out, func(a, b map[string]string) int {
		for _, f := range fields {
			if c := cmp.Compare(number(a, f), number(b, f)); c != 0 {
				return c
			}
		}
		return 0
	})
	return out
}

// lssReader turns tables into a document.
type lssReader struct {
	*collector
	t    lss
	base string // language that stands for those that are missing
	sgqa map[string]string
	// by qid
	types, titles map[string]string
	options       map[string]map[string]string // qid, code → id of the option
}

// ParseLSS makes a document of a LimeSurvey structure file.
func ParseLSS(raw []byte, id string) (*Imported, error) {
	t, err := readLSS(raw)
	if err != nil {
		return nil, err
	}
	r := &lssReader{collector: newCollector(), t: t, sgqa: map[string]string{}, types: map[string]string{}, titles: map[string]string{}, options: map[string]map[string]string{}}
	if len(t["surveys"]) > 0 {
		r.base = t["surveys"][0]["language"]
	}
	for _, part := range []string{"quota", "assessments", "conditions", "defaultvalues", "survey_url_parameters"} {
		if n := len(t[part]); n > 0 {
			r.note("", NoteBranch, part+" ("+strconv.Itoa(n)+")")
		}
	}
	groups := map[string]int{}
	for n, g := range by(t["groups"], "group_order", "gid") {
		if _, known := groups[g["gid"]]; !known {
			groups[g["gid"]] = n
		}
		if rel := strings.TrimSpace(g["grelevance"]); rel != "" && rel != "1" {
			r.note(g["group_name"], NoteCondition, rel)
		}
	}
	questions := by(t["questions"], "question_order", "qid")
	slices.SortStableFunc(questions, func(a, b map[string]string) int { return cmp.Compare(groups[a["gid"]], groups[b["gid"]]) })
	done := map[string]bool{}
	for _, q := range questions {
		if parent := strings.TrimSpace(q["parent_qid"]); done[q["qid"]] || parent != "" && parent != "0" {
			continue
		}
		done[q["qid"]] = true
		r.question(q)
	}
	if end := r.words("", "surveyls_endtext", t["surveys_languagesettings"], "surveyls_language"); end.VI != "" || end.EN != "" {
		r.doc.Close = r.both("", end, "", "")
	}
	return r.finish(r.words("", "surveyls_title", t["surveys_languagesettings"], "surveyls_language"), id)
}

// words gathers a field in both languages from rows that carry a language.
func (r *lssReader) words(at, field string, rows []map[string]string, language string) (out Text) {
	for _, row := range rows {
		text := r.plain(at, row[field])
		if text == "" {
			continue
		}
		switch lang := cmp.Or(strings.TrimSpace(row[language]), r.base); {
		case strings.HasPrefix(lang, "vi"):
			out.VI = text
		case strings.HasPrefix(lang, "en"):
			out.EN = text
		case lang == r.base: // another language is kept until somebody translates it
			out.EN = cmp.Or(out.EN, text)
			r.note(at, NoteLanguage, lang)
		}
	}
	return out
}

// texts of a question, answer or sub-question, wherever the version keeps them.
func (r *lssReader) texts(at, table, key, id, field string) Text {
	same := func(rows []map[string]string) (out []map[string]string) {
		for _, row := range rows {
			if row[key] == id {
				out = append(out, row)
			}
		}
		return out
	}
	l10ns := map[string]string{"questions": "question_l10ns", "subquestions": "question_l10ns", "answers": "answer_l10ns"}[table]
	if rows := same(r.t[l10ns]); len(rows) > 0 {
		return r.words(at, field, rows, "language")
	}
	return r.words(at, field, same(r.t[table]), "language")
}

// subs are the sub-questions of a question.
func (r *lssReader) subs(qid string) (out []map[string]string) {
	seen := map[string]bool{}
	for _, q := range by(append(slices.Clone(r.t["subquestions"]), r.t["questions"]...), "scale_id", "question_order", "qid") {
		if q["parent_qid"] == qid && !seen[q["qid"]] {
			seen[q["qid"]] = true
			out = append(out, q)
		}
	}
	return out
}

// answers of a question, with its own codes.
func (r *lssReader) answers(code, qid string) (list []Option, codes []string) {
	rows := map[string][]map[string]string{}
	var order []string
	for _, a := range by(r.t["answers"], "scale_id", "sortorder", "aid") {
		if a["qid"] == qid {
			if rows[a["code"]] == nil {
				order = append(order, a["code"])
			}
			rows[a["code"]] = append(rows[a["code"]], a)
		}
	}
	r.options[qid] = map[string]string{}
	for _, c := range order {
		t := r.words(code, "answer", rows[c], "language")
		if !t.both() {
			if more := r.texts(code, "answers", "aid", rows[c][0]["aid"], "answer"); more != (Text{}) && rows[c][0]["aid"] != "" {
				t = more
			}
		}
		list = choice(list, c, r.both(code, t, c, c))
		codes = append(codes, c)
		r.options[qid][c] = list[len(list)-1].ID
	}
	if len(list) > MaxOptions {
		r.note(code, NotePart, "answers after the "+strconv.Itoa(MaxOptions)+"th")
		list = list[:MaxOptions]
	}
	return list, codes
}

func (r *lssReader) rows(code, qid string) (list []Option) {
	r.options[qid] = map[string]string{}
	for _, s := range r.subs(qid) {
		if s["scale_id"] != "" && s["scale_id"] != "0" {
			r.note(code, NotePart, "second scale")
			break
		}
		list = choice(list, s["title"], r.both(code, r.texts(code, "subquestions", "qid", s["qid"], "question"), s["title"], s["title"]))
		r.options[qid][s["title"]] = list[len(list)-1].ID
	}
	if len(list) > MaxOptions {
		r.note(code, NotePart, "rows after the "+strconv.Itoa(MaxOptions)+"th")
		list = list[:MaxOptions]
	}
	return list
}

// points makes a scale of answers in their order.
func points(list []Option) *Scale {
	s := &Scale{Min: 1, Max: len(list), Labels: map[int]Text{}}
	for i, o := range list {
		s.Labels[i+1] = o.Text
	}
	return s
}

func plainScale(low, high int) *Scale { return &Scale{Min: low, Max: high} }

// fromZeroToTen tells whether answers are the points of NPS.
func fromZeroToTen(codes []string) bool {
	return len(codes) == 11 && !slices.ContainsFunc(codes, func(c string) bool { n, err := strconv.Atoi(c); return err != nil || n < 0 || n > 10 || codes[n] != c })
}

// lssType says what a type of LimeSurvey becomes; those not here have no like.
var lssType = map[string]Type{"5": Rating, "L": Single, "!": Single, "O": Single, "G": Single, "M": Multi, "P": Multi, "Y": YesNo, "R": Rank, "A": Matrix, "B": Matrix, "C": Matrix,
	"E": Matrix, "F": Matrix, "S": Words, "T": Words, "U": Words, "N": Words, "Q": Words, "D": Date, "|": File}

func (r *lssReader) question(q map[string]string) {
	code, qid, kind := strings.TrimSpace(q["title"]), q["qid"], strings.TrimSpace(q["type"])
	typ, known := lssType[kind]
	if !known {
		r.leave(code, NoteType, kind)
		return
	}
	text := r.texts(code, "questions", "qid", qid, "question")
	if text == (Text{}) {
		text = Text{VI: code, EN: code}
	}
	it := Item{Type: typ, Text: r.both(code, text, code, code), Required: q["mandatory"] == "Y" || q["mandatory"] == "S"}
	if help := r.texts(code, "questions", "qid", qid, "help"); help != (Text{}) {
		it.Help = r.both(code, help, "", "")
	}
	if !r.fill(&it, code, qid, kind) {
		return
	}
	it.ShowIf = r.condition(code, q["relevance"])
	r.rules(&it, code, qid)
	if q["other"] == "Y" && len(it.Options) > 0 && len(it.Options) < MaxOptions {
		it.Options = choice(it.Options, "other", Text{VI: "Khác", EN: "Other"})
		it.Options[len(it.Options)-1].Last = true
		r.note(code, NotePart, "other: text")
	}
	if kind == "Q" { // one text for each line
		for _, s := range r.rows(code, qid) {
			one := it
			one.ID, one.Text = r.newID(code+"_"+s.ID), Text{VI: it.Text.VI + "\n" + s.Text.VI, EN: it.Text.EN + "\n" + s.Text.EN}
			r.add(one)
		}
		return
	}
	it.ID = r.newID(code)
	r.types[code], r.titles[qid] = kind, code
	r.sgqa[q["sid"]+"X"+q["gid"]+"X"+qid] = code
	r.add(it)
}

// fill gives a question what its type needs, and tells whether it can be carried over.
func (r *lssReader) fill(it *Item, code, qid, kind string) bool {
	bad := func(detail string) bool { r.leave(code, NoteType, kind+": "+detail); return false }
	switch kind {
	case "5":
		it.Scale = plainScale(1, 5)
	case "G":
		it.Options = []Option{{ID: "f", Text: Text{VI: "Nữ", EN: "Female"}}, {ID: "m", Text: Text{VI: "Nam", EN: "Male"}}}
	case "L", "!", "O", "R":
		var codes []string
		it.Options, codes = r.answers(code, qid)
		if kind == "R" && len(it.Options) == 0 {
			it.Options = r.rows(code, qid)
		}
		if len(it.Options) < 2 {
			return bad("fewer than 2 answers")
		}
		if kind != "R" && fromZeroToTen(codes) {
			labels := map[int]Text{0: it.Options[0].Text, 10: it.Options[10].Text}
			it.Type, it.Scale, it.Options = NPS, &Scale{Min: 0, Max: 10, Labels: labels}, nil
		}
		if kind == "O" {
			r.note(code, NotePart, "comment")
		}
	case "M", "P":
		if it.Options = r.rows(code, qid); len(it.Options) < 2 {
			return bad("fewer than 2 answers")
		}
		if kind == "P" {
			r.note(code, NotePart, "comments")
		}
	case "A", "B", "C", "E", "F":
		if it.Rows = r.rows(code, qid); len(it.Rows) == 0 {
			return bad("no rows")
		}
		switch kind {
		case "A":
			it.Scale = plainScale(1, 5)
		case "B":
			it.Scale = plainScale(1, 10)
		case "C":
			it.Scale = points([]Option{{Text: Text{VI: "Không", EN: "No"}}, {Text: Text{VI: "Không chắc", EN: "Uncertain"}}, {Text: Text{VI: "Có", EN: "Yes"}}})
		case "E":
			it.Scale = points([]Option{{Text: Text{VI: "Giảm", EN: "Decrease"}}, {Text: Text{VI: "Như cũ", EN: "Same"}}, {Text: Text{VI: "Tăng", EN: "Increase"}}})
		default:
			list, _ := r.answers(code, qid)
			if len(list) < 2 || len(list) > MaxScale {
				return bad(strconv.Itoa(len(list)) + " points")
			}
			it.Scale = points(list)
		}
	case "N":
		it.Pattern = `^-?[0-9]+([.,][0-9]+)?$`
	}
	return true
}

// rules carries the settings of a question over that have a like.
func (r *lssReader) rules(it *Item, code, qid string) {
	for _, a := range r.t["question_attributes"] {
		value := strings.TrimSpace(a["value"])
		if a["qid"] != qid || value == "" {
			continue
		}
		switch a["attribute"] {
		case "random_order", "answer_order":
			it.Shuffle = value == "1" || value == "random"
		case "max_answers", "max_subquestions":
			if n, err := strconv.Atoi(value); err == nil && n > 0 && it.Type == Multi {
				it.Max = min(n, len(it.Options))
			}
		case "slider_rating":
			if it.Type == Rating {
				it.Type = map[string]Type{"1": Stars, "2": Faces}[value]
				it.Type = cmp.Or(it.Type, Rating)
			}
		case "max_filesize":
			if n, err := strconv.Atoi(value); err == nil && n > 0 && it.Type == File {
				it.MaxKB = min(n, MaxFileKB)
			}
		case "em_validation_q", "em_validation_sq", "array_filter", "array_filter_exclude", "exclude_all_others", "min_answers", "min_num_value", "max_num_value", "equals_num_value",
			"date_min", "date_max", "allowed_filetypes", "min_num_of_files":
			r.note(code, NoteRule, a["attribute"]+" = "+value)
		}
	}
}

// condition turns an expression of LimeSurvey into a condition: comparisons of earlier
// questions with texts and numbers, joined by and, or, not and brackets. Everything
// else is noted, and the question always shown.
func (r *lssReader) condition(code, relevance string) string {
	text := strings.TrimSpace(relevance)
	if text == "" || text == "1" {
		return ""
	}
	out, ok := r.expression(text)
	if ok {
		seen := map[string]bool{}
		for _, it := range r.doc.Items {
			seen[it.ID] = true
		}
		ok = refersBack(out, seen) == nil
	}
	if !ok {
		r.note(code, NoteCondition, text)
		return ""
	}
	return out
}

var lssWords = map[string]string{"==": "==", "=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
	"and": "and", "&&": "and", "or": "or", "||": "or", "not": "not", "!": "not", "(": "(", ")": ")"}

func (r *lssReader) expression(text string) (string, bool) {
	var out []string
	asked := "" // question whose answer the next value is
	for len(text) > 0 {
		text = strings.TrimLeft(text, " \t\r\n")
		if text == "" {
			break
		}
		switch c := text[0]; {
		case c == '"' || c == '\'':
			end := strings.IndexByte(text[1:], c)
			if end < 0 || asked == "" {
				return "", false
			}
			value, ok := r.value(asked, text[1:1+end])
			if !ok {
				return "", false
			}
			out, text = append(out, value), text[end+2:]
		case c >= '0' && c <= '9' && !strings.Contains(text[:wordEnd(text)], "X"):
			n := wordEnd(text)
			value, ok := r.value(asked, text[:n])
			if !ok || asked == "" {
				return "", false
			}
			out, text = append(out, value), text[n:]
		default:
			n := wordEnd(text)
			if n == 0 {
				n = 1
				if len(text) > 1 && lssWords[text[:2]] != "" {
					n = 2
				}
			}
			word := text[:n]
			text = text[n:]
			if same, known := lssWords[strings.ToLower(word)]; known {
				out = append(out, same)
				continue
			}
			name, _, _ := strings.Cut(word, ".")
			if sgqa := r.sgqa[name]; sgqa != "" {
				name = sgqa
			}
			id := r.ids[name]
			if id == "" {
				return "", false
			}
			asked = name
			out = append(out, id)
		}
	}
	return strings.Join(out, " "), len(out) > 0
}

// wordEnd is the length of the name or number that a text begins with.
func wordEnd(text string) int {
	return len(text) - len(strings.TrimLeftFunc(text, func(c rune) bool {
		return c == '_' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}))
}

// value is how the answer with LimeSurvey's code is written in a condition.
func (r *lssReader) value(question, code string) (string, bool) {
	it := r.doc.Item(r.ids[question])
	if it == nil || strings.ContainsAny(code, `'\`) {
		return "", false
	}
	switch it.Type {
	case YesNo:
		return map[string]string{"Y": "'yes'", "N": "'no'"}[code], code == "Y" || code == "N"
	case NPS, Rating, Stars, Faces:
		_, err := strconv.Atoi(code)
		return code, err == nil
	case Single:
		for _, qid := range slices.Sorted(maps.Keys(r.titles)) {
			if r.titles[qid] == question && r.options[qid][code] != "" {
				return "'" + r.options[qid][code] + "'", true
			}
		}
		return "", false
	}
	return "", false
}
