SELECT CAST(order_id AS BIGINT) AS order_id, CAST(customer_id AS BIGINT) AS customer_id, lower(trim(status)) AS status,
  upper(country) AS country, currency, lower(email) AS email, CAST(quantity AS INT) AS quantity,
  CAST(amount AS DECIMAL(12, 2)) AS amount, CAST(ordered_at AS TIMESTAMP) AS ordered_at,
  CAST(changed_at AS TIMESTAMP) AS changed_at, note
FROM bronze.orders
