"""Five tiers with Dagster's daemon and the streamer for ten minutes, from a venue that is fifty milliseconds away and does not lie.

`python -m benchmarks tiers`: 1,600, 2,000, 1,000, 400 and 600 markets; with `--long` then five times as many. It is the calm
soak (`drills/soak.py`), so its figures are read from the lake, Dagster's own records and the loads of its processes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.progress import Progress

from benchmarks.rows import Failed, Row, Tell
from drills import soaked as judging
from drills import truth
from drills.soak import MINUTES, soak
from drills.soaked import LATE_P99_MS, MOST_CORE, MOST_HISTORY_MB, MOST_MB_A_MINUTE, Soaked

TITLE = "five tiers with the daemon for ten minutes, the venue 50 ms away; of collection and orchestration"
SEED = 7
LONG_FACTOR = 5.0


def measured(*, long: bool, tell: Tell) -> Iterator[Row]:
    """Measure; rows come as they are known. Raises `Failed` where nothing is sampled."""
    for factor in (1.0, LONG_FACTOR) if long else (1.0,):
        tell(f"five tiers, {factor:g} times, for {MINUTES:g} minutes")
        with tempfile.TemporaryDirectory(prefix="bench-tiers-") as folder:
            try:
                done = soak(Path(folder), MINUTES, SEED, factor, Progress(disable=True), calm=True)
            except TimeoutError as e:
                raise Failed(str(e)) from e
            yield from rows(done, factor)


def rows(done: Soaked, factor: float) -> Iterator[Row]:
    """The rows of a calm soak. Raises `Failed` where no slot was due or taken."""
    tiers = judging.of_tiers(done, truth.ledger(done.ledger))
    if not any(tier.lateness for tier in tiers):
        raise Failed("no slot was taken")
    p50, p99, worst = judging.lateness(tiers)
    lost = sum(tier.missed + len(tier.unaccounted) for tier in tiers)
    counts = ", ".join(f"{tier.tier} {tier.taken + tier.late} of {tier.due}" for tier in tiers)
    took, size = judging.taken(done), f"{factor:g} ×: "
    yield Row(f"{size}lateness of slots, median", p50, "ms")
    yield Row(
        f"{size}lateness of slots, p99", p99, "ms", LATE_P99_MS, more=False, note=f"worst {worst:.0f} ms"
    )
    yield Row(f"{size}slots missed", lost, "", 0, more=False, note=counts)
    yield Row(f"{size}share of one core", took.core, "", MOST_CORE, more=False)
    yield Row(f"{size}memory", took.mb_a_minute, "MB a minute", MOST_MB_A_MINUTE, more=False, note=f"{took.mb:.0f} MB at the end")  # fmt: skip
    yield Row(f"{size}Dagster's history before pruning", took.history_mb_a_day, "MB a day", MOST_HISTORY_MB, more=False)  # fmt: skip
