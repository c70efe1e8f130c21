-- +goose Up
-- When the record was first heard of (arrival, microseconds): it ranks the
-- records of a customer, so that the oldest lends the customer its id.
ALTER TABLE customer_record ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
-- The unit where the record was last served.
ALTER TABLE customer_record ADD COLUMN unit TEXT NOT NULL DEFAULT '';

-- Since when each trait says what it says, and when it was last confirmed:
-- {"phone": [since, confirmed]} in microseconds.
ALTER TABLE customer_trait ADD COLUMN times TEXT NOT NULL DEFAULT '';

-- What a trait said before, or said late: from when. Encrypted.
CREATE TABLE customer_trait_past (
    entity    TEXT NOT NULL,
    record_id TEXT NOT NULL,
    trait     TEXT NOT NULL,
    from_at   BIGINT NOT NULL,
    value     BLOB,
    PRIMARY KEY (entity, record_id, trait, from_at)
);

-- Identifiers that a record has stated, by rule; each is a keyed hash. A record
-- keeps what it once stated: the evidence of a merge stays after the phone changed.
CREATE TABLE customer_key (
    entity    TEXT NOT NULL,
    rule      TEXT NOT NULL,
    key_ix    TEXT NOT NULL,
    record_id TEXT NOT NULL,
    base_ix   TEXT NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (entity, rule, key_ix, record_id)
) WITHOUT ROWID;
CREATE INDEX customer_key_record ON customer_key (entity, record_id);
CREATE INDEX customer_key_base ON customer_key (base_ix);

-- Identifiers that do not link: too many records hold them, or their holders contradict.
CREATE TABLE customer_shared (
    entity  TEXT NOT NULL,
    rule    TEXT NOT NULL,
    key_ix  TEXT NOT NULL,
    why     TEXT NOT NULL,
    holders BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (entity, rule, key_ix)
);

-- Why two records are one person. Edges end; they are never rewritten.
CREATE TABLE customer_edge (
    entity       TEXT NOT NULL,
    record_a     TEXT NOT NULL,
    record_b     TEXT NOT NULL,
    reason       TEXT NOT NULL,
    evidence     TEXT NOT NULL,
    from_version BIGINT NOT NULL,
    to_version   BIGINT,
    detail       TEXT NOT NULL,
    act          TEXT NOT NULL,
    ended_act    TEXT NOT NULL,
    made_by      TEXT NOT NULL,
    at           BIGINT NOT NULL,
    ended_at     BIGINT,
    PRIMARY KEY (entity, record_a, record_b, reason, evidence, from_version)
);
CREATE INDEX customer_edge_b ON customer_edge (entity, record_b);
CREATE INDEX customer_edge_evidence ON customer_edge (evidence);
CREATE INDEX customer_edge_act ON customer_edge (act);
CREATE INDEX customer_edge_ended_act ON customer_edge (ended_act);

-- Pairs that somebody said are two people.
CREATE TABLE customer_reject (
    entity       TEXT NOT NULL,
    record_a     TEXT NOT NULL,
    record_b     TEXT NOT NULL,
    from_version BIGINT NOT NULL,
    to_version   BIGINT,
    act          TEXT NOT NULL,
    ended_act    TEXT NOT NULL,
    PRIMARY KEY (entity, record_a, record_b, from_version)
);
CREATE INDEX customer_reject_b ON customer_reject (entity, record_b);
CREATE INDEX customer_reject_act ON customer_reject (act);
CREATE INDEX customer_reject_ended_act ON customer_reject (ended_act);

-- Merges that were proposed by evidence and not made, and why.
CREATE TABLE customer_refused (
    entity   TEXT NOT NULL,
    record_a TEXT NOT NULL,
    record_b TEXT NOT NULL,
    reason   TEXT NOT NULL,
    evidence TEXT NOT NULL,
    detail   TEXT NOT NULL,
    why      TEXT NOT NULL,
    made_by  TEXT NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (entity, record_a, record_b, reason, evidence)
);
CREATE INDEX customer_refused_b ON customer_refused (entity, record_b);

-- What people decided about identity, and whether it was taken back.
CREATE TABLE customer_act (
    entity         TEXT NOT NULL,
    id             TEXT NOT NULL,
    kind           TEXT NOT NULL,
    version        BIGINT NOT NULL,
    reason         TEXT NOT NULL,
    made_by        TEXT NOT NULL,
    at             BIGINT NOT NULL,
    undone_version BIGINT,
    undone_reason  TEXT NOT NULL,
    undone_by      TEXT NOT NULL,
    undone_at      BIGINT,
    PRIMARY KEY (entity, id)
);
CREATE TABLE customer_act_record (
    entity    TEXT NOT NULL,
    act       TEXT NOT NULL,
    record_id TEXT NOT NULL,
    side      BIGINT NOT NULL,
    PRIMARY KEY (entity, act, record_id)
);
CREATE INDEX customer_act_record_record ON customer_act_record (entity, record_id);

-- +goose Down
DROP TABLE customer_act_record;
DROP TABLE customer_act;
DROP TABLE customer_refused;
DROP TABLE customer_reject;
DROP TABLE customer_edge;
DROP TABLE customer_shared;
DROP TABLE customer_key;
DROP TABLE customer_trait_past;
ALTER TABLE customer_trait DROP COLUMN times;
ALTER TABLE customer_record DROP COLUMN unit;
ALTER TABLE customer_record DROP COLUMN since;
