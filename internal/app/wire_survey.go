package app

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/customer/consent"
	"omote/internal/customer/contact"
	"omote/internal/customer/identity"
	segments "omote/internal/customer/segment"
	"omote/internal/feedback/form"
	"omote/internal/feedback/survey"
	surveyapi "omote/internal/feedback/survey/api"
	surveyweb "omote/internal/feedback/survey/web"
	"omote/internal/module"
	"omote/internal/platform/config"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/jobs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/timer"
	"omote/internal/ui"
)

// wireSurveys makes the surveys; their handler runs in the state projector.
func (a *App) wireSurveys(ctx context.Context) error {
	s := a.services
	things, err := form.ShippedThings()
	if err != nil {
		return err
	}
	clamd, err := a.scanner()
	if err != nil {
		return err
	}
	d := survey.Deps{DB: a.Store, Box: a.Box, Keys: a.Keys, Log: a.Log, Timers: s.timers, Outbox: s.outbox, Approvals: s.approvals,
		Contacts: judge{s.contacts}, People: people{identity.Reader{Box: a.Box}, a.Config.Locale}, Logger: a.Logger, Zone: a.Config.Location(), Bank: a.Config.Bank,
		BaseURL: strings.TrimSuffix(a.baseURL(), "/"), Channels: s.outbox.Channels(), Things: things, Members: segmentMembers{a}, Followers: []survey.Follower{answersToCases{a}, answersToConsent{a}}}
	if clamd != nil { // a nil *Clamd is no Scanner
		d.Scanner = clamd
	}
	s.surveys = survey.New(d)
	pack, err := form.Shipped()
	if err != nil {
		return err
	}
	return s.surveys.Install(a.system(ctx), pack, "pack:bank_questionnaires")
}

func (a *App) surveyModule() module.Module {
	s := a.services
	pages := surveyweb.Pages{Surveys: s.surveys, Stop: stopper{s.consents}, Clock: a.Clock, Zone: a.Config.Location(), Bank: a.Config.Bank,
		Secure: strings.HasPrefix(a.baseURL(), "https://"), UnitNames: a.unitNames, RecordsOf: a.recordsOf}
	return module.Module{
		Name:    "survey",
		Locales: []i18n.Source{survey.Locales()},
		Routes: func(r *httpx.Router) {
			pages.Texts = a.Bundle // the texts are put together after the modules
			pages.Routes(r)
		},
		API: func(api huma.API) { surveyapi.API{Surveys: s.surveys, DB: a.Store, Clock: a.Clock}.Register(api) },
		Nav: []module.Nav{{Key: ui.NavSurveys, Href: "/feedback/surveys", Permission: survey.PermRead}},
		Work: []module.Work{
			{Name: "answers of surveys", Role: config.Web, Run: s.surveys.RunIntake},
			{Name: "answers to the log", Role: config.Worker, Run: s.surveys.RunTell},
		},
	}
}

// segmentMembers lists the members of segments for rounds of askings.
type segmentMembers struct{ a *App }

// Members implements survey.Members.
func (m segmentMembers) Members(ctx context.Context, tx store.Tx, segment, after string, limit int) ([]string, error) {
	return m.a.services.segments.MembersAfter(ctx, tx, segment, after, limit)
}

// segmentsChanged starts askings of customers who entered a segment.
func (a *App) segmentsChanged(ctx context.Context, tx store.Tx, changes []segments.Change) error {
	var entries []survey.Entry
	for _, c := range changes {
		if c.Entered && !c.History {
			entries = append(entries, survey.Entry{Customer: c.CustomerID, Segment: c.Segment})
		}
	}
	if len(entries) == 0 || a.services.surveys == nil {
		return nil
	}
	return a.services.surveys.Entered(ctx, tx, entries)
}

// weightJob weights the answers of questionnaires with settings anew.
const weightJob = "feedback.survey.weight"

// weightedDays is the period that the pages of surveys show.
const weightedDays = 90

func (a *App) surveyKind() jobs.Kind {
	return jobs.Define(weightJob, 3, func(ctx context.Context, _ *jobs.Run, _ struct{}) error {
		return a.services.surveys.Reweight(ctx, weightedDays)
	})
}

func (a *App) surveySchedule() jobs.Periodic {
	return jobs.Periodic{Name: weightJob, Entity: a.Config.Entity, Kind: weightJob, Schedule: jobs.Every(time.Hour)}
}

// wireTimers makes what lets things happen at a time; modules add their kinds.
func (a *App) wireTimers() { a.services.timers = timer.New(a.Store, timer.Options{}) }

func (a *App) timerModule() module.Module {
	return module.Module{Name: "timer", Work: []module.Work{{Name: "timers", Role: config.Worker, Run: a.services.timers.Run}}}
}

// judge asks the contact policy for surveys.
type judge struct{ contacts *contact.Service }

// Judge implements survey.Contacts.
func (j judge) Judge(ctx context.Context, tx store.Tx, r survey.Contact) (out survey.Judgement, err error) {
	d, err := j.contacts.Decide(ctx, tx, contact.Request{Customer: r.Customer, Kind: r.Kind, Channel: r.Channel, At: r.At, Ref: r.Ref})
	if err != nil {
		return out, err
	}
	out = survey.Judgement{Allowed: d.Allowed, Until: d.Retry, Reason: string(d.Why().Reason)}
	out.Reasons, err = json.Marshal(d.Reasons)
	return out, err
}

// Release implements survey.Contacts.
func (j judge) Release(ctx context.Context, tx store.Tx, customer, ref string) error {
	return j.contacts.Release(ctx, tx, customer, ref)
}

// people tells surveys how a customer is reached.
type people struct {
	reader identity.Reader
	locale string
}

// addressTraits are the traits that hold a customer's address on a channel.
var addressTraits = map[string]string{"email": "email", "sms": "phone", "call": "phone", "zalo": "zalo_id", "push": "device_token"}

// Address implements survey.People.
func (p people) Address(ctx context.Context, tx store.Tx, record, channel string) (survey.Reach, error) {
	person, err := identity.PersonOf(ctx, tx, record)
	if err != nil {
		return survey.Reach{}, err
	}
	name := addressTraits[channel]
	known, err := p.reader.Attributes(ctx, tx, person.Records, []string{name, "locale", "address_form"})
	return survey.Reach{Address: known[name], Locale: cmp.Or(known["locale"], p.locale), Form: known["address_form"]}, err
}

// stopper ends the asking of a customer by a withdrawal of consent.
type stopper struct{ consents *consent.Service }

// StopSurveys implements surveyweb.Stopper.
func (s stopper) StopSurveys(ctx context.Context, entity, customer, locale string) error {
	ctx = scope.With(ctx, scope.Scope{Entity: entity, Unit: scope.Root, Actor: "customer:" + customer, System: true})
	return s.consents.Record(ctx, consent.Said{CustomerID: customer, Purpose: "survey", Channel: consent.AnyChannel, Whole: true, Source: consent.FromCentre, Locale: locale})
}

// recordsOf gives the records of a customer, or of the customer of a record.
func (a *App) recordsOf(ctx context.Context, id string) (records []string, err error) {
	err = a.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		p, err := identity.PersonOf(ctx, tx, id)
		records = slices.Clone(p.Records)
		return err
	})
	return records, err
}
