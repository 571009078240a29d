"""Which streamer listens to which market, where several share them; plain data, so that sessions, gaps and their readers agree.

A market belongs to one shard of so many, by consistent hashing: where one more shard comes, about one market in that many moves,
and only to the new one. A session says in its name which shard it was, so that a gap of it is known to have made its own markets
deaf and no others.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_MASK = 2**64 - 1
# The shard in the name of a session, `20261102T131500Z-1of2-3fa2b1`; sessions of before shards were counted have only the number.
_NAMED = re.compile(r"^[^-]+-(\d+)(?:of(\d+))?-")
# SQL: the shard that a column of sessions' names, or of gaps' by them, says; null where that is every market.
_OF = "nullif(nullif(regexp_extract({}, '^[^-:]+-([0-9]+of[0-9]+)-', 1), ''), '0of1')"
OF_SESSION = _OF.format("session_id")
# The session that the gap befell is named by its id, since the one that reports the time between two sessions is the later.
OF_GAP = _OF.format("gap_id")


@dataclass(frozen=True)
class Shard:
    """One of so many streamers, counted from 0; the only one carries every market."""

    number: int = 0
    count: int = 1

    def __str__(self) -> str:
        """As the name of a session says it."""
        return f"{self.number}of{self.count}"

    def carries(self, market_id: str) -> bool:
        """Whether it listens to a market."""
        return self.count == 1 or shard_of(market_id, self.count) == self.number

    @property
    def seals(self) -> bool:
        """Whether it closes hours for all: one must, and only one may."""
        return self.number == 0

    def succeeds(self, other: Shard) -> bool:
        """Whether it accounts for what that shard left: its own number, and the first for numbers that are no more."""
        return other.number == self.number or (self.number == 0 and other.number >= self.count)

    @classmethod
    def of_session(cls, session_id: str) -> Shard:
        """The shard that a session, or a gap by its id, names; every market where none is named."""
        found = _NAMED.match(session_id)
        return cls(int(found[1]), int(found[2] or 1)) if found else cls()


def shard_of(market_id: str, shards: int) -> int:
    """The shard, 0 … `shards` - 1, that a market belongs to: always the same one."""
    return jump(int.from_bytes(hashlib.blake2b(market_id.encode(), digest_size=8).digest()), shards)


def jump(key: int, buckets: int) -> int:
    """The bucket of a 64-bit key, by jump consistent hashing.

    Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm" (2014), figure 1: the key is the seed of a generator that
    draws the next number of buckets at which the key would move.
    """
    bucket, following = -1, 0
    while following < buckets:
        bucket = following
        key = (key * 2862933555777941757 + 1) & _MASK
        following = int((bucket + 1) * ((1 << 31) / ((key >> 33) + 1)))
    return bucket


def carried(market_ids: Iterable[str], shards: Iterable[str]) -> pa.Table:
    """The markets of each named shard (`OF_SESSION`, `OF_GAP`): `shard`, `market_id`."""
    import pyarrow as pa

    named = {shard: Shard(*map(int, shard.split("of"))) for shard in set(shards)}
    rows = [(name, market_id) for market_id in market_ids for name, shard in named.items() if shard.carries(market_id)]  # fmt: skip
    columns = list(zip(*rows, strict=True)) or [(), ()]
    return pa.table([pa.array(column, pa.string()) for column in columns], names=["shard", "market_id"])
