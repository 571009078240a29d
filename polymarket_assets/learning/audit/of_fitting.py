"""The guard of what is fitted: scalers, encoders, bins, shrinkage and trees know nothing of the weeks they are asked about."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.learning import splits
from polymarket_assets.learning.audit.audited import SAME, Audit, Finding
from polymarket_assets.learning.out_of_fold import BASELINES, MODEL
from polymarket_assets.learning.training import walking
from polymarket_assets.learning.training.learning import Recipe


def fitted(audit: Audit) -> Finding:
    """What is said of the week before the last cut, by model and baselines, does not change with how the weeks after it end."""
    rows = audit.built.rows
    folds = walking.usable(rows, rows.to_pandas(), splits.plan(rows)) if rows.num_rows else []
    if len(folds) < 2:
        return Finding(None, "no two cuts with enough before them")
    week, last = folds[-2:]
    told, other = (_said(of, week, audit.seed) for of in (rows, _turned(rows, last.cut_us)))
    moved = int((np.abs(told - other) >= SAME).any(axis=0).sum())
    return Finding(moved == 0, f"{told.shape[1]:,} predictions before the last cut, {moved:,} moved with labels after it")  # fmt: skip


def _said(rows: pa.Table, fold: splits.Fold, seed: int) -> npt.NDArray[np.float64]:
    """(forecasts × rows) of a fold; what a baseline does not say stands as −1."""
    _, found = next(walking.walked(rows, rows.to_pandas(), [fold], Recipe(seed=seed)))
    return np.stack([found.column(name).fill_null(-1.0).to_numpy() for name in (*BASELINES, MODEL)])


def _turned(rows: pa.Table, from_us: int) -> pa.Table:
    """Labels of the rows from an instant on, turned round."""
    at = rows.column("as_of").cast(pa.int64())
    label = rows.column("label")
    turned = pc.if_else(pc.greater_equal(at, from_us), pc.subtract(pa.scalar(1, pa.int8()), label), label)
    return rows.set_column(rows.column_names.index("label"), rows.schema.field("label"), turned)
