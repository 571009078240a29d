"""Evidence of markets, a block of them at a time: relations are read, and each module adds its columns."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from polymarket_assets.learning.evidence import books, impact, listening, moves, siblings, trades
from polymarket_assets.learning.evidence.books import Books
from polymarket_assets.learning.evidence.listening import Alive, Listened
from polymarket_assets.learning.evidence.quotes import Instants, Prices
from polymarket_assets.learning.evidence.series import Columns, Whole, whole
from polymarket_assets.learning.evidence.siblings import Members
from polymarket_assets.learning.evidence.trades import Trades

if TYPE_CHECKING:
    import duckdb

# Rows of features computed together take half a gigabyte, with all they are made of where they are as many as prices are.
ROWS_AT_ONCE = 150_000
# Views of the lake, that several blocks read from a copy in memory; one block alone reads what there is.
LARGE = ("quoted", "booked", "dealt")
_KEPT = "_kept"

# Of the newest price, as it is.
_QUOTED = (
    "bid", "ask", "shown_price", "last_trade", "mid_e6x2", "logit_u", "tick_usd", "taker_rate", "liquidity_usd", "volume_usd", "volume_24h_usd",
    "volume_change_usd", "volume_change_h", "tier_then", "fresh_us",
)  # fmt: skip


@dataclass(frozen=True)
class Block:
    """The markets `first` to `last`, by number."""

    connection: duckdb.DuckDBPyConnection
    first: int
    last: int
    copied: bool

    @property
    def markets(self) -> str:
        """SQL: whether `m` is of the block."""
        return f"m between {self.first} and {self.last}"

    def read(self, name: str, where: str = "") -> pa.Table:
        """Rows of a relation: those of the block's markets, if nothing else is said."""
        source = f"{name}{_KEPT}" if self.copied and name in LARGE else name
        return self.connection.sql(f"from {source} where {where or self.markets}").to_arrow_table()


def divided(connection: duckdb.DuckDBPyConnection) -> list[Block]:
    """All markets with instants, in blocks."""
    edges = list(_edges(connection))
    for name in LARGE if len(edges) > 1 else ():
        connection.execute(f"create temp table {name}{_KEPT} as from {name}")
    return [Block(connection, first, last, len(edges) > 1) for first, last in edges]


def _edges(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, int]]:
    first, held = None, 0
    for market, count in connection.execute("select m, count(*) from instants group by m order by m").fetchall():  # fmt: skip
        if first is not None and held + count > ROWS_AT_ONCE:
            yield first, market - 1
            first, held = None, 0
        first, held = market if first is None else first, held + count
    if first is not None:
        yield first, market


def evidence(block: Block) -> Columns:
    """All that expressions are made of, but for what versions of markets tell, of each instant with a price; nothing: there is none."""
    with ThreadPoolExecutor(1) as beside:
        # The other core meanwhile reads prices.
        dealing = beside.submit(Trades.over, block.read("dealt"))
        prices = _prices(block)
        dealt = dealing.result()
    at = Instants.of(block.read("instants"), prices)
    if not at.market.size:
        return {}
    listened = _listened(block, at, prices)
    return {
        **_seen(at, prices), **moves.moves(at, prices), **books.books(at, Books.of(block.read("booked"))), **trades.flow(at, dealt, listened),
        **impact.impact(at, prices, dealt, listened.is_whole("24h")), **siblings.siblings(at, Members.of(block.read("members", "true"), prices)),
    }  # fmt: skip


def _prices(block: Block) -> Prices:
    """Of the block's markets and of their siblings, wherever those stand."""
    block.connection.execute(
        f"create or replace temp table members as {siblings.members(block.first, block.last)}"
    )
    elsewhere, held = f"not {block.markets}", [block.read("quoted")]
    if block.read("members", elsewhere).num_rows:
        held.append(block.read("quoted", f"m in (select m from members where {elsewhere})"))
    return Prices.of(pa.concat_tables(held))


def _listened(block: Block, at: Instants, prices: Prices) -> Listened:
    of_all = f"m is null or {block.markets}"
    alive = Alive.of(block.read("shares", of_all), block.read("alive", "true order by share, first_us"))
    return listening.listened(at, prices, block.read("heard"), alive, block.read("deaf", of_all), _began_us(block, at))  # fmt: skip


def _began_us(block: Block, at: Instants) -> Whole:
    """When each instant's market was listed; not known: ever."""
    lives = block.connection.sql(
        "select life, epoch_us(first_known_at) as began_us from lives order by life"
    ).to_arrow_table()
    return whole(lives, "began_us")[np.searchsorted(whole(lives, "life"), at.life)]


def _seen(at: Instants, prices: Prices) -> Columns:
    """The instants themselves, numbered, and the price that each sees."""
    return {
        "n": pa.array(np.arange(at.market.size)), "life": pa.array(at.life), "as_of_us": pa.array(at.as_of_us), "horizon_h": pa.array(at.horizon_h), "quoted_us": pa.array(at.quoted_us),
        **{name: prices.held.column(name).take(pa.array(at.price)) for name in _QUOTED},
    }  # fmt: skip
