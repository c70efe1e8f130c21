package app

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/customer/contact"
	"omote/internal/customer/identity"
	"omote/internal/feedback/cases"
	caseapi "omote/internal/feedback/cases/api"
	caseweb "omote/internal/feedback/cases/web"
	"omote/internal/module"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/platform/jobs"
	"omote/internal/platform/outbox"
	"omote/internal/platform/send"
	"omote/internal/platform/store"
	"omote/internal/ui"
)

// wireCases makes the cases; their clocks are timers.
func (a *App) wireCases() error {
	s := a.services
	d := cases.Deps{DB: a.Store, Box: a.Box, Timers: s.timers, Clock: a.Clock, Messenger: letters{a}, Outbox: s.outbox,
		CheckUnit: func(ctx context.Context, tx store.Tx, path string) error { return s.admin.Org.CheckOpen(ctx, tx, path) },
		UnitPath:  a.unitPath, Reach: a.reach, Entity: a.Config.Entity, BaseURL: a.baseURL(), Bank: a.Config.Bank, Initiatives: casesToInitiatives{a}, Inbox: complaintsToInbox{a}}
	clamd, err := a.scanner()
	if err != nil {
		return err
	}
	if clamd != nil { // a nil *Clamd is no Scanner
		d.Scanner = clamd
	}
	s.cases = cases.NewService(d)
	s.contacts.Ask(openCases{a})
	return nil
}

func (a *App) caseModule() module.Module {
	s := a.services
	pages := caseweb.Pages{Cases: s.cases, Clock: a.Clock, Zone: a.Config.Location(), People: a.casePeople, Units: a.caseUnits, Journeys: a.journeyNames,
		Bank: func(ctx context.Context) string { return ui.ChromeFrom(ctx).Bank },
		In: func(ctx context.Context, locale string) context.Context {
			return i18n.With(ctx, a.Bundle.Localizer(locale))
		}}
	return module.Module{
		Name:    "cases",
		Locales: []i18n.Source{cases.Locales()},
		Routes:  pages.Routes,
		API:     func(api huma.API) { caseapi.Register(api, s.cases) },
		Home:    a.caseHome(),
		Nav:     []module.Nav{{Key: ui.NavCases, Href: "/feedback/cases", Permission: cases.PermRead}},
	}
}

// clusterJob looks once a day for many cases of one cause.
const clusterJob = "cases.cluster"

func (a *App) clusterKind() jobs.Kind {
	return jobs.Define(clusterJob, 3, func(ctx context.Context, _ *jobs.Run, _ struct{}) error {
		_, err := a.services.cases.FindClusters(ctx)
		return err
	})
}

func (a *App) clusterSchedule() jobs.Periodic {
	return jobs.Periodic{Name: clusterJob, Entity: a.Config.Entity, Kind: clusterJob, Schedule: jobs.Daily{Hour: 6, Zone: a.Config.Location()}}
}

// Cases is the service of cases.
func (a *App) Cases() *cases.Service { return a.services.cases }

// unitPath gives the path of the unit that feeds call by a code.
func (a *App) unitPath(ctx context.Context, tx store.Tx, code string) (string, error) {
	return a.services.admin.Org.PathOf(ctx, tx, code)
}

// reach gives how a customer is called and reached, from what the records say.
func (a *App) reach(ctx context.Context, tx store.Tx, record string) (cases.Reached, error) {
	v, err := identity.Reader{Box: a.Box}.Attributes(ctx, tx, []string{record}, []string{"name", "phone", "email", "language"})
	return cases.Reached{Name: v["name"], Phone: v["phone"], Email: v["email"], Locale: v["language"]}, err
}

// casePeople are the names of accounts that may work on cases, by id.
func (a *App) casePeople(ctx context.Context) map[string]string {
	out := map[string]string{}
	actor, _ := auth.From(ctx)
	err := a.Store.Read(a.system(context.WithoutCancel(ctx)), func(ctx context.Context, tx store.Tx) error {
		all, err := a.services.auth.Accounts(ctx, tx)
		for _, one := range all {
			if one.ID == actor.ID || slices.ContainsFunc(one.Grants, func(g auth.Grant) bool { return g.Role.Holds(cases.PermEdit) }) {
				out[one.ID] = one.Name
			}
		}
		return err
	})
	if err != nil {
		a.Logger.Warn("names of people", "error", err)
	}
	return out
}

// caseUnits are the names of the units of the reader's place, by path.
func (a *App) caseUnits(ctx context.Context) map[string]string {
	out := map[string]string{}
	all, err := a.services.admin.Org.Tree(ctx)
	if err != nil {
		a.Logger.Warn("names of units", "error", err)
	}
	for _, u := range all {
		out[u.Path] = u.Name
	}
	return out
}

// letters sends letters about cases by e-mail, where mail is set up; the letter is in
// the case's history in any case, to be printed or read out.
type letters struct{ a *App }

// Letter implements cases.Messenger.
func (l letters) Letter(ctx context.Context, tx store.Tx, m cases.CustomerMessage) error {
	if m.Email == "" || l.a.Config.Mail == "" {
		return nil
	}
	payload, err := json.Marshal(send.Letter{To: m.Email, Subject: m.Subject, Text: m.Body})
	if err != nil {
		return err
	}
	_, err = l.a.services.outbox.Enqueue(ctx, tx, outbox.Message{CustomerID: m.CustomerID, Channel: send.MailChannel, Purpose: "service", Key: m.Key, Payload: payload})
	return err
}

// Of implements contact.Circumstances: what cases say of a customer.
func (p openCases) Of(ctx context.Context, tx store.Tx, records []string) ([]string, error) {
	open, complaint, err := p.a.services.cases.OpenFor(ctx, tx, records)
	var out []string
	if open {
		out = append(out, contact.CaseOpen)
	}
	if complaint {
		out = append(out, contact.ComplaintPending)
	}
	return out, err
}

// openCases tells the contact policy of open cases.
type openCases struct{ a *App }
