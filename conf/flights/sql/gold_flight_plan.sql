-- Every scheduled flight with what its schedule alone says: calendar, how busy the airports are meant
-- to be around it, and the aircraft's rotation. Its outcome stands beside, as the label.
--
-- Nothing here but the label's columns looks at what happened: the counts and the rotation are made
-- of scheduled times. Only flights from the three origins are in the drops, so an aircraft's leg back
-- to New York is not; `turnaround` says how much time the plan leaves for it.
WITH holidays (holiday) AS (
  VALUES
    (DATE'2013-01-01'), (DATE'2013-01-21'), (DATE'2013-02-18'), (DATE'2013-05-27'), (DATE'2013-07-04'),
    (DATE'2013-09-02'), (DATE'2013-10-14'), (DATE'2013-11-11'), (DATE'2013-11-28'), (DATE'2013-12-25'),
    (DATE'2014-01-01')
),
calendar AS (
  -- Days to the nearest holiday: below 0 before it, above 0 after it, 10 at most either way.
  SELECT d.flight_date, greatest(-10, least(10, min_by(
    datediff(d.flight_date, h.holiday), struct(abs(datediff(d.flight_date, h.holiday)), h.holiday)))) AS holiday_days
  FROM (SELECT DISTINCT flight_date FROM silver.flights) AS d CROSS JOIN holidays AS h
  GROUP BY d.flight_date
),
flights AS (
  SELECT
    flight_date, carrier, flight, origin, dest, tailnum, distance, sched_dep, sched_arr, sched_dep_minute,
    sched_arr_minute, departed_at, arrived_at, dep_delay, arr_delay, cancelled, diverted, outcome_known_at,
    concat_ws('-', carrier, flight, origin, flight_date) AS leg,
    unix_seconds(sched_dep) div 60 AS dep_at,
    unix_seconds(sched_arr) div 60 AS arr_at
  FROM silver.flights
),
busy AS (
  -- Differences of running counts: a sliding frame would count every flight of its hour again.
  SELECT
    *,
    count(*) OVER (PARTITION BY origin ORDER BY dep_at RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
      - count(*) OVER (PARTITION BY origin ORDER BY dep_at RANGE BETWEEN UNBOUNDED PRECEDING AND 181 PRECEDING)
      AS origin_before,
    count(*) OVER (PARTITION BY origin ORDER BY dep_at RANGE BETWEEN UNBOUNDED PRECEDING AND 30 FOLLOWING)
      - count(*) OVER (PARTITION BY origin ORDER BY dep_at RANGE BETWEEN UNBOUNDED PRECEDING AND 31 PRECEDING)
      AS origin_around
  FROM flights
),
rotation AS (
  SELECT
    *,
    lag(leg) OVER chain AS before_leg,
    lag(dep_at) OVER chain AS before_dep,
    lag(arr_at) OVER chain AS before_arr
  FROM busy
  WINDOW chain AS (PARTITION BY tailnum ORDER BY dep_at, arr_at, leg)
),
near AS (
  -- A leg more than a day away says nothing of this one, and flights without a tail number share none.
  SELECT
    *,
    tailnum IS NOT NULL AND dep_at - before_dep <= 1440 AS follows
  FROM rotation
)
SELECT /*+ BROADCAST(c) */
  n.flight_date,
  n.carrier,
  n.flight,
  n.origin,
  n.dest,
  concat(n.origin, '-', n.dest) AS route,
  n.tailnum,
  n.distance,
  n.sched_dep,
  n.sched_arr,
  cast(n.arr_at - n.dep_at AS int) AS sched_minutes,
  n.sched_dep_minute,
  n.sched_arr_minute,
  month(n.flight_date) AS month,
  weekday(n.flight_date) AS weekday,
  c.holiday_days,
  n.origin_before,
  n.origin_around,
  CASE WHEN n.follows THEN n.before_leg END AS previous_leg,
  CASE WHEN n.follows THEN cast(n.dep_at - n.before_dep AS int) END AS previous_gap,
  CASE WHEN n.follows THEN cast(n.dep_at - n.before_arr - (n.before_arr - n.before_dep) AS int) END AS turnaround,
  n.leg,
  n.departed_at,
  n.arrived_at,
  n.dep_delay,
  n.arr_delay,
  n.cancelled,
  n.diverted,
  n.outcome_known_at
FROM near AS n
INNER JOIN calendar AS c ON c.flight_date = n.flight_date
