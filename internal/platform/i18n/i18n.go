// Package i18n turns translation keys into text in the reader's language.
//
// A message catalogue is a set of JSON files, one per locale, embedded by the
// module that owns the keys (internal/feedback/locales/en.json, vi.json). New
// joins the catalogues of all modules into one immutable Bundle. A request
// carries a Localizer in its context, and pages ask for text by key:
//
//	i18n.T(ctx, "import.done", "count", 12388, "file", "loans.xes")
//
// A message is text with {placeholders}. Numbers are written in the reader's
// style by package fmtx. A message that depends on a number is an object of
// CLDR plural categories, chosen by the argument called "count":
//
//	"import.done": {"one": "{count} row of {file} is in.",
//	                "other": "{count} rows of {file} are in."}
//
// Keys may be nested objects or dotted; both spell the same key. English and
// Vietnamese are required of every key (Check refuses a catalogue otherwise);
// other locales, and a bank's own terms, are packs read from a folder.
//
// Files: i18n.go (Bundle, Localizer, T), message.go (parsing, placeholders),
// check.go (Check, Uses), negotiate.go (which locale a request gets).
package i18n

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"omote/internal/platform/errs"
	"omote/internal/platform/i18n/fmtx"
)

// Required are the locales in which every key must exist.
var Required = []string{"en", "vi"}

// Source is one module's catalogue: a name for error messages and a file system
// that holds <locale>.json files at Dir ("." for its root).
type Source struct {
	Name string
	FS   fs.FS
	Dir  string
}

// Bundle holds all messages of all locales. It is immutable after New and
// AddPacks, and safe for concurrent use.
type Bundle struct {
	locales map[string]*Localizer
	order   []string // required locales first, then packs by name
	matcher language.Matcher
}

// Localizer speaks one locale. The zero of its messages falls back to English,
// then to the key itself, so that a page never fails for want of a word.
type Localizer struct {
	locale   string
	tag      language.Tag
	fmt      fmtx.Formatter
	messages map[string]message
	fallback *Localizer
}

// New joins the catalogues of the modules. It reports unreadable files, wrong
// messages, and a key that two sources define.
func New(sources ...Source) (*Bundle, error) {
	b := &Bundle{locales: map[string]*Localizer{}}
	owner := map[string]string{}
	var problems []error
	for _, src := range sources {
		for _, locale := range Required {
			messages, err := readLocale(src, locale)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			l := b.locale(locale)
			for key, m := range messages {
				id := locale + " " + key
				if first, ok := owner[id]; ok {
					problems = append(problems, fmt.Errorf("i18n: key %q is defined by %s and by %s (%s)", key, first, src.Name, locale))
					continue
				}
				owner[id] = src.Name
				l.messages[key] = m
			}
		}
	}
	b.settle()
	return b, errors.Join(problems...)
}

// AddPacks reads <locale>.json files from the root of a folder. A pack of a
// required locale replaces single terms ("customer" becomes "member"); any other
// pack adds a locale whose missing keys show in English. Every key must exist in
// English, with the same placeholders.
func (b *Bundle) AddPacks(folder fs.FS) error {
	files, err := fs.Glob(folder, "*.json")
	if err != nil {
		return fmt.Errorf("i18n: list packs: %w", err)
	}
	english := b.locale("en")
	var problems []error
	for _, file := range files {
		locale := strings.TrimSuffix(path.Base(file), ".json")
		if _, err := language.Parse(locale); err != nil {
			problems = append(problems, fmt.Errorf("i18n: pack %s: not a locale: %w", file, err))
			continue
		}
		messages, err := readLocale(Source{Name: "pack", FS: folder, Dir: "."}, locale)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		l := b.locale(locale)
		for key, m := range messages {
			if err := comparable(key, english.messages, m); err != nil {
				problems = append(problems, fmt.Errorf("i18n: pack %s: %w", file, err))
				continue
			}
			l.messages[key] = m
		}
	}
	b.settle()
	return errors.Join(problems...)
}

// comparable checks one pack message against its English original.
func comparable(key string, english map[string]message, m message) error {
	original, ok := english[key]
	if !ok {
		return fmt.Errorf("unknown key %q", key)
	}
	if !slices.Equal(original.names(), m.names()) {
		return fmt.Errorf("key %q names %v, English names %v", key, m.names(), original.names())
	}
	return nil
}

func (b *Bundle) locale(locale string) *Localizer {
	l, ok := b.locales[locale]
	if !ok {
		l = &Localizer{locale: locale, tag: language.Make(locale), fmt: fmtx.For(locale), messages: map[string]message{}}
		b.locales[locale] = l
	}
	return l
}

// settle fixes the order of locales, the fallback, and the matcher.
func (b *Bundle) settle() {
	extra := slices.Sorted(maps.Keys(b.locales))
	extra = slices.DeleteFunc(extra, func(l string) bool { return slices.Contains(Required, l) })
	b.order = append(slices.Clone(Required), extra...)
	tags := make([]language.Tag, len(b.order))
	english := b.locale("en")
	for i, locale := range b.order {
		l := b.locale(locale)
		tags[i] = l.tag
		if locale != "en" {
			l.fallback = english
		}
	}
	b.matcher = language.NewMatcher(tags)
}

// Locales lists the locales a reader can choose, English and Vietnamese first.
func (b *Bundle) Locales() []string { return slices.Clone(b.order) }

// Localizer gives the speaker of a locale, English when it is unknown.
func (b *Bundle) Localizer(locale string) *Localizer {
	if l, ok := b.locales[locale]; ok {
		return l
	}
	return b.locales["en"]
}

// Locale is the language tag, such as "vi".
func (l *Localizer) Locale() string { return l.locale }

// Fmt formats numbers and dates in this locale.
func (l *Localizer) Fmt() fmtx.Formatter { return l.fmt }

// Has reports whether the key has a text in this locale itself.
func (l *Localizer) Has(key string) bool { _, ok := l.messages[key]; return ok }

// T gives the text of a key. Arguments alternate name and value, as in slog;
// the value named "count" also chooses the plural form.
func (l *Localizer) T(key string, args ...any) string {
	for at := l; at != nil; at = at.fallback {
		if m, ok := at.messages[key]; ok {
			return m.text(at, args)
		}
	}
	return key
}

type contextKey struct{}

// With puts the localizer into a context.
func With(ctx context.Context, l *Localizer) context.Context {
	return context.WithValue(ctx, contextKey{}, l)
}

// empty speaks when a context carries no localizer: it shows the keys.
var empty = &Localizer{locale: "en", tag: language.English}

// From gives the context's localizer, or one that shows keys.
func From(ctx context.Context) *Localizer {
	if l, ok := ctx.Value(contextKey{}).(*Localizer); ok && l != nil {
		return l
	}
	return empty
}

// T gives the text of a key in the context's language.
func T(ctx context.Context, key string, args ...any) string { return From(ctx).T(key, args...) }

// Fmt gives the formatter of the context's language.
func Fmt(ctx context.Context) fmtx.Formatter { return From(ctx).fmt }

// Locale gives the context's language tag.
func Locale(ctx context.Context) string { return From(ctx).locale }

// Error explains a failure to a person: the translated message of an errs.Error
// with a key, and a plain general sentence otherwise, never internal text.
func Error(ctx context.Context, err error) string {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Key == "" {
		return T(ctx, "error.kind."+errs.KindOf(err).String())
	}
	args := make([]any, 0, 2*len(e.Args))
	for _, name := range slices.Sorted(maps.Keys(e.Args)) {
		args = append(args, name, e.Args[name])
	}
	return T(ctx, e.Key, args...)
}
