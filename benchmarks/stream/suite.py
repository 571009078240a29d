"""The rows of the table, measured side by side in one run; plain `ws`, no TLS.

Every run checks itself: what the venue said is in the lake, once, or there is no figure. The ratio is that of messages for
a CPU second to bare receiving and decoding over as many sockets at the same rate.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.rows import Failed, Row, Tell
from benchmarks.stream.durable import percentile, segments_kept, waits_s
from benchmarks.stream.processes import PROJECT, VenueProcess, wait_until
from benchmarks.stream.recording import CONNECTED_S, Load, Ran, Recording, bare, naive, streamer, streaming
from benchmarks.stream.sizes import Size, sizes

TITLE = "the streamer, side by side in one run; plain ws, no TLS; × is of bare receive + decode"
# 4,000 tokens, as many as ten sockets carry at most.
MARKETS = 2_000
FLAT = Load(10, 400_000)
LIBRARY = Load(10, 100_000)
# Its cost a message is plain after this many, and it takes its time.
NAIVE = Load(10, 30_000)
STEADY = Load(100, 250_000, 10_000)
STEADY_BARE = Load(100, 100_000, 10_000)
# Ten minutes, over traffic that repeats itself after two.
LONG = Load(100, 6_000_000, 10_000)
LONG_MADE = 1_200_000
# Sockets and tokens of the largest start.
START_SOCKETS, START_TOKENS = 200, 40_000
# Bytes a row at the most; of whole hours, since names are kept once a file, however few rows it has.
BYTES = {"changes": 11.0, "trades_raw": 60.0}
# Growth that a day would not notice, MB a minute; in less than ten minutes batches that come and go say more.
FLAT_MB = 1.0
# A socket that hears nothing for 15 s is given up, and the last may come later than that.
HUM_S = 5.0
# Memory is judged when buffers and batches have had their first full turn.
WARM = 1 / 3


def measured(*, long: bool, tell: Tell) -> Iterator[Row]:
    """Measure; `tell` hears what is being done. Rows come as they are known.

    Raises:
        Failed: a measurement could not be made.
    """
    tell("making traffic")
    with VenueProcess(MARKETS, FLAT.messages) as venue:
        yield from _flat_out(venue, tell)
        yield from _steady(venue, tell)
    yield from _stages(tell)
    if long:
        yield from _long(tell)
        yield from _start(tell)


def _flat_out(venue: VenueProcess, tell: Tell) -> Iterator[Row]:
    tell("10 sockets, as fast as messages are taken: bare receiving and decoding")
    plain = bare(venue, FLAT)
    yield _rate_row("bare receive + decode, 10 sockets, flat out", plain, plain)
    tell("10 sockets, as fast as messages are taken: the streamer")
    whole = streamer(venue, FLAT)
    yield _rate_row("streamer end to end, 10 sockets, flat out", whole, plain, wanted=50_000)
    yield Row("the same, of bare receive + decode", 100 * whole.rate / plain.rate, "%", 40, ratio=whole.rate / plain.rate)  # fmt: skip
    tell(
        "10 sockets, as fast as messages are taken: bare receiving and decoding with the library's own reader"
    )
    library = bare(venue, LIBRARY, "library")
    yield _rate_row(
        "bare receive + decode with websocket-client's reader, 10 sockets, flat out", library, plain
    )
    yield Row("streamer end to end, of that", 100 * whole.rate / library.rate, "%", 40, note="the streamer reads frames faster than the library it stands on")  # fmt: skip
    tell("10 sockets, as fast as messages are taken: a naive recorder")
    yield _rate_row("naive recorder, 10 sockets, flat out", naive(venue, NAIVE), plain)


def _steady(venue: VenueProcess, tell: Tell) -> Iterator[Row]:
    tell("100 sockets, 10,000 messages a second: bare receiving and decoding")
    plain = bare(venue, STEADY_BARE)
    yield _rate_row("bare receive + decode, 100 sockets, 10,000/s", plain, plain)
    tell("100 sockets, 10,000 messages a second: the streamer")
    with tempfile.TemporaryDirectory(prefix="syncs-") as folder, ExitStack() as during:
        syncs = Path(folder) / "syncs.jsonl"
        waits: list[float] = []
        found: dict[str, Size] = {}

        def keep(one: Recording) -> None:
            kept = one.state_dir.parent / "kept"
            kept.mkdir()
            during.enter_context(segments_kept(one.state_dir, kept))

        def look(one: Recording) -> None:
            during.close()
            waits.extend(waits_s(one.state_dir.parent / "kept", syncs))
            one.seal()
            found.update(sizes(one.lake))

        launcher = ("-m", "benchmarks.stream.watched", "--syncs", str(syncs))
        whole = streamer(venue, STEADY, beforehand=keep, afterwards=look, launcher=launcher)
    yield _rate_row("streamer end to end, 100 sockets, 10,000/s", whole, plain, wanted=40_000)
    yield _durable(waits)
    yield from _memory(whole)
    yield from _bytes(found, {})


def _long(tell: Tell) -> Iterator[Row]:
    tell("making traffic of two minutes")
    with VenueProcess(MARKETS, LONG_MADE) as venue:
        tell("100 sockets, 10,000 messages a second, for ten minutes: the streamer")
        found: dict[str, Size] = {}

        def look(one: Recording) -> None:
            one.seal()
            found.update(sizes(one.lake))

        whole = streamer(venue, LONG, afterwards=look)
    yield _rate_row("streamer end to end, 100 sockets, 10,000/s, 10 min", whole, None, wanted=40_000)
    yield from _memory(whole, wanted=FLAT_MB)
    yield from _bytes(found, BYTES)


def _start(tell: Tell) -> Iterator[Row]:
    tell("200 sockets, 40,000 tokens: from start to the last first book")
    with VenueProcess(START_TOKENS // 2, 0) as venue, streaming(venue, START_SOCKETS) as one:
        venue.hum(HUM_S)
        wait_until(lambda: one.serves(START_TOKENS), "every token has its first book", CONNECTED_S)
        took = time.monotonic() - one.process.began_at
        cpu_s = one.process.cpu_s()
    yield Row("40,000 tokens over 200 sockets served after", took, "s", 60, more=False, note=f"{cpu_s:.1f} s of CPU")  # fmt: skip


def _stages(tell: Tell) -> Iterator[Row]:
    tell("stages, each alone")
    command = [sys.executable, "-m", "benchmarks.stream.stages"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"stages cannot be measured: {done.stderr[-500:]}")
    for name, found in json.loads(done.stdout).items():
        if isinstance(found, str):
            yield Row(f"stage: {name}", float("nan"), "µs/message", note=found)
        else:
            yield Row(f"stage: {name}", found, "µs/message")


def _rate_row(name: str, ran: Ran, plain: Ran | None, wanted: float | None = None) -> Row:
    note = f"{ran.messages:,} messages, {ran.cpu_s:.1f} s of CPU in {ran.wall_s:.1f} s"
    if ran.load.rate is not None:
        note += f", venue late by {1000 * ran.told['late_s']:.0f} ms at most"
    return Row(name, ran.rate, "messages/CPU-s", wanted, ratio=ran.rate / plain.rate if plain else None, note=note)  # fmt: skip


def _durable(waits: Sequence[float]) -> Row:
    half, last = percentile(list(waits), 0.5), waits[-1]
    note = f"median {half:.2f} s, longest {last:.2f} s, {len(waits):,} messages; from the stamp to the return of fdatasync"
    return Row("heard to durable, p99", percentile(list(waits), 0.99), "s", 1.5, more=False, note=note)


def _memory(ran: Ran, wanted: float | None = None) -> Iterator[Row]:
    samples = [(at, mb) for at, mb in ran.resident_mb if at >= WARM * ran.wall_s]
    peak = max(mb for _, mb in ran.resident_mb)
    note = f"peak {peak:.0f} MB, least squares over the last two thirds of {ran.wall_s:.0f} s"
    yield Row("memory grows by", 60 * slope(samples), "MB/min", wanted, more=False, note=note)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Least squares: by how much the second coordinate grows as the first grows by one."""
    x_mean = sum(x for x, _ in points) / len(points)
    y_mean = sum(y for _, y in points) / len(points)
    spread = sum((x - x_mean) ** 2 for x, _ in points)
    return sum((x - x_mean) * (y - y_mean) for x, y in points) / spread


def _bytes(found: dict[str, Size], wanted: dict[str, float]) -> Iterator[Row]:
    names = {
        "changes": "sealed: a canonical book change",
        "levels": "sealed: a level of a whole book",
        "book_changes": "sealed: a row of book_changes, both together",
        "trades_raw": "sealed: a row of trades_raw",
    }
    for name, said in names.items():
        size = found[name]
        yield Row(said, size.each, "bytes", wanted.get(name), more=False, note=f"{size.rows:,} rows, {size.bytes:,} bytes")  # fmt: skip
