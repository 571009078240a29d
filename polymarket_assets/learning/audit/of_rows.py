"""Guards of the training set: which rows are in it, what they weigh, and what folds train on."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.lake import reading
from polymarket_assets.learning import splits, training_set
from polymarket_assets.learning.audit import lakes
from polymarket_assets.learning.audit.audited import SAME, Audit, Finding


def once(audit: Audit) -> Finding:
    """A market stands once at an instant: the other outcome is the same row again, and would fall into another fold."""
    rows = audit.built.rows
    keys = set(zip(rows.column("market_id").to_pylist(), rows.column("as_of").to_pylist(), strict=True))
    return _of_rows(audit, rows.num_rows - len(keys), "rows stand more than once")


def undecided(audit: Audit) -> Finding:
    """No row lies at or after the first moment anything told the result."""
    ends = {
        r["market_id"]: min(
            filter(None, (r["decided_seen_at"], r["resolved_at"], r["label_seen_at"])), default=None
        )
        for r in _newest(audit)
    }
    late = sum(
        (end := ends.get(row["market_id"])) is not None and row["as_of"] >= end for row in _kept(audit)
    )
    return _of_rows(audit, late, "rows know the result")


def scheduled(audit: Audit) -> Finding:
    """Rows are chosen by their scheduled end, and their labels could be used by now."""
    early = sum(
        (row["scheduled_end"] is not None and row["scheduled_end"] > audit.now)
        or row["label_seen_at"] > audit.now
        for row in _kept(audit)
    )
    return _of_rows(audit, early, "rows were not due yet")


def weighed(audit: Audit) -> Finding:
    """Weights do not change with what came after a row: those of its first half are those of a set without the second."""
    rows = audit.built.rows
    if rows.num_rows < 2:
        return Finding(None, "no training set")
    middle = sorted(rows.column("as_of").to_pylist())[rows.num_rows // 2]
    with TemporaryDirectory(prefix="leak-audit-") as folder:
        half = training_set.build(
            lakes.with_features_until(audit.lake, middle, Path(folder)), now=audit.now
        ).rows
    pairs = zip(
        *(
            _weights(
                part.filter(
                    pc.less_equal(part.column("as_of"), pa.scalar(middle, pa.timestamp("us", tz="UTC")))
                )
            )
            for part in (rows, half)
        ),
        strict=False,
    )
    ratios = [one / other for one, other in pairs]
    if not ratios:
        return Finding(None, f"no training set of what was there by {middle:%Y-%m-%d %H:%M}")
    spread = max(ratios) / min(ratios) - 1
    return Finding(
        spread < SAME,
        f"weights of {len(ratios):,} rows up to {middle:%Y-%m-%d %H:%M} stand in one proportion to within {spread:.1e}",
    )


def apart(audit: Audit) -> Finding:
    """No group is on both sides of a cut, and nothing on the earlier side became known after it, or is still to come."""
    rows, mixed, late, number = audit.built.rows, 0, 0, 0
    groups, seen, over = (
        rows.column("group_id").to_pylist(),
        rows.column("label_seen_at").cast(pa.int64()).to_pylist(),
        pc.fill_null(rows.column("group_over_at").cast(pa.int64()), splits.NEVER).to_pylist(),
    )
    for fold in splits.folds(rows, splits.plan(rows)):
        number += 1
        train, test = {groups[i] for i in fold.train}, {groups[i] for i in fold.test}
        mixed += len(train & test)
        late += sum(max(seen[i], over[i]) >= fold.cut_us for i in fold.train)
    if not number:
        return Finding(None, "no folds: too little was decided")
    return Finding(
        not mixed and not late,
        f"{number} folds, {mixed} groups on both sides, {late} labels of the future, or of groups open at the cut",
    )


def counted(audit: Audit) -> Finding:
    """Every row of features has a fate: what was delisted, annulled or never decided is counted, not lost."""
    census, there = (
        sum(audit.built.census.values()),
        audit.rows.filter(
            pc.less_equal(audit.rows.column("as_of"), pa.scalar(audit.now, pa.timestamp("us", tz="UTC")))
        ).num_rows,
    )
    if not there and not census:
        return Finding(None, "no rows of features")
    return Finding(
        census == there,
        f"{there:,} rows, {census:,} fates: "
        + ", ".join(f"{fate} {count:,}" for fate, count in sorted(audit.built.census.items())),
    )


def _of_rows(audit: Audit, bad: int, what: str) -> Finding:
    if not audit.built.rows.num_rows:
        return Finding(None, "no training set")
    return Finding(not bad, f"{bad:,} of {audit.built.rows.num_rows:,} {what}")


def _kept(audit: Audit) -> list[dict[str, Any]]:
    return list(audit.built.rows.select(["market_id", "as_of", "scheduled_end", "label_seen_at"]).to_pylist())


def _newest(audit: Audit) -> list[dict[str, Any]]:
    newest: dict[str, dict[str, Any]] = {}
    for row in (
        reading.rows(audit.lake, "resolutions")
        .select(["market_id", "version", "seen_at", "decided_seen_at", "resolved_at", "label_seen_at"])
        .to_pylist()
    ):
        if row["seen_at"] <= audit.now and (row["version"] >= newest.get(row["market_id"], row)["version"]):
            newest[row["market_id"]] = row
    return list(newest.values())


def _weights(rows: pa.Table) -> list[float]:
    return list(
        rows.sort_by([("market_id", "ascending"), ("as_of", "ascending")]).column("weight").to_pylist()
    )
