"""Where data comes from: one file a kind, each filling ``bronze.<its name>``."""

SOURCES = {"files": "lakeloom.sources.files:Files", "jdbc": "lakeloom.sources.jdbc:Jdbc"}
