-- The fleet register, typed. The register's own clock says when an aircraft was entered or changed.
SELECT
  trim(tailnum) AS tailnum,
  try_cast(year AS int) AS built,
  nullif(trim(type), 'NA') AS type,
  -- One maker stands in the register under several names.
  CASE
    WHEN manufacturer LIKE 'AIRBUS%' THEN 'AIRBUS'
    WHEN manufacturer LIKE 'MCDONNELL DOUGLAS%' THEN 'MCDONNELL DOUGLAS'
    WHEN manufacturer LIKE 'CANADAIR%' THEN 'CANADAIR'
    ELSE nullif(trim(manufacturer), 'NA')
  END AS manufacturer,
  nullif(trim(model), 'NA') AS model,
  try_cast(engines AS int) AS engines,
  try_cast(seats AS int) AS seats,
  nullif(trim(engine), 'NA') AS engine,
  try_cast(updated_at AS timestamp) AS updated_at,
  _position
FROM bronze.planes
