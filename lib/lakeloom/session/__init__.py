"""Spark with Delta: one session for the process, one `newSession` a step."""
