-- +goose Up
-- A round of the maturity assessment, with what was frozen when it closed.
CREATE TABLE governance_assessment (
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
CREATE INDEX governance_assessment_state ON governance_assessment (entity, state, unit);
CREATE INDEX governance_assessment_ref ON governance_assessment (entity, ref);
-- What one person, or a paper sheet, answered; state is the group.
CREATE TABLE governance_rating (
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
CREATE INDEX governance_rating_state ON governance_rating (entity, state, unit);
CREATE INDEX governance_rating_ref ON governance_rating (entity, ref);

-- +goose Down
DROP TABLE governance_rating;
DROP TABLE governance_assessment;
