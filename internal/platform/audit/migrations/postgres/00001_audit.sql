-- +goose Up
CREATE TABLE audit_entry (
	id TEXT NOT NULL PRIMARY KEY,
	at BIGINT NOT NULL,
	entity TEXT NOT NULL,
	unit TEXT NOT NULL,
	actor TEXT NOT NULL,
	purpose TEXT NOT NULL,
	action TEXT NOT NULL,
	object TEXT NOT NULL,
	reason TEXT NOT NULL,
	changed TEXT NOT NULL,  -- names of changed fields, separated by commas
	before_digest TEXT NOT NULL,
	after_digest TEXT NOT NULL,
	batch BIGINT            -- set once, by the sealer
);
CREATE INDEX audit_entry_batch ON audit_entry (batch, id);
CREATE INDEX audit_entry_entity ON audit_entry (entity, id);
CREATE INDEX audit_entry_object ON audit_entry (entity, object, id);
CREATE INDEX audit_entry_actor ON audit_entry (entity, actor, id);
CREATE TABLE audit_head (
	no BIGINT NOT NULL PRIMARY KEY,
	at BIGINT NOT NULL,
	first_id TEXT NOT NULL,
	last_id TEXT NOT NULL,
	entries BIGINT NOT NULL,
	root TEXT NOT NULL,
	previous TEXT NOT NULL,
	hash TEXT NOT NULL,
	key_id TEXT NOT NULL,
	signature TEXT NOT NULL
);
-- +goose StatementBegin
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'audit rows cannot be changed or deleted'; END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_entry_insert BEFORE INSERT ON audit_entry FOR EACH ROW WHEN (NEW.batch IS NOT NULL) EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_entry_update BEFORE UPDATE ON audit_entry FOR EACH ROW
WHEN (OLD.batch IS NOT NULL OR NEW.batch IS NULL OR NEW.id <> OLD.id OR NEW.at <> OLD.at OR NEW.entity <> OLD.entity OR NEW.unit <> OLD.unit
	OR NEW.actor <> OLD.actor OR NEW.purpose <> OLD.purpose OR NEW.action <> OLD.action OR NEW.object <> OLD.object
	OR NEW.reason <> OLD.reason OR NEW.changed <> OLD.changed OR NEW.before_digest <> OLD.before_digest OR NEW.after_digest <> OLD.after_digest)
EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_entry_delete BEFORE DELETE OR TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_head_update BEFORE UPDATE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_head_delete BEFORE DELETE OR TRUNCATE ON audit_head FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

-- +goose Down
DROP TABLE audit_head;
DROP TABLE audit_entry;
DROP FUNCTION audit_refuse();
