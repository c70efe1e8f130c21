-- +goose Up
-- Every concept of governance is a document with the same head: the unit it
-- belongs to, its state, one reference to another document, and a version that
-- grows with each change.
-- A promise, an aim, a measure of a journey, or a KPI: the strategy tree.
CREATE TABLE governance_node (
	entity TEXT NOT NULL,
	id TEXT NOT NULL,
	unit TEXT NOT NULL,
	state TEXT NOT NULL,
	ref TEXT NOT NULL,
	version BIGINT NOT NULL,
	body JSONB NOT NULL,
	created BIGINT NOT NULL,
	created_by TEXT NOT NULL,
	changed BIGINT NOT NULL,
	changed_by TEXT NOT NULL,
	PRIMARY KEY (entity, id)
);
CREATE INDEX governance_node_state ON governance_node (entity, state, unit);
CREATE INDEX governance_node_ref ON governance_node (entity, ref);
-- Who holds which role, over which units and journeys.
CREATE TABLE governance_assignment (
	entity TEXT NOT NULL,
	id TEXT NOT NULL,
	unit TEXT NOT NULL,
	state TEXT NOT NULL,
	ref TEXT NOT NULL,
	version BIGINT NOT NULL,
	body JSONB NOT NULL,
	created BIGINT NOT NULL,
	created_by TEXT NOT NULL,
	changed BIGINT NOT NULL,
	changed_by TEXT NOT NULL,
	PRIMARY KEY (entity, id)
);
CREATE INDEX governance_assignment_state ON governance_assignment (entity, state, unit);
CREATE INDEX governance_assignment_ref ON governance_assignment (entity, ref);
-- Who answers for each step of a journey (RACI).
CREATE TABLE governance_matrix (
	entity TEXT NOT NULL,
	id TEXT NOT NULL,
	unit TEXT NOT NULL,
	state TEXT NOT NULL,
	ref TEXT NOT NULL,
	version BIGINT NOT NULL,
	body JSONB NOT NULL,
	created BIGINT NOT NULL,
	created_by TEXT NOT NULL,
	changed BIGINT NOT NULL,
	changed_by TEXT NOT NULL,
	PRIMARY KEY (entity, id)
);
CREATE INDEX governance_matrix_state ON governance_matrix (entity, state, unit);
CREATE INDEX governance_matrix_ref ON governance_matrix (entity, ref);
-- Authority lent to a holder, with its limits and its use.
CREATE TABLE governance_letter (
	entity TEXT NOT NULL,
	id TEXT NOT NULL,
	unit TEXT NOT NULL,
	state TEXT NOT NULL,
	ref TEXT NOT NULL,
	version BIGINT NOT NULL,
	body JSONB NOT NULL,
	created BIGINT NOT NULL,
	created_by TEXT NOT NULL,
	changed BIGINT NOT NULL,
	changed_by TEXT NOT NULL,
	PRIMARY KEY (entity, id)
);
CREATE INDEX governance_letter_state ON governance_letter (entity, state, unit);
CREATE INDEX governance_letter_ref ON governance_letter (entity, ref);
-- A change with its lane, gates, case and evidence.
CREATE TABLE governance_initiative (
	entity TEXT NOT NULL,
	id TEXT NOT NULL,
	unit TEXT NOT NULL,
	state TEXT NOT NULL,
	ref TEXT NOT NULL,
	version BIGINT NOT NULL,
	body JSONB NOT NULL,
	created BIGINT NOT NULL,
	created_by TEXT NOT NULL,
	changed BIGINT NOT NULL,
	changed_by TEXT NOT NULL,
	PRIMARY KEY (entity, id)
);
CREATE INDEX governance_initiative_state ON governance_initiative (entity, state, unit);
CREATE INDEX governance_initiative_ref ON governance_initiative (entity, ref);
-- A session of the council: seats, agenda, minutes.
CREATE TABLE governance_meeting (
	entity TEXT NOT NULL,
	id TEXT NOT NULL,
	unit TEXT NOT NULL,
	state TEXT NOT NULL,
	ref TEXT NOT NULL,
	version BIGINT NOT NULL,
	body JSONB NOT NULL,
	created BIGINT NOT NULL,
	created_by TEXT NOT NULL,
	changed BIGINT NOT NULL,
	changed_by TEXT NOT NULL,
	PRIMARY KEY (entity, id)
);
CREATE INDEX governance_meeting_state ON governance_meeting (entity, state, unit);
CREATE INDEX governance_meeting_ref ON governance_meeting (entity, ref);
-- What was decided among which alternatives, the forecast and its score.
CREATE TABLE governance_decision (
	entity TEXT NOT NULL,
	id TEXT NOT NULL,
	unit TEXT NOT NULL,
	state TEXT NOT NULL,
	ref TEXT NOT NULL,
	version BIGINT NOT NULL,
	body JSONB NOT NULL,
	created BIGINT NOT NULL,
	created_by TEXT NOT NULL,
	changed BIGINT NOT NULL,
	changed_by TEXT NOT NULL,
	PRIMARY KEY (entity, id)
);
CREATE INDEX governance_decision_state ON governance_decision (entity, state, unit);
CREATE INDEX governance_decision_ref ON governance_decision (entity, ref);
-- An effect turned into money, and what of it is booked.
CREATE TABLE governance_line (
	entity TEXT NOT NULL,
	id TEXT NOT NULL,
	unit TEXT NOT NULL,
	state TEXT NOT NULL,
	ref TEXT NOT NULL,
	version BIGINT NOT NULL,
	body JSONB NOT NULL,
	created BIGINT NOT NULL,
	created_by TEXT NOT NULL,
	changed BIGINT NOT NULL,
	changed_by TEXT NOT NULL,
	PRIMARY KEY (entity, id)
);
CREATE INDEX governance_line_state ON governance_line (entity, state, unit);
CREATE INDEX governance_line_ref ON governance_line (entity, ref);

-- +goose Down
DROP TABLE governance_line;
DROP TABLE governance_decision;
DROP TABLE governance_meeting;
DROP TABLE governance_initiative;
DROP TABLE governance_letter;
DROP TABLE governance_matrix;
DROP TABLE governance_assignment;
DROP TABLE governance_node;
