"""lakeloom.registry."""
