-- +goose Up
ALTER TABLE survey_response ADD COLUMN same TEXT NOT NULL DEFAULT ''; -- keyed hash of the words; finds those that were written twice
CREATE INDEX survey_response_same ON survey_response (entity, survey, same) WHERE same <> '';

-- +goose Down
DROP INDEX survey_response_same;
ALTER TABLE survey_response DROP COLUMN same;
