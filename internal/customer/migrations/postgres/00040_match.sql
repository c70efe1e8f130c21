-- +goose Up
-- What was learnt about how records of one person differ. The newest version counts.
CREATE TABLE customer_match_model (
    entity    TEXT NOT NULL,
    version   BIGINT NOT NULL,
    model     BYTEA,
    records   BIGINT NOT NULL,
    people    BIGINT NOT NULL,
    merged    BIGINT NOT NULL,
    waiting   BIGINT NOT NULL,
    coverage  DOUBLE PRECISION NOT NULL,
    upper     DOUBLE PRECISION NOT NULL,
    lower     DOUBLE PRECISION NOT NULL,
    at        BIGINT NOT NULL,
    made_by   TEXT NOT NULL,
    ready     BOOLEAN NOT NULL,
    PRIMARY KEY (entity, version)
);

-- Blind blocking keys: records with one in common are compared.
CREATE TABLE customer_match_key (
    entity    TEXT NOT NULL,
    key_ix    TEXT NOT NULL,
    record_id TEXT NOT NULL,
    version   BIGINT NOT NULL,
    PRIMARY KEY (entity, key_ix, record_id)
);
CREATE INDEX customer_match_key_record ON customer_match_key (record_id);

-- Records that stated something new and are to be compared.
CREATE TABLE customer_match_due (
    entity    TEXT NOT NULL,
    record_id TEXT NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (entity, record_id)
);
CREATE INDEX customer_match_due_at ON customer_match_due (entity, at);

-- Pairs that may be one person, for a steward, and what became of them.
CREATE TABLE customer_match_pair (
    entity      TEXT NOT NULL,
    record_a    TEXT NOT NULL,
    record_b    TEXT NOT NULL,
    id          TEXT NOT NULL,
    state       TEXT NOT NULL,
    score       DOUBLE PRECISION NOT NULL,
    probability DOUBLE PRECISION NOT NULL,
    version     BIGINT NOT NULL,
    origin      TEXT NOT NULL,
    found_at    BIGINT NOT NULL,
    answered_at BIGINT,
    answered_by TEXT NOT NULL,
    act         TEXT NOT NULL,
    PRIMARY KEY (entity, record_a, record_b)
);
CREATE INDEX customer_match_pair_id ON customer_match_pair (entity, id);
CREATE INDEX customer_match_pair_b ON customer_match_pair (entity, record_b);
CREATE INDEX customer_match_pair_state ON customer_match_pair (entity, state, probability);

-- +goose Down
DROP TABLE customer_match_pair;
DROP TABLE customer_match_due;
DROP TABLE customer_match_key;
DROP TABLE customer_match_model;
