"""Looking at a source that nobody has described yet: what it is, how it is written, how it is best landed."""
