SELECT country, CAST(ordered_at AS DATE) AS day, count(*) AS orders, CAST(sum(amount) AS DECIMAL(22, 2)) AS revenue
FROM silver.orders GROUP BY country, CAST(ordered_at AS DATE)
