-- +goose Up
-- A campaign's results at a glance: what a campaign's life adds up to is read from
-- one row a day, however much was sold on it.
CREATE TABLE campaign_daily (
  campaign_id   uuid NOT NULL REFERENCES campaigns,
  day           date NOT NULL,    -- of the shops' time zones
  consumers     bigint NOT NULL,  -- people who bought on that day: days do not add up
  purchases     bigint NOT NULL,
  given         bigint NOT NULL,
  completed     bigint NOT NULL,
  units         bigint NOT NULL,
  revenue_cents bigint NOT NULL,
  estimated_cents bigint NOT NULL,
  PRIMARY KEY (campaign_id, day)
);

-- How many purchases of that day brought the balance to the goal.
ALTER TABLE activity_daily ADD COLUMN completed bigint NOT NULL DEFAULT 0;
UPDATE activity_daily a SET completed = n.completed FROM (
  SELECT l.campaign_id, (p.occurred_at AT TIME ZONE s.time_zone)::date AS day, p.shop_id, p.person_id, count(*) AS completed
  FROM ledger l JOIN campaigns c ON c.id = l.campaign_id JOIN purchases p ON p.id = l.purchase_id JOIN shops s ON s.id = p.shop_id
  WHERE l.kind = 'earn' AND l.unit = CASE c.scheme WHEN 'points' THEN 'point' ELSE 'stamp' END AND p.status <> 'reversed'
    AND l.balance >= c.goal AND l.balance - l.amount < c.goal
  GROUP BY 1, 2, 3, 4) n
WHERE (a.campaign_id, a.day, a.shop_id, a.person_id) = (n.campaign_id, n.day, n.shop_id, n.person_id);

INSERT INTO campaign_daily
SELECT a.campaign_id, a.day, a.consumers, a.purchases, a.given, a.completed, s.units, s.revenue, s.estimated
FROM (SELECT campaign_id, day, count(DISTINCT person_id) AS consumers, sum(purchases) AS purchases, sum(given) AS given, sum(completed) AS completed
  FROM activity_daily GROUP BY 1, 2) a
JOIN (SELECT campaign_id, day, sum(units) AS units, sum(revenue_cents) AS revenue, sum(estimated_cents) AS estimated
  FROM sales_daily GROUP BY 1, 2) s USING (campaign_id, day);

-- Who joined a campaign, by when; of persons who turned out to be one, once.
CREATE INDEX enrollments_joined_idx ON enrollments (campaign_id, created_at, person_id) WHERE merged_into IS NULL;
-- What was asked for, by when; what was handed out stands in redemptions_campaign_idx.
CREATE INDEX redemptions_requested_idx ON redemptions (campaign_id, requested_at);

-- +goose Down
DROP INDEX enrollments_joined_idx, redemptions_requested_idx;
ALTER TABLE activity_daily DROP COLUMN completed;
DROP TABLE campaign_daily;
