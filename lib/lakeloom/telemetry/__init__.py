"""A run's figures for the tools that watch it: Prometheus' text, OpenTelemetry's metrics and traces. Pure."""
