"""When nobody listened to a market: gaps, and how much of a stretch of time lies in those that were known.

A gap is known when it is over. Gaps overlap, and one may be over while a longer one is not yet: each is cut into the parts that none
known before it covers, so that the parts known at an instant are what all gaps known then cover together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.learning.evidence.quotes import Instants
from polymarket_assets.learning.evidence.series import DAY_US, Whole, whole

Gap = tuple[int, int]
Part = tuple[int, int, int]


@dataclass(frozen=True)
class Gaps:
    """Parts of gaps; those of the n-th of `markets` stand at `first[n] … first[n] + count[n]`."""

    markets: Whole
    first: Whole
    count: Whole
    from_us: Whole
    to_us: Whole
    known_us: Whole

    @classmethod
    def of(cls, deaf: pa.Table, at: Instants) -> Gaps:
        """Of rows of `deaf`, in any order, that windows of these instants reach."""
        markets = np.unique(at.market)
        # No window looks back farther than a day.
        reached = deaf.filter(
            pa.array(whole(deaf, "to_us") > int(at.as_of_us.min(initial=2**62)) - 2 * DAY_US)
        )
        is_own = pc.is_valid(reached["m"])
        own = reached.filter(is_own).sort_by([(name, "ascending") for name in ("m", "to_us", "from_us")])
        begins, ends = (np.searchsorted(whole(own, "m"), markets, side) for side in ("left", "right"))
        # Most markets have none but those of all, or of all of their shard: what they have is told apart as bytes.
        listed = _listed(own)
        places: dict[bytes, int] = {}
        which = np.array([places.setdefault(listed[begin:end].tobytes(), len(places)) for begin, end in zip(begins, ends, strict=True)], dtype=np.int64)  # fmt: skip
        of_all = _listed(reached.filter(pc.invert(is_own)))
        lists = [parts(map(tuple, [*of_all.tolist(), *np.frombuffer(held, np.int64).reshape(-1, 2).tolist()])) for held in places]  # fmt: skip
        count = np.array([len(held) for held in lists], dtype=np.int64)
        columns = np.array([part for held in lists for part in held], dtype=np.int64).reshape(-1, 3).T
        return cls(markets, (np.cumsum(count) - count)[which], count[which], *columns)

    def within_us(self, market: Whole, begins_us: Whole, as_of_us: Whole) -> Whole:
        """How much of each stretch from … to lies in gaps that were over by its end."""
        found, place = np.zeros_like(as_of_us), np.searchsorted(self.markets, market)
        for n in range(int(self.count.max(initial=0))):
            part = np.minimum(self.first[place] + n, self.to_us.size - 1)
            is_known = (n < self.count[place]) & (self.known_us[part] <= as_of_us)
            length = np.minimum(self.to_us[part], as_of_us) - np.maximum(self.from_us[part], begins_us)
            found += np.where(is_known, np.maximum(0, length), 0)
        return found


def _listed(rows: pa.Table) -> Whole:
    """Gaps, one a line: from, to."""
    return np.column_stack([whole(rows, "from_us"), whole(rows, "to_us")])


def parts(gaps: Iterable[Gap]) -> list[Part]:
    """Of each gap what none that was over before it covers: from, to, and when it was known."""
    covered: list[Gap] = []
    found: list[Part] = []
    for from_us, to_us in sorted(gaps, key=lambda gap: (gap[1], gap[0])):
        left, begins = to_us, from_us
        while covered and covered[-1][1] > from_us:
            begin, end = covered.pop()
            found += [(end, left, to_us)] if end < left else []
            left, begins = begin, min(begins, begin)
        found += [(from_us, left, to_us)] if from_us < left else []
        covered.append((begins, to_us))
    return found
