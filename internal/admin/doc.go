// Package admin is where an installation's people, organisation, keys and audit
// trail are looked after.
//
// Sub-packages: account (people and their roles), org (entity, regions, units),
// key (API keys) and trail (the audit trail as it is read and verified) are
// services whose first statement asks for the permission and which write every
// change into the audit trail; api offers them as typed operations, web as pages.
// How people sign in is package auth, which also holds the tables of accounts and
// keys.
//
// Permissions: admin.account.*, admin.org.*, admin.key.*, admin.audit.read,
// admin.system.*, admin.job.*, account.own. Table: admin_unit. URLs: /sign-in,
// /sign-out, /setup, /invitation, /account, /admin/people, /admin/organisation,
// /admin/keys, /admin/audit, /admin/health.
package admin
