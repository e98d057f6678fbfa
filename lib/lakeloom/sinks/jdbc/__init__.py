"""Databases as a sink: rows inserted, replaced or upserted in one transaction, with a ledger beside them."""

from lakeloom.sinks.jdbc.config import JdbcSinkConfig as JdbcSinkConfig
from lakeloom.sinks.jdbc.sink import JdbcSink as JdbcSink
