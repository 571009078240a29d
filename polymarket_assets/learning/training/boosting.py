"""Boosters that learn corrections: the price is their margin, and each sees another draw of the groups."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from polymarket_assets.learning.served import Correction, Encoding, Shrinkage, has_order, margin
from polymarket_assets.learning.training.capacity import BINS, Capacity

if TYPE_CHECKING:
    import pandas as pd
    import xgboost

Reals = npt.NDArray[np.float64]
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

# Members of a model: their mean is steadier than one, and their spread tells how much hangs on which groups were seen.
MEMBERS = 5
# Boosters side by side, each on one thread: threads that share a booster wait for each other at every level of every tree,
# five times as long where a collector uses the same cores.
SIDE_BY_SIDE = 2


def side_by_side(ask: Callable[[Asked], Answer], asked: Iterable[Asked]) -> Generator[Answer, None, None]:
    """Answers in the order of what was asked; closed early, what was not begun is not begun. Whoever may leave early closes it."""
    pool = ThreadPoolExecutor(SIDE_BY_SIDE)
    try:
        yield from pool.map(ask, asked)
    finally:
        pool.shutdown(cancel_futures=True)


def correction(
    rows: pd.DataFrame, encoding: Encoding, capacity: Capacity, *, seed: int, members: int = MEMBERS
) -> Correction:
    """A correction learnt from labelled rows, not yet shrunk."""
    seen, draws = both_ways(rows, encoding), _draws(rows, members, seed)
    free = _matrices(seen, draws)

    def boosted(member: tuple[int, Reals]) -> xgboost.Booster:
        import xgboost

        number, draw = member
        data = free.get()
        try:
            data.set_weight(seen.weight * draw[seen.row])
            return xgboost.train(
                {**capacity.params(), "seed": seed + number}, data, num_boost_round=capacity.trees
            )
        finally:
            free.put(data)

    return Correction(tuple(side_by_side(boosted, enumerate(draws))), encoding, Shrinkage())


def _matrices(seen: Seen, draws: Reals) -> SimpleQueue[xgboost.QuantileDMatrix]:
    """One for each booster that is made at a time: members differ in weights alone, and binning costs as much as boosting."""
    free = SimpleQueue[Any]()
    first = seen.matrix(draws[0])
    free.put(first)
    for _ in range(1, min(SIDE_BY_SIDE, len(draws))):
        free.put(seen.matrix(draws[0], first))
    return free


@dataclass(frozen=True)
class Seen:
    """Labelled rows as boosters see them; of which row each is, where one is seen twice."""

    encoded: pd.DataFrame
    label: Reals
    price: Reals
    weight: Reals
    row: npt.NDArray[np.int64]

    def matrix(self, draw: Reals, binned: xgboost.QuantileDMatrix | None = None) -> xgboost.QuantileDMatrix:
        """As XGBoost takes them, the price as base margin; `draw` is how often each row counts, `binned` has bins to share."""
        import xgboost

        return xgboost.QuantileDMatrix(
            self.encoded, label=self.label, base_margin=self.price, weight=self.weight * draw[self.row], max_bin=BINS, ref=binned,
            enable_categorical=True, nthread=1,
        )  # fmt: skip


def both_ways(rows: pd.DataFrame, encoding: Encoding) -> Seen:
    """Rows whose outcomes are names are seen from both sides, with half the weight each (ML.md 2.7)."""
    import pandas as pd

    encoded, ordered, weight = encoding.frame(rows), has_order(rows), rows["weight"].to_numpy(dtype=float)
    row, turned = np.arange(len(rows)), np.flatnonzero(~ordered)
    label, price = rows["label"].to_numpy(dtype=float), margin(rows)
    return Seen(
        pd.concat([encoded, encoding.mirrored(encoded.iloc[turned])], ignore_index=True)
        if turned.size
        else encoded,
        np.r_[label, 1 - label[turned]],
        np.r_[price, -price[turned]],
        np.r_[np.where(ordered, 1.0, 0.5) * weight, 0.5 * weight[turned]],
        np.r_[row, turned],
    )


def _draws(rows: pd.DataFrame, members: int, seed: int) -> Reals:
    """(members × rows): how often each row's group was drawn, with replacement; a single member sees each once."""
    if members == 1:
        return np.ones((1, len(rows)))
    _, group = np.unique(rows["group_id"].to_numpy(), return_inverse=True)
    count = int(group.max()) + 1
    dice = np.random.default_rng(seed)
    drawn = dice.multinomial(count, np.full(count, 1 / count), size=members).astype(np.float64)
    return drawn[:, group]
