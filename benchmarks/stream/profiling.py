"""`python -m benchmarks.stream.profiling`: where the streamer's time goes under load, by function, as microseconds a message.

Samples are shares of the loop's thread; the kernel's account of that thread makes them time. Whatever the other threads
took (publishing above all) is one line. The streamer is slower by a tenth while it is watched.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.stream.processes import VenueProcess
from benchmarks.stream.recording import Load, Recording, streamer
from benchmarks.stream.watched import BEGIN

LOOP = "MainThread"


class Share(NamedTuple):
    """A function's time: its own, and with everything it called; microseconds a message."""

    function: str
    own_us: float
    whole_us: float


def shares(stacks: list[tuple[list[str], int]], us: float) -> list[Share]:
    """What functions took of so many microseconds, the most expensive first."""
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for stack, count in stacks:
        own.update({stack[-1]: count})
        whole.update(dict.fromkeys(stack, count))
    each = us / sum(own.values())
    found = [Share(function, own[function] * each, count * each) for function, count in whole.items()]
    return sorted(found, key=lambda share: -share.own_us)


def main() -> None:
    """Load the streamer, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=10)
    parser.add_argument("--messages", type=int, default=300_000)
    parser.add_argument("--markets", type=int, default=2_000)
    parser.add_argument("--rate", type=float, help="messages a second (default: as fast as they are taken)")
    parser.add_argument("--functions", type=int, default=40, help="how many to show")
    given = parser.parse_args()
    with VenueProcess(given.markets, given.messages) as venue, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "profile.json"
        ran = streamer(
            venue,
            Load(given.sockets, given.messages, given.rate),
            beforehand=_begin,
            launcher=("-m", "benchmarks.stream.watched", "--profile", str(file)),
        )
        told = json.loads(file.read_text())
    whole_us = ran.cpu_s / ran.messages * 1e6
    loop_us = told["threads"][LOOP] / ran.messages * 1e6
    shown = Table(box=SIMPLE, title=f"{ran.messages:,} messages, {whole_us:.1f} µs of CPU each: the loop {loop_us:.1f}, other threads {whole_us - loop_us:.1f}")  # fmt: skip
    for heading in ("own µs", "with what it calls µs"):
        shown.add_column(heading, justify="right")
    shown.add_column("function of the loop", overflow="fold")
    for share in shares(told["samples"][LOOP], loop_us)[: given.functions]:
        shown.add_row(f"{share.own_us:.2f}", f"{share.whole_us:.2f}", share.function)
    Console().print(shown)


def _begin(one: Recording) -> None:
    one.process.process.send_signal(BEGIN)


if __name__ == "__main__":
    main()
