"""Sinks: where exports go; a room a kind. What writes the graph for other schedulers is `lakeloom.project.exports`."""

SINKS = {"objects": "lakeloom.sinks.objects:Objects", "jdbc": "lakeloom.sinks.jdbc:JdbcSink"}
