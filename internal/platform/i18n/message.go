package i18n

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"

	"omote/internal/platform/money"
)

// maxCatalogue bounds one catalogue file; larger ones are refused.
const maxCatalogue = 4 << 20

// message is one text, or one text per plural form.
type message struct {
	forms map[plural.Form][]segment // a plain message has only plural.Other
}

// segment is literal text, or the name of an argument.
type segment struct{ text, name string }

var formNames = map[string]plural.Form{
	"zero": plural.Zero, "one": plural.One, "two": plural.Two,
	"few": plural.Few, "many": plural.Many, "other": plural.Other,
}

// readLocale reads <locale>.json of a source.
func readLocale(src Source, locale string) (map[string]message, error) {
	name := path.Join(src.Dir, locale+".json")
	data, err := fs.ReadFile(src.FS, name)
	if err != nil {
		return nil, fmt.Errorf("i18n: %s: %w", src.Name, err)
	}
	messages, err := parseCatalogue(data)
	if err != nil {
		return nil, fmt.Errorf("i18n: %s %s: %w", src.Name, name, err)
	}
	return messages, nil
}

// parseCatalogue reads a JSON object of messages, nested or dotted.
func parseCatalogue(data []byte) (map[string]message, error) {
	if len(data) > maxCatalogue {
		return nil, fmt.Errorf("larger than %d bytes", maxCatalogue)
	}
	var tree map[string]any
	if err := json.Unmarshal(data, &tree); err != nil {
		return nil, err
	}
	out := map[string]message{}
	return out, flatten(out, "", tree)
}

func flatten(out map[string]message, prefix string, tree map[string]any) error {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		key := name
		if prefix != "" {
			key = prefix + "." + name
		}
		var (
			m   message
			err error
		)
		switch v := tree[name].(type) {
		case string:
			m, err = newMessage(map[string]any{"other": v})
		case map[string]any:
			if !isPlural(v) {
				problems = append(problems, flatten(out, key, v))
				continue
			}
			m, err = newMessage(v)
		default:
			err = errors.New("neither text nor object")
		}
		if _, twice := out[key]; twice {
			err = errors.New("defined twice")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("key %q: %w", key, err))
			continue
		}
		out[key] = m
	}
	return errors.Join(problems...)
}

// isPlural tells an object of plural forms from an object of nested keys: it
// has "other" as text, and nothing but form names.
func isPlural(v map[string]any) bool {
	if _, ok := v["other"].(string); !ok {
		return false
	}
	for name := range v {
		if _, ok := formNames[name]; !ok {
			return false
		}
	}
	return true
}

func newMessage(forms map[string]any) (message, error) {
	m := message{forms: make(map[plural.Form][]segment, len(forms))}
	for name, v := range forms {
		text, ok := v.(string)
		if !ok || strings.TrimSpace(text) == "" {
			return message{}, fmt.Errorf("form %q has no text", name)
		}
		segments, err := parseText(text)
		if err != nil {
			return message{}, err
		}
		m.forms[formNames[name]] = segments
	}
	return m, nil
}

// parseText splits "a {name} b" into segments. Braces are doubled to be literal.
func parseText(text string) ([]segment, error) {
	var (
		out     []segment
		literal strings.Builder
	)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case (c == '{' || c == '}') && i+1 < len(text) && text[i+1] == c:
			literal.WriteByte(c)
			i++
		case c == '{':
			end := strings.IndexByte(text[i:], '}')
			if end < 0 {
				return nil, fmt.Errorf("{ without } in %q", text)
			}
			name := text[i+1 : i+end]
			if !validName(name) {
				return nil, fmt.Errorf("placeholder {%s} is not a name", name)
			}
			if literal.Len() > 0 {
				out = append(out, segment{text: literal.String()})
				literal.Reset()
			}
			out = append(out, segment{name: name})
			i += end
		case c == '}':
			return nil, fmt.Errorf("} without { in %q", text)
		default:
			literal.WriteByte(c)
		}
	}
	if literal.Len() > 0 {
		out = append(out, segment{text: literal.String()})
	}
	return out, nil
}

func validName(name string) bool {
	if name == "" {
		return false
	}
	for _, r := range name {
		if !(r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') {
			return false
		}
	}
	return true
}

// names lists the placeholders of all forms, sorted, each once.
func (m message) names() []string {
	var out []string
	for _, segments := range m.forms {
		for _, s := range segments {
			if s.name != "" {
				out = append(out, s.name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// text fills the placeholders.
func (m message) text(l *Localizer, args []any) string {
	segments := m.forms[plural.Other]
	if len(m.forms) > 1 {
		if n, ok := argument(args, "count"); ok {
			if chosen, ok := m.forms[pluralForm(l, n)]; ok {
				segments = chosen
			}
		}
	}
	if len(segments) == 1 && segments[0].name == "" {
		return segments[0].text
	}
	var b strings.Builder
	for _, s := range segments {
		if s.name == "" {
			b.WriteString(s.text)
		} else if v, ok := argument(args, s.name); ok {
			b.WriteString(l.value(v))
		} else {
			b.WriteString("{" + s.name + "}")
		}
	}
	return b.String()
}

func argument(args []any, name string) (any, bool) {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return args[i+1], true
		}
	}
	return nil, false
}

// pluralForm applies the CLDR cardinal rule to whole numbers; other values take
// the general form.
func pluralForm(l *Localizer, v any) plural.Form {
	n, ok := whole(v)
	if !ok {
		return plural.Other
	}
	if n < 0 {
		n = -n
	}
	return plural.Cardinal.MatchPlural(l.tag, int(n%1_000_000_000), 0, 0, 0, 0)
}

func whole(v any) (int64, bool) {
	switch n := v.(type) {
	case int:
		return int64(n), true
	case int64:
		return n, true
	case int32:
		return int64(n), true
	case uint64:
		return int64(n), n <= 1<<62
	case uint32:
		return int64(n), true
	}
	return 0, false
}

// value writes an argument in the reader's style. Text stays as it is; floats
// show up to two decimals (give text for other precisions).
func (l *Localizer) value(v any) string {
	if n, ok := whole(v); ok {
		return l.fmt.Int(n)
	}
	switch x := v.(type) {
	case string:
		return x
	case float64:
		return strings.TrimRight(strings.TrimRight(l.fmt.Decimal(x, 2), "0"), ".,")
	case time.Duration:
		return l.fmt.Duration(x)
	case time.Time:
		return l.fmt.DateOnly(x)
	case money.Amount:
		return l.fmt.Money(x)
	case fmt.Stringer:
		return x.String()
	}
	return fmt.Sprint(v)
}
