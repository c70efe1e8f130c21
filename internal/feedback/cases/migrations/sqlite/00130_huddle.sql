-- +goose Up
-- what TakeNext reads: open cases that nobody has, the most urgent first
CREATE INDEX cases_case_free ON cases_case (entity, next_due, id, unit) WHERE is_open AND owner = '';
CREATE INDEX cases_file_scan ON cases_file (at, id) WHERE scan = 'waiting' OR scan = 'unscanned';
-- what people found when they sat together over a cluster, and what came of it
ALTER TABLE cases_cluster ADD COLUMN state TEXT NOT NULL DEFAULT 'found';   -- found, agreed, proposed, explained
ALTER TABLE cases_cluster ADD COLUMN agreed TEXT NOT NULL DEFAULT '';       -- root cause that the huddle agreed on
ALTER TABLE cases_cluster ADD COLUMN words BLOB;                            -- what they said, encrypted
ALTER TABLE cases_cluster ADD COLUMN by_actor TEXT NOT NULL DEFAULT '';
ALTER TABLE cases_cluster ADD COLUMN held BIGINT NOT NULL DEFAULT 0;        -- when they sat together

-- +goose Down
ALTER TABLE cases_cluster DROP COLUMN held;
ALTER TABLE cases_cluster DROP COLUMN by_actor;
ALTER TABLE cases_cluster DROP COLUMN words;
ALTER TABLE cases_cluster DROP COLUMN agreed;
ALTER TABLE cases_cluster DROP COLUMN state;
DROP INDEX cases_file_scan;
DROP INDEX cases_case_free;
