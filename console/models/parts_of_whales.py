"""The parts of the page of large orders."""

from __future__ import annotations

import math
from collections.abc import Iterator
from urllib.parse import urlencode

from console.blocks import Badge, Block, Cell, Chart, Empty, Facts, Grid, Link
from console.models import drawn, whales
from console.models.naming import shortened
from console.models.whales import Whale
from console.parts import Asked
from console.place import Place
from polymarket_assets.venue.errors import Refused

_PAGE = 50
_MOST_OFFSET = 1_000_000


def hours_of(place: Place, asked: Asked) -> Iterator[Block]:
    """The last day."""
    found = place.seen(whales.whales, every_s=whales.EVERY_S).value
    if found.hours:
        yield Chart(
            "whales", drawn.hours(found.hours), "dollars of large orders in each hour of the last day"
        )
    else:
        yield _nothing(found.rows.num_rows)


def orders_of(place: Place, asked: Asked) -> Iterator[Block]:
    """A page of orders."""
    seen = place.seen(whales.whales, every_s=whales.EVERY_S)
    least, offset = _number(asked, "least_usd"), int(_number(asked, "offset"))
    market = asked.given.get("market", "")
    found, total = whales.chosen(seen.value, least_usd=least, market=market, offset=offset, limit=_PAGE)
    if not found:
        yield _nothing(seen.value.rows.num_rows)
        return
    first = offset + 1
    more = f"; of the newest {whales.MOST:,} of a week" if seen.value.is_cut else ""
    headings = ("at", "market", "taker", "dollars", "price", "of the book", "of a day's volume", "fills", "")
    yield Grid(headings, [_row(one) for one in whales.named(place, found)], f"{first:,} to {first + len(found) - 1:,} of {total:,} in {whales.LOOK_BACK.days} days{more}.")  # fmt: skip
    yield Facts([*_turned("newer", asked, max(0, offset - _PAGE), offset > 0), *_turned("older", asked, offset + _PAGE, offset + len(found) < total)])  # fmt: skip


def _nothing(known: int) -> Empty:
    if known:
        return Empty("No order of the last days is like that.")
    return Empty(f"No large order was recorded in {whales.LOOK_BACK.days} days: `whale_events` follows `trades`, an hour at a time, when the hour is over.", "materialize `trades` and `whale_events` in Dagster")  # fmt: skip


def _row(one: Whale) -> list[Cell]:
    side = f"{'bought' if one.is_buy else 'sold'} outcome {one.outcome_index}"
    return [
        one.traded_at, Link(shortened(one.question or one.market_id), one.page), Badge(side, "good" if one.is_buy else "warning"), f"${one.usd:,.0f}", f"{one.price:.3f}",
        _share(one.depth_share), _share(one.day_volume_share), one.fills, Link("trades", one.rows),
    ]  # fmt: skip


def _share(value: float | None) -> str | None:
    return None if value is None else f"{value:.0%}"


def _turned(name: str, asked: Asked, offset: int, is_there: bool) -> list[tuple[str, Cell]]:
    given = {**asked.given, "offset": str(offset)}
    return [(name, Link(f"from {offset + 1:,}", f"/whales?{urlencode(given)}"))] if is_there else []


def _number(asked: Asked, name: str) -> float:
    """A figure of the address; nothing given is 0. Raises `Refused`."""
    try:
        value = float(asked.given.get(name) or 0)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1e9 or (name == "offset" and value > _MOST_OFFSET):
        raise Refused(f"{name} is a number from 0 on, not {asked.given[name][:40]!r}")
    return value
