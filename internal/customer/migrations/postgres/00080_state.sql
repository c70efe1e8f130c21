-- +goose Up
-- All that changes with every event of a record, in one row: what it did (a line in
-- all and a line a name, fields apart by tabs) and what the rules of segments
-- remember of it. The record itself is written once.
CREATE TABLE customer_state (
    entity    TEXT NOT NULL,
    record_id TEXT NOT NULL,
    did       TEXT NOT NULL,
    holder    TEXT NOT NULL,
    rules     BYTEA,
    PRIMARY KEY (entity, record_id)
);
INSERT INTO customer_state (entity, record_id, did, holder, rules)
SELECT r.entity, r.record_id,
    CAST(r.first_seen AS TEXT) || chr(9) || CAST(r.last_seen AS TEXT) || chr(9) || CAST(r.events AS TEXT) || chr(9) || replace(replace(replace(r.last_event, chr(9), ' '), chr(10), ' '), chr(13), ' ') || chr(9) || replace(replace(replace(r.last_channel, chr(9), ' '), chr(10), ' '), chr(13), ' ')
        || chr(9) || replace(replace(replace(r.last_journey, chr(9), ' '), chr(10), ' '), chr(13), ' ') || chr(9) || replace(replace(replace(r.unit, chr(9), ' '), chr(10), ' '), chr(13), ' ') || COALESCE(a.deeds, ''),
    COALESCE(s.holder, ''), s.state
FROM customer_record r
LEFT JOIN (SELECT entity, record_id, string_agg(chr(10) || replace(replace(replace(name, chr(9), ' '), chr(10), ' '), chr(13), ' ') || chr(9) || replace(replace(replace(currency, chr(9), ' '), chr(10), ' '), chr(13), ' ') || chr(9) || CAST(n AS TEXT) || chr(9) || CAST(amount AS TEXT) || chr(9) || CAST(last_at AS TEXT), '') AS deeds FROM customer_activity GROUP BY entity, record_id) a
    ON a.entity = r.entity AND a.record_id = r.record_id
LEFT JOIN customer_segment_record s ON s.entity = r.entity AND s.record_id = r.record_id
WHERE r.events > 0;
INSERT INTO customer_state (entity, record_id, did, holder, rules)
SELECT s.entity, s.record_id, '', s.holder, s.state FROM customer_segment_record s
WHERE NOT EXISTS (SELECT 1 FROM customer_state c WHERE c.entity = s.entity AND c.record_id = s.record_id);
DROP TABLE customer_activity;
DROP TABLE customer_segment_record;
ALTER TABLE customer_record DROP COLUMN first_seen;
ALTER TABLE customer_record DROP COLUMN last_seen;
ALTER TABLE customer_record DROP COLUMN events;
ALTER TABLE customer_record DROP COLUMN last_event;
ALTER TABLE customer_record DROP COLUMN last_channel;
ALTER TABLE customer_record DROP COLUMN last_journey;
ALTER TABLE customer_record DROP COLUMN unit;

-- +goose Down
-- What records did cannot be taken apart again in SQL: counts begin anew, and the
-- segments must be filled again from the warehouse.
ALTER TABLE customer_record ADD COLUMN first_seen BIGINT NOT NULL DEFAULT 0;
ALTER TABLE customer_record ADD COLUMN last_seen BIGINT NOT NULL DEFAULT 0;
ALTER TABLE customer_record ADD COLUMN events BIGINT NOT NULL DEFAULT 0;
ALTER TABLE customer_record ADD COLUMN last_event TEXT NOT NULL DEFAULT '';
ALTER TABLE customer_record ADD COLUMN last_channel TEXT NOT NULL DEFAULT '';
ALTER TABLE customer_record ADD COLUMN last_journey TEXT NOT NULL DEFAULT '';
ALTER TABLE customer_record ADD COLUMN unit TEXT NOT NULL DEFAULT '';
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
);
CREATE TABLE customer_segment_record (
    entity    TEXT NOT NULL,
    record_id TEXT NOT NULL,
    holder    TEXT NOT NULL,
    state     BYTEA,
    PRIMARY KEY (entity, record_id)
);
INSERT INTO customer_segment_record (entity, record_id, holder, state) SELECT entity, record_id, holder, rules FROM customer_state WHERE holder <> '';
DROP TABLE customer_state;
