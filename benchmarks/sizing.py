"""`python -m benchmarks.sizing [--results FILE] [--markdown]`: what recording so many markets takes, up to the whole venue.

Nothing is measured here: figures come from `data/benchmarks.jsonl`, the newest of each (`python -m benchmarks stream wide kept`), and
where this machine has none from where docs/scaling.md was written: two cores that were shared with other work. What the venue says and how often comes from reports on it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from polymarket_assets.doctor.costs import DAY_S, OPEN_MARKETS
from polymarket_assets.settings import Settings
from polymarket_assets.tiers import T0, TIERS

RESULTS = Path("data/benchmarks.jsonl")

# The whole exchange in August 2026, by another collector: messages a second, Mbit/s and tokens (PROTOCOL 8.4).
VENUE_MESSAGES_S, VENUE_MBIT_S, VENUE_TOKENS = 28_000, 67.5, 312_000
# Eight tokens of five-minute crypto markets, ten minutes: 234,254 messages (PROTOCOL 8.4). There are such markets of four coins, by
# five minutes, a quarter of an hour and an hour; whatever else is recorded, they are.
LIVELY_MESSAGES_S, LIVELY_MARKETS = 2 * 234_254 / 600 / 8, 12
# Of messages: changes, whole books (half of them of the canonical token, 70 levels), trades (docs/streamer.md, Speed).
CHANGES, BOOKS, LEVELS, TRADES = 0.979, 0.014 / 2, 70, 0.006
# Sealed bytes of a change, a level of a whole book and a trade, of whole hours: those of the minutes that a benchmark takes are more,
# since a file names each token once (docs/streamer.md, Sealing).
CHANGE_BYTES, LEVEL_BYTES, TRADE_BYTES = 9.98, 2.37, 58.4
# A process was measured up to so many sockets; a restart asks for all their books at once.
MOST_SOCKETS = 200
# Of a core that a streamer may take on average: bursts and a restart need the rest, and TLS is not in the benchmark.
MOST_CORE = 0.4
# Memory, GB: Dagster and MLflow with their runs (README), and sealing, which is held to that.
PLATFORM_GB, SEALING_GB = 1.5, 1.0


@dataclass(frozen=True)
class Known:
    """A figure: under what name a benchmark tells it, and what it was where the documents were written."""

    figure: str
    documented: float


FIGURES = {
    "messages_a_core_s": Known("stream: streamer end to end, 100 sockets, 10,000/s", 29_200),
    "book_bytes": Known("kept: orderbooks: a row, compacted", 102),
    "snapshot_bytes": Known("kept: snapshots: a row, compacted", 140),
    "sweep_core_s": Known("wide: the same, CPU", 1.64),
}
# Bytes of a book with its snapshot while its hour is open (docs/lake.md).
PART_BYTES = 452 + 436
# Books of the sweep that `wide` measures.
SWEPT = 10_000


@dataclass(frozen=True)
class Case:
    """What is recorded: markets sampled in all tiers, and of these the markets whose socket is listened to."""

    name: str
    sampled: int
    streamed: int


DEFAULTS = Settings.model_construct()
# As many markets as the default sockets hold; as many as were measured in one process; what was open in October and in August 2026.
CASES = (
    Case("defaults, all full", 13_000, 3_200),
    Case("one process, full", 28_000, MOST_SOCKETS * 100),
    Case("whole venue, October 2026", OPEN_MARKETS, OPEN_MARKETS),
    Case("whole venue, August 2026", VENUE_TOKENS // 2, VENUE_TOKENS // 2),
)


@dataclass(frozen=True)
class Size:
    """What a case takes; GB are of a day."""

    case: Case
    tokens: int
    sockets: int
    messages_s: float
    shards: int
    wire_gb: float
    stream_gb: float
    sampled_open_gb: float
    sampled_gb: float
    cores: float
    memory_gb: float

    @property
    def kept_gb(self) -> float:
        """What a day leaves on the disk once it is sealed and compacted."""
        return self.stream_gb + self.sampled_gb


def size(case: Case, known: Mapping[str, float]) -> Size:
    """What a case takes, of figures by name as in `FIGURES`."""
    tokens = 2 * case.streamed
    sockets = ceil(tokens / DEFAULTS.stream_max_tokens_per_connection)
    messages_s = LIVELY_MARKETS * LIVELY_MESSAGES_S + tokens * _quiet_messages_s()
    stream_cores = messages_s / known["messages_a_core_s"]
    shards = max(1, ceil(sockets / MOST_SOCKETS), ceil(stream_cores / MOST_CORE))
    rows = _rows_a_day(case.sampled)
    message_bytes = CHANGES * CHANGE_BYTES + BOOKS * LEVELS * LEVEL_BYTES + TRADES * TRADE_BYTES
    books_cores = rows / DAY_S * known["sweep_core_s"] / SWEPT
    return Size(
        case, tokens, sockets, messages_s, shards,
        wire_gb=messages_s * VENUE_MBIT_S * 1e6 / 8 / VENUE_MESSAGES_S * DAY_S / 1e9,
        stream_gb=messages_s * message_bytes * DAY_S / 1e9,
        sampled_open_gb=rows * PART_BYTES / 1e9,
        sampled_gb=rows * (known["book_bytes"] + known["snapshot_bytes"]) / 1e9,
        cores=stream_cores + books_cores,
        memory_gb=PLATFORM_GB + SEALING_GB + shards * _streamer_gb(sockets / shards),
    )  # fmt: skip


def _quiet_messages_s() -> float:
    """Messages a second of a token that is none of the lively ones."""
    return (VENUE_MESSAGES_S - LIVELY_MARKETS * LIVELY_MESSAGES_S) / VENUE_TOKENS


def _rows_a_day(sampled: int) -> float:
    """Books a day: the near tiers as full as the settings allow, and the rest in T0."""
    near = {tier: DEFAULTS.max_markets(tier.name) for tier in TIERS if tier is not T0}
    counts = {**near, T0: max(0, sampled - sum(near.values()))}
    return sum(count * DAY_S / tier.every.total_seconds() for tier, count in counts.items())


# Resident memory of a streamer, GB: with 32 sockets, and with 200 at its largest (40,000 tokens, while their first books come).
STREAMER_GB = ((32, 0.2), (200, 0.52))


def _streamer_gb(sockets: float) -> float:
    """Between the two that were measured, and beyond."""
    (few, small), (many, large) = STREAMER_GB
    return small + max(0.0, sockets - few) * (large - small) / (many - few)


def known(results: Path) -> tuple[dict[str, float], list[str]]:
    """The figures by name, and the names of those that this machine measured."""
    lines = results.read_text().splitlines() if results.exists() else []
    told = {row["figure"]: row["value"] for row in map(json.loads, lines) if row.get("value") is not None}
    measured = [name for name, figure in FIGURES.items() if figure.figure in told]
    return {name: told.get(figure.figure, figure.documented) for name, figure in FIGURES.items()}, measured


# Rows of the table: what they say of a size, and with how many digits.
LINES: tuple[tuple[str, Callable[[Size], float], int], ...] = (
    ("markets sampled", lambda size: size.case.sampled, 0),
    ("markets listened to", lambda size: size.case.streamed, 0),
    ("tokens", lambda size: size.tokens, 0),
    ("sockets", lambda size: size.sockets, 0),
    ("messages a second, mean", lambda size: round(size.messages_s, -2), 0),
    ("streamers (shards)", lambda size: size.shards, 0),
    ("GB a day over the wire, socket", lambda size: size.wire_gb, 0),
    ("GB a day of the stream, sealed", lambda size: size.stream_gb, 1),
    ("GB a day of books and snapshots, as they come", lambda size: size.sampled_open_gb, 1),
    ("GB a day of books and snapshots, compacted", lambda size: size.sampled_gb, 1),
    ("GB kept of a day", lambda size: size.kept_gb, 1),
    ("cores, mean: streamers and sampling", lambda size: size.cores, 2),
    ("memory, GB", lambda size: size.memory_gb, 1),
)


def lines(sizes: Sequence[Size]) -> list[list[str]]:
    """The table, a column a case; the first row has the headings."""
    rows = [[name, *(f"{told(size):,.{digits}f}" for size in sizes)] for name, told, digits in LINES]
    return [["", *(size.case.name for size in sizes)], *rows]


def markdown(sizes: Sequence[Size]) -> str:
    """The table as it stands in docs/scaling.md."""
    heading, *rows = lines(sizes)
    return "\n".join(f"| {' | '.join(row)} |" for row in (heading, ["---", *["---:"] * len(sizes)], *rows))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sizing", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS, help="what benchmarks measured (default: %(default)s)")  # fmt: skip
    parser.add_argument("--markdown", action="store_true", help="as it stands in docs/scaling.md")
    given = parser.parse_args(arguments)
    figures, measured = known(given.results)
    sizes = [size(case, figures) for case in CASES]
    if given.markdown:
        print(markdown(sizes))
        return 0
    heading, *rows = lines(sizes)
    table = Table(*heading, box=SIMPLE)
    for row in rows:
        table.add_row(*row)
    table.caption = f"measured on this machine: {', '.join(measured) or 'nothing'}; the rest as documented"
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
