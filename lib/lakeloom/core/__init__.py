"""lakeloom.core."""
