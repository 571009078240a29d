"""Drift: whether the features a model is asked with today are still those it learnt from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from polymarket_assets.venue.errors import MalformedPayload

if TYPE_CHECKING:
    import pandas as pd

Reals = npt.NDArray[np.float64]

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
    """One feature as it was learnt from: inner edges of bins of equal mass (words: the words), the share of each, and of nulls."""

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
    """What a model of these rows learnt from, feature by feature; rows count by `weight`."""
    frame = rows.select([*names, "weight"]).to_pandas()
    weight = frame["weight"].to_numpy(dtype=float)
    return {name: _profile(frame[name], weight) for name in names}


def compared(then: dict[str, Profile], rows: pa.Table) -> list[Drifted]:
    """Each feature of recent rows against its profile, the farthest first; nothing for too few rows."""
    if rows.num_rows < LEAST_ROWS:
        return []
    frame = rows.select([name for name in then if name in rows.column_names]).to_pandas()
    found = [_compared(name, then[name], frame[name]) for name in frame]
    return sorted(found, key=lambda one: -one.psi)


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


def _profile(values: pd.Series, weight: Reals) -> Profile:
    held = values.notna().to_numpy()
    nulls = 1 - float(weight[held].sum() / weight.sum()) if len(values) else 1.0
    edges = _edges(values[held], weight[held])
    return Profile(edges, _shares(values[held], edges, weight[held]).tolist(), nulls)


def _edges(values: pd.Series, weight: Reals) -> list[float | str]:
    if _is_word(values):
        return sorted(set(values.astype(str)))
    if not len(values):
        return []
    numbers = values.to_numpy(dtype=float)
    order = np.argsort(numbers, kind="stable")
    mass = np.cumsum(weight[order]) / weight.sum()
    at = np.searchsorted(mass, np.arange(1, BINS) / BINS)
    return sorted(set(numbers[order][np.minimum(at, len(numbers) - 1)].tolist()))


def _shares(values: pd.Series, edges: list[float | str], weight: Reals) -> Reals:
    """The share of each bin; of words the last is of those that were not there."""
    place = _places(values, edges)
    counted = np.bincount(place, weight, minlength=len(edges) + 1)
    return np.asarray(counted / max(counted.sum(), np.finfo(float).tiny), dtype=np.float64)


def _places(values: pd.Series, edges: list[float | str]) -> npt.NDArray[np.int64]:
    if _is_word(values):
        known = {word: n for n, word in enumerate(edges)}
        return np.array([known.get(word, len(edges)) for word in values.astype(str)], dtype=np.int64)
    # A value at an edge lies below it, so that a lump of equal values has a bin of its own.
    return np.searchsorted(np.asarray(edges, dtype=float), values.to_numpy(dtype=float), side="left")


def _compared(name: str, then: Profile, values: pd.Series) -> Drifted:
    held = values[values.notna()]
    now = _shares(held, then.edges, np.ones(len(held))) if len(held) else np.zeros(0)
    psi = sum(_terms(np.asarray(then.shares), now)) if len(held) and then.edges else 0.0
    return Drifted(name, float(psi), then.nulls, 1 - len(held) / len(values))


def _terms(then: Reals, now: Reals) -> Iterator[float]:
    """PSI = Σ (now − then) ln(now / then)."""
    for one, other in zip(np.maximum(then, _LEAST_SHARE), np.maximum(now, _LEAST_SHARE), strict=True):
        yield float((other - one) * np.log(other / one))


def _is_word(values: pd.Series) -> bool:
    return values.dtype == object or str(values.dtype) in ("string", "str")
