-- +goose Up
-- A person is found by the last digits of their phone, however many there are.
CREATE INDEX addresses_digits_idx ON addresses (right(address, 4)) WHERE kind = 'phone';
-- Open cases of one person, on the page of their conversation.
CREATE INDEX cases_person_idx ON cases (person_id, id);

-- +goose Down
DROP INDEX addresses_digits_idx, cases_person_idx;
