-- +goose Up
-- What customer data is used for, with the text that people are shown. A version
-- is never changed.
CREATE TABLE customer_purpose (
    entity     TEXT NOT NULL,
    id         TEXT NOT NULL,
    version    BIGINT NOT NULL,
    body       JSONB NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (entity, id, version)
);

-- What people said, as they said it. Rows are added and never changed.
CREATE TABLE customer_consent (
    entity       TEXT NOT NULL,
    record_id    TEXT NOT NULL,
    id           TEXT NOT NULL,
    purpose      TEXT NOT NULL,
    channel      TEXT NOT NULL,
    granted      BOOLEAN NOT NULL,
    whole        BOOLEAN NOT NULL,
    at           BIGINT NOT NULL,
    received     BIGINT NOT NULL,
    source       TEXT NOT NULL,
    text_version BIGINT NOT NULL,
    locale       TEXT NOT NULL,
    evidence     BYTEA,
    made_by      TEXT NOT NULL,
    PRIMARY KEY (entity, record_id, id)
);
CREATE INDEX customer_consent_recent ON customer_consent (entity, received);

-- Records whose use is held back: by a subject request or a legal hold.
CREATE TABLE customer_restriction (
    entity    TEXT NOT NULL,
    record_id TEXT NOT NULL,
    id        TEXT NOT NULL,
    reason    TEXT NOT NULL,
    since     BIGINT NOT NULL,
    until     BIGINT,
    PRIMARY KEY (entity, record_id, id)
);

-- The contact policy of the bank, version by version.
CREATE TABLE customer_policy (
    entity     TEXT NOT NULL,
    version    BIGINT NOT NULL,
    body       JSONB NOT NULL,
    note       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (entity, version)
);

-- Contacts that were reserved, and those that were refused with every rule's word.
CREATE TABLE customer_contact (
    entity         TEXT NOT NULL,
    record_id      TEXT NOT NULL,
    ref            TEXT NOT NULL,
    kind           TEXT NOT NULL,
    channel        TEXT NOT NULL,
    purpose        TEXT NOT NULL,
    priority       BIGINT NOT NULL,
    at             BIGINT NOT NULL,
    state          TEXT NOT NULL,
    reasons        JSONB NOT NULL,
    policy_version BIGINT NOT NULL,
    decided_at     BIGINT NOT NULL,
    made_by        TEXT NOT NULL,
    PRIMARY KEY (entity, record_id, ref)
);
CREATE INDEX customer_contact_at ON customer_contact (entity, record_id, at) WHERE state = 'reserved';
CREATE INDEX customer_contact_recent ON customer_contact (entity, state, decided_at);

-- Why a customer is left alone: an open case, a complaint, a vulnerability.
CREATE TABLE customer_exclusion (
    entity    TEXT NOT NULL,
    record_id TEXT NOT NULL,
    kind      TEXT NOT NULL,
    ref       TEXT NOT NULL,
    since     BIGINT NOT NULL,
    until     BIGINT,
    made_by   TEXT NOT NULL,
    PRIMARY KEY (entity, record_id, kind, ref)
);

-- +goose Down
DROP TABLE customer_exclusion;
DROP TABLE customer_contact;
DROP TABLE customer_policy;
DROP TABLE customer_restriction;
DROP TABLE customer_consent;
DROP TABLE customer_purpose;
