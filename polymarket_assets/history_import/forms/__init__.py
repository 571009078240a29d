"""The forms we know. A new dataset is one module and its line here."""

from __future__ import annotations

from polymarket_assets.history_import.forms import (
    btc5m,
    btc15m_books,
    crypto15m_ticks,
    crypto_hourly,
    election2024,
    fb,
    gamma_2024,
    general10m,
    mlb,
    sports_closing,
    trades,
    us,
    weather,
    weather_snapshots,
)
from polymarket_assets.history_import.forms.declare import Form

_MODULES = (weather, sports_closing, us, mlb, fb, crypto_hourly, general10m, election2024, gamma_2024, btc5m, trades,
            btc15m_books, crypto15m_ticks, weather_snapshots)  # fmt: skip
FORMS: dict[str, Form] = {module.FORM.name: module.FORM for module in _MODULES}

# Files we know and do not import, by the columns that tell them: why.
NOT_FORMS: tuple[tuple[frozenset[str], str], ...] = (
    (
        frozenset({"market_key", "close_ts", "close_basis", "outcome"}),
        "an index over other files: it holds nothing that they do not, and its closes are not what was known beforehand",
    ),
    (
        frozenset({"feed_ts_ms", "full_accuracy_value"}),
        "the price of a coin, not of a market: no table holds it, and labels come from the venue",
    ),
)

__all__ = ["FORMS", "NOT_FORMS", "Form"]
