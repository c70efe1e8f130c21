-- +goose Up
-- The systems whose records are known.
CREATE TABLE customer_system (
    entity TEXT NOT NULL,
    system TEXT NOT NULL,
    PRIMARY KEY (entity, system)
);
INSERT INTO customer_system (entity, system) SELECT DISTINCT entity, system FROM customer_record WHERE NOT anonymous;

-- Words of names and endings of numbers, each a keyed hash, with how many records
-- have it: a search begins with the rarest.
CREATE TABLE customer_token (
    entity TEXT NOT NULL,
    id     BIGINT NOT NULL,
    entry  TEXT NOT NULL,
    n      BIGINT NOT NULL,
    PRIMARY KEY (entity, id)
) WITHOUT ROWID;
CREATE INDEX customer_token_entry ON customer_token (entry);

-- Which records have a token. Both numbers are hashes.
CREATE TABLE customer_posting (
    token  BIGINT NOT NULL,
    record BIGINT NOT NULL,
    PRIMARY KEY (token, record)
) WITHOUT ROWID;

CREATE INDEX customer_posting_record ON customer_posting (record);

-- The record behind a number of customer_posting.
CREATE TABLE customer_indexed (
    record    BIGINT NOT NULL,
    entity    TEXT NOT NULL,
    record_id TEXT NOT NULL,
    PRIMARY KEY (record)
);

-- What each record did, by event: the source of computed attributes.
CREATE TABLE customer_activity (
    entity    TEXT NOT NULL,
    record_id TEXT NOT NULL,
    name      TEXT NOT NULL,
    currency  TEXT NOT NULL,
    n         BIGINT NOT NULL,
    amount    BIGINT NOT NULL,
    first_at  BIGINT NOT NULL,
    last_at   BIGINT NOT NULL,
    PRIMARY KEY (entity, record_id, name, currency)
) WITHOUT ROWID;

-- Who may see a customer's identifiers in full, why, and until when.
CREATE TABLE customer_opened (
    entity      TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    actor       TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    at          BIGINT NOT NULL,
    until       BIGINT NOT NULL,
    PRIMARY KEY (entity, customer_id, actor)
);

-- +goose Down
DROP TABLE customer_opened;
DROP TABLE customer_activity;
DROP TABLE customer_indexed;
DROP TABLE customer_posting;
DROP TABLE customer_token;
DROP TABLE customer_system;
