"""Rules on tables: row rules judge each row in one pass, table rules audit the whole in one aggregate."""
