"""A sample: the rows of a judgement as arrays, one entry a row, and which of them one outcome decides together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.learning.errors import NothingToJudge
from polymarket_assets.learning.out_of_fold import BASELINES, MODEL, PRICE

Reals = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# Without these nothing can be judged; a null in one of them is a fault of whoever made the rows.
NEEDED = ("market_id", "group_id", "label", "weight", PRICE, MODEL)
LADDER = (PRICE, *BASELINES)
_DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Sample:
    """n rows: label 0/1, weight, the model's probability, those of `forecasts` (NaN where none was made).

    `group` numbers the group of each row, 0 … groups − 1; `day_of_group` the UTC day on which the last label of each
    group was seen, 0 … days − 1; None where that is not known. Whole groups share a day, so that clusters nest.
    """

    table: pa.Table
    label: Reals
    weight: Reals
    probability: Reals
    forecasts: dict[str, Reals]
    group: Codes
    groups: int
    day_of_group: Codes | None
    days: int

    def part(self, mask: Mask) -> Sample:
        """The rows a mask keeps."""
        return sampled(self.table.filter(pa.array(mask)))


def sampled(table: pa.Table) -> Sample:
    """Rows of `out_of_fold.SCHEMA` as a sample; baselines that are absent, or null throughout, are left out.

    Raises:
        NothingToJudge: there are no rows, or one lacks its group, label, weight, price or probability.
    """
    _refuse_unfit(table)
    group, groups = _codes(table.column("group_id"))
    found = {name: reals(table, name) for name in LADDER if name in table.column_names}
    days = _days(table, group, groups)
    return Sample(
        table=table,
        label=reals(table, "label"),
        weight=reals(table, "weight"),
        probability=reals(table, MODEL),
        forecasts={name: values for name, values in found.items() if not np.isnan(values).all()},
        group=group,
        groups=groups,
        day_of_group=days,
        days=0 if days is None else int(days.max()) + 1,
    )


def summed(codes: Codes, values: Reals, count: int) -> Reals:
    """Sums of values (n,) by code: (count,)."""
    return np.asarray(np.bincount(codes, values, count), dtype=np.float64)


def reals(table: pa.Table, name: str) -> Reals:
    """A column as 64-bit floats; null becomes NaN."""
    found: Any = table.column(name).cast(pa.float64()).to_numpy()
    return np.asarray(found, dtype=np.float64)


def micros(table: pa.Table, name: str) -> Codes:
    """A column of instants as microseconds since 1970."""
    found: Any = table.column(name).cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy()
    return np.asarray(found, dtype=np.int64)


def _codes(column: pa.ChunkedArray) -> tuple[Codes, int]:
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.to_numpy(), dtype=np.int64), len(encoded.dictionary)


def _days(table: pa.Table, group: Codes, groups: int) -> Codes | None:
    if "label_seen_at" not in table.column_names or table.column("label_seen_at").null_count:
        return None
    last = np.zeros(groups, dtype=np.int64)
    np.maximum.at(last, group, micros(table, "label_seen_at") // _DAY_US)
    found: Codes = np.unique(last, return_inverse=True)[1].astype(np.int64)
    return found


def _refuse_unfit(table: pa.Table) -> None:
    if missing := [name for name in NEEDED if name not in table.column_names]:
        raise NothingToJudge(f"rows to be judged need {', '.join(NEEDED)}: {', '.join(missing)} missing")
    if not table.num_rows:
        raise NothingToJudge("there are no rows to judge: train again when more markets have ended")
    unfit = {name: count for name in NEEDED if (count := _unfit(name, table.column(name)))}
    if unfit:
        told = ", ".join(f"{count:,} of {name}" for name, count in unfit.items())
        raise NothingToJudge(f"rows to be judged must be whole, these are null or no {_KINDS}: {told}")


_KINDS = "label of 0 or 1, probability within 0 … 1 or weight above 0"
_FIT: dict[str, Callable[[pa.ChunkedArray], Any]] = {
    "label": lambda labels: pc.is_in(labels, pa.array([0, 1], labels.type)),
    "weight": lambda weights: pc.greater(weights, 0),
    PRICE: lambda values: pc.and_(pc.greater_equal(values, 0), pc.less_equal(values, 1)),
    MODEL: lambda values: pc.and_(pc.greater_equal(values, 0), pc.less_equal(values, 1)),
}


def _unfit(name: str, column: pa.ChunkedArray) -> int:
    """How many values are null, NaN or out of range; a comparison with NaN is false."""
    fit = _FIT[name](column) if name in _FIT else pc.is_valid(column)
    return len(column) - int(pc.sum(fit.fill_null(False)).as_py() or 0)
