"""What `python -m streamer run` loads before its first socket: it restarts alone at any hour and must hear again within moments."""

from benchmarks.measuring import Figure

FIGURE = Figure(
    name="start_streamer",
    subject="import streamer.__main__, streamer.running, polymarket_assets.settings, polymarket_assets.lake",
    beside="import pyarrow.parquet",
)
