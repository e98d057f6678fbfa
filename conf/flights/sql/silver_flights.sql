-- Flights, one row a carrier, number, origin and local date of departure; all times in UTC.
--
-- The drops hold local clocks (HHMM; 2400 is the midnight that ends a day): departures on the
-- origin's clock, arrivals on the destination's, without a date. So a scheduled arrival is the first
-- instant after the scheduled departure at which the destination's clock shows it; what really
-- happened is the schedule plus the delay, and the clocks on the gate are only compared with it.
WITH missing (airport, zone) AS (
  -- Destinations that the airports' register does not list.
  VALUES
    ('BQN', 'America/Puerto_Rico'), ('PSE', 'America/Puerto_Rico'), ('SJU', 'America/Puerto_Rico'),
    ('STT', 'America/St_Thomas')
),
zones AS (
  SELECT airport, zone FROM silver.airports WHERE zone IS NOT NULL
  UNION ALL
  SELECT m.airport, m.zone
  FROM missing AS m
  LEFT ANTI JOIN (SELECT airport FROM silver.airports WHERE zone IS NOT NULL) AS a ON a.airport = m.airport
),
typed AS (
  SELECT
    try_cast(concat(year, '-', month, '-', day) AS date) AS flight_date,
    carrier,
    try_cast(flight AS int) AS flight,
    origin,
    dest,
    nullif(tailnum, 'NA') AS tailnum,
    try_cast(distance AS double) AS distance,
    try_cast(time_hour AS timestamp) AS time_hour,
    try_cast(sched_dep_time AS int) AS sched_dep_clock,
    try_cast(sched_arr_time AS int) AS sched_arr_clock,
    try_cast(dep_time AS int) AS dep_clock,
    try_cast(arr_time AS int) AS arr_clock,
    try_cast(dep_delay AS int) AS dep_delay,
    try_cast(arr_delay AS int) AS arr_delay,
    try_cast(air_time AS int) AS air_time,
    _position
  FROM bronze.flights
),
minutes AS (
  -- Clocks become minutes after midnight, 0 to 1440.
  SELECT
    *,
    cast(flight_date AS timestamp) AS midnight,
    cast(sched_dep_clock div 100 * 60 + sched_dep_clock % 100 AS int) AS sched_dep_minute,
    cast(sched_arr_clock div 100 * 60 + sched_arr_clock % 100 AS int) AS sched_arr_minute,
    cast(dep_clock div 100 * 60 + dep_clock % 100 AS int) AS dep_minute,
    cast(arr_clock div 100 * 60 + arr_clock % 100 AS int) AS arr_minute
  FROM typed
),
departures AS (
  SELECT
    m.*,
    o.zone AS origin_zone,
    d.zone AS dest_zone,
    to_utc_timestamp(m.midnight + make_dt_interval(0, 0, m.sched_dep_minute, 0), o.zone) AS sched_dep,
    to_utc_timestamp(m.midnight + make_dt_interval(0, 0, m.sched_arr_minute, 0), d.zone) AS same_day
  FROM minutes AS m
  LEFT JOIN zones AS o ON o.airport = m.origin
  LEFT JOIN zones AS d ON d.airport = m.dest
),
scheduled AS (
  -- Same date by both clocks; else the next; or the one before, westwards shortly after midnight.
  SELECT
    *,
    CASE
      WHEN same_day <= sched_dep
        THEN to_utc_timestamp(midnight + make_dt_interval(1, 0, sched_arr_minute, 0), dest_zone)
      WHEN same_day > sched_dep + INTERVAL '22' HOUR
        AND to_utc_timestamp(midnight + make_dt_interval(-1, 0, sched_arr_minute, 0), dest_zone) > sched_dep
        THEN to_utc_timestamp(midnight + make_dt_interval(-1, 0, sched_arr_minute, 0), dest_zone)
      ELSE same_day
    END AS sched_arr
  FROM departures
),
happened AS (
  SELECT
    *,
    sched_dep + make_dt_interval(0, 0, dep_delay, 0) AS departed_at,
    sched_arr + make_dt_interval(0, 0, arr_delay, 0) AS arrived_at,
    dep_clock IS NULL AS cancelled,
    dep_clock IS NOT NULL AND arr_delay IS NULL AS diverted
  FROM scheduled
)
SELECT
  flight_date,
  carrier,
  flight,
  origin,
  dest,
  tailnum,
  distance,
  sched_dep,
  sched_arr,
  departed_at,
  arrived_at,
  cast(dep_delay AS double) AS dep_delay,
  cast(arr_delay AS double) AS arr_delay,
  cast(air_time AS double) AS air_time,
  cancelled,
  diverted,
  -- The drops do not say when a cancellation or a diversion was known: late guesses leak nothing.
  CASE
    WHEN cancelled THEN sched_dep + INTERVAL '3' HOUR
    WHEN diverted THEN greatest(sched_arr, departed_at) + INTERVAL '24' HOUR
    ELSE arrived_at
  END AS outcome_known_at,
  time_hour,
  origin_zone,
  dest_zone,
  sched_dep_minute,
  sched_arr_minute,
  -- What the gate's clock showed against schedule plus delay, in minutes; 0 where they agree.
  cast(pmod(dep_minute - sched_dep_minute - dep_delay, 1440) AS int) AS dep_clock_gap,
  cast(pmod(arr_minute - sched_arr_minute - arr_delay, 1440) AS int) AS arr_clock_gap,
  _position
FROM happened
