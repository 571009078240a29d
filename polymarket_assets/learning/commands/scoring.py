"""`score`: what a model says of the feature rows of a lake, without a word of how they ended.

Of two kinds: rows of `features` as they stand, recorded or imported, or every market that a recorded lake had just sampled
at one instant. The file says which model spoke and up to when it may have learnt, so that a judgement can leave those rows out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.storage import LocalStore
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.commands.loading import Loaded
from polymarket_assets.learning.live import scoring as live
from polymarket_assets.venue.errors import Gone, MalformedPayload, Refused

# What of a feature row stands beside its forecast: what does live, and where it came from. Labels are no feature and cannot be among them.
KEPT = ("event_id", "source", *live.KEPT)
# Baselines that need no fitting.
UNFITTED = ("b1m", "b1n")
FEATURES, INSTANT = "features", "instant"
# Rows a model is asked about at once: a frame of 80 features and 40 MB, and a step of the progress bar.
AT_ONCE = 50_000
_KEY = b"polymarket"


@dataclass(frozen=True)
class Scored:
    """Who spoke, of what (`FEATURES` or `INSTANT`), and up to when it may have learnt; stored with the rows."""

    model: str
    run_id: str | None
    learnt_until: datetime | None
    says_the_price: bool
    of: str
    scored_at: datetime


def rows_of_features(lake: Lake, since: datetime | None, until: datetime | None) -> pa.Table:
    """The rows of `features` with a price whose instant lies in the span. Raises `Gone` where there are none."""
    span = Span(since, until) if since and until else None
    rows = reading.rows(lake, "features", span)
    kept = pc.is_valid(rows.column("mid"))
    for bound, holds in ((since, pc.greater_equal), (until, pc.less)):
        if bound:
            kept = pc.and_(kept, holds(rows.column("as_of"), pa.scalar(bound, pa.timestamp("us", tz="UTC"))))
    found = rows.filter(kept)
    if not found.num_rows:
        raise Gone(f"the lake at {lake.root} has {rows.num_rows:,} rows of features, none with a price in the span: materialize features or history_features, or name another span")  # fmt: skip
    return found


def rows_at(lake: Lake, at: datetime, streamed: tuple[str, ...]) -> pa.Table:
    """Features of every market with a snapshot that stands at an instant. Raises `Gone` where there is none."""
    found = live.priced(lake, at, streamed)
    if not found.num_rows:
        raise Gone(f"no market of the lake at {lake.root} was sampled just before {at:%Y-%m-%d %H:%M:%S} UTC: an instant needs a recorded lake, without --at the rows of features are scored")  # fmt: skip
    return found


def scored(
    rows: pa.Table,
    model: Loaded,
    *,
    of: str,
    at: datetime,
    on_rows: Callable[[int], None] = lambda count: None,
) -> pa.Table:
    """Forecasts of feature rows; `on_rows` hears how many more are done."""
    told = Scored(model.name, model.run_id, model.learnt_until, model.says_the_price, of, at)
    parts = []
    for start in range(0, rows.num_rows, AT_ONCE):
        part = rows.slice(start, AT_ONCE)
        parts.append(_said(part, model))
        on_rows(part.num_rows)
    return pa.concat_tables(parts).replace_schema_metadata({_KEY: _to_json(told)})


def write(table: pa.Table, file: Path) -> None:
    """Write forecasts, whole or not at all. Raises `LakeUnwritable`."""
    import pyarrow.parquet as pq

    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd")
    LocalStore(file.parent, called="the folder").write_bytes(file.name, buffer.getvalue().to_pybytes())


def read(file: Path) -> tuple[pa.Table, Scored]:
    """Forecasts and who made them.

    Raises:
        Gone: there is no such file.
        MalformedPayload: it is no file that `score` wrote.
    """
    import pyarrow.parquet as pq

    if not file.exists():
        raise Gone(f"there is no file {file}: write one with `score --out {file}`")
    try:
        table = pq.read_table(file)
        return table, _from_json((table.schema.metadata or {})[_KEY])
    except (pa.ArrowInvalid, KeyError, TypeError, ValueError) as e:
        raise MalformedPayload("predictions", file, "it was not written by `score`") from e


def _said(rows: pa.Table, model: Loaded) -> pa.Table:
    from polymarket_assets.learning.baselines import LADDER

    probability, spread = model.says(rows)
    if not np.isfinite(probability).all():
        raise Refused(f"{model.name} gives no probability for {np.count_nonzero(~np.isfinite(probability)):,} rows")  # fmt: skip
    frame = rows.select(["mid", "tick_c", "micro_dev_c", "norm_logit_shift", "neg_risk"]).to_pandas()
    columns = {name: rows.column(name) for name in KEPT}
    columns |= {name: pa.array(LADDER[name](frame, frame)) for name in UNFITTED}
    columns |= {"probability": pa.array(probability), "correction_sd": pa.nulls(len(frame), pa.float64()) if spread is None else pa.array(spread)}  # fmt: skip
    return pa.table(columns)


def _to_json(told: Scored) -> bytes:
    return json.dumps({**vars(told), "learnt_until": told.learnt_until and told.learnt_until.isoformat(), "scored_at": told.scored_at.isoformat()}).encode()  # fmt: skip


def _from_json(text: bytes) -> Scored:
    found = json.loads(text)
    until = found["learnt_until"]
    return Scored(**{**found, "learnt_until": until and datetime.fromisoformat(until), "scored_at": datetime.fromisoformat(found["scored_at"])})  # fmt: skip
