-- Airlines, by the carrier code that flights use.
SELECT
  trim(carrier) AS carrier,
  trim(name) AS name,
  _position
FROM bronze.airlines
