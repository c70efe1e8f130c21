package app

import (
	"omote/internal/customer/contact"
	"omote/internal/customer/retention"
	"omote/internal/platform/approval"
)

// wireChecks has what reaches every customer, or cannot be undone, decided by a
// second person: segments that are contacted, the contact policy, retention rules,
// orders to erase.
func (a *App) wireChecks() {
	s := a.services
	s.segments.CheckedBy(s.approvals)
	s.contacts.CheckedBy(s.approvals)
	s.retention.CheckedBy(s.approvals)
	s.erasures.CheckedBy(s.approvals)
}

// Approvals gives the service, for the demo and tests.
func (a *App) Approvals() *approval.Service { return a.services.approvals }

// Contacts gives the service, for the demo and tests.
func (a *App) Contacts() *contact.Service { return a.services.contacts }

// Retention gives the service, for the demo and tests.
func (a *App) Retention() *retention.Service { return a.services.retention }
