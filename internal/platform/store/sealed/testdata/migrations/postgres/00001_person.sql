-- +goose Up
CREATE TABLE demo_person (
	id TEXT NOT NULL,
	part BIGINT NOT NULL,
	name BYTEA,
	phone BYTEA,
	phone_index TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (id, part)
);
CREATE INDEX demo_person_phone ON demo_person (phone_index);
CREATE TABLE demo_token (
	token TEXT NOT NULL,
	person TEXT NOT NULL,
	PRIMARY KEY (token, person)
);

-- +goose Down
DROP TABLE demo_token;
DROP TABLE demo_person;
