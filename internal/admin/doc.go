// Package admin is where an installation's people, organisation, keys and audit
// trail are looked after.
//
// Sub-packages: account (people and their roles), org (entity, regions, units),
// key (API keys), trail (the audit trail as it is read and verified), api (typed
// operations), each a service whose first statement asks for the permission and
// which writes every change into the audit trail. How people sign in is package
// auth, which also holds the tables of accounts and keys.
//
// Permissions: admin.account.*, admin.org.*, admin.key.*, admin.audit.read.
// Table: admin_unit. URLs: /admin/people, /admin/organisation, /admin/keys,
// /admin/audit.
package admin
