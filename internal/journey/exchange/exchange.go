// Package exchange writes designed journeys in the forms of other tools and
// reads them back.
//
//	form  writes  reads  what it keeps
//	json    ✓       ✓    everything
//	ojf     ✓       ✓    stages, steps, actors, channels, layers, personas; the rest under "x-omote"
//	cjml    ✓       ✓    actors, touchpoints, channels, order; the rest as attributes
//	bpmn    ✓       ✓    order, alternatives, parallel parts, waits, exceptions
//	xlsx    ✓       ✓    the map as a table, one column a step
//	svg png pdf  ✓       a drawing of the map
//
// Reading is strict where a mistake would change the journey and lenient where a
// tool leaves something out: what cannot be kept is an error, never dropped
// silently. Files come from outside: each reader has a limit and a fuzz test.
package exchange

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"omote/internal/journey/blueprint"
	"omote/internal/platform/errs"
)

// MaxFile is the largest file that is read, in bytes.
const MaxFile = 4 << 20

// Formats lists the forms in which a map can be written.
var Formats = []string{"json", "ojf", "cjml", "bpmn", "xlsx", "svg", "png", "pdf"}

var extensions = map[string]string{"json": "json", "ojf": "ojf.json", "cjml": "cjml.xml", "bpmn": "bpmn", "xlsx": "xlsx", "svg": "svg", "png": "png", "pdf": "pdf"}

// Extension is the end of a file's name in a form.
func Extension(format string) string { return cmp.Or(extensions[format], format) }

// Write writes a map in a form and gives its media type. locale chooses the
// language of forms that have only one.
func Write(d *blueprint.Document, format, locale string) (raw []byte, mediaType string, err error) {
	switch format {
	case "json":
		raw, err = json.MarshalIndent(d, "", "  ")
		return append(raw, '\n'), "application/json", err
	case "ojf":
		raw, err = writeOJF(d, locale)
		return raw, "application/json", err
	case "cjml":
		raw, err = writeCJML(d, locale)
		return raw, "application/xml", err
	case "bpmn":
		raw, err = writeBPMN(d, locale)
		return raw, "application/xml", err
	case "xlsx":
		raw, err = writeXLSX(d, locale)
		return raw, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", err
	case "svg":
		raw, err = drawSVG(d, locale)
		return raw, "image/svg+xml", err
	case "png":
		raw, err = drawPNG(d, locale)
		return raw, "image/png", err
	case "pdf":
		raw, err = drawPDF(d, locale)
		return raw, "application/pdf", err
	}
	return nil, "", errs.NotFound("blueprint.error.format", "a map is not written as %q", format).With("name", format)
}

// Read reads a map. name is the file's, by whose end and content the form is
// told; journey, when set, becomes the id of the journey.
func Read(r io.Reader, name, journey string) (*blueprint.Document, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > MaxFile {
		return nil, errs.TooLarge("blueprint.error.file", "a map file has at most %d bytes", MaxFile).With("max", MaxFile)
	}
	d, err := read(raw, name)
	if err != nil {
		return nil, err
	}
	if journey = strings.TrimSpace(journey); journey != "" {
		d.Journey = journey
	}
	if d.Journey == "" {
		d.Journey = idOf(strings.TrimSuffix(path.Base(name), path.Ext(name)), "journey")
	}
	if d.Name == (blueprint.Text{}) {
		d.Name = blueprint.Text{EN: d.Journey, VI: d.Journey}
	}
	return d, d.Validate()
}

func read(raw []byte, name string) (*blueprint.Document, error) {
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")))
	switch {
	case bytes.HasPrefix(raw, []byte("PK\x03\x04")):
		return readXLSX(raw)
	case bytes.HasPrefix(trimmed, []byte("{")):
		var probe struct {
			OJF     string          `json:"ojf"`
			Journey json.RawMessage `json:"journey"`
		}
		if err := json.Unmarshal(trimmed, &probe); err != nil {
			return nil, wrong("json", err)
		}
		if probe.OJF != "" || bytes.HasPrefix(bytes.TrimSpace(probe.Journey), []byte("{")) {
			return readOJF(trimmed)
		}
		return blueprint.ParseJSON(trimmed)
	case bytes.HasPrefix(trimmed, []byte("<")):
		root, err := rootOf(trimmed)
		if err != nil {
			return nil, wrong("xml", err)
		}
		switch root {
		case "definitions":
			return readBPMN(trimmed)
		case "CJML":
			return readCJML(trimmed)
		}
		return nil, errs.Invalid("blueprint.error.xml_root", "file", "the file is XML of the kind %q, neither BPMN nor CJML", root).With("name", root)
	}
	return nil, errs.Invalid("blueprint.error.unknown_file", "file", "the form of %q is not known: JSON, OJF, CJML, BPMN or XLSX is", path.Base(name)).With("name", path.Base(name))
}

// wrong says that a file is not of the form it seems to be.
func wrong(format string, err error) error {
	return errs.Invalid("blueprint.error.broken", "file", "the file is no valid %s: %v", strings.ToUpper(format), err).With("name", strings.ToUpper(format)).With("detail", err.Error()).Because(err)
}

var notID = regexp.MustCompile(`[^a-z0-9_]+`)

// idOf makes an id of a name.
func idOf(name, otherwise string) string {
	id := strings.Trim(notID.ReplaceAllString(fold(name), "_"), "_")
	if len(id) > 60 {
		id = strings.Trim(id[:60], "_")
	}
	return cmp.Or(id, otherwise)
}

// unique gives id, or id with a number where it is taken.
func unique(id string, taken map[string]bool) string {
	out := id
	for n := 2; taken[out]; n++ {
		out = fmt.Sprintf("%s_%d", id[:min(len(id), 56)], n)
	}
	taken[out] = true
	return out
}

// say gives a text in a language, or in the other.
func say(t blueprint.Text, locale string) string { return cmp.Or(t.In(locale), t.EN, t.VI) }

// both takes one text for both languages.
func both(s string) blueprint.Text {
	s = strings.TrimSpace(s)
	return blueprint.Text{EN: s, VI: s}
}
