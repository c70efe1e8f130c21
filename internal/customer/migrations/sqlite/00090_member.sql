-- +goose Up
-- Memberships that hold have no end. Indexed among the ended ones they led every
-- end of a membership through all members of its segment. Both tables are kept in
-- the order of their keys, so that what a customer enters lies together.
CREATE TABLE customer_segment_member_new (
    entity      TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    segment_id  TEXT NOT NULL,
    entered     BIGINT NOT NULL,
    departed    BIGINT,
    version     BIGINT NOT NULL,
    cause       TEXT NOT NULL,
    ended_by    TEXT NOT NULL,
    PRIMARY KEY (entity, customer_id, segment_id, entered)
) WITHOUT ROWID;
INSERT INTO customer_segment_member_new SELECT entity, customer_id, segment_id, entered, departed, version, cause, ended_by FROM customer_segment_member;
DROP TABLE customer_segment_member;
ALTER TABLE customer_segment_member_new RENAME TO customer_segment_member;
CREATE INDEX customer_segment_member_now ON customer_segment_member (entity, segment_id, customer_id) WHERE departed IS NULL;
CREATE INDEX customer_segment_member_departed ON customer_segment_member (entity, segment_id, departed) WHERE departed IS NOT NULL;

CREATE TABLE customer_segment_customer_new (
    entity      TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    standing    BLOB,
    due         BIGINT,
    PRIMARY KEY (entity, customer_id)
) WITHOUT ROWID;
INSERT INTO customer_segment_customer_new SELECT entity, customer_id, standing, due FROM customer_segment_customer;
DROP TABLE customer_segment_customer;
ALTER TABLE customer_segment_customer_new RENAME TO customer_segment_customer;
CREATE INDEX customer_segment_customer_due ON customer_segment_customer (entity, due) WHERE due IS NOT NULL;

-- +goose Down
DROP INDEX customer_segment_member_departed;
CREATE INDEX customer_segment_member_departed ON customer_segment_member (entity, segment_id, departed);
DROP INDEX customer_segment_customer_due;
CREATE INDEX customer_segment_customer_due ON customer_segment_customer (entity, due);
