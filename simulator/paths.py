"""True probabilities over time: martingales by construction, with the outcome as their last value.

Each market (or race of several) has hidden scores X = x0 + B(u(t)), where B is a Brownian motion and u(t) the share of all
information that is out at time t: u grows evenly, may be slower before a pivot (a game's start, an up/down window), and jumps at
scheduled instants, so that a share of the information arrives as normally distributed jumps. u is 0 at listing and 1 at the end.

- One market: YES exactly if X > 0 at the end, so p(t) = Phi(X(t) / sqrt(1 - u(t))).
- A race of n legs: the leg with the highest score wins, so
  p_i(t) = E[prod over j != i of Phi((X_i - X_j) / sqrt(1 - u) + Z)], Z standard normal (Gauss-Hermite quadrature).

Both are conditional probabilities of the outcome given what is known at t, whence martingales; the legs of a race sum to one. Time is
cut into even cells; within a cell nothing becomes known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from simulator.chance import Array, normal_cdf

# Nodes of the quadrature over the normal distribution: errors below a tenth of the finest tick.
NODES = 24


@dataclass(frozen=True)
class Information:
    """How information comes out between listing and end; the pivot lies between them. Instants are Unix seconds."""

    starts_at: float
    ends_at: float
    pivot_at: float
    # Share of the even part that is out at the pivot; a pivot at half of the time with a half of the share is even.
    before_pivot: float
    jumps: tuple[tuple[float, float], ...] = ()  # (when, share of all information)

    def __post_init__(self) -> None:
        if not self.starts_at < self.pivot_at < self.ends_at:
            raise ValueError("a pivot lies between listing and end")

    def used(self, at: Array) -> Array:
        """The share that is out, 0 to 1."""
        knots = [self.starts_at, self.pivot_at, self.ends_at]
        even = np.interp(at, knots, [0.0, self.before_pivot, 1.0])
        total = even * (1 - sum(share for _, share in self.jumps))
        for when, share in self.jumps:
            total = total + share * (at >= when)
        return np.where(at >= self.ends_at, 1.0, np.minimum(total, 1.0))


class Path:
    """Probabilities of all legs on a grid of cells; between two points of the grid the earlier one holds."""

    def __init__(self, information: Information, x0: Array, cells: int, chance: np.random.Generator) -> None:
        self.starts_at, self.ends_at = information.starts_at, information.ends_at
        self.cells = cells
        used = information.used(np.linspace(self.starts_at, self.ends_at, cells + 1))
        steps = np.sqrt(np.diff(used, prepend=0.0)) * chance.standard_normal((len(x0), cells + 1))
        self.probabilities = probabilities(x0[:, None] + np.cumsum(steps, axis=1), 1 - used)

    def at(self, when: Array | float) -> Array:
        """Probabilities of every leg: shape (legs,) or (legs, instants)."""
        cell = (np.asarray(when) - self.starts_at) / (self.ends_at - self.starts_at) * self.cells
        # A hair more: an instant on the grid belongs to the cell that it opens.
        return self.probabilities[:, np.clip(cell + 1e-6, 0, self.cells).astype(int)]

    def one(self, leg: int, when: float) -> float:
        """The probability of one leg at one instant."""
        cell = (when - self.starts_at) / (self.ends_at - self.starts_at) * self.cells
        return float(self.probabilities[leg, min(max(int(cell + 1e-6), 0), self.cells)])

    def wins(self, leg: int) -> bool:
        """Whether the leg ends YES."""
        return bool(self.probabilities[leg, -1] > 0.5)


def probabilities(scores: Array, left: Array) -> Array:
    """Probabilities (legs, instants) of scores of that shape with `left` of the information still to come (instants)."""
    if len(scores) == 1:
        return np.where(left > 0, normal_cdf(scores / _root(left)), (scores > 0).astype(float))
    open_ = _race(scores / _root(left))
    decided = (scores == scores.max(axis=0)).astype(float)
    return np.where(left > 0, open_, decided)


def _root(left: Array) -> Array:
    return np.sqrt(np.where(left > 0, left, 1.0))


def _race(scaled: Array) -> Array:
    nodes, weights = _quadrature()
    legs = []
    for i in range(len(scaled)):
        apart = scaled[i] - np.delete(scaled, i, axis=0)
        legs.append(
            np.einsum("n,nt->t", weights, normal_cdf(apart[None] + nodes[:, None, None]).prod(axis=1))
        )
    whole = np.array(legs)
    shares: Array = whole / whole.sum(axis=0)
    return shares


@lru_cache(maxsize=1)
def _quadrature() -> tuple[Array, Array]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return nodes, weights / weights.sum()
