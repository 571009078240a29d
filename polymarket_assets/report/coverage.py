"""What there is of a market, table by table, and where there is nothing, why, and what to run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.report.silences import NOT_HEARD, NOT_SAMPLED, Silences
from polymarket_assets.report.subject import Subject


@dataclass(frozen=True)
class Held:
    """What a table holds of a market; `note` says what stands out, or why there is nothing."""

    table: str
    rows: int
    first: datetime | None
    last: datetime | None
    note: str


def held(
    connection: Any, subject: Subject, silences: Silences, known: int, among: Collection[str] = TABLES
) -> list[Held]:
    """The rows of each table that a page draws from; `known` versions of its end. Only tables of `among` can have any."""
    told = [
        _held(connection, subject, table, query) if table in among else Held(table, 0, None, None, absence(subject, table))
        for table, query in _COUNTS.items() if table in TABLES
    ]  # fmt: skip
    gaps, missed = (sum(s.what == what for s in silences.found) for what in (NOT_HEARD, NOT_SAMPLED))
    if subject.recorded_at is not None:
        first, last = subject.recorded_at
        lost = (
            f"{silences.total(NOT_HEARD).total_seconds():,.0f} s in which it was not heard"
            if gaps
            else "none known"
        )
        lost += f"; {silences.untold} more of sockets, not looked up" if silences.untold else ""
        told.insert(0, Held("markets", subject.versions, first, last, "changes of what is listed"))
        told += [Held("stream_gaps", gaps, None, None, lost), Held("sweeps", missed, None, None, "slots missed while it was sampled")]  # fmt: skip
    return [
        *told,
        Held("resolutions", known, None, None, "versions" if known else absence(subject, "resolutions")),
    ]


def _held(connection: Any, subject: Subject, table: str, query: str) -> Held:
    ((rows, first, last, note),) = connection.execute(query, {"id": subject.market_id}).fetchall()
    return Held(table, rows, first, last, note if rows else absence(subject, table))


def absence(subject: Subject, table: str) -> str:
    """Why a table has nothing of a market, and what would change it."""
    kind = (
        "recorded" if subject.recorded_at else "fetched" if subject.source == "polymarket" else subject.source
    )
    kind = kind if kind in ("recorded", "fetched", "census", "unknown") else "imported"
    why = _WHY.get((table, kind)) or _WHY.get((table, "")) or "none"
    return why.format(day=subject.close_day or "<day of close>", why_not=subject.row.get("why_not") or "not said", source=subject.source)  # fmt: skip


# By table and by where the market is known from; the empty kind stands for all others.
_WHY: dict[tuple[str, str], str] = {
    ("snapshots", "recorded"): "not sampled in this span: window runs do it (`make up`), in the tier that `markets` gives it",
    ("snapshots", "census"): "not followed ({why_not}): MIN_VOLUME_USD, LOOKAHEAD_HOURS and UNIVERSE_TAGS say what is",
    ("snapshots", ""): "nobody sampled it while it was open, and a past book cannot be fetched",
    ("trades", "recorded"): "none known in this span: `python -m streamer run` hears them, the asset `trades` brings an hour together",
    ("trades", ""): "nobody listened while it was open",
    ("history_prices", "recorded"): "fetched after it closed: `make bootstrap`, or `dagster asset materialize -m polymarket_assets.definitions --select history_markets,history_prices --partition <day of close>`",
    ("history_prices", "fetched"): "the venue gave none, or they were not fetched yet: `make bootstrap`, or `dagster asset materialize -m polymarket_assets.definitions --select history_prices --partition {day}`",
    ("history_prices", "imported"): "the dataset {source} has none",
    ("history_trades", "recorded"): "fetched after it closed, on request: `make bootstrap TRADES=1`",
    ("history_trades", "fetched"): "fetched on request: `make bootstrap TRADES=1`, or `dagster asset materialize -m polymarket_assets.definitions --select history_trades --partition {day}`",
    ("history_trades", "imported"): "the dataset {source} has none",
    ("history_books", ""): "only datasets have books of the past",
    ("resolutions", "imported"): "the dataset {source} does not say how it ended",
    ("resolutions", "census"): "ends of markets that are not followed are not asked for",
    ("resolutions", ""): "no end known: asked about once it is past its effective close (`dagster asset materialize -m polymarket_assets.definitions --select resolutions`)",
}  # fmt: skip

_COUNTS = {
    "snapshots": """
        select count(*), min(received_at), max(received_at),
            format('two-sided in {:.0f} %, longest pause {:.0f} s, tiers {}', 100 * avg((not is_one_sided)::int),
                coalesce(max(pause_s), 0), array_to_string(list_sort(list(distinct tier)), ' '))
        from (select *, epoch(slot_at - lag(slot_at) over (order by slot_at)) as pause_s from snapshots where market_id = $id)
    """,
    "trades": """
        select count(*), min(traded_at), max(traded_at),
            format('${:,.0f}; {} heard, {} of them confirmed, {} recovered from the Data API', sum(usd_e6) / 1e6,
                count(*) filter (source <> 'rest'), count(*) filter (source = 'both'), count(*) filter (source = 'rest'))
        from trades where market_id = $id
    """,
    "history_prices": """
        select count(*), min(priced_at), max(priced_at),
            case when count(bid_e6) + count(ask_e6) > 0 then 'quotes' else 'displayed prices' end
                || case when max(fidelity_s) = 0 then ', irregular' else format(', one every {} s as the source says', case when min(fidelity_s) = max(fidelity_s) then max(fidelity_s)::varchar else format('{} to {}', min(fidelity_s), max(fidelity_s)) end) end
        from history_prices where market_id = $id
    """,
    "history_trades": """
        select count(*), min(traded_at), max(traded_at),
            case when bool_or(truncated) then 'the list of trades ended early: older ones are missing' else 'as far as the source has them' end
        from history_trades where market_id = $id
    """,
    "history_books": """
        select count(*), min(booked_at), max(booked_at), 'books of ' || any_value(source) from history_books where market_id = $id
    """,
}  # fmt: skip
