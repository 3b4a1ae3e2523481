-- The least SQL that a turn needs: what the person wrote, durable before it is
-- acknowledged; the answer, in the commit that takes the message as done; the
-- delivery, noted. Three statements, since each has to be durable before the next
-- thing may happen. They look for no repeat, lock nothing and read nothing.
\set n :n + 1000
\set head :begin + :n
\set t1 random(1000000000000000, 9999999999999999)
\set t2 random(1000000000000000, 9999999999999999)
\set card random(0, {{cards}} - 1)
\set person {{first_person}} + :card
\set address {{first_other}} + :card
\set phone 525510000000 + :card
WITH message AS (
  INSERT INTO inbox (id, channel, address_id, message_id, person_id, kind, text, trace_id, received_at)
  VALUES ((:head::text || :t1::text)::uuid, 'sim', ('{{id_prefix}}' || :address::text)::uuid, '3EB0' || :t1::text || '01',
    ('{{id_prefix}}' || :person::text)::uuid, 'text', '{{text}}', :trace, now())
), person AS (
  UPDATE persons SET last_wrote_at = now() WHERE id = ('{{id_prefix}}' || :person::text)::uuid
)
INSERT INTO sim_messages (chat, direction, message_id, text, at)
VALUES ('+' || :phone::text, 'in', '3EB0' || :t1::text || '01', '{{text}}', now());
WITH done AS (
  UPDATE inbox SET status = 'done', done_at = now() WHERE id = (:head::text || :t1::text)::uuid
), conversation AS (
  UPDATE conversations SET session = :session, updated_at = now() WHERE person_id = ('{{id_prefix}}' || :person::text)::uuid
)
INSERT INTO outbox (id, person_id, channel, address_id, message_id, lane, body, inbox_id, trace_id, created_at, due_at)
VALUES ((:head::text || :t2::text)::uuid, ('{{id_prefix}}' || :person::text)::uuid, 'sim', ('{{id_prefix}}' || :address::text)::uuid,
  '3EB0' || :t2::text || '02', 'reply', :body, (:head::text || :t1::text)::uuid, :trace, now(), now());
WITH sent AS (
  UPDATE outbox SET status = 'sent', sent_at = now(), attempts = 1 WHERE id = (:head::text || :t2::text)::uuid
)
INSERT INTO sim_messages (chat, direction, message_id, text, at)
VALUES ('+' || :phone::text, 'out', '3EB0' || :t2::text || '02', :body, now());
