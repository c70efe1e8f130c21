-- +goose Up
-- Versions of segments. A version's definition never changes; only its status does.
CREATE TABLE customer_segment_version (
    entity     TEXT NOT NULL,
    segment_id TEXT NOT NULL,
    version    BIGINT NOT NULL,
    status     TEXT NOT NULL,
    origin     TEXT NOT NULL,
    definition JSON_TEXT NOT NULL,
    -- The rules with all they refer to written out, as text; '' until it runs.
    enters     TEXT NOT NULL,
    leaves     TEXT NOT NULL,
    fill_id    TEXT NOT NULL,
    reason     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    live_at    BIGINT,
    PRIMARY KEY (entity, segment_id, version)
);
CREATE INDEX customer_segment_version_status ON customer_segment_version (entity, status);

-- Which set of rules runs: version rises with every change of it. features says
-- since which version each feature is kept, so that what a record remembers of an
-- earlier life of a rule is not taken for the present one.
CREATE TABLE customer_segment_set (
    entity   TEXT NOT NULL,
    version  BIGINT NOT NULL,
    features JSON_TEXT NOT NULL,
    PRIMARY KEY (entity)
);

-- The version of the identity graph that memberships have followed.
CREATE TABLE customer_segment_graph (
    entity  TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (entity)
);

-- Versions that take up history. positions are the log positions up to which the
-- warehouse answers for the facts of the features; filled and evaluated are how
-- far the records are done.
CREATE TABLE customer_segment_fill (
    entity     TEXT NOT NULL,
    id         TEXT NOT NULL,
    positions  JSON_TEXT NOT NULL,
    features   JSON_TEXT NOT NULL,
    filled     TEXT NOT NULL,
    evaluated  TEXT NOT NULL,
    phase      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (entity, id)
);

-- What each source record remembers for the rules that run, and for which
-- customer (holder) it was last counted.
CREATE TABLE customer_segment_record (
    entity    TEXT NOT NULL,
    record_id TEXT NOT NULL,
    holder    TEXT NOT NULL,
    state     BLOB,
    PRIMARY KEY (entity, record_id)
);

-- What a customer belongs to, in short, and when at the earliest that may change
-- by time alone.
CREATE TABLE customer_segment_customer (
    entity      TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    standing    BLOB,
    due         BIGINT,
    PRIMARY KEY (entity, customer_id)
);
CREATE INDEX customer_segment_customer_due ON customer_segment_customer (entity, due);

-- Who belonged to which segment from when until when.
CREATE TABLE customer_segment_member (
    entity      TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    segment_id  TEXT NOT NULL,
    entered     BIGINT NOT NULL,
    departed    BIGINT,
    version     BIGINT NOT NULL,
    cause       TEXT NOT NULL,
    ended_by    TEXT NOT NULL,
    PRIMARY KEY (entity, customer_id, segment_id, entered)
);
CREATE INDEX customer_segment_member_now ON customer_segment_member (entity, segment_id, customer_id) WHERE departed IS NULL;
CREATE INDEX customer_segment_member_departed ON customer_segment_member (entity, segment_id, departed);

-- Sizes over time. observed: counted then; computed: today's rule read over the
-- warehouse's facts as of then.
CREATE TABLE customer_segment_size (
    entity     TEXT NOT NULL,
    segment_id TEXT NOT NULL,
    at         BIGINT NOT NULL,
    members    BIGINT NOT NULL,
    unknown    BIGINT NOT NULL,
    customers  BIGINT NOT NULL,
    observed   BOOLEAN NOT NULL,
    PRIMARY KEY (entity, segment_id, at)
);

-- How many customers two segments share, and how many moved between the states of
-- a group; a row of figures by kind.
CREATE TABLE customer_segment_pair (
    entity  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    first   TEXT NOT NULL,
    second  TEXT NOT NULL,
    n       BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (entity, kind, first, second)
);

-- Audiences: a segment for a use, over a channel, with a hold-out.
CREATE TABLE customer_segment_audience (
    entity     TEXT NOT NULL,
    id         TEXT NOT NULL,
    body       JSON_TEXT NOT NULL,
    figures    JSON_TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (entity, id)
);

-- +goose Down
DROP TABLE customer_segment_audience;
DROP TABLE customer_segment_pair;
DROP TABLE customer_segment_size;
DROP TABLE customer_segment_member;
DROP TABLE customer_segment_customer;
DROP TABLE customer_segment_record;
DROP TABLE customer_segment_fill;
DROP TABLE customer_segment_graph;
DROP TABLE customer_segment_set;
DROP TABLE customer_segment_version;
