"""What markets are called, where that is known without asking the lake."""

from __future__ import annotations

from collections.abc import Iterable

from console.markets import names
from console.place import Place
from polymarket_assets.venue.errors import PolymarketError

# A question may fill a page.
_MOST = 60


def questions(place: Place, market_ids: Iterable[str]) -> dict[str, str]:
    """What is asked, by market id; ids alone do where that is not known, or not yet."""
    try:
        rows = names.known(place).value.by_id(sorted(set(market_ids)))
    except PolymarketError:
        return {}
    return {name: row["question"] or row["slug"] for name, row in rows.items() if row["question"] or row["slug"]}  # fmt: skip


def shortened(name: str) -> str:
    """A name that leaves room for the rest of its row."""
    return name if len(name) <= _MOST else f"{name[:_MOST]}…"
