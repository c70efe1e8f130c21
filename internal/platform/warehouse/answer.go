package warehouse

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

// answeredSuffix ends the names of events that carry a survey answer
// ("survey_answered", "exit_survey_answered"). Their properties are instrument,
// item, score, verbatim (or comment), language, aspect, polarity and
// trigger_event (or trigger). Other events, such as a complaint, become a
// response when they carry a verbatim or comment; their name is its trigger.
const answeredSuffix = "survey_answered"

// freeText are the properties whose text is kept only masked, in the response.
var freeText = []string{"verbatim", "comment"}

// hasFreeText reports whether the properties may name free text.
func hasFreeText(props []byte) bool {
	return bytes.Contains(props, []byte(`"verbatim"`)) || bytes.Contains(props, []byte(`"comment"`))
}

// answer is the content of a response row. A nil score is a skipped question or
// a comment alone: it is never part of a denominator.
type answer struct {
	instrument, item, trigger  string
	score, comment             driver.Value // float64, string or nil
	language, aspect, polarity string
}

var parsers fastjson.ParserPool

// readAnswer reads the properties of an event; ok is false when they hold no
// answer.
func (w *Warehouse) readAnswer(name string, props []byte) (a answer, ok bool) {
	asked := strings.HasSuffix(name, answeredSuffix)
	if !asked && !hasFreeText(props) {
		return a, false
	}
	p := parsers.Get()
	defer parsers.Put(p)
	v, err := p.ParseBytes(props)
	if err != nil || v.Type() != fastjson.TypeObject {
		return a, false
	}
	a = answer{
		instrument: text(v, "instrument"), item: text(v, "item"), trigger: text(v, "trigger_event", "trigger"),
		language: text(v, "language"), aspect: text(v, "aspect"), polarity: text(v, "polarity"),
	}
	if asked {
		a.score = number(v.Get("score"))
	} else if a.trigger == "" {
		a.trigger = clean(name)
	}
	said := text(v, freeText...)
	if said != "" && w.opt.Mask != nil {
		a.comment = clean(w.opt.Mask(said))
	}
	return a, said != "" || asked && (a.instrument != "" || a.item != "" || a.score != nil)
}

// text is the first of the properties that holds text or a number.
func text(v *fastjson.Value, keys ...string) string {
	for _, k := range keys {
		switch f := v.Get(k); {
		case f == nil:
		case f.Type() == fastjson.TypeString:
			if b := f.GetStringBytes(); len(b) > 0 {
				return clean(string(b))
			}
		case f.Type() == fastjson.TypeNumber:
			return f.String()
		}
	}
	return ""
}

// number is a JSON number, or text that is a number, as CSV files give it.
func number(v *fastjson.Value) driver.Value {
	if v == nil {
		return nil
	}
	var x float64
	var err error
	switch v.Type() {
	case fastjson.TypeNumber:
		x, err = v.Float64()
	case fastjson.TypeString:
		x, err = strconv.ParseFloat(strings.TrimSpace(string(v.GetStringBytes())), 64)
	default:
		return nil
	}
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return x
}

// clean makes s storable in both engines: valid UTF-8 without NUL.
func clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// cleanProps makes a JSON object storable in both engines and takes free text
// out. Nil is returned for what is no object or holds nothing.
func cleanProps(props []byte) []byte {
	if len(props) == 0 {
		return nil
	}
	if !hasFreeText(props) && plainObject(props) {
		return props
	}
	// Decoding replaces what no engine takes: broken UTF-8 and lone surrogates.
	dec := json.NewDecoder(bytes.NewReader(props))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		return nil
	}
	for _, k := range freeText {
		delete(m, k)
	}
	if len(m) == 0 {
		return nil
	}
	out, err := json.Marshal(storable(m, 0))
	if err != nil {
		return nil
	}
	return out
}

// Limits beyond which a JSON value is cut, because PostgreSQL takes no more.
const (
	maxDigits = 300
	maxDepth  = 64
)

// plainObject reports whether props are a valid JSON object that both engines
// take as it stands: no \u escape, no number with an exponent or of unusual
// length, no deep nesting.
func plainObject(props []byte) bool {
	if !utf8.Valid(props) || bytes.Contains(props, []byte(`\u`)) {
		return false
	}
	if first := bytes.TrimLeft(props, " \t\r\n"); len(first) == 0 || first[0] != '{' {
		return false
	}
	inString, digits, depth := false, 0, 0
	for i := 0; i < len(props); i++ {
		c := props[i]
		switch {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c >= '0' && c <= '9':
			if digits++; digits > maxDigits {
				return false
			}
			continue
		case digits > 0 && (c == 'e' || c == 'E'):
			return false
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return false
			}
		case c == '}' || c == ']':
			depth--
		}
		digits = 0
	}
	return fastjson.ValidateBytes(props) == nil
}

// storable takes NUL characters out of texts, cuts what is nested too deep and
// gives numbers with exponents the value of a 64-bit float.
func storable(v any, depth int) any {
	if depth > maxDepth {
		return nil
	}
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "")
	case json.Number:
		if len(v) <= maxDigits && !strings.ContainsAny(string(v), "eE") {
			return v
		}
		x, err := v.Float64()
		if err != nil {
			return nil
		}
		return x
	case []any:
		for i := range v {
			v[i] = storable(v[i], depth+1)
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[strings.ReplaceAll(k, "\x00", "")] = storable(x, depth+1)
		}
		return out
	}
	return v
}
