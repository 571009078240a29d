"""`python -m benchmarks [FIGURE…] [--long]`: measure, print tables, append JSON lines.

Most figures are a piece of Python beside another one; some are suites with tables of their own.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import platform
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import track
from rich.table import Table

import benchmarks
from benchmarks import telling
from benchmarks.measuring import Figure, Measured, measure
from benchmarks.rows import Failed, Row

# Beside the other data of this machine, which git does not keep.
RESULTS = Path("data/benchmarks.jsonl")
# Many figures of one run: by name, the module that measures them.
SUITES = {
    "tiers": "benchmarks.tiers",
    "wide": "benchmarks.wide",
    "past": "benchmarks.past",
    "kept": "benchmarks.kept_bytes",
    "imported": "benchmarks.imported",
    "features": "benchmarks.features",
    "learning": "benchmarks.learning",
    "orchestration": "benchmarks.orchestration.suite",
    "object_store": "benchmarks.object_store",
    "stream": "benchmarks.stream.suite",
    "console": "benchmarks.console",
}


def main(arguments: list[str] | None = None) -> int:
    """Measure the figures asked for, all by default; 1 where a piece that was to be measured failed."""
    figures = {figure.name: figure for figure in _figures()}
    asked = _parser([*figures, *SUITES]).parse_args(arguments)
    told = Console(stderr=True)
    wanted = asked.figures or [*figures, *SUITES]
    failed = _pieces([figures[name] for name in wanted if name not in SUITES], asked.out, told)
    for name in wanted:
        if name in SUITES:
            failed += _suite(name, asked.out, asked.long, told)
    for line in [f"appended to {asked.out}", *failed]:
        told.print(line, highlight=False, markup=False, soft_wrap=True)
    return 1 if failed else 0


def _pieces(figures: list[Figure], out: Path, told: Console) -> list[str]:
    """Measure pieces of Python and show them; returns what failed."""
    measured: list[Measured] = []
    failed: list[str] = []
    for figure in track(figures, "measuring", console=told, transient=True):
        try:
            measured.append(measure(figure))
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as e:
            failed.append(f"{figure.name} could not be measured: {e}")
    if figures:
        Console().print(_shown(measured))
    _append(out, map(_line, measured))
    return failed


def _suite(name: str, out: Path, long: bool, told: Console) -> list[str]:
    """Measure a suite and show what could be measured; returns what failed."""
    suite = importlib.import_module(SUITES[name])
    rows: list[Row] = []
    failed: list[str] = []
    with told.status(f"measuring {name}") as status:
        try:
            for row in suite.measured(long=long, tell=status.update):
                rows.append(row)
                _append(out, [telling.line(name, row)])
        except Failed as e:
            failed.append(f"{name} could not be measured: {e}")
    Console().print(telling.shown(suite.TITLE, rows))
    return failed


def _figures() -> Iterator[Figure]:
    """The figure of every module that declares one; None where its input is absent."""
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if not module.name.startswith("__"):
            figure = getattr(importlib.import_module(f"benchmarks.{module.name}"), "FIGURE", None)
            if figure is not None:
                yield figure


def _parser(names: Collection[str]) -> argparse.ArgumentParser:
    def figure(name: str) -> str:
        if name not in names:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(names)}")
        return name

    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure; nothing is asserted.")
    parser.add_argument("figures", nargs="*", type=figure, metavar="FIGURE", help=", ".join(names))
    parser.add_argument("--long", action="store_true", help="with learning: a search of all 80 trials; with stream: ten minutes of 10,000 messages a second, and the start with 40,000 tokens too; with tiers: ten minutes more at five times the size")  # fmt: skip
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"JSON lines to append to ({RESULTS})")
    return parser


def _append(results: Path, told: Iterable[dict[str, object]]) -> None:
    results.parent.mkdir(parents=True, exist_ok=True)
    with results.open("a") as lines:
        lines.writelines(json.dumps(each) + "\n" for each in told)


def _shown(measured: list[Measured]) -> Table:
    shown = Table(box=SIMPLE, title="medians, each beside another piece of Python in the same minutes")
    shown.add_column("figure", no_wrap=True)
    for heading in ("time", "×", "peak memory", "×"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("beside", overflow="fold")
    for m in measured:
        shown.add_row(
            m.figure.name,
            f"{m.subject.wall_s:.2f} / {m.beside.wall_s:.2f} s",
            f"{m.wall_ratio:.2f}",
            f"{m.subject.peak_mb:.0f} / {m.beside.peak_mb:.0f} MB",
            f"{m.memory_ratio:.2f}",
            m.figure.against,
        )
    return shown


def _line(m: Measured) -> dict[str, object]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "figure": m.figure.name,
        "wall_s": round(m.subject.wall_s, 4),
        "peak_mb": round(m.subject.peak_mb, 1),
        "beside": m.figure.against,
        "beside_wall_s": round(m.beside.wall_s, 4),
        "beside_peak_mb": round(m.beside.peak_mb, 1),
        "wall_ratio": round(m.wall_ratio, 3),
        "memory_ratio": round(m.memory_ratio, 3),
        "rounds": m.figure.rounds,
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }


if __name__ == "__main__":
    sys.exit(main())
