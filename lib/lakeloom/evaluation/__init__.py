"""Evaluation: plain numbers about labels and probabilities; no model, no Spark, no plot."""
