"""Importing the definitions: every run of Dagster starts with it, hundreds of times a day."""

from benchmarks.measuring import Figure

FIGURE = Figure(
    name="import_definitions",
    subject="import polymarket_assets.definitions",
    beside="import dagster",
)
