"""What the lake holds of some markets, whatever table it lies in, as three tables of one form in DuckDB.

`quotes`: market_id, bid, ask, mid (dollars a share of the canonical outcome; null on a one-sided book), spread_c (cents), dollars
resting within 1 and 5 cents of the best prices. `shown`: market_id, displayed prices, where a source has no quotes. `dealt`:
trades in terms of the canonical outcome, dollars, without market_id, for they can be millions. Each has drawn_at and source.

Quotes of a market are those of its best source: sampled, else books of history, else quotes of history. Hours whose
`trades` are not built yet give what was heard.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from polymarket_assets.lake import layout, opening, reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.report.subject import Subject

RECORDED = ("snapshots", "trades", "orderbooks", "stream_gaps", "sweeps")
# Books of history came later than the other tables; a platform without them draws what it has.
HISTORY = ("history_prices", "history_trades", "history_books")
_CENT_E6 = 10_000


@contextmanager
def opened(
    lake: Lake, found: Sequence[Subject], hours: Span | None, shown: tuple[datetime | None, datetime | None]
) -> Iterator[Any]:
    """A connection with `quotes`, `shown` and `dealt` of some markets, and views of the tables of `RECORDED`, `HISTORY`."""

    with opening.connected() as connection:
        past = sorted({s.close_day for s in found if s.close_day})
        held = {
            **{table: reading.files(lake, table, hours) if hours else [] for table in RECORDED},
            "trades_raw": _unbuilt(lake, hours) if hours else [],
            **{table: [file for day in past for file in reading.files(lake, table, Span.day(day))] for table in _history()},
        }  # fmt: skip
        for table, files in held.items():
            reading.add_view(connection, table, files)
        fill(
            connection, [s.market_id for s in found], shown, [table for table, files in held.items() if files]
        )
        yield connection


def _history() -> list[str]:
    return [name for name in HISTORY if name in TABLES]


def _unbuilt(lake: Lake, hours: Span) -> list[str]:
    """What was heard in hours that nobody built `trades` of."""
    built = {layout.span_of(file) for file in reading.files(lake, "trades", hours)}
    return [file for file in reading.files(lake, "trades_raw", hours) if layout.span_of(file) not in built]


def fill(
    connection: Any,
    market_ids: Sequence[str],
    shown: tuple[datetime | None, datetime | None],
    held: Collection[str],
) -> None:
    """Make `quotes`, `shown` and `dealt` of some markets, where the connection has the tables that are `held`.

    Those of `snapshots`, `trades_raw` and `HISTORY` that have no rows need not be there: nothing is asked of them.
    """
    named = {f"id{n}": market_id for n, market_id in enumerate(market_ids)}
    among = f"market_id in ({', '.join(f'${name}' for name in named)})"
    start, end = shown
    given = {**named, **({"start": start} if start else {}), **({"end": end} if end else {})}
    within = f"{among}{' and drawn_at >= $start' if start else ''}{' and drawn_at < $end' if end else ''}"
    for name, made in _MADE.items():
        asked = [of.format(among=among) for table, of in made.of.items() if table in held]
        if not asked:
            connection.execute(f"create temp table {name} ({made.columns})")
            continue
        columns = ", ".join(column.split()[0] for column in made.columns.split(", "))
        connection.execute(f"create temp table {name} as with every as ({' union all by name '.join(asked)}) select {columns} from every where {within}{made.best}", given)  # fmt: skip


def _within(side: str, cents: int) -> str:
    """Dollars resting within so many cents of the best price, of a list of levels, best first."""
    best = f"{side}[1].price_e6"
    near = f"list_filter({side}, lambda l: abs(l.price_e6 - {best}) <= {cents * _CENT_E6})"
    return f"list_sum(list_transform({near}, lambda l: l.price_e6::double * l.size_e6 / 1e12))"


@dataclass(frozen=True)
class _Made:
    """A table: its columns, what it is of by the table it is of, and which rows of a market count where several have them."""

    columns: str
    of: Mapping[str, str]
    best: str = ""


_QUOTES = {
    "snapshots": """
        select market_id, received_at as drawn_at, best_bid as bid, best_ask as ask, mid, spread * 100 as spread_c,
            bid_depth_1c_usd as bid_1c, ask_depth_1c_usd as ask_1c, bid_depth_5c_usd as bid_5c, ask_depth_5c_usd as ask_5c,
            'snapshots' as source, 0 as rank
        from snapshots
    """,
    "history_books": f"""
        select market_id, booked_at as drawn_at, bids[1].price_e6 / 1e6 as bid, asks[1].price_e6 / 1e6 as ask, (bid + ask) / 2 as mid,
            (ask - bid) * 100 as spread_c, {_within("bids", 1)} as bid_1c, {_within("asks", 1)} as ask_1c,
            {_within("bids", 5)} as bid_5c, {_within("asks", 5)} as ask_5c, source, 1 as rank
        from history_books
    """,
    "history_prices": """
        select market_id, priced_at as drawn_at, bid_e6 / 1e6 as bid, ask_e6 / 1e6 as ask, (bid + ask) / 2 as mid,
            (ask - bid) * 100 as spread_c, null::double as bid_1c, null::double as ask_1c, null::double as bid_5c, null::double as ask_5c, source, 2 as rank
        from history_prices where bid_e6 is not null or ask_e6 is not null
    """,
}  # fmt: skip

_SHOWN = {
    "history_prices": """
        select market_id, priced_at as drawn_at, price_e6 / 1e6 as price, source from history_prices
        where bid_e6 is null and ask_e6 is null and price_e6 is not null
    """
}

# A trade in the other outcome is one in the canonical outcome on the other side at the price that is left to a dollar. Dollars
# are those that were paid.
_CANONICAL = """
    case when outcome_index = 0 then price_e6 else 1000000 - price_e6 end / 1e6 as price,
    is_buy = (outcome_index = 0) as is_buy, price_e6::double * size_e6 / 1e12 as usd, size_e6 / 1e6 as shares
"""

_DEALT = {
    "trades": f"select market_id, traded_at as drawn_at, {_CANONICAL}, source from trades",
    "trades_raw": f"""
        (select market_id, venue_at as drawn_at, {_CANONICAL}, 'heard' as source from trades_raw
        qualify row_number() over (partition by market_id, tx_hash, token_id, is_buy, price_e6, size_e6 order by received_at) = 1)
    """,
    "history_trades": f"""
        select market_id, traded_at as drawn_at, {_CANONICAL}, source from history_trades
        where market_id not in (select distinct market_id from trades where {{among}})
    """,
}

_MADE = {
    "quotes": _Made(
        "market_id varchar, drawn_at timestamptz, bid double, ask double, mid double, spread_c double, bid_1c double, ask_1c double, bid_5c double, ask_5c double, source varchar",
        _QUOTES, " qualify rank = min(rank) over (partition by market_id)",
    ),
    "shown": _Made("market_id varchar, drawn_at timestamptz, price double, source varchar", _SHOWN),
    "dealt": _Made("drawn_at timestamptz, price double, is_buy boolean, usd double, shares double, source varchar", _DEALT),
}  # fmt: skip
