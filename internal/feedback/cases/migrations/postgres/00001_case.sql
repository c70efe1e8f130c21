-- +goose Up
CREATE TABLE cases_case (
	customer_id TEXT NOT NULL,   -- '' until the customer is known
	id TEXT NOT NULL,
	entity TEXT NOT NULL,
	number BIGINT NOT NULL,      -- what people call it: CV-20417
	unit TEXT COLLATE "C" NOT NULL,          -- path of the unit that answers
	kind TEXT NOT NULL,
	state TEXT NOT NULL,
	is_open BOOLEAN NOT NULL,
	severity TEXT NOT NULL,
	channel TEXT NOT NULL,
	product TEXT NOT NULL,
	journey TEXT NOT NULL,
	reason TEXT NOT NULL,
	issue TEXT NOT NULL,         -- what makes two signals the same problem
	facts TEXT NOT NULL,         -- JSON; names nobody
	title BYTEA,
	words BYTEA,                  -- the customer's own
	name BYTEA,
	phone BYTEA,
	email BYTEA,
	contact_ix TEXT NOT NULL,    -- blind index of the phone number or address
	locale TEXT NOT NULL,
	skill TEXT NOT NULL,
	owner TEXT NOT NULL,         -- account id; '' nobody
	next_due BIGINT NOT NULL,    -- earliest deadline of a running clock; far future for none
	next_rule TEXT NOT NULL,
	late BOOLEAN NOT NULL,       -- a deadline was missed
	signals BIGINT NOT NULL,
	reopened BIGINT NOT NULL,
	cause TEXT NOT NULL,
	actions TEXT NOT NULL,       -- JSON list
	outcome TEXT NOT NULL,       -- '', solved, unsolved, silent
	merged_into TEXT NOT NULL,
	opened BIGINT NOT NULL,
	touched BIGINT NOT NULL,     -- last word of a person
	closed BIGINT,
	version BIGINT NOT NULL,
	PRIMARY KEY (customer_id, id)
);
CREATE INDEX cases_case_id ON cases_case (id);
CREATE INDEX cases_case_number ON cases_case (entity, number);
CREATE INDEX cases_case_queue ON cases_case (entity, is_open, next_due, id, unit);
CREATE INDEX cases_case_unit ON cases_case (entity, is_open, unit, next_due, late, owner);
CREATE INDEX cases_case_owner ON cases_case (entity, owner, is_open, next_due, id);
CREATE INDEX cases_case_issue ON cases_case (entity, issue, opened);
CREATE INDEX cases_case_contact ON cases_case (entity, contact_ix);

CREATE TABLE cases_number_last (
	entity TEXT NOT NULL PRIMARY KEY,
	number BIGINT NOT NULL
);

CREATE TABLE cases_signal (
	entity TEXT NOT NULL,
	source TEXT NOT NULL,
	ref TEXT NOT NULL,           -- id of the signal at its source: one signal counts once
	case_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	rule TEXT NOT NULL,
	score DOUBLE PRECISION,
	words BYTEA,
	at BIGINT NOT NULL,
	PRIMARY KEY (entity, source, ref)
);
CREATE INDEX cases_signal_case ON cases_signal (case_id, at);

CREATE TABLE cases_entry (
	case_id TEXT NOT NULL,
	id TEXT NOT NULL,
	kind TEXT NOT NULL,
	actor TEXT NOT NULL,
	at BIGINT NOT NULL,
	body BYTEA,
	detail TEXT NOT NULL,        -- JSON; names nobody
	PRIMARY KEY (case_id, id)
);

CREATE TABLE cases_clock (
	id TEXT NOT NULL PRIMARY KEY,
	case_id TEXT NOT NULL,
	entity TEXT NOT NULL,
	rule TEXT NOT NULL,
	pack TEXT NOT NULL,          -- id@version
	calendar TEXT NOT NULL,      -- id@version
	ladder TEXT NOT NULL,
	legal BOOLEAN NOT NULL,
	side TEXT NOT NULL,
	optional BOOLEAN NOT NULL,
	state TEXT NOT NULL,
	start BIGINT NOT NULL,
	due BIGINT NOT NULL,
	first_due BIGINT NOT NULL,   -- as it was when the clock started
	warned BIGINT NOT NULL,      -- warnings given
	warn_at TEXT NOT NULL,       -- JSON: instants
	changes TEXT NOT NULL,       -- JSON: pauses, extensions, swaps, former deadlines
	met BIGINT,
	breached BIGINT
);
CREATE INDEX cases_clock_case ON cases_clock (case_id);
CREATE INDEX cases_clock_state ON cases_clock (entity, state, due);

CREATE TABLE cases_escalation (
	case_id TEXT NOT NULL,
	id TEXT NOT NULL,
	entity TEXT NOT NULL,
	clock TEXT NOT NULL,         -- '' when no clock is its reason
	ladder TEXT NOT NULL,
	step BIGINT NOT NULL,
	why TEXT NOT NULL,           -- warn, breach, silence, severity, repeat, unanswered, person
	role TEXT NOT NULL,
	unit TEXT NOT NULL,
	person TEXT NOT NULL,
	state TEXT NOT NULL,         -- open, acknowledged, overtaken, over
	at BIGINT NOT NULL,
	until BIGINT NOT NULL,       -- when the next step is reached
	acknowledged BIGINT,
	acknowledged_by TEXT NOT NULL,
	PRIMARY KEY (case_id, id)
);
CREATE INDEX cases_escalation_role ON cases_escalation (entity, state, role, at);

CREATE TABLE cases_gesture (
	case_id TEXT NOT NULL,
	id TEXT NOT NULL,
	entity TEXT NOT NULL,
	customer TEXT NOT NULL,      -- '' until the customer is known
	by_account TEXT NOT NULL,
	wallet TEXT NOT NULL,        -- id of the limit
	kind TEXT NOT NULL,
	amount BIGINT NOT NULL,      -- minor units
	currency TEXT NOT NULL,
	reason BYTEA,
	unit TEXT NOT NULL,
	at BIGINT NOT NULL,
	told BIGINT,
	PRIMARY KEY (case_id, id)
);
CREATE INDEX cases_gesture_person ON cases_gesture (entity, by_account, at);
CREATE INDEX cases_gesture_customer ON cases_gesture (entity, customer, at);

CREATE TABLE cases_file (
	case_id TEXT NOT NULL,
	id TEXT NOT NULL,
	name BYTEA,
	media TEXT NOT NULL,
	size BIGINT NOT NULL,
	digest TEXT NOT NULL,
	scan TEXT NOT NULL,          -- waiting, clean, infected, unscanned
	content BYTEA,
	by_actor TEXT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (case_id, id)
);

CREATE TABLE cases_link (
	case_id TEXT NOT NULL,
	other_id TEXT NOT NULL,
	kind TEXT NOT NULL,          -- related, split, merged
	at BIGINT NOT NULL,
	PRIMARY KEY (case_id, other_id, kind)
);

CREATE TABLE cases_watcher (
	case_id TEXT NOT NULL,
	account TEXT NOT NULL,
	why TEXT NOT NULL,           -- watch, mention
	seen BIGINT,
	at BIGINT NOT NULL,
	PRIMARY KEY (case_id, account)
);
CREATE INDEX cases_watcher_account ON cases_watcher (account, at);

CREATE TABLE cases_followup (
	case_id TEXT NOT NULL,
	round BIGINT NOT NULL,
	token_hash TEXT NOT NULL,
	sent BIGINT NOT NULL,
	expires BIGINT NOT NULL,
	answer TEXT NOT NULL,        -- '', solved, unsolved
	answered BIGINT,
	words BYTEA,
	PRIMARY KEY (case_id, round)
);
CREATE UNIQUE INDEX cases_followup_token ON cases_followup (token_hash);

CREATE TABLE cases_setting (
	entity TEXT NOT NULL,
	kind TEXT NOT NULL,          -- pack, calendar, ladder, rules, wallet, causes, macros
	id TEXT NOT NULL,
	version BIGINT NOT NULL,
	body TEXT NOT NULL,
	signed_by TEXT NOT NULL,     -- counsel, for packs
	at BIGINT NOT NULL,
	by_actor TEXT NOT NULL,
	PRIMARY KEY (entity, kind, id, version)
);

CREATE TABLE cases_view (
	entity TEXT NOT NULL,
	id TEXT NOT NULL,
	account TEXT NOT NULL,       -- '' shared
	name TEXT NOT NULL,
	query TEXT NOT NULL,
	PRIMARY KEY (entity, id)
);

CREATE TABLE cases_cluster (
	entity TEXT NOT NULL,
	id TEXT NOT NULL,
	cause TEXT NOT NULL,
	product TEXT NOT NULL,
	observed BIGINT NOT NULL,
	expected DOUBLE PRECISION NOT NULL,
	bound DOUBLE PRECISION NOT NULL,
	customers BIGINT NOT NULL,
	cases TEXT NOT NULL,         -- JSON list of ids
	initiative TEXT NOT NULL,
	from_at BIGINT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (entity, id)
);

CREATE TABLE cases_hook (
	entity TEXT NOT NULL,
	id TEXT NOT NULL,
	url BYTEA,
	secret BYTEA,
	events TEXT NOT NULL,        -- JSON list; empty for all
	at BIGINT NOT NULL,
	by_actor TEXT NOT NULL,
	PRIMARY KEY (entity, id)
);

-- +goose Down
DROP TABLE cases_hook;
DROP TABLE cases_cluster;
DROP TABLE cases_view;
DROP TABLE cases_setting;
DROP TABLE cases_followup;
DROP TABLE cases_watcher;
DROP TABLE cases_link;
DROP TABLE cases_file;
DROP TABLE cases_gesture;
DROP TABLE cases_escalation;
DROP TABLE cases_clock;
DROP TABLE cases_entry;
DROP TABLE cases_signal;
DROP TABLE cases_number_last;
DROP TABLE cases_case;
