"""Faults on purpose, and what was lost or doubled by them: ``make campaign``."""
