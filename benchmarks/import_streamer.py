"""Importing the streamer's package: it must cost nothing to look at."""

from benchmarks.measuring import Figure

FIGURE = Figure(
    name="import_streamer",
    subject="import streamer",
    beside="import pyarrow.parquet",
)
