"""lakeloom.pages."""
