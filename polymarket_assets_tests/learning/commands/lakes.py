"""A small lake of synthetic markets, features and resolutions, and models to ask about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.lake import TABLES
from polymarket_assets.lake.writing import Lake, conform
from polymarket_assets.learning.features.catalogue import FEATURES, MIRRORS, WORDS
from polymarket_assets.learning.served import Correction, Encoding, Shrinkage
from polymarket_assets.learning.training import boosting
from polymarket_assets.learning.training.capacity import Capacity
from polymarket_assets_tests.learning.rows import publish, resolution
from polymarket_assets_tests.learning.synthetic import training_rows

ENCODING = Encoding(tuple(feature.name for feature in FEATURES if feature.name != "mid"), WORDS, MIRRORS)


def filled(lake: Lake, rows: pa.Table, *, decided: bool = True) -> Lake:
    """A lake whose training set these rows are: features by day, and how each market ended."""
    features = conform(TABLES["features"], rows.select([name for name in TABLES["features"].names if name in rows.column_names]))  # fmt: skip
    days = rows.column("as_of").cast(pa.date32())
    for day in days.unique().to_pylist():
        lake.publish("features", features.filter(pc.equal(days, day)), part="history", at=day)
    ends = {row["market_id"]: row for row in rows.select(["market_id", "label", "label_seen_at"]).to_pylist()}
    if decided:
        publish(lake, "resolutions", [resolution(name, row["label_seen_at"] , row["label"], decided_seen_at=row["label_seen_at"] - timedelta(hours=2)) for name, row in ends.items()])  # fmt: skip
    return lake


def synthetic(lake: Lake, groups: int = 400, **how: Any) -> Lake:
    return filled(lake, training_rows(groups, **{"edge": 0.8, "days": 60, **how}))


def learnt(rows: pa.Table, kappa: float = 0.8) -> Correction:
    """A correction of these rows."""
    found = boosting.correction(rows.to_pandas(), ENCODING, Capacity(child=1.0), seed=7)
    return Correction(found.boosters, ENCODING, Shrinkage(kappa))
