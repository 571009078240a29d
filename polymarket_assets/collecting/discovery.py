"""What is listed, to `markets`: only changes are stored, and what is known is brought up to an instant here.

`walking` says what the catalogue is asked, `unlisted` which markets are looked up by id, `observing` what was seen of
markets ourselves. A market is closed only by the venue's word: one that vanished from a complete listing is looked up
among the closed, then among the open, and where the venue knows nothing of it what was seen of it counts alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from polymarket_assets.collecting import observing, unlisted
from polymarket_assets.collecting.known import brought_up, known_markets, newest_markets
from polymarket_assets.collecting.observing import Seen
from polymarket_assets.collecting.walking import Catalogue, Walk, in_universe
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.venue.lifecycle import CLOSED

__all__ = ["Catalogue", "DiscoveryReport", "discover", "in_universe", "newest_markets"]

# An unchanged market is stored again after this long, so that `known.KNOWN_FOR` never loses one that is listed.
STORED_AGAIN = timedelta(days=7)
# Numbers that move all the time are stored when they moved by this share.
MOVED_SHARE = 0.05

_MOVING = ("volume_usd", "volume_24h_usd", "liquidity_usd")
_NOT_COMPARED = ("received_at", "tier", "volume_before_usd", "volume_before_at", *_MOVING)
_STABLE = tuple(name for name in TABLES["markets"].names if name not in _NOT_COMPARED)

Row = dict[str, Any]
Known = Mapping[str, Row]


@dataclass(frozen=True)
class DiscoveryReport:
    """What a discovery saw and stored; `complete` is false when the venue failed midway."""

    listed: int
    stored: int
    closed: int
    malformed: int
    pages: int
    requests: int
    received_bytes: int
    complete: bool
    # Followed and in no complete listing: found open by their id, and neither open nor closed by the venue's word.
    strayed: int = 0
    vanished: int = 0
    # Said by the stream to be new and in neither listing, and how many of them belong to the universe.
    announced: int = 0
    announced_kept: int = 0
    # Of the census, near their end and in neither listing: how many of them are collected from now on.
    hidden_kept: int = 0
    # Listed, and not collected: no book, no token ids, too small, other tags.
    left_out: int = 0
    problem: str | None = None


def discover(
    lake: Lake, gamma: Catalogue, settings: Settings, *, clock: Callable[[], datetime]
) -> DiscoveryReport:
    """List the open markets and store what changed since it was last stored.

    Raises:
        Unavailable, Refused, MalformedPayload: the venue gave no page at all; nothing was stored.
        LakeUnwritable: nothing was stored.
    """
    began, traffic = clock(), gamma.service.traffic
    requests, size = traffic.requests, traffic.bytes
    known = {row["market_id"]: row for row in brought_up(known_markets(lake, now=began), began).to_pylist()}
    walk = Walk(settings, clock, _followed(known))
    walk.listings(gamma, began)
    if walk.problem is not None and not walk.pages:
        raise walk.problem
    looked = _look_up(lake, gamma, walk, known, began) if walk.problem is None else _LookedUp()
    rows = _news(lake, walk, looked.absent, known, clock())
    _publish(lake, [_after(row, known.get(row["market_id"])) for row in rows], began)
    return DiscoveryReport(
        listed=len(walk.met),
        stored=len(rows),
        closed=len(walk.closed),
        malformed=walk.malformed,
        pages=walk.pages,
        requests=traffic.requests - requests,
        received_bytes=traffic.bytes - size,
        complete=walk.problem is None,
        strayed=looked.strayed,
        vanished=looked.vanished,
        announced=looked.announced,
        announced_kept=looked.announced_kept,
        hidden_kept=looked.hidden_kept,
        left_out=walk.left_out,
        problem=None if walk.problem is None else str(walk.problem),
    )


def _followed(known: Known) -> frozenset[str]:
    """The markets that are collected: neither closed by the venue nor left out by the settings."""
    return frozenset(id_ for id_, row in known.items() if row["phase"] != CLOSED and not row["is_left_out"])


@dataclass(frozen=True)
class _LookedUp:
    """What came of markets that no listing shows; `absent` are those of which the venue knows nothing."""

    announced: int = 0
    announced_kept: int = 0
    hidden_kept: int = 0
    strayed: int = 0
    vanished: int = 0
    absent: tuple[str, ...] = ()


def _look_up(lake: Lake, gamma: Catalogue, walk: Walk, known: Known, now: datetime) -> _LookedUp:
    """Ask for the announced, the hidden and the vanished."""
    announced = unlisted.announced(lake, known.keys() | walk.met, now)
    announced_kept = _kept(gamma, walk, announced)
    hidden_kept = _kept(gamma, walk, unlisted.hidden(lake, known.keys() | walk.met, now))
    vanished = {id_: known[id_] for id_ in walk.followed - walk.met if known[id_]["condition_id"]}
    asked = {row["market_id"]: row["condition_id"] for row in unlisted.turn(vanished.values(), now)}
    walk.look_up(gamma, list(asked.values()), closed=True)
    walk.look_up(gamma, [id_ for key, id_ in asked.items() if key not in walk.closed], closed=False)
    strayed = len(asked.keys() & walk.met)
    closed = len(asked.keys() & walk.closed.keys())
    # A look-up that failed says nothing of what it did not find.
    absent = () if walk.problem else tuple(asked.keys() - walk.met - walk.closed.keys())
    return _LookedUp(
        len(announced), announced_kept, hidden_kept, strayed, len(vanished) - strayed - closed, absent
    )


def _kept(gamma: Catalogue, walk: Walk, condition_ids: list[str]) -> int:
    """Look up markets that may belong to the universe; how many do."""
    before = len(walk.rows)
    walk.look_up(gamma, condition_ids, closed=False)
    return len(walk.rows) - before


def _news(lake: Lake, walk: Walk, absent: Collection[str], known: Known, now: datetime) -> list[Row]:
    """The rows to store: what changed of what is open, everything that the venue closed, and what was seen of the absent."""
    seen = observing.seen(lake, now)
    listed = [_observed(row, known, seen) for row in walk.rows.values()]
    changed = [row for row in listed if _is_news(row, known.get(row["market_id"]))]
    alone = [_observed({**known[id_], "received_at": now}, known, seen) for id_ in sorted(absent)]
    # Stored for the sake of what was seen only: what nobody lists any more is to be forgotten in time.
    told = [row for row in alone if _differs(row, known[row["market_id"]])]
    return [*changed, *walk.closed.values(), *told]


def _observed(row: Row, known: Known, seen: Mapping[str, Seen]) -> Row:
    id_ = row["market_id"]
    return observing.observed(row, known.get(id_), seen.get(id_), row["received_at"])


def _is_news(row: Row, known: Row | None) -> bool:
    """Whether a row says more than what is stored."""
    if known is None or row["received_at"] - known["received_at"] > STORED_AGAIN:
        return True
    return _differs(row, known) or any(_moved(known[name], row[name]) for name in _MOVING)


def _differs(row: Row, known: Row) -> bool:
    return any(row[name] != known[name] for name in _STABLE)


def _after(row: Row, known: Row | None) -> Row:
    """A row with the volume of the row that it follows."""
    if known is None:
        return row
    return {**row, "volume_before_usd": known["volume_usd"], "volume_before_at": known["received_at"]}


def _moved(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return before is not after
    return abs(after - before) > MOVED_SHARE * abs(before)


def _publish(lake: Lake, rows: list[Row], began: datetime) -> None:
    """Publish rows, filed by the hour they were received in, in a part named by when the walk began."""
    by_hour = itertools.groupby(
        sorted(rows, key=lambda row: row["received_at"]), lambda row: hour_of(row["received_at"])
    )
    for hour, group in by_hour:
        lake.publish_rows("markets", list(group), part=f"{began:%H%M%S}", at=hour)
