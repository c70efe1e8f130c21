package form

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"omote/internal/platform/errs"
)

// Attached is a file that answers a question; its content lies elsewhere.
type Attached struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind"` // media type, as its content says
	Size int    `json:"size"` // bytes
}

// FileKinds are the media types that are taken. None of them is opened as a page by a
// browser or runs by itself.
var FileKinds = []string{"image/jpeg", "image/png", "image/webp", "application/pdf"}

// maxFileName bounds a file's name in characters.
const maxFileName = 120

// FileLimit is the most bytes a file of the question may have.
func (it *Item) FileLimit() int {
	if it.MaxKB > 0 {
		return it.MaxKB << 10
	}
	return FileKB << 10
}

// CheckFile tells whether a file may answer the question, and gives what of it stands
// among the answers. What kind it is its first bytes tell, not its name.
func (it *Item) CheckFile(name string, content []byte) (*Attached, error) {
	switch {
	case it.Type != File:
		return nil, it.bad("the question takes no file")
	case len(content) == 0:
		return nil, it.bad("the file is empty")
	case len(content) > it.FileLimit():
		return nil, errs.TooLarge("feedback.form.error.file_size", "a file has at most %d bytes", it.FileLimit()).With("max", it.FileLimit()>>20)
	}
	kind, _, _ := strings.Cut(http.DetectContentType(content), ";")
	if !slices.Contains(FileKinds, kind) {
		return nil, errs.Invalid("feedback.form.error.file_kind", it.ID, "a file of kind %s is not taken", kind)
	}
	return &Attached{Name: fileName(name), Kind: kind, Size: len(content)}, nil
}

// fileName keeps the last part of a name, without what a file system or a reader
// could be misled by.
func fileName(name string) string {
	name = filepath.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`"<>:|?*/`, r) {
			return -1
		}
		return r
	}, name)
	for utf8.RuneCountInString(name) > maxFileName {
		_, n := utf8.DecodeRuneInString(name)
		name = name[n:]
	}
	if strings.Trim(name, ". ") == "" {
		return "file"
	}
	return name
}
