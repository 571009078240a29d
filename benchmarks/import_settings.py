"""Reading the settings: every command does it first, before it can even refuse."""

from benchmarks.measuring import Figure

FIGURE = Figure(
    name="import_settings",
    subject="from polymarket_assets.settings import load; load()",
    beside="import pydantic_settings",
)
