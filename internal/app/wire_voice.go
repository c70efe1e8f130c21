package app

import (
	"context"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/customer/consent"
	"omote/internal/customer/contact"
	"omote/internal/customer/identity"
	"omote/internal/feedback/cases"
	"omote/internal/feedback/form"
	"omote/internal/feedback/survey"
	"omote/internal/feedback/voice"
	voiceapi "omote/internal/feedback/voice/api"
	voiceweb "omote/internal/feedback/voice/web"
	"omote/internal/module"
	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
	"omote/internal/ui"
)

// wireVoices makes the inbox of everything that customers say.
func (a *App) wireVoices() {
	s := a.services
	s.voices = voice.NewService(voice.Deps{DB: a.Store, Box: a.Box, Keys: a.Keys, Outbox: s.outbox, Customers: spokenTo{a}, Cases: voicesToCases{a}, Scores: scoresByUnit{a},
		Events: failedErrands{a}, Channels: a.channelsOf("sms", "zalo"), Warehouse: a.Warehouse, UnitPath: a.unitPath, BaseURL: a.baseURL(), Bank: a.Config.Bank})
}

func (a *App) voiceModule() module.Module {
	pages := voiceweb.Pages{Voices: a.services.voices, Clock: a.Clock, Zone: a.Config.Location(), People: a.casePeople, Units: a.caseUnits, Journeys: a.journeyNames, Steps: a.stepName,
		In: func(ctx context.Context, locale string) context.Context {
			return i18n.With(ctx, a.Bundle.Localizer(locale))
		}}
	return module.Module{
		Name:    "voice",
		Locales: []i18n.Source{voice.Locales()},
		Routes:  pages.Routes,
		API:     func(api huma.API) { voiceapi.Register(api, a.services.voices) },
		Nav:     []module.Nav{{Key: ui.NavVoices, Href: "/feedback/voices", Permission: voice.PermRead}},
	}
}

// journeyNames are the names of journeys by id; none for who may not see journeys.
func (a *App) journeyNames(ctx context.Context) map[string]string {
	all, err := a.services.definitions.All(ctx)
	if err != nil {
		return nil
	}
	names := make(map[string]string, len(all))
	for id, d := range all {
		names[id] = d.Name.In(i18n.Locale(ctx))
	}
	return names
}

// Voices is the inbox, for the demo and tests.
func (a *App) Voices() *voice.Service { return a.services.voices }

// spokenTo tells voices how a customer is reached and what the contact policy says.
type spokenTo struct{ a *App }

// Reach implements voice.Customers.
func (c spokenTo) Reach(ctx context.Context, tx store.Tx, record string) (voice.Reach, error) {
	person, err := identity.PersonOf(ctx, tx, record)
	if err != nil {
		return voice.Reach{}, err
	}
	v, err := identity.Reader{Box: c.a.Box}.Attributes(ctx, tx, person.Records, []string{"name", "email", "phone", "zalo_id", "language"})
	return voice.Reach{Name: v["name"], Email: v["email"], Phone: v["phone"], Zalo: v["zalo_id"], Locale: v["language"]}, err
}

// May implements voice.Customers. The place in the policy's windows is reserved with it.
func (c spokenTo) May(ctx context.Context, tx store.Tx, record, kind, channel, ref string) (voice.Verdict, error) {
	d, err := c.a.services.contacts.Decide(ctx, tx, contact.Request{Customer: record, Kind: kind, Channel: channel, At: tx.Now().Time(), Ref: ref})
	return voice.Verdict{Allowed: d.Allowed, Reason: string(d.Why().Reason), Retry: d.Retry}, err
}

// Owners implements voice.Customers.
func (c spokenTo) Owners(ctx context.Context, tx store.Tx, records []string) (map[string]string, error) {
	return identity.Owners(ctx, tx, records)
}

// voicesToCases makes cases of voices.
type voicesToCases struct{ a *App }

// Open implements voice.Cases.
func (c voicesToCases) Open(ctx context.Context, n voice.NewCase) (string, error) {
	i := n.Item
	in := cases.Intake{CustomerID: i.CustomerID, Unit: i.Unit, Kind: cases.Detractor, Severity: cases.Medium, Channel: "feed", Product: i.Product, Journey: i.Journey, Title: cut(i.Words.Plain, 70),
		Words: i.Words.Plain, Locale: i.Locale, At: i.At.Time(), Signal: cases.Signal{Source: "voice", Ref: i.ID, Kind: string(i.Kind), Score: i.Score, Words: i.Words.Plain, At: i.At.Time()}}
	if i.Kind == voice.Answer {
		in.Channel = "survey"
	} else if slices.Contains(cases.Channels, i.Channel) {
		in.Channel = i.Channel
	}
	if n.Complain {
		in.Kind = cases.Complaint
	}
	if i.CustomerID != "" {
		in.Issue = i.Journey
		err := c.a.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
			to, err := c.a.reach(ctx, tx, i.CustomerID)
			in.Name, in.Phone, in.Email = to.Name, to.Phone, to.Email
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return c.a.services.cases.Open(ctx, in)
}

// cut shortens a text to n characters at a word.
func cut(text string, n int) string {
	r := []rune(strings.Join(strings.Fields(text), " "))
	if len(r) <= n {
		return string(r)
	}
	short := string(r[:n])
	if i := strings.LastIndexByte(short, ' '); i > n/2 {
		short = short[:i]
	}
	return short + " …"
}

// scoresByUnit tells voices the scores of questionnaires by unit.
type scoresByUnit struct{ a *App }

// scoreDays is the period of those scores.
const scoreDays = 90

// ByUnit implements voice.Scores.
func (c scoresByUnit) ByUnit(ctx context.Context, id string) (out []voice.UnitScore, err error) {
	now := c.a.Clock.Now()
	groups, err := c.a.services.surveys.Groups(ctx, id, "unit", survey.Period{From: now.AddDate(0, 0, -scoreDays), To: now})
	if err != nil {
		return nil, err
	}
	err = c.a.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out = nil
		for _, g := range groups {
			u := voice.UnitScore{Unit: g.Value, Estimate: g.Estimate, N: g.N, Few: g.Few}
			if g.Value != "" {
				if u.Path, err = c.a.unitPath(ctx, tx, g.Value); err != nil {
					return err
				}
			}
			out = append(out, u)
		}
		return nil
	})
	return out, err
}

// answersToCases opens, joins or reopens a case by a whole response, in the
// transaction that saves its last answer, and brings its words into the inbox.
type answersToCases struct{ a *App }

// Answered implements survey.Follower.
func (f answersToCases) Answered(ctx context.Context, tx store.Tx, r survey.Followed) error {
	in := cases.Answered{CustomerID: r.Response.CustomerID, Ref: r.Response.ID, Instrument: r.Document.ID, Unit: r.Response.Unit, Product: r.Response.Product,
		Journey: r.Response.Journey, Locale: r.Response.Locale, Words: wordsOf(r), At: r.Response.Completed}
	if score := r.Document.Score(); score != nil && r.Response.Score != nil {
		points := float64(*r.Response.Score)
		in.Score, in.Top = &points, float64(score.Scale.Max)
	}
	for id, a := range r.Answers {
		if strings.HasSuffix(id, "_callback") && len(a.Chosen) == 1 && a.Chosen[0] == "yes" {
			in.CallMe = true
		}
	}
	for _, what := range r.Reactions {
		switch what.Do {
		case form.OpenCase:
			in.Asks = true
		case form.ReopenCase:
			in.Unsolved = true
		}
	}
	caseID, err := f.a.services.cases.TakeAnswer(ctx, tx, in)
	if err != nil || in.Words == "" {
		return err
	}
	said := voice.Said{CustomerID: in.CustomerID, Source: "survey", Ref: in.Ref, Kind: voice.Answer, Channel: r.Response.Channel, Journey: in.Journey, Product: in.Product, Locale: in.Locale,
		Score: in.Score, Top: in.Top, Words: in.Words, CaseID: caseID, At: in.At}
	if in.Score != nil {
		said.Bottom = float64(r.Document.Score().Scale.Min)
	}
	if r.Response.Unit != "" {
		if said.Unit, err = f.a.unitPath(ctx, tx, r.Response.Unit); err != nil {
			return err
		}
	}
	return f.a.services.voices.Take(ctx, tx, said)
}

// wordsOf are the respondent's own words, in the order of the questions.
func wordsOf(r survey.Followed) string {
	var all []string
	for _, it := range r.Document.Items {
		if a := r.Answers[it.ID]; it.Type == form.Words && a.Text != "" {
			all = append(all, a.Text)
		}
	}
	return strings.Join(all, "\n")
}

// answersToConsent records the consent that an answer gives, where the installation
// has the purpose.
type answersToConsent struct{ a *App }

// Answered implements survey.Follower.
func (f answersToConsent) Answered(ctx context.Context, tx store.Tx, r survey.Followed) error {
	if r.Response.CustomerID == "" {
		return nil
	}
	for _, what := range r.Reactions {
		if what.Do != form.RecordConsent {
			continue
		}
		said := consent.Said{CustomerID: r.Response.CustomerID, Purpose: what.Purpose, Channel: consent.AnyChannel, Granted: true, Whole: true, Source: consent.FromCentre,
			Locale: r.Response.Locale, Evidence: "answer/" + r.Response.ID}
		if err := f.a.services.consents.RecordIn(ctx, tx, said); err != nil {
			return err
		}
	}
	return nil
}
