-- +goose Up
CREATE TABLE auth_account (
	id TEXT NOT NULL PRIMARY KEY,
	entity TEXT NOT NULL,
	email BLOB,                      -- encrypted
	email_index TEXT NOT NULL,
	name BLOB,                       -- encrypted
	locale TEXT NOT NULL,
	state TEXT NOT NULL,             -- invited, active, disabled
	password TEXT NOT NULL DEFAULT '', -- argon2id
	totp BLOB,                       -- encrypted
	totp_on BOOLEAN NOT NULL DEFAULT FALSE,
	totp_step BIGINT NOT NULL DEFAULT 0, -- of the last code that was used
	created BIGINT NOT NULL,
	signed_in BIGINT,
	UNIQUE (entity, email_index)
);
CREATE TABLE auth_grant (
	account_id TEXT NOT NULL REFERENCES auth_account (id) ON DELETE CASCADE,
	role TEXT NOT NULL,
	unit TEXT NOT NULL,
	PRIMARY KEY (account_id, role, unit)
);
CREATE INDEX auth_grant_unit ON auth_grant (unit);
CREATE TABLE auth_recovery (
	account_id TEXT NOT NULL REFERENCES auth_account (id) ON DELETE CASCADE,
	hash TEXT NOT NULL,
	PRIMARY KEY (account_id, hash)
);
CREATE TABLE auth_identity (
	issuer TEXT NOT NULL,
	subject TEXT NOT NULL,
	account_id TEXT NOT NULL REFERENCES auth_account (id) ON DELETE CASCADE,
	PRIMARY KEY (issuer, subject)
);
CREATE INDEX auth_identity_account ON auth_identity (account_id);
CREATE TABLE auth_session (
	id TEXT NOT NULL PRIMARY KEY,
	hash TEXT NOT NULL UNIQUE,
	account_id TEXT NOT NULL REFERENCES auth_account (id) ON DELETE CASCADE,
	place TEXT NOT NULL,
	agent TEXT NOT NULL,             -- browser and system, in words
	address BLOB,                    -- encrypted
	created BIGINT NOT NULL,
	seen BIGINT NOT NULL,
	expires BIGINT NOT NULL
);
CREATE INDEX auth_session_account ON auth_session (account_id);
CREATE INDEX auth_session_expires ON auth_session (expires);
CREATE TABLE auth_throttle (
	subject TEXT NOT NULL PRIMARY KEY, -- keyed hash of an address or an account's name
	failures BIGINT NOT NULL,
	until BIGINT NOT NULL,
	last BIGINT NOT NULL
);
CREATE INDEX auth_throttle_last ON auth_throttle (last);
CREATE TABLE auth_link (
	hash TEXT NOT NULL PRIMARY KEY,
	kind TEXT NOT NULL,              -- setup, invite
	account_id TEXT NOT NULL,
	expires BIGINT NOT NULL
);
CREATE INDEX auth_link_account ON auth_link (account_id);
CREATE TABLE auth_flow (
	state TEXT NOT NULL PRIMARY KEY, -- hash
	nonce TEXT NOT NULL,
	verifier BLOB,                   -- encrypted
	next TEXT NOT NULL,
	expires BIGINT NOT NULL
);
CREATE TABLE auth_key (
	id TEXT NOT NULL PRIMARY KEY,
	entity TEXT NOT NULL,
	name TEXT NOT NULL,
	prefix TEXT NOT NULL UNIQUE,
	hash TEXT NOT NULL,
	roles TEXT NOT NULL,             -- separated by commas
	unit TEXT NOT NULL,
	source TEXT NOT NULL,
	system TEXT NOT NULL,
	created_by TEXT NOT NULL,
	created BIGINT NOT NULL,
	used BIGINT,
	expires BIGINT,
	revoked BIGINT
);
CREATE INDEX auth_key_entity ON auth_key (entity, id);

-- +goose Down
DROP TABLE auth_key;
DROP TABLE auth_flow;
DROP TABLE auth_link;
DROP TABLE auth_throttle;
DROP TABLE auth_session;
DROP TABLE auth_identity;
DROP TABLE auth_recovery;
DROP TABLE auth_grant;
DROP TABLE auth_account;
