"""The judges: what was sent against what is recorded. Pure, so that planted violations can be shown to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from polymarket_assets.shards import Shard

# What may be lost: what was received in the last second before a kill.
PROMISED = timedelta(seconds=1)
# A trade is stamped when it is handed to the network, a gap when something is read from it.
ON_ITS_WAY = timedelta(seconds=1)

Key = tuple[str, str]  # transaction hash (0x…), token id
Place = tuple[int, str]  # number of a life, market id


@dataclass(frozen=True)
class Sent:
    """A trade of the ledger.

    Handed: to how many sockets. Due: a recorder was to listen then, had subscribed the token before and not given it up.
    """

    at: datetime
    key: Key
    market_id: str
    handed: int
    due: bool


@dataclass(frozen=True)
class Gap:
    """A row of `stream_gaps`; markets are those of its connection, None all of its shard.

    Inside: rows of its market or connection that were recorded more than a second after its beginning and before its end.
    """

    from_at: datetime
    to_at: datetime
    cause: str
    markets: frozenset[str] | None = None
    inside: int = 0
    shard: Shard = field(default_factory=Shard)

    def covers(self, sent: Sent) -> bool:
        """Whether it says that this trade may not have been heard."""
        in_time = self.from_at - ON_ITS_WAY <= sent.at <= self.to_at + ON_ITS_WAY
        if self.markets is None:
            return in_time and self.shard.carries(sent.market_id)
        return in_time and sent.market_id in self.markets


@dataclass(frozen=True)
class Kill:
    """When a process was killed, and when data was heard again."""

    at: datetime
    again_at: datetime
    shard: Shard = field(default_factory=Shard)
    # Whether it listened by then: of a process that only starts there is nothing to tell.
    listened: bool = True

    def excuses(self, sent: Sent) -> bool:
        """Whether a trade may have reached nobody, or was received less than a second before."""
        return self.at - PROMISED <= sent.at <= self.again_at and self.shard.carries(sent.market_id)

    def explains(self, gap: Gap) -> bool:
        """Whether a gap tells of this kill."""
        return self.shard == gap.shard and gap.from_at <= self.again_at and self.at <= gap.to_at


@dataclass(frozen=True)
class Life:
    """One process of the recorder, from its start to its kill (the last: to its stop)."""

    start: datetime
    end: datetime


@dataclass
class Frames:
    """Book changes by life and market: handed to its sockets more than a second before its end, or at all; and recorded."""

    early: Counter[Place] = field(default_factory=Counter)
    handed: Counter[Place] = field(default_factory=Counter)
    recorded: Counter[Place] = field(default_factory=Counter)


@dataclass
class Recorded:
    """What the lake holds."""

    heard: Counter[Key] = field(default_factory=Counter)
    gaps: list[Gap] = field(default_factory=list)
    # Rows of a table by key that occur more than once.
    doubled: dict[str, int] = field(default_factory=dict)
    trades: Counter[Key] = field(default_factory=Counter)
    # Files that a reader would not open, in words.
    unreadable: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Verdict:
    """A promise, how many things it was held against, and those that break it."""

    promise: str
    judged: int
    violations: tuple[str, ...]


def judge(sent: Sequence[Sent], recorded: Recorded, kills: Sequence[Kill], files: int) -> list[Verdict]:
    """Every promise of the drill, against every trade of the ledger."""
    judges: tuple[Callable[[Sequence[Sent], Recorded, Sequence[Kill]], Verdict], ...] = (
        lost, unaccounted, invented, doubled_rows, doubled_trades, missing_trades,
    )  # fmt: skip
    opened = Verdict("every file opens in pyarrow, DuckDB and polars", files, tuple(recorded.unreadable))
    return [opened, *(found(sent, recorded, kills) for found in judges)]


def lost(sent: Sequence[Sent], recorded: Recorded, kills: Sequence[Kill]) -> Verdict:
    """Handed to us well before a kill, and not there."""
    deaf = [gap for gap in recorded.gaps if gap.cause not in ("crashed", "stopped")]
    due = [s for s in sent if s.due and s.handed and not any(kill.excuses(s) for kill in kills)]
    gone = [s for s in due if not recorded.heard[s.key] and not any(gap.covers(s) for gap in deaf)]
    return Verdict("nothing received more than 1 s before a kill is missing", len(due), _told(gone))


def unaccounted(sent: Sequence[Sent], recorded: Recorded, _: Sequence[Kill]) -> Verdict:
    """Neither heard nor within a gap."""
    due = [s for s in sent if s.due]
    gone = [s for s in due if not recorded.heard[s.key] and not any(gap.covers(s) for gap in recorded.gaps)]
    return Verdict("every trade sent is in trades_raw or within a gap", len(due), _told(gone))


def invented(sent: Sequence[Sent], recorded: Recorded, _: Sequence[Kill]) -> Verdict:
    """Heard, and never handed to anybody, or more often than handed."""
    handed: Counter[Key] = Counter()
    for s in sent:
        handed[s.key] += s.handed
    more = recorded.heard - handed
    return Verdict(
        "nothing is in trades_raw that was not handed to us, nor twice", recorded.heard.total(), _keys(more)
    )


def doubled_rows(_: Sequence[Sent], recorded: Recorded, __: Sequence[Kill]) -> Verdict:
    """Rows of the stream's tables that are there twice."""
    told = tuple(f"{count} keys of {table}" for table, count in recorded.doubled.items() if count)
    return Verdict("no key of a table occurs twice", len(recorded.doubled), told)


def doubled_trades(_: Sequence[Sent], recorded: Recorded, __: Sequence[Kill]) -> Verdict:
    """Trades that are in `trades` more than once."""
    return Verdict("no duplicate in trades", recorded.trades.total(), _keys(+Counter({key: n - 1 for key, n in recorded.trades.items()})))  # fmt: skip


def missing_trades(sent: Sequence[Sent], recorded: Recorded, _: Sequence[Kill]) -> Verdict:
    """Sent while we were to listen, and not in `trades` after healing; or there, and never sent."""
    due = {s.key for s in sent if s.due}
    strange = recorded.trades.keys() - {s.key for s in sent}
    wrong = (due - recorded.trades.keys()) | strange
    return Verdict(
        "after healing, trades holds every trade sent and no other", len(due), _keys(dict.fromkeys(wrong, 1))
    )


def changes(frames: Frames) -> Verdict:
    """Frames of book changes that are missing though handed to us well before the end of a life, or more than were handed."""
    fewer, more = frames.early - frames.recorded, frames.recorded - frames.handed
    told = [f"{count} missing" for count in [fewer.total()] if count] + [
        f"{count} too many" for count in [more.total()] if count
    ]
    places = [f"life {life}, {market[:12]}…" for life, market in sorted({**fewer, **more})]
    return Verdict(
        "every change of a book received more than 1 s before a kill is there",
        frames.early.total(),
        (*told, *places),
    )


def shared(sent: Sequence[Sent], steady: Sequence[Life]) -> Verdict:
    """Trades that were handed to more than one socket while markets were shared and none moved."""
    inside = [s for s in sent if s.due and any(span.start <= s.at <= span.end for span in steady)]
    more = [s for s in inside if s.handed > 1]
    return Verdict("but for moves, no market is listened to twice", len(inside), _told(more))


def unheard(sent: Sequence[Sent], moves: Sequence[Life], recorded: Recorded) -> Verdict:
    """Trades that nobody heard while markets moved: the old listen until the new ones do."""
    inside = [s for s in sent if s.due and any(span.start <= s.at <= span.end for span in moves)]
    return Verdict("while markets move, every trade is heard", len(inside), _told(s for s in inside if not recorded.heard[s.key]))  # fmt: skip


def unfounded(gaps: Sequence[Gap], kills: Sequence[Kill]) -> Verdict:
    """Gaps of a whole process that no kill of that shard explains, and kills that no gap tells of."""
    wide = [gap for gap in gaps if gap.markets is None]
    told = [f"{gap.from_at:%H:%M:%S} to {gap.to_at:%H:%M:%S} of {gap.shard}" for gap in wide if not any(kill.explains(gap) for kill in kills)]  # fmt: skip
    silent = [f"the kill of {kill.shard} at {kill.at:%H:%M:%S}" for kill in kills if kill.listened and not any(kill.explains(gap) for gap in wide)]  # fmt: skip
    return Verdict("a gap of a shard tells of each time it was killed, and of nothing else", len(wide) + len(kills), (*told, *silent))  # fmt: skip


def _told(sent: Iterable[Sent]) -> tuple[str, ...]:
    return tuple(f"{s.at:%H:%M:%S.%f} {s.key[0][:10]}… of {s.market_id[:12]}…" for s in sent)


def _keys(keys: Iterable[Key]) -> tuple[str, ...]:
    return tuple(f"{tx[:10]}… of token {token[:8]}…" for tx, token in sorted(keys))
