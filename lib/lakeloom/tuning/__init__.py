"""Tuning: search spaces and studies over them, on Spark by hyperopt's SparkTrials."""

ALGORITHMS = {"tpe": "hyperopt.tpe:suggest", "random": "hyperopt.rand:suggest"}
