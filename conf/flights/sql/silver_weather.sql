-- Hourly observations at the three origins. The hour comes from `time_hour`, which is UTC: the local
-- clock (month, day, hour) shows the hour from one to two twice when daylight saving ends.
SELECT
  trim(origin) AS origin,
  try_cast(time_hour AS timestamp) AS observed_at,
  try_cast(temp AS double) AS temp,
  try_cast(dewp AS double) AS dewp,
  try_cast(humid AS double) AS humid,
  try_cast(wind_dir AS double) AS wind_dir,
  try_cast(wind_speed AS double) AS wind_speed,
  try_cast(wind_gust AS double) AS wind_gust,
  try_cast(precip AS double) AS precip,
  try_cast(pressure AS double) AS pressure,
  try_cast(visib AS double) AS visib,
  try_cast(hour AS int) AS local_hour,
  _position
FROM bronze.weather
