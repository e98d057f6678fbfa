"""Preparation: transforms fitted on the train split and frozen, from a table to numpy arrays."""
