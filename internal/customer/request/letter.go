package request

import (
	"bytes"
	_ "embed"
	"fmt"
	"text/template"
	"time"

	"go.yaml.in/yaml/v3"
)

// LetterKind is what a letter says.
type LetterKind string

// The letters.
const (
	LetterReceived LetterKind = "received"
	LetterReplied  LetterKind = "replied"
	LetterExtended LetterKind = "extended"
	LetterDone     LetterKind = "done"
	LetterRefused  LetterKind = "refused"
)

// Letter is a text to the person.
type Letter struct {
	Kind          LetterKind
	Subject, Body string
}

//go:embed packs/letters.yaml
var lettersPack []byte

// letters are the templates by locale and kind.
type letters map[string]map[LetterKind]struct {
	Subject string `yaml:"subject"`
	Body    string `yaml:"body"`
}

// letterKind is the letter that fits where a request stands.
func letterKind(r Request) LetterKind {
	switch {
	case r.State == Done:
		return LetterDone
	case r.State == Refused:
		return LetterRefused
	case !r.ExtendedFrom.IsZero():
		return LetterExtended
	case r.State == Replied || r.State == Checked:
		return LetterReplied
	}
	return LetterReceived
}

// Letter writes the letter that fits where the request stands, in the person's
// language. zone is the bank's.
func (s *Service) Letter(r Request, zone *time.Location) (Letter, error) {
	var all struct {
		Kinds   map[string]map[Kind]string `yaml:"kinds"`
		Letters letters                    `yaml:"letters"`
	}
	if err := yaml.Unmarshal(lettersPack, &all); err != nil {
		return Letter{}, fmt.Errorf("letters: %w", err)
	}
	kind := letterKind(r)
	source, ok := all.Letters[r.Locale][kind]
	if !ok {
		return Letter{}, fmt.Errorf("letters: there is no %s in %q", kind, r.Locale)
	}
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		// A deadline is the first instant that is too late; the letter names its last day.
		return t.Add(-time.Second).In(zone).Format("02/01/2006")
	}
	reason := ""
	for _, st := range r.Steps {
		if st.Act == "extend" {
			reason = st.Note
		}
	}
	values := map[string]string{"Bank": s.Bank, "Reference": r.ID, "Kind": all.Kinds[r.Locale][r.Kind], "Received": r.Received.In(zone).Format("02/01/2006"),
		"Due": day(r.Due), "Answer": r.Answer, "Ground": r.Outcome, "Reason": reason}
	out := Letter{Kind: kind}
	for _, part := range []struct {
		text string
		to   *string
	}{{source.Subject, &out.Subject}, {source.Body, &out.Body}} {
		t, err := template.New("letter").Option("missingkey=error").Parse(part.text)
		if err != nil {
			return out, fmt.Errorf("letter %s: %w", kind, err)
		}
		var b bytes.Buffer
		if err := t.Execute(&b, values); err != nil {
			return out, fmt.Errorf("letter %s: %w", kind, err)
		}
		*part.to = b.String()
	}
	return out, nil
}
