"""The streamers, as each tells of itself: health, coverage, sockets, and the tokens that are silent."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from console.kept import Seen
from console.place import Place
from polymarket_assets.masking import masked

if TYPE_CHECKING:
    from polymarket_assets.watching.streamers import Said

EVERY_S = 5.0
# Every token by name: a megabyte where there are thousands.
TOKENS_EVERY_S = 15.0
_TOKENS_WITHIN_S = 4.0
# A market that said nothing for so long, while its socket lives, is silent: most say something within minutes.
SILENT_S = 600.0
MOST_SILENT = 200
# Worst first; the rest is `live`.
STATES = ("stuck", "late", "away", "awaited")


@dataclass(frozen=True)
class Coverage:
    """Markets of a tier that a streamer should hear, and does."""

    streamer: str
    shard: str | None
    tier: str
    should_be: int
    heard: int
    pct: float


@dataclass(frozen=True)
class Connection:
    """A socket: `opened` and since when it is deaf; `failures` are attempts in a row that led to nothing."""

    streamer: str
    number: int
    state: str
    opened: datetime | None
    last_data: datetime | None
    deaf_since: datetime | None
    tokens: int
    subscribed: int
    without_book: int
    late: int
    failures: int


@dataclass(frozen=True)
class Streamer:
    """A streamer by its address; `why` says why it does not answer, `reasons` what it calls critical."""

    name: str
    answers: bool
    why: str | None = None
    shard: str | None = None
    status: str | None = None
    reasons: tuple[str, ...] = ()
    since: datetime | None = None
    last_data: datetime | None = None
    sockets_open: int = 0
    sockets_wanted: int = 0
    tokens: dict[str, int] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)
    reconnects: int = 0
    gaps: int = 0
    coverage: tuple[Coverage, ...] = ()
    connections: tuple[Connection, ...] = ()


@dataclass(frozen=True)
class Silent:
    """A token that is not heard as it should be: `stuck`, `late`, `away`, `awaited`, or `silent` for so long."""

    streamer: str
    market: str
    token: str
    connection: int
    state: str
    last_data: datetime | None


@dataclass(frozen=True)
class Subscriptions:
    """Tokens by their state, and those that are not heard, the worst first (200 at the most); `unknown` says who did not tell."""

    wanted: int
    states: dict[str, int]
    silent: tuple[Silent, ...]
    unknown: tuple[str, ...]


def streamers(place: Place) -> Seen[list[Streamer]]:
    """Every streamer that the settings name. Raises `NotYet`."""
    return place.seen(_look, every_s=EVERY_S)


def subscriptions(place: Place) -> Seen[Subscriptions]:
    """What they say of their tokens. Raises `NotYet`."""
    return place.seen(_look_at_tokens, every_s=TOKENS_EVERY_S)


def _look(place: Place) -> list[Streamer]:
    from polymarket_assets.watching import streamers as asking

    return [_told(one) for one in asking.asked(place.settings)]


def _told(one: Said) -> Streamer:
    if one.why is not None:
        return Streamer(masked(one.name), answers=False, why=masked(str(one.why)))
    try:
        return _account(one)
    except (AttributeError, KeyError, TypeError, ValueError):
        return Streamer(masked(one.name), answers=False, why="what answers there is no streamer, or one of another version")  # fmt: skip


def _account(one: Said) -> Streamer:
    health, critical = one.pages["health"], one.pages["critical"]
    sockets, shard = health.get("sockets", {}), str(one.shard) if one.shard else None
    return Streamer(
        one.name, answers=True, shard=shard, status=health.get("status"), reasons=tuple(map(str, critical.get("reasons", ()))),
        since=_instant(health.get("since")), last_data=_instant(health.get("last_data")), sockets_open=sockets.get("open", 0),
        sockets_wanted=sockets.get("wanted", 0), tokens=health.get("tokens", {}), frames=health.get("frames", {}),
        reconnects=health.get("reconnects", 0), gaps=health.get("gaps", 0),
        coverage=tuple(_covered(one.name, shard, one.pages["coverage"].get("tiers", {}))),
        connections=tuple(_connection(one.name, each) for each in health.get("connections", ())),
    )  # fmt: skip


def _covered(name: str, shard: str | None, tiers: dict[str, dict[str, int]]) -> list[Coverage]:
    return [
        Coverage(name, shard, tier, counted["should_be"], counted["heard"], 100 * counted["heard"] / counted["should_be"])
        for tier, counted in sorted(tiers.items())
        if counted["should_be"]
    ]  # fmt: skip


def _connection(name: str, told: dict[str, Any]) -> Connection:
    instants = {key: _instant(told.get(key)) for key in ("opened", "last_data", "deaf_since")}
    counts = {key: int(told.get(key, 0)) for key in ("number", "tokens", "subscribed", "without_book", "late", "failures")}  # fmt: skip
    return Connection(streamer=name, state=str(told.get("state", "")), **counts, **instants)  # type: ignore[arg-type]


def _look_at_tokens(place: Place) -> Subscriptions:
    from polymarket_assets.venue.errors import Unavailable
    from streamer import status

    silent: list[Silent] = []
    states: dict[str, int] = {}
    unknown: list[str] = []
    for address in place.settings.stream_statuses:
        name = address.partition("//")[2]
        try:
            page = json.loads(status.ask(address, "/subscriptions", _TOKENS_WITHIN_S))
            rows = [_silent(name, row, place.clock()) for row in page["tokens"]]
        except Unavailable as e:
            unknown.append(masked(str(e)))
            continue
        except (ValueError, KeyError, TypeError):
            unknown.append(f"what answers at {masked(name)} does not tell of tokens")
            continue
        for row in rows:
            states[row.state] = states.get(row.state, 0) + 1
        silent += [row for row in rows if row.state != "live"]
    ordered = sorted(silent, key=lambda row: (_rank(row.state), row.last_data.timestamp() if row.last_data else 0.0))  # fmt: skip
    return Subscriptions(sum(states.values()), states, tuple(ordered[:MOST_SILENT]), tuple(unknown))


def _silent(name: str, row: dict[str, Any], now: datetime) -> Silent:
    state, last = str(row["state"]), _instant(row.get("last_data"))
    if state == "live" and (last is None or (now - last).total_seconds() >= SILENT_S):
        state = "silent"
    return Silent(name, str(row["market"]), str(row["token"]), int(row["connection"]), state, last)


def _rank(state: str) -> int:
    return STATES.index(state) if state in STATES else len(STATES)


def _instant(told: object) -> datetime | None:
    return datetime.fromisoformat(told) if isinstance(told, str) else None
