"""Dice with names: the same seed and name give the same draws, whatever was drawn elsewhere before."""

from __future__ import annotations

import random
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def digest(seed: int, *name: object, size: int = 32) -> bytes:
    """Bytes that belong to a name."""
    return blake2b("/".join(map(str, (seed, *name))).encode(), digest_size=size).digest()


def dice(seed: int, *name: object) -> random.Random:
    """Draws one at a time."""
    return random.Random(digest(seed, *name))


def many(seed: int, *name: object) -> np.random.Generator:
    """Draws by the array."""
    return np.random.default_rng(int.from_bytes(digest(seed, *name), "big"))


def normal_cdf(x: Array) -> Array:
    """Standard normal distribution function (Abramowitz and Stegun 26.2.17, absolute error below 7.5e-8)."""
    t = 1 / (1 + 0.2316419 * np.abs(x))
    series = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    upper = np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi) * series
    whole: Array = np.where(x >= 0, 1 - upper, upper)
    return whole
