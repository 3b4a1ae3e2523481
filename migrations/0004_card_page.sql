-- +goose Up
-- The card page asks for a consumer's rewards by what became of them: however many
-- were given back, they are not looked at.

-- The latest rewards that were taken.
CREATE INDEX redemptions_taken_idx ON redemptions (person_id, requested_at DESC, id DESC) WHERE status IN ('requested', 'delivered');
-- How many of a reward, of which one may take only so many.
CREATE INDEX redemptions_counted_idx ON redemptions (person_id, reward_id) WHERE status IN ('requested', 'delivered');
-- Those that wait at the counter.
CREATE INDEX redemptions_waiting_idx ON redemptions (person_id, id) WHERE status = 'requested';

-- +goose Down
DROP INDEX redemptions_taken_idx, redemptions_counted_idx, redemptions_waiting_idx;
