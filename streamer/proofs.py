"""The venue's hash of a book, made again: does what we hold say the same? (PROTOCOL 8.6)

The hash covers facts that frames do not carry (smallest order, last trade in the book's own terms), so a
book is tried with every form those facts may have; only a market of which a hash was once made again can be
said to differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from hashlib import sha1

from polymarket_assets.venue.ids import wire_forms
from polymarket_assets.venue.records import E6
from streamer.books import Book

# Sizes of the smallest order seen on the venue, where the market does not tell.
USUAL_MIN_SIZES_E6 = (5_000_000, 15_000_000, 1_000_000)


class Outcome(Enum):
    """What became of a check."""

    SAME = "same"
    DIFFERS = "differs"
    # The facts under the hash are not known: neither proof nor doubt.
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Snapshot:
    """A book at the end of one of the venue's instants, and what the venue's hash of it is."""

    market_id: str
    condition_id: str
    token_id: str
    venue_us: int
    hash: str
    bids: Mapping[int, int]
    asks: Mapping[int, int]
    tick_e6: int | None
    min_size_e6: int | None
    neg_risk: bool | None
    last_e6: int | None
    version: str | None


def snapshot(book: Book) -> Snapshot:
    """What is to be checked, apart from the book that goes on changing."""
    market = book.market
    return Snapshot(
        market.market_id,
        market.condition_id,
        market.token_ids[0],
        book.venue_us,
        book.hash,
        dict(book.bids),
        dict(book.asks),
        book.tick_e6,
        book.min_size_e6,
        book.neg_risk,
        book.last_e6,
        book.version,
    )


def matches(held: Snapshot) -> bool:
    """Whether some form of the facts gives the venue's hash."""
    levels = f'"bids":{_levels(held.bids, falling=False)},"asks":{_levels(held.asks, falling=True)},'
    return any(
        sha1(f"{head}{levels}{tail}".encode()).hexdigest() == held.hash
        for head in _heads(held)
        for tail in _tails(held)
    )


def _heads(held: Snapshot) -> Iterator[str]:
    for condition in wire_forms(held.condition_id):
        yield f'{{"market":"{condition}","asset_id":"{held.token_id}","timestamp":"{held.venue_us // 1000}","hash":"",'


def _tails(held: Snapshot) -> Iterator[str]:
    sizes = USUAL_MIN_SIZES_E6 if held.min_size_e6 is None else (held.min_size_e6,)
    risks = (False, True) if held.neg_risk is None else (held.neg_risk,)
    lasts = [""] if held.last_e6 is None else [f"{held.last_e6 / E6:.3f}", ""]
    version = f',"version":"{held.version}"' if held.version not in (None, "v1") else ""
    tick = decimal(held.tick_e6 or 0)
    for size in sizes:
        for risk in risks:
            for last in lasts:
                yield f'"min_order_size":"{decimal(size)}","tick_size":"{tick}","neg_risk":{"true" if risk else "false"},"last_trade_price":"{last}"{version}}}'


def _levels(side: Mapping[int, int], *, falling: bool) -> str:
    """Levels in the order of the wire: the best of a side last."""
    return (
        "["
        + ",".join(
            f'{{"price":"{decimal(price)}","size":"{decimal(side[price])}"}}'
            for price in sorted(side, reverse=falling)
        )
        + "]"
    )


@lru_cache(65_536)
def decimal(e6: int) -> str:
    """Millionths as the wire writes them: `0.53`, `918.34`, `270`, without trailing zeros."""
    whole, part = divmod(e6, E6)
    return f"{whole}.{part:06d}".rstrip("0") if part else str(whole)
