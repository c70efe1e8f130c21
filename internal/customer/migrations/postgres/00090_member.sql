-- +goose Up
-- Memberships that hold have no end: they are looked up by their customer, not
-- among the ended ones.
DROP INDEX customer_segment_member_departed;
CREATE INDEX customer_segment_member_departed ON customer_segment_member (entity, segment_id, departed) WHERE departed IS NOT NULL;
DROP INDEX customer_segment_customer_due;
CREATE INDEX customer_segment_customer_due ON customer_segment_customer (entity, due) WHERE due IS NOT NULL;

-- +goose Down
DROP INDEX customer_segment_member_departed;
CREATE INDEX customer_segment_member_departed ON customer_segment_member (entity, segment_id, departed);
DROP INDEX customer_segment_customer_due;
CREATE INDEX customer_segment_customer_due ON customer_segment_customer (entity, due);
