"""Drift: whether the features a model is asked with today are still those it learnt from.

Like is compared with like: a model is asked about recorded rows with a price, one by one, so its profile is of such rows of its
training set, unweighted. Imported rows lack whole groups of features, and beside them every recorded one would seem to have moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.learning.evidence.recorded import RECORDED
from polymarket_assets.learning.features.catalogue import BY_NAME
from polymarket_assets.learning.features.declaring import Kind
from polymarket_assets.venue.errors import MalformedPayload

Reals = npt.NDArray[np.float64]
# The values of a feature where it has one: reals, or words.
Values = npt.NDArray[Any]

# Population stability index: above this a distribution counts as another one (ML.md 4.7).
PSI_MOVED = 0.25
# Null rates that move by more than this say that a source is out, or that one has come.
NULLS_MOVED = 0.10
BINS = 10
# A bin that one side never filled: as if half a row in a thousand lay there.
_LEAST_SHARE = 5e-4
# Distributions of fewer rows than this differ by chance.
LEAST_ROWS = 500


@dataclass(frozen=True)
class Profile:
    """One feature as it was learnt from, over recorded rows: inner edges of bins of equal mass (words: the words), the share of each, and of nulls."""

    edges: list[float | str]
    shares: list[float]
    nulls: float


@dataclass(frozen=True)
class Drifted:
    """One feature, then and now."""

    feature: str
    psi: float
    nulls_then: float
    nulls_now: float

    @property
    def is_moved(self) -> bool:
        """Whether its values are distributed otherwise."""
        return self.psi > PSI_MOVED

    @property
    def is_null_rate_moved(self) -> bool:
        """Whether it is there more or less often."""
        return abs(self.nulls_now - self.nulls_then) > NULLS_MOVED

    @property
    def said(self) -> str:
        """In words."""
        return (
            f"{self.feature}: PSI {self.psi:.2f}, null {self.nulls_then:.0%} then, {self.nulls_now:.0%} now"
        )


def profiles(rows: pa.Table, names: tuple[str, ...]) -> dict[str, Profile]:
    """What the recorded rows that a model learnt from looked like, feature by feature; nothing for too few of them."""
    like = _as_asked(rows)
    if like.num_rows < LEAST_ROWS:
        return {}
    return {name: _profile(_values(like, name), like.num_rows) for name in names}


def compared(then: dict[str, Profile], rows: pa.Table) -> list[Drifted]:
    """Each feature of recent rows against its profile, the farthest first; nothing for too few recorded ones on either side."""
    like = _as_asked(rows)
    if like.num_rows < LEAST_ROWS:
        return []
    found = [_compared(name, then[name], _values(like, name), like.num_rows) for name in then if name in rows.column_names]  # fmt: skip
    return sorted(found, key=lambda one: -one.psi)


def untold(then: dict[str, Profile]) -> str:
    """Why nothing was compared, in words."""
    if not then:
        return f"learnt from imported rows, of recorded ones from fewer than {LEAST_ROWS}: whether those drift cannot be told"
    return f"fewer than {LEAST_ROWS} priced rows were recorded in the last week, or it uses no feature: drift cannot be told"


def to_json(found: dict[str, Profile]) -> str:
    """As text; `from_json` gives the same back."""
    import msgspec

    return msgspec.json.encode(found).decode()


def from_json(text: str | bytes) -> dict[str, Profile]:
    """From text. Raises `MalformedPayload` where it is no such thing."""
    import msgspec

    try:
        return msgspec.json.decode(text, type=dict[str, Profile])
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise MalformedPayload("profiles", text, str(e)) from e


def _as_asked(rows: pa.Table) -> pa.Table:
    """Rows of a kind that a model is asked about: recorded, with a price."""
    return rows.filter(pc.and_(pc.equal(rows.column("source"), RECORDED), pc.is_valid(rows.column("mid"))))


def _values(rows: pa.Table, name: str) -> Values:
    """Where a feature is there, by the kind it was declared with: a dtype tells nothing of a column of flags with nulls."""
    column = rows.column(name)
    if BY_NAME[name].kind is Kind.WORD:
        return np.array(column.drop_null().to_pylist(), dtype=object)
    numbers: Reals = column.cast(pa.float64()).to_numpy()
    return numbers[~np.isnan(numbers)]


def _profile(values: Values, rows: int) -> Profile:
    edges = _edges(values)
    return Profile(edges, _shares(values, edges).tolist(), 1 - len(values) / rows)


def _edges(values: Values) -> list[float | str]:
    if values.dtype != object and len(values):
        values = np.quantile(values, np.arange(1, BINS) / BINS, method="inverted_cdf")
    return list(np.unique(values).tolist())


def _shares(values: Values, edges: list[float | str]) -> Reals:
    """The share of each bin; of words the last is of those that were not there."""
    counted = np.bincount(_places(values, edges), minlength=len(edges) + 1)
    return np.asarray(counted / max(len(values), 1), dtype=np.float64)


def _places(values: Values, edges: list[float | str]) -> npt.NDArray[np.int64]:
    if values.dtype == object:
        known = {word: n for n, word in enumerate(edges)}
        return np.array([known.get(word, len(edges)) for word in values], dtype=np.int64)
    # A value at an edge lies below it, so that a lump of equal values has a bin of its own.
    return np.searchsorted(np.asarray(edges, dtype=float), values, side="left")


def _compared(name: str, then: Profile, values: Values, rows: int) -> Drifted:
    is_there = len(values) > 0 and len(then.edges) > 0
    psi = sum(_terms(np.asarray(then.shares), _shares(values, then.edges))) if is_there else 0.0
    return Drifted(name, float(psi), then.nulls, 1 - len(values) / rows)


def _terms(then: Reals, now: Reals) -> Iterator[float]:
    """PSI = Σ (now − then) ln(now / then)."""
    for one, other in zip(np.maximum(then, _LEAST_SHARE), np.maximum(now, _LEAST_SHARE), strict=True):
        yield float((other - one) * np.log(other / one))
