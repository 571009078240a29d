"""Pieces of learning that are measured, each in a process of its own, and the plain way beside each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.past import peak_mb

if TYPE_CHECKING:
    import pandas as pd

    from polymarket_assets.learning.served import Encoding

# The grid of the design: 170,000 rows of 80 features, one for each of its 19 hours before the end.
GROUPS, FOLDS = 8_950, 8
SCORED = 10_000
# Draws of the plain bootstrap, and rows that the plain scorer asks one at a time; both are scaled.
PLAIN_DRAWS, PLAIN_ROWS = 10, 200
ROWS, OUT_OF_FOLD, MODEL = "rows.parquet", "out_of_fold.parquet", "correction"
# The loop that tells how busy the machine was: so many additions of plain Python.
ADDITIONS = 10_000_000


@dataclass(frozen=True)
class Took:
    """What a piece took, and a number it tells."""

    wall_s: float
    cpu_s: float
    mb: float
    told: float = 0.0


def made(root: Path) -> Took:
    """Synthetic rows whose signs of trades are known, so that every feature is learnt from."""
    from polymarket_assets.learning.evidence import grid
    from polymarket_assets_tests.learning.synthetic import training_rows

    rows = training_rows(GROUPS, edge=0.1, hours=tuple(hour for hour in grid.HOURS if hour > 0))
    index = rows.schema.get_field_index("sign_quality")
    rows = rows.set_column(index, rows.schema.field(index), pa.array(np.ones(rows.num_rows)))
    pq.write_table(rows, root / ROWS)
    return Took(0.0, 0.0, peak_mb(), rows.num_rows)


def fitted(root: Path) -> Took:
    """One booster of the default shape on all rows, from a frame on."""
    from polymarket_assets.learning.training import boosting
    from polymarket_assets.learning.training.capacity import Capacity

    _, encoding, frame = _held(root)
    return _taken(lambda: len(boosting.correction(frame, encoding, Capacity(), seed=7, members=1).boosters), len(encoding.names))  # fmt: skip


def fitted_plainly(root: Path) -> Took:
    """The same rows by scikit-learn's interface with 200 trees of depth 6."""
    import xgboost

    _, encoding, frame = _held(root)
    plain = xgboost.XGBClassifier(n_estimators=200, max_depth=6, tree_method="hist", enable_categorical=True, n_jobs=2)  # fmt: skip
    return _taken(lambda: plain.fit(encoding.frame(frame), frame["label"], sample_weight=frame["weight"]).n_estimators)  # fmt: skip


def walked(root: Path) -> Took:
    """Eight folds, at each all baselines, kappa on inner folds and five members; their rows are kept, and a model of all."""
    from polymarket_assets.learning import splits
    from polymarket_assets.learning.training import walking
    from polymarket_assets.learning.training.learning import Recipe

    rows, _, frame = _held(root)
    planned = splits.at_quantiles(rows, np.linspace(0.3, 0.9, FOLDS))
    found: list[pa.Table] = []

    def walk() -> int:
        folds = walking.usable(rows, frame, planned)
        for learnt, asked in walking.walked(rows, frame, folds, Recipe()):
            found.append(asked)
            correction = learnt.correction
        (root / MODEL).mkdir()
        correction.save(root / MODEL)
        return len(folds)

    took = _taken(walk)
    pq.write_table(pa.concat_tables(found), root / OUT_OF_FOLD)
    return took


def searched(root: Path, trials: int) -> Took:
    """So many trials on the inner folds of all rows."""
    from polymarket_assets.learning.training import inner, searching
    from polymarket_assets.learning.training.capacity import Capacity

    rows, encoding, frame = _held(root)
    return _taken(lambda: len(searching.searched(inner.sides(rows, frame), encoding, Capacity(), count=trials, seed=7)[1]))  # fmt: skip


def judged(root: Path) -> Took:
    """The whole judgement of the out-of-fold rows, 2,000 draws of groups and as many of days."""
    from polymarket_assets.learning import evaluation

    rows = pq.read_table(root / OUT_OF_FOLD)
    return _taken(lambda: evaluation.evaluate(rows).overall.groups)


def judged_plainly(root: Path) -> Took:
    """One figure, the Brier skill: the rows of drawn groups looked up by pandas, a few times."""
    frame = pq.read_table(root / OUT_OF_FOLD).to_pandas().set_index("group_id").sort_index()
    names, dice = frame.index.unique().to_numpy(), np.random.default_rng(0)

    def skills() -> int:
        for _ in range(PLAIN_DRAWS):
            _skill(frame.loc[dice.choice(names, len(names))])
        return PLAIN_DRAWS

    return _taken(skills)


def scored(root: Path) -> Took:
    """Ten thousand rows by a model in a folder, after a few that pay for imports."""
    from polymarket_assets.learning.commands import scoring
    from polymarket_assets.learning.commands.loading import loaded

    rows, now = pq.read_table(root / ROWS).slice(0, SCORED), datetime.now(UTC)
    with loaded(str(root / MODEL), lambda: "") as model:
        scoring.scored(rows.slice(0, 10), model, of=scoring.FEATURES, at=now)
        return _taken(lambda: scoring.scored(rows, model, of=scoring.FEATURES, at=now).num_rows)


def scored_plainly(root: Path) -> Took:
    """A few hundred rows, each asked for alone."""
    from polymarket_assets.learning.served import Correction

    frame = pq.read_table(root / ROWS).slice(0, PLAIN_ROWS).to_pandas()
    correction = Correction.load(root / MODEL)
    correction.probabilities(frame)
    return _taken(lambda: sum(len(correction.probabilities(frame.iloc[n : n + 1])) for n in range(len(frame))))  # fmt: skip


def added() -> Took:
    """Plain additions: how fast this machine was while the others were measured."""
    return _taken(lambda: sum(range(ADDITIONS)))


def _skill(frame: pd.DataFrame) -> float:
    ours, theirs = (float((frame["weight"] * (frame[name] - frame["label"]) ** 2).sum()) for name in ("probability", "mid"))  # fmt: skip
    return 1 - ours / theirs


def _held(root: Path) -> tuple[pa.Table, Encoding, pd.DataFrame]:
    from polymarket_assets.learning.training import choosing

    rows = pq.read_table(root / ROWS)
    return rows, choosing.encoding(rows), rows.to_pandas()


def _taken(run: Callable[[], int], told: float | None = None) -> Took:
    wall, cpu = time.perf_counter(), time.process_time()
    found = run()
    return Took(time.perf_counter() - wall, time.process_time() - cpu, peak_mb(), found if told is None else told)  # fmt: skip
