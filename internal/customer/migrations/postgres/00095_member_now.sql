-- +goose Up
-- With their end in it, which is none, the index answers who belongs to a segment
-- by itself; without it SQLite, not PostgreSQL, walked through every membership there ever was.
DROP INDEX customer_segment_member_now;
CREATE INDEX customer_segment_member_now ON customer_segment_member (entity, segment_id, customer_id, departed) WHERE departed IS NULL;

-- +goose Down
DROP INDEX customer_segment_member_now;
CREATE INDEX customer_segment_member_now ON customer_segment_member (entity, segment_id, customer_id) WHERE departed IS NULL;
