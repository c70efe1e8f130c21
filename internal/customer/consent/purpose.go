package consent

import (
	"bytes"
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Permissions of consent.
const (
	PermRead    auth.Permission = "customer.consent.read"
	PermEdit    auth.Permission = "customer.consent.edit"
	PermPurpose auth.Permission = "customer.purpose.edit"
)

// Basis is the ground in law on which data is used for a purpose.
type Basis string

// The bases; see the package comment for what each means for silence.
const (
	ByConsent            Basis = "consent"
	LegitimateInterest   Basis = "legitimate_interest"
	Contract             Basis = "contract"
	LegalObligation      Basis = "legal_obligation"
	AnyChannel                 = "*"
	AllPurposes                = "*"
	maxText                    = 4000 // characters of a text that a person is shown
	maxLabel                   = 80   // characters
	maxPurposesInOneCall       = 100
)

// Bases lists the bases.
var Bases = []Basis{ByConsent, LegitimateInterest, Contract, LegalObligation}

// Channels are the ways a customer is reached. "app" is a message inside the
// bank's own app, "zalo" a message of an official account.
var Channels = []string{"email", "sms", "push", "call", "app", "zalo", "post"}

// Words is a text in both languages.
type Words struct {
	EN string `yaml:"en" json:"en"`
	VI string `yaml:"vi" json:"vi"`
}

// In gives the text in a locale; Vietnamese where the locale is not English.
func (w Words) In(locale string) string {
	if locale == "en" {
		return w.EN
	}
	return w.VI
}

// Purpose is a version of what customer data is used for.
type Purpose struct {
	ID       string   `yaml:"id" json:"id"`
	Version  int      `yaml:"-" json:"version"`
	Basis    Basis    `yaml:"basis" json:"basis"`
	Channels []string `yaml:"channels" json:"channels"` // those it may use
	Label    Words    `yaml:"label" json:"label"`
	// Text is what the person is shown when they decide. A grant names the version
	// whose text was shown.
	Text Words `yaml:"text" json:"text"`
	// Renew makes grants to earlier versions void: the person must be asked again.
	Renew bool `yaml:"renew" json:"renew"`
	// Since is the first version whose grants still count.
	Since int `yaml:"-" json:"since"`
	// Citation says on what the basis rests, and how sure that is.
	Citation string `yaml:"citation" json:"citation"`

	Created store.Micros `yaml:"-" json:"-"`
	MadeBy  string       `yaml:"-" json:"-"`
}

// Asks reports whether the purpose depends on what the person says.
func (p Purpose) Asks() bool { return p.Basis == ByConsent || p.Basis == LegitimateInterest }

var idForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// Validate tells what is wrong with a version that is to be saved.
func (p Purpose) Validate() error {
	if !idForm.MatchString(p.ID) {
		return errs.Invalid("customer.consent.error.id", "id", "the id %q is not 1 to 40 lower-case letters, digits and _", p.ID)
	}
	if !slices.Contains(Bases, p.Basis) {
		return errs.Invalid("customer.consent.error.basis", "basis", "the basis %q is none of %v", p.Basis, Bases)
	}
	if len(p.Channels) == 0 {
		return errs.Invalid("customer.consent.error.channels", "channels", "a purpose uses at least one channel")
	}
	for _, c := range p.Channels {
		if !slices.Contains(Channels, c) {
			return errs.Invalid("customer.consent.error.channel", "channels", "%q is no channel", c).With("channel", c)
		}
	}
	for field, w := range map[string]string{"label.vi": p.Label.VI, "label.en": p.Label.EN} {
		if n := utf8.RuneCountInString(strings.TrimSpace(w)); n == 0 || n > maxLabel {
			return errs.Invalid("customer.consent.error.label", field, "a name has 1 to %d characters", maxLabel).With("max", maxLabel)
		}
	}
	for field, w := range map[string]string{"text.vi": p.Text.VI, "text.en": p.Text.EN} {
		if n := utf8.RuneCountInString(strings.TrimSpace(w)); n == 0 || n > maxText {
			return errs.Invalid("customer.consent.error.text", field, "a text has 1 to %d characters", maxText).With("max", maxText)
		}
	}
	return nil
}

//go:embed packs/purposes.yaml
var purposesPack []byte

// Pack gives the purposes that come with the program.
func Pack() ([]Purpose, error) {
	var file struct {
		Purposes []Purpose `yaml:"purposes"`
	}
	d := yaml.NewDecoder(bytes.NewReader(purposesPack))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("pack of purposes: %w", err)
	}
	for i := range file.Purposes {
		if err := file.Purposes[i].Validate(); err != nil {
			return nil, fmt.Errorf("pack of purposes: %s: %w", file.Purposes[i].ID, err)
		}
	}
	return file.Purposes, nil
}
