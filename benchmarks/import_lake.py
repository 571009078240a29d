"""Importing the lake: what every process of the platform pays before it does anything."""

from benchmarks.measuring import Figure

FIGURE = Figure(
    name="import_lake",
    subject="import polymarket_assets.lake",
    beside="import pyarrow.parquet",
)
