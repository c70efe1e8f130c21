-- +goose Up
-- Accounts of one human being share a value; empty: the account stands alone.
ALTER TABLE auth_account ADD COLUMN person TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE auth_account DROP COLUMN person;
