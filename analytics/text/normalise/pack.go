package normalise

import (
	"bufio"
	"embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

//go:embed data/*.tsv
var packFiles embed.FS

// Pack is a table of short forms and their expansions, such as "ko" for
// "không". An expansion may have several words.
type Pack map[string][]string

// ReadPack reads a pack: one "form<TAB>expansion" a line, '#' starts a
// comment line. Forms and expansions are lower-cased and composed.
func ReadPack(r io.Reader) (Pack, error) {
	pack := make(Pack)
	err := readTable(r, func(form, value string) error {
		form, value = strings.ToLower(norm.NFC.String(form)), strings.ToLower(norm.NFC.String(value))
		words := strings.Fields(value)
		for i, w := range words {
			words[i] = Tone(w)
		}
		pack[form] = words
		return nil
	})
	return pack, err
}

// readTable reads two tab-separated columns.
func readTable(r io.Reader, row func(a, b string) error) error {
	scanner := bufio.NewScanner(r)
	for line := 1; scanner.Scan(); line++ {
		text := scanner.Text()
		if text == "" || strings.HasPrefix(text, "# ") {
			continue
		}
		a, b, ok := strings.Cut(text, "\t")
		if !ok || a == "" || strings.TrimSpace(b) == "" {
			return fmt.Errorf("line %d: want form, tab, value, have %q", line, text)
		}
		if err := row(a, b); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
	return scanner.Err()
}

// Vietnamese returns the built-in teencode and abbreviation pack.
func Vietnamese() Pack { return mustPack("data/vi_teencode.tsv") }

// English returns the built-in abbreviation pack.
func English() Pack { return mustPack("data/en_abbreviations.tsv") }

// mustPack reads an embedded file; a fault in it is a fault of this package,
// and the tests read each of them.
func mustPack(name string) Pack {
	f, err := packFiles.Open(name)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	pack, err := ReadPack(f)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", name, err))
	}
	return pack
}

// moods maps an emoji or emoticon to its flag.
type moods map[string]Flag

func mustMoods(name string) moods {
	f, err := packFiles.Open(name)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	table := make(moods)
	err = readTable(f, func(form, mood string) error {
		switch mood {
		case "positive":
			table[form] = Positive
		case "negative":
			table[form] = Negative
		case "neutral":
			table[form] = 0
		default:
			return fmt.Errorf("unknown mood %q", mood)
		}
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("%s: %v", name, err))
	}
	return table
}

// face is an emoticon and its mood.
type face struct {
	form string
	mood Flag
}

// faceIndex lists the emoticons by their first byte, longest first.
func faceIndex(table moods) (index [128][]face) {
	for form, mood := range table {
		index[form[0]] = append(index[form[0]], face{form, mood})
	}
	for i := range index {
		slices.SortFunc(index[i], func(a, b face) int {
			if n := len(b.form) - len(a.form); n != 0 {
				return n
			}
			return strings.Compare(a.form, b.form)
		})
	}
	return index
}
