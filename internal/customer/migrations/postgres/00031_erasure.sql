-- +goose Up
-- Why a record must be kept although its person wants it gone.
CREATE TABLE customer_hold (
    entity    TEXT NOT NULL,
    record_id TEXT NOT NULL,
    id        TEXT NOT NULL,
    reason    TEXT NOT NULL,
    basis     TEXT NOT NULL,
    since     BIGINT NOT NULL,
    review_at BIGINT NOT NULL,
    until     BIGINT,
    made_by   TEXT NOT NULL,
    ended_by  TEXT NOT NULL,
    PRIMARY KEY (entity, record_id, id)
);
CREATE INDEX customer_hold_id ON customer_hold (entity, id);

-- Erasures with their certificates. They name persons by pseudonyms alone and are
-- what a restored back-up is erased by again.
CREATE TABLE customer_erasure (
    entity      TEXT NOT NULL,
    id          TEXT NOT NULL,
    request_id  TEXT NOT NULL,
    reason      TEXT NOT NULL,
    state       TEXT NOT NULL,
    records     JSONB NOT NULL,
    marks       JSONB NOT NULL,
    held        JSONB NOT NULL,
    lines       JSONB NOT NULL,
    at          BIGINT NOT NULL,
    made_by     TEXT NOT NULL,
    finished_at BIGINT,
    again_at    BIGINT,
    PRIMARY KEY (entity, id)
);
CREATE INDEX customer_erasure_recent ON customer_erasure (entity, at);

-- What persons asked for under data-protection law.
CREATE TABLE customer_request (
    entity        TEXT NOT NULL,
    id            TEXT NOT NULL,
    record_id     TEXT NOT NULL,
    kind          TEXT NOT NULL,
    state         TEXT NOT NULL,
    jurisdiction  TEXT NOT NULL,
    intake        TEXT NOT NULL,
    locale        TEXT NOT NULL,
    third_party   BOOLEAN NOT NULL,
    received_at   BIGINT NOT NULL,
    checked_at    BIGINT,
    check_method  TEXT NOT NULL,
    checked_by    TEXT NOT NULL,
    reply_due     BIGINT,
    replied_at    BIGINT,
    done_due      BIGINT,
    extended_from BIGINT,
    done_at       BIGINT,
    outcome       TEXT NOT NULL,
    rules         TEXT NOT NULL,
    erasure_id    TEXT NOT NULL,
    wish          BYTEA,
    answer        BYTEA,
    made_by       TEXT NOT NULL,
    PRIMARY KEY (entity, id)
);
CREATE INDEX customer_request_open ON customer_request (entity, state, done_due);
CREATE INDEX customer_request_record ON customer_request (entity, record_id);

-- What was done about a request, in order.
CREATE TABLE customer_request_step (
    entity     TEXT NOT NULL,
    request_id TEXT NOT NULL,
    id         TEXT NOT NULL,
    act        TEXT NOT NULL,
    note       BYTEA,
    at         BIGINT NOT NULL,
    made_by    TEXT NOT NULL,
    PRIMARY KEY (entity, request_id, id)
);

-- How long each kind of data is kept; versions, the newest counts.
CREATE TABLE customer_retention (
    entity     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    version    BIGINT NOT NULL,
    days       BIGINT NOT NULL,
    basis      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (entity, kind, version)
);

-- What the nightly run took away.
CREATE TABLE customer_retention_run (
    entity TEXT NOT NULL,
    kind   TEXT NOT NULL,
    at     BIGINT NOT NULL,
    before BIGINT NOT NULL,
    n      BIGINT NOT NULL,
    PRIMARY KEY (entity, kind, at)
);

-- +goose Down
DROP TABLE customer_retention_run;
DROP TABLE customer_retention;
DROP TABLE customer_request_step;
DROP TABLE customer_request;
DROP TABLE customer_erasure;
DROP TABLE customer_hold;
