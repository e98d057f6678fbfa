-- Airports, typed. The time zone is an IANA name, or null where the register does not know it.
SELECT
  trim(faa) AS airport,
  nullif(trim(name), 'NA') AS name,
  try_cast(lat AS double) AS latitude,
  try_cast(lon AS double) AS longitude,
  try_cast(alt AS int) AS altitude,
  nullif(trim(tzone), 'NA') AS zone,
  _position
FROM bronze.airports
