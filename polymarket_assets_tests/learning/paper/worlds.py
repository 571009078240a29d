"""Some days of predictions, books and resolutions, as the platform would have stored them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.learning.backtest.worlds import HOUR, SECOND, T0, book, publish_books, two_sided
from polymarket_assets_tests.learning.rows import market, publish, resolution

MODEL = "polymarket/3"
MINUTE = 60 * SECOND
FREE_OF_FEES = {"fee_schedule": None}


def predictions(lake: Lake, rows: list[dict[str, Any]], *, part: str = "0") -> None:
    """File predictions by the hour of their instant; stored twenty seconds later, by a sure champion, unless said otherwise."""
    hours: dict[datetime, list[dict[str, Any]]] = {}
    for row in rows:
        said = {"model_version": MODEL, "created_at": row["as_of"] + 20 * SECOND, "correction_sd": 0.02, "mid": 0.5, "role": "champion"}  # fmt: skip
        hours.setdefault(row["as_of"].replace(minute=0, second=0), []).append({**said, **row})
    for hour, held in hours.items():
        lake.publish_rows("predictions", held, part=part, at=hour)


def days(lake: Lake, markets: int = 60) -> None:
    """A market every half an hour, predicted three times, with a book each, over three to eleven hours later; every third is left alone, every seventh split."""
    said, books, ends, listed = [], [], [], []
    for n in range(markets):
        name, opened = f"pm:{n}", T0 + n * 30 * MINUTE
        listed.append(market(str(n), opened - HOUR, None, **FREE_OF_FEES))
        believed = (0.65, 0.35, 0.5)[n % 3]
        for at in (opened, opened + 15 * MINUTE, opened + 30 * MINUTE):
            said.append({"market_id": name, "group_id": f"g{n // 2}", "as_of": at, "probability": believed})
            books.append(book(name, at + 70 * SECOND, *two_sided(0.5, 0.005, 100.0)))
        seen = opened + (3 + n % 9) * HOUR
        state = {"state": "split", "label": None} if n % 7 == 0 else {"label": int(n % 4 < 2)}
        ends.append({**resolution(name, seen, 1), **state})
    predictions(lake, said)
    publish_books(lake, books)
    publish(lake, "resolutions", ends)
    publish(lake, "markets", listed)
