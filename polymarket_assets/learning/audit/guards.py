"""The guards: each asks one question of a lake and says what it found."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.lake import TABLES, reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import splits, training, training_set
from polymarket_assets.learning.audit import lakes
from polymarket_assets.learning.errors import TooLittleToLearn
from polymarket_assets.learning.evidence.history import history
from polymarket_assets.learning.evidence.recorded import STREAMED, at_instants
from polymarket_assets.learning.features.catalogue import FEATURES

# A difference of this share is one of the last bit.
SAME = 1e-9
# Words that only the end of a market can say.
OF_THE_END = frozenset(
    {
        "label",
        "payouts_e6",
        "winner",
        "outcome_prices",
        "uma_status",
        "resolved_at",
        "decided_seen_at",
        "label_seen_at",
        "state",
        "closed_time",
    }
)
RECORDED = "recorded"


@dataclass(frozen=True)
class Finding:
    """What a guard found: whether all is well, None where there was nothing to look at, and a sentence."""

    good: bool | None
    said: str


@dataclass
class Audit:
    """A lake under audit: its feature rows, some of them drawn, and the training set it gives."""

    lake: Lake
    now: datetime
    count: int
    seed: int = 7
    streamed: tuple[str, ...] = STREAMED
    rows: pa.Table = field(init=False)
    drawn: list[dict[str, Any]] = field(init=False)
    built: training_set.TrainingSet = field(init=False)

    def __post_init__(self) -> None:
        self.rows = reading.rows(self.lake, "features")
        self.drawn = self._draw()
        self.built = training_set.build(self.lake, now=self.now)

    def _draw(self) -> list[dict[str, Any]]:
        """Rows of random instants: as many of what was recorded as of what was fetched, where there are."""
        dice, found = random.Random(self.seed), []
        is_recorded = pc.equal(self.rows.column("source"), RECORDED)
        for part in (self.rows.filter(is_recorded), self.rows.filter(pc.invert(is_recorded))):
            chosen = sorted(dice.sample(range(part.num_rows), min(self.count, part.num_rows)))
            found += part.take(pa.array(chosen, pa.int64())).to_pylist()
        return found

    def again(self, lake: Lake, row: dict[str, Any]) -> dict[str, Any] | None:
        """A row of features computed from another lake; None: there it has none."""
        market_id, as_of = row["market_id"], row["as_of"]
        if row["source"] == RECORDED:
            wanted = pa.table(
                {"market_id": [market_id], "as_of": pa.array([as_of], pa.timestamp("us", tz="UTC"))}
            )
            found = at_instants(lake, wanted, streamed=self.streamed)
        else:
            found = history(lake, as_of.date())
        same = [
            other for other in found.to_pylist() if (other["market_id"], other["as_of"]) == (market_id, as_of)
        ]
        return same[0] if same else None

    def compared(self, make: Callable[[Lake, dict[str, Any], Path], Lake]) -> Finding:
        """The drawn rows against the same rows of other lakes."""
        if not self.drawn:
            return Finding(None, "no rows of features")
        differing: list[str] = []
        for row in self.drawn:
            with TemporaryDirectory(prefix="leak-audit-") as folder:
                differing += differences(row, self.again(make(self.lake, row, Path(folder)), row))
        said = f"{len(self.drawn)} rows, {len(differing)} values differ" + (
            f", for example {differing[0]}" if differing else ""
        )
        return Finding(not differing, said)


def differences(row: dict[str, Any], other: dict[str, Any] | None) -> list[str]:
    """In words, where two rows of features differ."""
    where = f"{row['market_id'][:20]} at {row['as_of']:%Y-%m-%d %H:%M:%S}"
    if other is None:
        return [f"no row of {where}"]
    return [
        f"{f.name} of {where}: {row[f.name]} and {other[f.name]}"
        for f in FEATURES
        if not _is_same(row[f.name], other[f.name])
    ]


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= SAME * max(1.0, abs(one), abs(other))
    return bool(one == other)


# --- features ----------------------------------------------------------------------------------------------


def truncation(audit: Audit) -> Finding:
    """Features of a row do not change when everything that came after it is cut away."""
    return audit.compared(lakes.as_known)


def later_rows(audit: Audit) -> Finding:
    """Nor when other things come after it, late or absurd."""
    return audit.compared(lakes.with_later_rows)


def parity(audit: Audit) -> Finding:
    """What was stored is what the live code computes of the same lake now."""
    return audit.compared(lakes.as_it_is)


def allowed(audit: Audit) -> Finding:
    """Nothing that features read can name an end, and nothing is stored with them that was not declared."""
    read = {name for table in (*lakes.KNOWN, *lakes.STANDING) for name in TABLES[table].names}
    stored = set(audit.rows.column_names) - set(TABLES["features"].names)
    found = sorted((read & OF_THE_END) | stored)
    return Finding(
        not found,
        f"{len(read)} columns read, {len(FEATURES)} features declared"
        + (f"; not allowed: {', '.join(found)}" if found else ""),
    )


def constant(audit: Audit) -> Finding:
    """No feature has one value in one source and many in another: a model would learn the source."""
    by_source = {
        source: audit.rows.filter(pc.equal(audit.rows.column("source"), source))
        for source in pc.unique(audit.rows.column("source")).to_pylist()
    }
    whole = {source: rows for source, rows in by_source.items() if rows.num_rows >= 200}
    if len(whole) < 2:
        return Finding(None, "fewer than two sources with 200 rows")
    flat = {
        f.name: [source for source, rows in whole.items() if _is_flat(rows.column(f.name))]
        for f in FEATURES
        if f.name not in _OF_SOURCE
    }
    odd = {
        name: sources
        for name, sources in flat.items()
        if sources and len(sources) < len(whole) and set(sources) & {RECORDED}
    }
    return Finding(
        not odd,
        f"{len(whole)} sources"
        + "".join(f"; {name} is one value in {', '.join(sources)}" for name, sources in odd.items()),
    )


# What a source is shows in these, and is meant to.
_OF_SOURCE = {
    "tier",
    "neg_risk",
    "yesno_labels",
    "category",
    "by_deadline",
    "dow",
    "gap_1h",
    "n_sib",
    "tick_c",
    "fee_rate",
    "sign_quality",
    "unheard_1h",
    "unheard_24h",
    "end_moves",
}


def _is_flat(column: pa.ChunkedArray) -> bool:
    known = column.drop_null()
    return len(known) >= 200 and len(known.unique()) == 1


# --- the training set --------------------------------------------------------------------------------------


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
    spread = max(ratios) / min(ratios) - 1 if ratios else 0.0
    return Finding(
        spread < SAME,
        f"weights of {len(ratios):,} rows up to {middle:%Y-%m-%d %H:%M} stand in one proportion to within {spread:.1e}",
    )


def apart(audit: Audit) -> Finding:
    """No group is on both sides of a cut, and nothing on the earlier side became known after it, or is still to come."""
    rows, mixed, late, number = audit.built.rows, 0, 0, 0
    groups, seen, is_open = (
        rows.column("group_id").to_pylist(),
        rows.column("label_seen_at").cast(pa.int64()).to_pylist(),
        rows.column("group_open").to_pylist(),
    )
    for fold in splits.folds(rows, splits.plan(rows)):
        number += 1
        train, test = {groups[i] for i in fold.train}, {groups[i] for i in fold.test}
        mixed += len(train & test)
        late += sum(seen[i] >= fold.cut_us or bool(is_open[i]) for i in fold.train)
    if not number:
        return Finding(None, "no folds: too little was decided")
    return Finding(
        not mixed and not late,
        f"{number} folds, {mixed} groups on both sides, {late} labels of the future or of groups still open",
    )


def fitted(audit: Audit) -> Finding:
    """What is predicted of a week does not change with how later weeks end: nothing was fitted on them."""
    rows = audit.built.rows
    try:
        told = training.train(rows, seed=audit.seed).predictions
        last_us = pc.min(
            told.filter(pc.equal(told.column("fold"), pc.max(told.column("fold")))).column("as_of")
        )
        is_later = pc.greater_equal(rows.column("as_of"), last_us)
        turned = pc.if_else(
            is_later, pc.subtract(pa.scalar(1, pa.int8()), rows.column("label")), rows.column("label")
        )
        other = training.train(
            rows.set_column(rows.column_names.index("label"), rows.schema.field("label"), turned),
            seed=audit.seed,
        ).predictions
    except TooLittleToLearn as e:
        return Finding(None, str(e).split(":")[0])
    pairs = zip(
        *(
            part.filter(pc.less(part.column("as_of"), last_us)).column("probability").to_pylist()
            for part in (told, other)
        ),
        strict=True,
    )
    moved = [abs(one - two) for one, two in pairs]
    if not moved:
        return Finding(None, "no fold before the last")
    return Finding(
        max(moved, default=0.0) < SAME,
        f"{len(moved):,} predictions before the last cut, {sum(m >= SAME for m in moved):,} moved with labels after it",
    )


def counted(audit: Audit) -> Finding:
    """Every row of features has a fate: what was delisted, annulled or never decided is counted, not lost."""
    census, there = (
        sum(audit.built.census.values()),
        audit.rows.filter(
            pc.less_equal(audit.rows.column("as_of"), pa.scalar(audit.now, pa.timestamp("us", tz="UTC")))
        ).num_rows,
    )
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


@dataclass(frozen=True)
class Guard:
    """A question, and the leaks of ML.md 2.5 it is for."""

    name: str
    leaks: str
    ask: Callable[[Audit], Finding]


GUARDS: tuple[Guard, ...] = (
    Guard("cut at the instant", "L2 L3 L7 L10 L11", truncation), Guard("later and absurd rows", "L2 L3 L10", later_rows), Guard("stored is what live code computes", "L13", parity),
    Guard("only what may be read", "L7", allowed), Guard("one value in one source", "L13", constant), Guard("each market once", "L8", once), Guard("before the result", "L6", undecided),
    Guard("by the scheduled end", "L5 L5b", scheduled), Guard("weights of the time", "L4", weighed), Guard("nothing fitted on later weeks", "L12", fitted), Guard("groups apart", "L1 L9", apart), Guard("every row has a fate", "L14", counted),
)  # fmt: skip
