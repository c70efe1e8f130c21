-- +goose Up
-- A statement is overtaken when a newer one of the same record speaks of the same
-- purpose, channel and reach. Decisions read those that are not, so that the
-- length of a history costs nothing.
ALTER TABLE customer_consent ADD COLUMN overtaken BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE customer_consent SET overtaken = TRUE WHERE EXISTS (
    SELECT 1 FROM customer_consent n
    WHERE n.entity = customer_consent.entity AND n.record_id = customer_consent.record_id AND n.purpose = customer_consent.purpose
        AND n.channel = customer_consent.channel AND n.whole = customer_consent.whole
        AND (n.at > customer_consent.at OR n.at = customer_consent.at
            AND (customer_consent.granted AND NOT n.granted OR n.granted = customer_consent.granted AND n.id > customer_consent.id)));
CREATE INDEX customer_consent_counting ON customer_consent (entity, record_id) WHERE NOT overtaken;

-- +goose Down
DROP INDEX customer_consent_counting;
ALTER TABLE customer_consent DROP COLUMN overtaken;
