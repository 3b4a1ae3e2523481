-- IDs that grow with time, as those of a UUIDv7 do, and so are appended to their
-- indexes: 16 digits of time and 16 drawn ones. pgbench counts and draws them, so
-- that they cost Postgres no more than ours, which come ready.
\set n :n + 1000
\set head :begin + :n
\set t1 random(1000000000000000, 9999999999999999)
\set t2 random(1000000000000000, 9999999999999999)
\set t3 random(1000000000000000, 9999999999999999)
\set card random(0, {{cards}} - 1)
\set person {{first_person}} + :card
\set shop {{first_shop}} + :card % {{shops}}
\set units random(1, {{units}})
\set cents {{price}} * :units
\set points :cents / 100
WITH purchase AS (
  INSERT INTO purchases (id, shop_id, person_id, channel, captured, status, total_cents, actor, receipt, basis, occurred_at, recorded_at)
  VALUES ((:head::text || :t1::text)::uuid, ('{{id_prefix}}' || :shop::text)::uuid, ('{{id_prefix}}' || :person::text)::uuid,
    'api', 'scan', 'recorded', :cents, '{{actor}}', :receipt, :basis, now(), now())
), item AS (
  INSERT INTO purchase_items (purchase_id, line, product_id, quantity, unit_price_cents, price_estimated)
  VALUES ((:head::text || :t1::text)::uuid, 0, '{{product}}', :units, {{price}}, false)
), message AS (
  INSERT INTO outbox (id, person_id, message_id, lane, template, vars, trace_id, created_at, due_at)
  VALUES ((:head::text || :t1::text)::uuid, ('{{id_prefix}}' || :person::text)::uuid,
    '3EB0' || :t1::text || '00', 'receipt', 'receipt.earned', :vars, :trace, now(), now())
), raised AS (
  UPDATE enrollments SET stamps = stamps + CASE campaign_id WHEN '{{stamps}}' THEN :units::bigint ELSE 0 END,
    points = points + CASE campaign_id WHEN '{{stamps}}' THEN 0 ELSE :points::bigint END
  WHERE person_id = ('{{id_prefix}}' || :person::text)::uuid
  RETURNING id, campaign_id, stamps, points
)
INSERT INTO ledger (id, enrollment_id, campaign_id, campaign_version, kind, unit, amount, balance, purchase_id, at)
SELECT (:head::text || CASE campaign_id WHEN '{{stamps}}' THEN :t1::text WHEN '{{points}}' THEN :t2::text ELSE :t3::text END)::uuid, id, campaign_id, 1, 'earn',
  CASE campaign_id WHEN '{{stamps}}' THEN 'stamp' ELSE 'point' END,
  CASE campaign_id WHEN '{{stamps}}' THEN :units::bigint ELSE :points::bigint END,
  CASE campaign_id WHEN '{{stamps}}' THEN stamps ELSE points END,
  (:head::text || :t1::text)::uuid, now()
FROM raised;
