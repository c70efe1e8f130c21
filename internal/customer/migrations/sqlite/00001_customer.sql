-- +goose Up
-- What each source system's record did, by the record's pseudonym. A customer's
-- figures are the sum over their records.
CREATE TABLE customer_record (
    entity       TEXT NOT NULL,
    record_id    TEXT NOT NULL,
    system       TEXT NOT NULL,
    anonymous    BOOLEAN NOT NULL,
    external     BLOB,
    external_ix  TEXT NOT NULL,
    first_seen   BIGINT NOT NULL,
    last_seen    BIGINT NOT NULL,
    events       BIGINT NOT NULL,
    last_event   TEXT NOT NULL,
    last_channel TEXT NOT NULL,
    last_journey TEXT NOT NULL,
    PRIMARY KEY (entity, record_id)
);
CREATE INDEX customer_record_external ON customer_record (external_ix);

-- What a record says of its person: a JSON object, encrypted.
CREATE TABLE customer_trait (
    entity    TEXT NOT NULL,
    record_id TEXT NOT NULL,
    traits    BLOB,
    stated_at BIGINT NOT NULL,
    PRIMARY KEY (entity, record_id)
);

-- Which customer a record belongs to, where that is not the record itself. Links
-- end; they are never rewritten.
CREATE TABLE customer_link (
    entity       TEXT NOT NULL,
    record_id    TEXT NOT NULL,
    customer_id  TEXT NOT NULL,
    from_version BIGINT NOT NULL,
    to_version   BIGINT,
    reason       TEXT NOT NULL,
    made_by      TEXT NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (entity, record_id, customer_id, from_version)
);
CREATE INDEX customer_link_from ON customer_link (entity, from_version);
CREATE INDEX customer_link_to ON customer_link (entity, to_version);
CREATE INDEX customer_link_customer ON customer_link (entity, customer_id);

CREATE TABLE customer_graph (
    entity  TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (entity)
);

-- +goose Down
DROP TABLE customer_graph;
DROP TABLE customer_link;
DROP TABLE customer_trait;
DROP TABLE customer_record;
