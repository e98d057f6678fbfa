"""The registry: MLflow, filled after the fact from files and facts. An absent MLflow loses nothing."""
