"""Alerting: from what is found to messages, each change of state told once. It knows neither Dagster nor where findings come from."""
