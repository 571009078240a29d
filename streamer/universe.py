"""Which markets should be listened to now: those of the newest `markets` in the tiers that are streamed.

`markets` holds changes, so the newest row of each market counts; the tier follows from the effective close
and the time, whatever it was when the row was stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from polymarket_assets.shards import Shard
from polymarket_assets.tiers import T1, TIERS, tier_of
from streamer.entries import Listed

if TYPE_CHECKING:
    import pyarrow as pa

    from polymarket_assets.lake.writing import Lake
    from polymarket_assets.settings import Settings

# Discovery stores an unchanged market again after a week and lists two weeks ahead.
KNOWN_FOR = timedelta(days=15)
# Neither is listened to: no book is served any more.
OVER = ("closed", "dead")

_COLUMNS = (
    "market_id",
    "received_at",
    "condition_id",
    "token_ids",
    "phase",
    "effective_close",
    "volume_usd",
    "min_size_e6",
    "neg_risk",
    # Of rows stored since quiet markets were told from others, and since settings may leave out what is known.
    "is_quiet",
    "is_left_out",
)
_NEAREST_FIRST = [tier.name for tier in reversed(TIERS)]


@dataclass(frozen=True)
class Wanted:
    """A market that should be listened to."""

    listed: Listed
    tier: str
    volume_usd: float

    @property
    def order(self) -> tuple[int, float, str]:
        """Nearest tier first, then the largest volume: who is served when not all can be."""
        return (_NEAREST_FIRST.index(self.tier), -self.volume_usd, self.listed.market_id)


class Universe:
    """The newest row of each market, kept between looks: a look reads the files that are new."""

    def __init__(self, lake: Lake, settings: Settings) -> None:
        from polymarket_assets.lake.following import Followed

        self._markets, self._settings = Followed(lake, "markets"), settings
        self._read: set[str] = set()
        self._newest: pa.Table | None = None

    def wanted(self, now: datetime) -> list[Wanted]:
        """The markets to listen to, the most urgent first. Raises `LakeError` when the lake cannot be read."""
        self._look(now)
        if self._newest is None:
            return []
        found = (_wanted(row, now) for row in self._near(now).to_pylist())
        return chosen(found, self._settings.stream_tiers, self._settings.shard)

    def _look(self, now: datetime) -> None:
        from polymarket_assets.lake.spans import Span

        present = self._markets.files(Span(now - KNOWN_FOR, now + timedelta(hours=1)))
        fresh = [file for file in present if file not in self._read]
        if fresh:
            self._newest = newest(self._newest, fresh)
        self._read = set(present)

    def _near(self, now: datetime) -> pa.Table:
        """Rows of markets that may be in a streamed tier: far fewer than there are, before they become Python."""
        import pyarrow.compute as pc

        assert self._newest is not None
        close = self._newest.column("effective_close")
        near = pc.less_equal(close, now + _farthest(self._settings.stream_tiers))
        over = pc.is_in(self._newest.column("phase"), pa_array(OVER))
        found = self._newest.filter(pc.and_(pc.fill_null(near, False), pc.invert(over)))
        if "is_left_out" not in found.column_names:
            return found
        return found.filter(pc.invert(pc.fill_null(found.column("is_left_out"), False)))


def pa_array(values: Sequence[str]) -> pa.Array:
    """Texts as Arrow."""
    import pyarrow as pa

    return pa.array(values, pa.string())


def newest(known: pa.Table | None, files: Iterable[str]) -> pa.Table:
    """The newest row of each market among those known and those in the files. Raises `LakeError`."""
    import pyarrow as pa

    from polymarket_assets.lake import reading

    read = [reading.read(file, _COLUMNS) for file in files]
    rows = pa.concat_tables([*([known] if known is not None else []), *read], promote_options="default")
    rows = rows.sort_by([("market_id", "ascending"), ("received_at", "ascending")])
    ids = rows.column("market_id").combine_chunks()
    last = _differs_from_next(ids)
    return rows.filter(last).combine_chunks()


def _differs_from_next(ids: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(ids):
        return pa.array([], pa.bool_())
    return pa.concat_arrays([pc.not_equal(ids[:-1], ids[1:]), pa.array([True])])


def chosen(markets: Iterable[Wanted], tiers: Sequence[str], shard: Shard) -> list[Wanted]:
    """The markets of these tiers and this shard, the most urgent first."""
    mine = (market for market in markets if market.tier in tiers and shard.carries(market.listed.market_id))
    return sorted(mine, key=lambda market: market.order)


def _wanted(row: dict[str, Any], now: datetime) -> Wanted:
    market_id = row["market_id"]
    condition_id = row["condition_id"] or market_id.removeprefix("pm:")
    listed = Listed(market_id, condition_id, tuple(row["token_ids"]), row["min_size_e6"], row["neg_risk"])
    left = row["effective_close"] - now
    tier = T1 if row.get("is_quiet") and left <= timedelta(0) else tier_of(left)
    return Wanted(listed, tier.name, row["volume_usd"] or 0.0)


def _farthest(tiers: Sequence[str]) -> timedelta:
    """How far ahead the effective close of a market in one of these tiers can lie."""
    if TIERS[0].name in tiers:
        return timedelta(days=36_500)
    return max((before.beyond for before, tier in pairwise(TIERS) if tier.name in tiers), default=timedelta(0))  # fmt: skip
