"""Measuring pieces of Python in processes of their own: wall time and peak memory, subject and comparison in turns."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

# Enough for a median that a neighbour's burst does not move, few enough for a minute in all.
ROUNDS = 5
# A figure that takes longer than this is broken, not slow.
LONGEST_S = 300.0

# The high-water mark of this very process: `ru_maxrss` would inherit that of the process it was forked from.
_PEAK = "\nprint('peak_kb', next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"


@dataclass(frozen=True)
class Figure:
    """What is measured: a piece of Python, and one beside it that puts it in proportion."""

    name: str
    subject: str
    beside: str
    # What the comparison is called, where its code is no name.
    called: str | None = None
    rounds: int = ROUNDS

    @property
    def against(self) -> str:
        """The comparison in words."""
        return self.called or self.beside


@dataclass(frozen=True)
class Cost:
    """What a piece of Python took."""

    wall_s: float
    peak_mb: float


@dataclass(frozen=True)
class Measured:
    """Medians of a figure's rounds, and of the ratios round by round."""

    figure: Figure
    subject: Cost
    beside: Cost
    wall_ratio: float
    memory_ratio: float


def measure(figure: Figure) -> Measured:
    """Measure subject and comparison in turns, after one round each that warms the file cache and counts for nothing.

    Raises:
        subprocess.CalledProcessError: a piece failed; its error is on the terminal.
    """
    run(figure.subject), run(figure.beside)
    rounds = [(run(figure.subject), run(figure.beside)) for _ in range(figure.rounds)]
    return Measured(
        figure,
        _median([subject for subject, _ in rounds]),
        _median([beside for _, beside in rounds]),
        statistics.median(subject.wall_s / beside.wall_s for subject, beside in rounds),
        statistics.median(subject.peak_mb / beside.peak_mb for subject, beside in rounds),
    )


def run(code: str) -> Cost:
    """Run a piece of Python in a process of its own, start of the interpreter included."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code + _PEAK], check=True, stdout=subprocess.PIPE, text=True, timeout=LONGEST_S
    )
    wall_s = time.perf_counter() - began
    return Cost(wall_s, int(done.stdout.rsplit("peak_kb", 1)[1]) / 1024)


def _median(costs: list[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.wall_s for cost in costs), statistics.median(cost.peak_mb for cost in costs)
    )
