"""Where a model comes from: code, partitions of the lake, versions of labels, and the rows themselves by their checksum."""

from __future__ import annotations

import hashlib
import os
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.learning.evidence.recorded import RECORDED


def code_version() -> str:
    """`CODE_VERSION`, which an image was built with; the commit this code stands at, `+` where it was changed since; else the package's version."""
    if given := os.environ.get("CODE_VERSION"):
        return given
    described = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        commit = subprocess.run(described, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return metadata.version("polymarket-assets")
    return commit.stdout.strip()


def fingerprint(rows: pa.Table) -> str:
    """SHA-256 of the rows, independent of how they were filed."""
    digest = hashlib.sha256()
    for batch in rows.combine_chunks().to_batches():
        with pa.ipc.new_stream(sink := pa.BufferOutputStream(), batch.schema) as writer:
            writer.write_batch(batch)
        digest.update(sink.getvalue())
    return digest.hexdigest()


def feature_hash(names: tuple[str, ...]) -> str:
    """The first letters of a checksum of what the features are and how they are declared: equal means the same question is asked."""
    from polymarket_assets.learning.features.catalogue import BY_NAME

    told = "\n".join(f"{name}: {BY_NAME[name].sql}" for name in names)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def provenance(rows: pa.Table) -> dict[str, Any]:
    """The partitions of `features` and `history_features` the rows stand in, the labels' versions, and a fingerprint of the rows."""
    recorded = pc.equal(rows.column("source"), RECORDED)
    hour, day = (pc.strftime(rows.column("as_of"), form) for form in ("%Y-%m-%d-%H:00", "%Y-%m-%d"))
    per = pa.table(
        {
            "asset": pc.if_else(recorded, "features", "history_features"),
            "source": rows.column("source"),
            "partition": pc.if_else(recorded, hour, day),
        }
    )
    names = ["asset", "source", "partition"]
    found = per.group_by(names).aggregate([([], "count_all")]).rename_columns([*names, "rows"])
    labels = rows.group_by("label_version").aggregate([("market_id", "count_distinct")])
    return {
        "training_set": {"sha256": fingerprint(rows), "rows": rows.num_rows},
        "partitions": found.sort_by([(name, "ascending") for name in names]).to_pylist(),
        "resolutions": labels.rename_columns(["version", "markets"]).sort_by("version").to_pylist(),
    }
