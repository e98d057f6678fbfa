-- Delays by route and carrier, a day. Rates count what was scheduled; means count what arrived.
SELECT
  f.flight_date,
  f.origin,
  f.dest,
  f.carrier,
  max(l.name) AS carrier_name,
  max(a.name) AS dest_name,
  count(*) AS scheduled,
  count_if(f.cancelled) AS cancelled,
  count_if(f.diverted) AS diverted,
  count(f.arr_delay) AS arrived,
  count_if(f.arr_delay >= 30) AS late_30,
  avg(f.dep_delay) AS mean_dep_delay,
  avg(f.arr_delay) AS mean_arr_delay,
  percentile(f.arr_delay, 0.5) AS median_arr_delay,
  max(f.arr_delay) AS worst_arr_delay
FROM silver.flights AS f
LEFT JOIN silver.airlines AS l ON l.carrier = f.carrier
LEFT JOIN silver.airports AS a ON a.airport = f.dest
GROUP BY f.flight_date, f.origin, f.dest, f.carrier
