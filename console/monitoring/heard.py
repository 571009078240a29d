"""What the stream brought to the lake: trades a minute, what was heard last, gaps, and frames that could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.kept import Seen
from console.monitoring import lakes
from console.place import Place
from polymarket_assets.lake import folders, reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import DAY, HOUR, Span, hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.shards import Shard

EVERY_S = 15.0
# The chart of trades; a working day would be a line of crumbs.
TRADES_BACK = timedelta(hours=6)
# What was heard last is looked for in the hours around, then in days: a streamer may have been off for a while.
_LAST_WITHIN = (HOUR, 2 * DAY, 31 * DAY)
_MINUTE = timedelta(minutes=1)
# More gaps of a day than this are an outage of many markets, and the widest tell of it.
MOST_GAPS = 5_000
# The beginning of a frame shows what kind it was.
_SHOWN = 300
MOST_REJECTS = 1_000


@dataclass(frozen=True)
class Minute:
    """Trades heard in a minute, each once on however many sockets."""

    at: datetime
    trades: int


@dataclass(frozen=True)
class Heard:
    """Every minute of the last hours, the present one at the end; `last_trade` and `last_data` are receipts that are in the lake."""

    minutes: tuple[Minute, ...]
    last_trade: datetime | None
    last_data: datetime | None

    @property
    def a_minute(self) -> float | None:
        """The mean of the five whole minutes before the last: parts of the newest are not published yet. None: nothing was heard in the hours shown."""
        whole = [one.trades for one in self.minutes[-7:-2]]
        return sum(whole) / len(whole) if whole and any(one.trades for one in self.minutes) else None


@dataclass(frozen=True)
class Gap:
    """An interval of deafness; `reach` is what was deaf: `everything` of a streamer, a `connection`, or a `market`."""

    gap_id: str
    reach: str
    shard: str | None
    connection: int | None
    market_id: str | None
    from_at: datetime
    to_at: datetime
    seconds: float
    cause: str


@dataclass(frozen=True)
class Reject:
    """A frame that could not be read, its beginning."""

    at: datetime
    session_id: str
    connection: int
    reason: str
    payload: str


def heard(place: Place) -> Seen[Heard]:
    """What was heard lately. Raises `NotYet`, `Refused` where there is no lake to look at."""
    return place.seen(_look, every_s=EVERY_S)


def gaps(place: Place) -> Seen[list[Gap]]:
    """Gaps that touch the last day, the newest first. Raises as `heard`."""
    return place.seen(_look_for_gaps, every_s=30.0)


def rejects(place: Place) -> Seen[list[Reject]]:
    """Frames of the last day that could not be read, the newest first. Raises as `heard`."""
    return place.seen(_look_for_rejects, every_s=30.0)


def _look(place: Place) -> Heard:
    lake, now = place.lake(), place.clock()
    first = now.replace(second=0, microsecond=0) - TRADES_BACK
    span = Span(first, now + timedelta.resolution)
    counted = _counted(lake, span, place.own(_Remembered).known)
    steps = range(TRADES_BACK // _MINUTE + 1)
    minutes = tuple(Minute(at, counted.get(at, 0)) for at in (first + n * _MINUTE for n in steps))
    trade = _last(lake, "trades_raw", now)
    return Heard(minutes, trade, max(filter(None, (trade, _last(lake, "book_changes", now))), default=None))


class _Remembered:
    """Trades by minute of hours whose folders did not change since they were counted."""

    def __init__(self, _: Place) -> None:
        self.known: dict[str, tuple[dict[str, int], dict[datetime, int]]] = {}


def _counted(lake: Lake, span: Span, known: dict[str, tuple[dict[str, int], dict[datetime, int]]]) -> dict[datetime, int]:  # fmt: skip
    """Trades by minute, each once on however many sockets it was heard."""
    hours = Span(hour_of(span.start), hour_of(span.end) + HOUR)
    found = {folder.path: folder for folder in folders.folders(lake, TABLES["trades_raw"], hours)}
    for gone in set(known) - set(found):
        del known[gone]
    for path, folder in found.items():
        if path not in known or known[path][0] != folder.files:
            files = reading.current(lake, path, [f"{path}/{name}" for name in folder.files])
            with lakes.over_files(trades_raw=files) as connection:
                known[path] = (folder.files, dict(connection.execute(_A_MINUTE).fetchall()))
    return {at: count for _, counts in known.values() for at, count in counts.items()}


# As `collecting.hearing` tells copies, but for those of the seconds around a full hour.
_A_MINUTE = """
select date_trunc('minute', received_at), count(distinct hash(market_id, tx_hash, venue_at, token_id, is_buy, price_e6, size_e6))
from trades_raw group by all
"""


def _last(lake: Lake, table: str, now: datetime) -> datetime | None:
    """The newest receipt of a table, by its newest files: a part holds a minute, a sealed hour is sorted otherwise."""
    for back in _LAST_WITHIN:
        if files := reading.files(lake, table, Span(now - back, now + timedelta.resolution)):
            hour = files[-1].rsplit("/", 1)[0]
            newest = [file for file in files if file.startswith(hour)]
            with lakes.over_files(**{table: newest}) as connection:
                ((last,),) = connection.execute(f"select max(received_at) from {table}").fetchall()
            return last if last is None else datetime.fromtimestamp(last.timestamp(), now.tzinfo)
    return None


def _look_for_gaps(place: Place) -> list[Gap]:
    now = place.clock()
    # A gap is filed by its end.
    with lakes.over(place.lake(), stream_gaps=Span(now - DAY, now + HOUR)) as connection:
        rows = connection.execute(_GAPS, [now - DAY, MOST_GAPS]).fetchall()
    return sorted((_gap(*row) for row in rows), key=lambda gap: gap.to_at, reverse=True)


_GAPS = """
select gap_id, any_value(connection), any_value(market_id), min(from_at), max(to_at), any_value(cause) from stream_gaps
where to_at >= ? group by gap_id order by any_value(market_id) is not null, max(to_at) - min(from_at) desc limit ?
"""


def _gap(gap_id: str, connection: int | None, market: str | None, from_at: datetime, to_at: datetime, cause: str) -> Gap:  # fmt: skip
    reach = "market" if market else "everything" if connection is None else "connection"
    return Gap(gap_id, reach, str(Shard.of_session(gap_id)), connection, market, from_at, to_at, (to_at - from_at).total_seconds(), cause)  # fmt: skip


def _look_for_rejects(place: Place) -> list[Reject]:
    now = place.clock()
    with lakes.over(place.lake(), rejects=Span(now - DAY, now + HOUR)) as connection:
        rows = connection.execute(_REJECTS, [now - DAY, MOST_REJECTS]).fetchall()
    return [Reject(*row) for row in rows]


_REJECTS = f"""
select received_at, session_id, connection, reason, left(payload, {_SHOWN}) from rejects where received_at >= ?
order by received_at desc limit ?
"""
