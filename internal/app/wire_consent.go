package app

import (
	"context"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/customer/consent"
	"omote/internal/customer/contact"
	customererasure "omote/internal/customer/erasure"
	"omote/internal/customer/identity"
	"omote/internal/customer/privacy"
	privacyapi "omote/internal/customer/privacy/api"
	privacyweb "omote/internal/customer/privacy/web"
	"omote/internal/customer/request"
	"omote/internal/customer/retention"
	"omote/internal/module"
	"omote/internal/platform/erasure"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// privacyServices are what a customer allows and may ask for.
type privacyServices struct {
	consents  *consent.Service
	contacts  *contact.Service
	erasers   *erasure.Registry
	erasures  *customererasure.Service
	requests  *request.Service
	retention *retention.Service
}

// wireConsent makes what decides about the use of customer data and puts it before
// the outbox, which asks before anything leaves.
func (a *App) wireConsent(ctx context.Context) error {
	s := a.services
	s.consents = consent.NewService(a.Store, a.Box)
	s.contacts = contact.NewService(a.Store, s.consents, identity.Reader{Box: a.Box})
	s.gates.Add(contact.Gate{Contacts: s.contacts})
	s.consents.Follow(s.contacts)
	s.consents.Follow(contact.Queue{Outbox: s.outbox, Contacts: s.contacts})
	purposes, err := consent.Pack()
	if err != nil {
		return err
	}
	if _, err := s.consents.Install(a.system(ctx), purposes); err != nil {
		return err
	}
	policy, err := contact.Pack()
	if err != nil {
		return err
	}
	return s.contacts.Install(a.system(ctx), policy)
}

func (a *App) privacyModule() module.Module {
	s := a.services
	operations := privacyapi.API{DB: a.Store, Consents: s.consents, Contacts: s.contacts, Requests: s.requests, Erasures: s.erasures, BaseURL: strings.TrimSuffix(a.baseURL(), "/")}
	pages := privacyweb.Pages{Consents: s.consents, Contacts: s.contacts, Requests: s.requests, Erasures: s.erasures, Retention: s.retention, Clock: a.Clock,
		Zone: a.Config.Location(), LogRetention: a.Config.Retention, Names: a.actorNames}
	return module.Module{
		Name:    "privacy",
		Locales: []i18n.Source{privacy.Locales()},
		Routes:  pages.Routes,
		Home:    a.privacyHome(),
		Nav: []module.Nav{
			{Key: privacyweb.NavContact, Href: "/customer/contact", Permission: contact.PermRead, Label: "customer.contact.nav", Layer: ui.LayerPlatform},
			{Key: privacyweb.NavPrivacy, Href: "/customer/requests", Permission: request.PermRead, Label: "customer.request.nav", Layer: ui.LayerGuarantee},
		},
		API: func(api huma.API) { operations.Register(api) },
	}
}
