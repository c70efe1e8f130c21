-- +goose Up
-- Links that hold have no end. Indexed among the ended ones they led every look-up
-- of a record through all of them.
DROP INDEX customer_link_to;
CREATE INDEX customer_link_to ON customer_link (entity, to_version) WHERE to_version IS NOT NULL;

-- +goose Down
DROP INDEX customer_link_to;
CREATE INDEX customer_link_to ON customer_link (entity, to_version);
