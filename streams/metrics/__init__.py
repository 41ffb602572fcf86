"""Metrics: what a worker tells Prometheus of itself, and where that is counted."""
