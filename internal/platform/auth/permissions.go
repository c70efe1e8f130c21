package auth

import (
	"maps"
	"slices"
)

// Permission is the right to do one thing, named module.thing.verb.
type Permission string

// Role is what a person is in a unit, or what a key is for.
type Role string

// The roles of people.
const (
	Council       Role = "council"    // executives: see and decide
	CXLead        Role = "cx_lead"    // runs customer experience across units
	Champion      Role = "champion"   // carries it in one branch, centre or squad
	Agent         Role = "agent"      // serves customers
	CaseOwner     Role = "case_owner" // answers for cases of a unit
	Analyst       Role = "analyst"    // definitions, data, experiments
	Steward       Role = "steward"    // identity and data quality
	DPO           Role = "dpo"        // data-protection officer
	Auditor       Role = "auditor"    // sees, and changes nothing
	Admin         Role = "admin"      // people, organisation, keys, system
	FinancePart   Role = "finance_partner"
	RiskValidator Role = "risk_validator"
)

// The roles of keys: what omote key create --scope takes, with "key:" before it.
const (
	KeyIngest Role = "key:ingest" // send events; the write key of SDKs
	KeyRead   Role = "key:read"   // read figures and definitions
	KeyExport Role = "key:export" // take out rows
	KeyAdmin  Role = "key:admin"  // manage the installation
	// KeyConsent is for the bank's other systems: keep consent, ask before a contact.
	KeyConsent Role = "key:consent"
)

// PersonRoles lists the roles that can be granted to people.
var PersonRoles = []Role{Council, CXLead, Champion, Agent, CaseOwner, Analyst, Steward, DPO, Auditor, Admin, FinancePart, RiskValidator}

// KeyRoles lists the roles that can be given to keys.
var KeyRoles = []Role{KeyIngest, KeyRead, KeyExport, KeyAdmin, KeyConsent}

// everybody are all people who work with figures; agents see their own work.
var everybody = []Role{Council, CXLead, Champion, Agent, CaseOwner, Analyst, Steward, DPO, Auditor, Admin, FinancePart, RiskValidator}

func roles(r ...Role) []Role { return r }

func everybodyAnd(r ...Role) []Role { return append(slices.Clone(everybody), r...) }

// table says which roles hold a permission. It is the only place that does.
// Reading of customer data is never given to Admin: who runs the machine does
// not read the bank's customers.
var table = map[Permission][]Role{
	// Admin: people, organisation, keys, system.
	"admin.account.read": roles(Admin, Auditor, DPO),
	"admin.account.edit": roles(Admin),
	"admin.org.read":     everybodyAnd(KeyRead, KeyAdmin),
	"admin.org.edit":     roles(Admin, KeyAdmin),
	"admin.key.read":     roles(Admin, Auditor),
	"admin.key.edit":     roles(Admin, KeyAdmin),
	"admin.system.read":  roles(Admin, Auditor, KeyAdmin),
	"admin.system.edit":  roles(Admin, KeyAdmin),
	"admin.audit.read":   roles(Auditor, DPO, Admin),
	"admin.job.read":     roles(Admin, CXLead, Analyst, Steward, KeyAdmin),
	"admin.job.edit":     roles(Admin, CXLead, Analyst, Steward, KeyAdmin),
	"admin.outbox.read":  roles(Admin, CXLead, DPO, Auditor),
	"admin.outbox.edit":  roles(Admin, CXLead),
	// Own account: whoever is signed in.
	"account.own": everybody,

	// Ingest: what comes in.
	"ingest.event.send":      roles(KeyIngest),
	"ingest.plan.read":       roles(CXLead, Analyst, Steward, Admin, Auditor, DPO, KeyRead),
	"ingest.plan.edit":       roles(Analyst, Steward, Admin),
	"ingest.import.read":     roles(CXLead, Analyst, Steward, Admin, Auditor, KeyAdmin),
	"ingest.import.edit":     roles(CXLead, Analyst, Steward, Admin, KeyAdmin),
	"ingest.connector.read":  roles(CXLead, Analyst, Steward, Admin, Auditor, KeyAdmin),
	"ingest.connector.edit":  roles(Admin, KeyAdmin),
	"ingest.quarantine.read": roles(Analyst, Steward, Admin),
	"ingest.quarantine.edit": roles(Steward, Admin),

	// Insight and journeys: what the figures say.
	"insight.metric.read":    everybodyAnd(KeyRead),
	"insight.metric.edit":    roles(CXLead, Analyst),
	"insight.metric.approve": roles(CXLead, Council, RiskValidator),
	"insight.signal.read":    everybodyAnd(KeyRead),
	"insight.signal.edit":    roles(CXLead, Champion, CaseOwner, Analyst, KeyAdmin),
	"insight.signal.approve": roles(CXLead, Council, RiskValidator),
	"journey.journey.read":   everybodyAnd(KeyRead),
	"journey.moment.read":    everybodyAnd(KeyRead),
	"journey.moment.edit":    roles(CXLead, Analyst),
	// Designed journeys: a map holds for the whole bank.
	"journey.blueprint.read":    everybodyAnd(KeyRead, KeyAdmin),
	"journey.blueprint.edit":    roles(CXLead, Analyst, KeyAdmin),
	"journey.blueprint.comment": everybody,
	"journey.blueprint.approve": roles(CXLead, Council, RiskValidator),

	// Customers: one person at a time, with a purpose.
	"customer.profile.read":    roles(CXLead, Champion, Agent, CaseOwner, Steward, DPO),
	"customer.identity.read":   roles(Steward, DPO, Auditor),
	"customer.identity.edit":   roles(Steward),
	"customer.consent.read":    roles(CXLead, Champion, Agent, CaseOwner, Steward, DPO, Auditor, KeyConsent),
	"customer.consent.edit":    roles(Agent, CaseOwner, Steward, DPO, KeyConsent),
	"customer.erasure.read":    roles(DPO, Auditor, Steward),
	"customer.erasure.run":     roles(DPO),
	"customer.erasure.approve": roles(DPO, Steward),
	"customer.request.read":    roles(DPO, Auditor, CaseOwner, Agent),
	"customer.request.edit":    roles(DPO, CaseOwner, Agent),
	"customer.request.decide":  roles(DPO),
	"customer.retention.read":  roles(DPO, Auditor, Admin, RiskValidator),
	"customer.retention.edit":  roles(DPO),
	// What one puts forward another of these lets into force.
	"customer.retention.approve": roles(DPO, RiskValidator),
	"customer.purpose.edit":      roles(DPO),
	"customer.contact.read":      roles(CXLead, Champion, Agent, CaseOwner, Analyst, Steward, DPO, Auditor, Council, KeyConsent),
	"customer.contact.edit":      roles(CXLead, DPO),
	"customer.contact.approve":   roles(CXLead, DPO, Council),
	"customer.contact.reserve":   roles(CXLead, KeyConsent),

	// Surveys. Single answers are people's words; figures are not.
	"feedback.survey.read":    everybodyAnd(KeyRead),
	"feedback.survey.edit":    roles(CXLead, Analyst),
	"feedback.survey.approve": roles(CXLead, Council),
	"feedback.survey.answers": roles(CXLead, Champion, CaseOwner, Analyst),

	// The inbox of what customers said: their words, for those who serve them.
	"feedback.voice.read": roles(CXLead, Champion, CaseOwner, Agent, Analyst, Council),
	"feedback.voice.edit": roles(CXLead, Champion, CaseOwner, Agent),
	"feedback.voice.tell": roles(CXLead),

	// Governance: what is proposed by one and decided by another. Deciding needs
	// also the permission that the proposal names.
	"governance.approval.read":   everybodyAnd(KeyRead),
	"governance.approval.decide": roles(Council, CXLead, Champion, CaseOwner, Analyst, Steward, DPO, Admin, FinancePart, RiskValidator),

	// Segments: the figures for whoever works with figures, the members for those
	// who serve them.
	"customer.segment.read": everybodyAnd(KeyRead),
	"customer.segment.edit": roles(CXLead, Analyst),
	// What is written back into other systems: attributes and membership leave.
	"customer.activation.read":      roles(CXLead, Analyst, Steward, DPO, Admin, Auditor, KeyAdmin),
	"customer.activation.edit":      roles(CXLead, DPO, KeyAdmin),
	"customer.segment.approve":      roles(CXLead, DPO, Council),
	"customer.segment.member":       roles(CXLead, Champion, Agent, CaseOwner, Steward, DPO),
	"customer.segment.export":       roles(CXLead, DPO, KeyExport),
	"governance.strategy.read":      everybodyAnd(KeyRead),
	"governance.strategy.edit":      roles(CXLead),
	"governance.role.read":          everybodyAnd(KeyRead),
	"governance.role.edit":          roles(CXLead),
	"governance.role.approve":       roles(Council, CXLead),
	"governance.initiative.read":    roles(Council, CXLead, Champion, CaseOwner, Analyst, Auditor, FinancePart, RiskValidator, KeyRead),
	"governance.initiative.edit":    roles(CXLead, Champion, CaseOwner, Analyst),
	"governance.initiative.approve": roles(CXLead, Council),
	"governance.council.read":       roles(Council, CXLead, Analyst, Auditor, FinancePart, RiskValidator, KeyRead),
	"governance.council.edit":       roles(CXLead),
	"governance.council.decide":     roles(Council),
	"governance.maturity.read":      everybodyAnd(KeyRead),
	"governance.maturity.edit":      roles(CXLead),
	"governance.maturity.rate":      everybody,
	"governance.maturity.approve":   roles(Council),
	"governance.ledger.read":        roles(Council, CXLead, Analyst, Auditor, FinancePart, RiskValidator, KeyRead),
	"governance.ledger.edit":        roles(CXLead, Analyst),
	"governance.ledger.sign":        roles(FinancePart),

	// Campaigns of behaviour. Whoever checks in or observes does so for their place.
	"program.wave.read":    roles(Council, CXLead, Champion, CaseOwner, Analyst, Auditor, FinancePart, RiskValidator, KeyRead),
	"program.wave.edit":    roles(CXLead, Analyst),
	"program.wave.approve": roles(CXLead, Council),
	"program.wave.checkin": roles(CXLead, Champion),

	// Cases: one problem of one customer.
	"feedback.case.read":     roles(CXLead, Champion, Agent, CaseOwner, DPO, Auditor, KeyRead),
	"feedback.case.edit":     roles(CXLead, Champion, Agent, CaseOwner, KeyAdmin),
	"feedback.case.lead":     roles(CXLead, CaseOwner),
	"feedback.case.setup":    roles(CXLead),
	"feedback.case.register": roles(CXLead, CaseOwner, RiskValidator, DPO, Auditor),

	// Rows that leave.
	"report.board.read": roles(Council, CXLead, Analyst, Auditor, FinancePart, RiskValidator),
	"report.export.run": roles(Analyst, DPO, KeyExport),
}

// Holds reports whether the role holds the permission.
func (r Role) Holds(p Permission) bool { return slices.Contains(table[p], r) }

// Permissions lists every permission that the table knows, sorted.
func Permissions() []Permission { return slices.Sorted(maps.Keys(table)) }

// RolesOf lists the roles that hold the permission.
func RolesOf(p Permission) []Role { return slices.Clone(table[p]) }

// Known reports whether the table has the permission.
func Known(p Permission) bool { _, ok := table[p]; return ok }
