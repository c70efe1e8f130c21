package bank

import "time"

// Kind is the tracking call an event stands for, in the order of the Segment
// specification that the product's own events use.
type Kind uint8

// The kinds the bank emits.
const (
	Track    Kind = 1
	Identify Kind = 2
	Alias    Kind = 6
)

// Event is one fact as a source system of the bank would deliver it. Its fields
// mirror the product's event; an event holds no truth that a source system
// could not know.
type Event struct {
	Source      string // the feed: "core", "app", "branch", …
	System      string // whose id UserID is: "core", "crm", "card", "callcentre", "app", "staff" or "ops"
	MessageID   string
	Kind        Kind
	Name        string
	UserID      string
	AnonymousID string
	PreviousID  string
	At          int64 // Unix microseconds, UTC
	Journey     string
	Case        string
	Channel     string
	Unit        string
	Product     string
	Outcome     string
	Amount      int64 // minor units of Currency
	Currency    string
	Props       []byte // JSON object or nil
	Traits      []byte // JSON object or nil; personal
}

// Time gives At as a time in UTC.
func (e *Event) Time() time.Time { return time.UnixMicro(e.At).UTC() }

// Systems that give ids to people.
const (
	sysCore = iota
	sysCRM
	sysCard
	sysCall
	sysApp
	sysAnon // a device before it is known
	sysStaff
	sysOps
)

var systemNames = [...]string{"core", "crm", "card", "callcentre", "app", "app", "staff", "ops"}

// Feeds that deliver events.
const (
	feedCore = iota
	feedCRM
	feedCard
	feedCall
	feedApp
	feedBranch
	feedSurvey
	feedCase
	feedCampaign
	feedQuality
	feedOps
	feedCount
)

// Feeds names the feeds, one file of Generate each.
var Feeds = [feedCount]string{"core", "crm", "card", "callcentre", "app", "branch", "survey", "case", "campaign", "quality", "ops"}

// Journeys in the order of journey_templates.yaml.
const (
	jNone = iota
	jOnboarding
	jCard
	jTransfer
	jLoan
	jDispute
	jBranch
	jLogin
	jComplaint
	jDeposit
	jHardship
	jDormant
	jExit
)

var journeyNames = [...]string{"", "onboarding_ekyc", "card_activation", "everyday_transfer", "personal_loan", "payment_dispute", "branch_visit",
	"digital_login_failure", "complaint", "term_deposit_maturity", "financial_hardship", "dormant_reactivation", "account_exit"}

// Channels, as the templates name them.
const (
	chNone = iota
	chApp
	chWeb
	chBranch
	chCall
	chSMS
	chEmail
	chZalo
	chPush
	chCourier
	chATM
	chPOS
	chEcom
	chWallet
	chTransfer
	chBack
	chCore
	chCase
	chChat
	chSocial
	chLetter
	chSurvey
	chAutoDebit
	chStatement
	chCard
	chQR
	chCallOut
)

var channelNames = [...]string{"", "mobile_app", "web", "branch", "contact_centre", "sms", "email", "zalo", "push", "courier", "atm", "pos", "ecommerce",
	"mobile_wallet", "transfer", "back_office", "core_banking", "case_system", "chat", "social", "letter", "survey", "auto_debit", "statement", "card",
	"qr_at_counter", "call"}

// Outcomes.
const (
	outNone = iota
	outOK
	outFailed
	outAbandoned
	outDeclined
	outTransferred
	outUnresolved
)

var outcomeNames = [...]string{"", "ok", "failed", "abandoned", "declined", "transferred", "unresolved"}

// Reasons: first the reason ids of questionnaires.yaml, then contact reasons,
// then reasons of suppression, exit and cancellation.
const (
	rNone = iota
	rStaffCare
	rStaffSkill
	rOwn
	rWait
	rPapers
	rRepeat
	rTransfer
	rInformed
	rAppEase
	rAppError
	rOTP
	rArrived
	rSpeed
	rAnswer
	rFee
	rClear
	rFit
	rPressure
	rSafe
	rPrivacy
	rFair
	rCareExtra
	rOther
	rLastSurvey
)

const (
	kOTP = rLastSurvey + iota
	kLogin
	kTransferPending
	kCardDelivery
	kCardDecline
	kLoanStatus
	kFee
	kBalance
	kDispute
	kDepositRate
	kUpdateInfo
	kInsuranceCancel
	kComplaintChase
	kLimit
	kHowTo
	kQuarantine
	kOptedOut
	kNoConsent
	kOpenCase
	kNotSampled
	kSilent
	kMoved
	kCompetitor
	kDissatisfied
	kNoNeed
	kNoReach
	kHoldOut
	kIncomeProof
	kCreditScore
)

var reasonNames = [...]string{"", "r_staff_care", "r_staff_skill", "r_own", "r_wait", "r_papers", "r_repeat", "r_transfer", "r_informed", "r_app_ease",
	"r_app_error", "r_otp", "r_arrived", "r_speed", "r_answer", "r_fee", "r_clear", "r_fit", "r_pressure", "r_safe", "r_privacy", "r_fair", "r_care_extra", "r_other",
	"otp_not_received", "login_problem", "transfer_pending", "card_delivery", "card_declined", "loan_status", "fee_question", "balance_question", "dispute",
	"deposit_rate", "update_information", "insurance_cancel", "complaint_chase", "limit_change", "how_to",
	"quarantine", "opted_out", "no_consent", "open_case", "not_sampled", "silent", "moved_away", "better_offer", "dissatisfied", "no_longer_needed", "unreachable", "holdout",
	"income_proof", "credit_score"}

// Instruments of questionnaires.yaml and their score items.
const (
	insNone = iota
	insRel
	insTx
	insCES
	insComplaint
	insGap
	insExit
	insDims
)

var instrumentNames = [...]string{"", "rel_nps", "tx_csat", "ces", "complaint_followup", "expectation_gap", "exit_short", "exp_dimensions"}
var scoreItems = [...]string{"", "rn_score", "tc_score", "ce_score", "cf_nps", "eg_gap", "ex_ease", "xt_promise"}
