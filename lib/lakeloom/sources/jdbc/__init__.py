"""Databases over JDBC: a table or a query, incremental by a watermark or compared as a whole."""

from lakeloom.sources.jdbc.config import JdbcConfig as JdbcConfig
from lakeloom.sources.jdbc.source import Jdbc as Jdbc
