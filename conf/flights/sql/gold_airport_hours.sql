-- Traffic and weather at an origin, by the UTC hour of the scheduled departure.
WITH traffic AS (
  SELECT
    origin,
    date_trunc('HOUR', sched_dep) AS hour,
    count(*) AS scheduled,
    count_if(cancelled) AS cancelled,
    count_if(dep_delay >= 30) AS left_late_30,
    avg(dep_delay) AS mean_dep_delay
  FROM silver.flights
  GROUP BY origin, date_trunc('HOUR', sched_dep)
)
SELECT
  t.origin,
  t.hour,
  t.scheduled,
  t.cancelled,
  t.left_late_30,
  t.mean_dep_delay,
  w.temp,
  w.wind_speed,
  w.wind_gust,
  w.precip,
  w.pressure,
  w.visib
FROM traffic AS t
LEFT JOIN silver.weather AS w ON w.origin = t.origin AND w.observed_at = t.hour
