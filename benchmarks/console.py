"""Every page part and endpoint of the console on a lake of two days: four clients at once, and the memory of its processes.

`python -m benchmarks console`. The console is a process of its own, without streamer, tracking server or Dagster: what they would say
is kept in the background and costs an answer nothing; it has loaded what asks Dagster. Pages and endpoints are found, not listed: from `console.pages` and from the
console's own OpenAPI document. What asks for a market, an event, a table or a version is asked for one of the lake; the SQL box, whose
time is its query's, is left out. Those that read most are asked besides for another market each time, so that no answer is remembered.

`python -m benchmarks.console FOLDER` asks on a lake that `benchmarks.console_lake` made before.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from benchmarks import console_lake, telling
from benchmarks.past import apart
from benchmarks.rows import Failed, Row, Tell
from polymarket_assets.lake.writing import Lake

# Wanted, by the issue: milliseconds that 95 of 100 answers take, and megabytes of all processes of the console.
P95_MS, MB = 300.0, 500.0
CLIENTS, SECONDS = 4, 4.0
# What is looked at for the first time is asked for again until it is there.
_WARM_S, _START_S, _ANSWER_S = 90.0, 30.0, 30.0
_LOOK_S = 0.2
# What a part, and an endpoint, say of a fault of the console's own.
_OURS, _SHOWN = "log says more", 600
# The busiest markets, which are asked for once each; more than a pass of four clients gets through.
_OTHERS = 1_500
_READ_MOST = ("/parts/market/price", "/api/markets/{name}", "/api/markets/{name}/trades")
# Its time is the query's, and the files' of a whole table: both have limits of their own.
_LEFT_OUT = ("/api/database/query", "/download")

TITLE = "the console: 95 of 100 answers of each address within so many milliseconds, four clients at once, on two days of 10 million trades and book changes"


@dataclass(frozen=True)
class Subject:
    """What pages and endpoints are asked about."""

    market: str
    event: str
    others: tuple[str, ...] = ()
    table: str = "trades"
    version: str = "polymarket/1"


@dataclass
class Asked:
    """Answers of an address, which is called `name` in every run: milliseconds each, and statuses."""

    name: str
    taken_ms: list[float] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    bytes: int = 0
    fault: str = ""

    def quantile(self, share: float) -> float:
        ordered = sorted(self.taken_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measured(*, long: bool, tell: Tell, share: float = 1.0, seconds: float = SECONDS) -> Iterator[Row]:
    """Make a lake, ask for everything; the slowest addresses come last. Raises `Failed` where an answer is an error of ours."""
    with tempfile.TemporaryDirectory() as folder:
        tell("making a lake of two days")
        counts = apart(made, folder, share)
        yield Row("snapshots", counts.snapshots, "rows", note=f"{counts.trades:,} trades, {counts.changes:,} book changes, {counts.books:,} books, {counts.predictions:,} predictions of {counts.markets:,} markets")  # fmt: skip
        yield from measured_on(folder, tell, seconds * (3 if long else 1))


def made(folder: str, share: float) -> console_lake.Counts:
    """A lake up to now."""
    return console_lake.make(Lake(folder), now=datetime.now(UTC), share=share)


def measured_on(folder: str, tell: Tell, seconds: float = SECONDS) -> Iterator[Row]:
    """The same of a lake that is there."""
    subject = _subject(Path(folder))
    with _console(folder) as console, _watching(console.pid) as peak:
        found = {name: [path] for name, path in addresses(console.document(), subject)}
        tell("asking for everything once")
        _warm(console, [path for (path,) in found.values()])
        for name, paths in {**found, **_of_others(found, subject)}.items():
            tell(f"asking for {name}")
            peak.asked = name
            yield _row(_asked(console, name, paths, seconds))
        yield Row("peak memory of all its processes", peak.mb, "MB", MB, more=False, note=f"reached at {peak.reached or 'the start'}; {peak.processes} at once at the most; {peak.last_mb:,.0f} MB at the end")  # fmt: skip


def _of_others(found: Mapping[str, list[str]], subject: Subject) -> dict[str, list[str]]:
    """The same addresses of markets that nobody asked for before."""
    here, others = quote(subject.market, safe=""), [quote(other, safe="") for other in subject.others]
    share = len(others) // len(_READ_MOST)
    return {
        f"{name}, another each time": [found[name][0].replace(here, other) for other in others[n * share : (n + 1) * share]]
        for n, name in enumerate(_READ_MOST) if share
    }  # fmt: skip


def addresses(document: Mapping[str, Any], subject: Subject) -> Iterator[tuple[str, str]]:  # fmt: skip
    """Pages with their parts, and every endpoint that is only asked, each by its name."""
    from console.pages import PAGES

    of = {"market": subject.market, "event": subject.event, "table": subject.table, "version": subject.version}  # fmt: skip
    for page in PAGES:
        about = of.get(page.of, subject.market) if page.of else ""
        yield f"/{page.name}", f"/{page.name}/{quote(about, safe='')}" if about else f"/{page.name}"
        for part in page.lists:
            yield f"/parts/{page.name}/{part.name}", f"/parts/{page.name}/{part.name}"
        for part in page.parts:
            path = f"/parts/{page.name}/{part.name}"
            yield path, path + (f"?{urlencode({'of': about})}" if about else "")
    for path, methods in document["paths"].items():
        if "get" in methods and not path.endswith(_LEFT_OUT):
            yield path, _filled(path, methods["get"], subject)


def _filled(path: str, said: Mapping[str, Any], subject: Subject) -> str:
    """An endpoint with a subject of the lake for whatever its path or a required parameter names."""
    asked: dict[str, str] = {}
    for one in said.get("parameters", ()):
        value = _value(path, one["name"], subject)
        if one["in"] == "path":
            path = path.replace("{" + one["name"] + "}", quote(value, safe=""))
        elif one.get("required"):
            asked[one["name"]] = value
    return path + ("?" + urlencode(asked) if asked else "")


def _value(path: str, name: str, subject: Subject) -> str:
    """Of a parameter, by what its path is about."""
    if "table" in path or name == "table":
        return subject.table
    if "event" in path or name == "event":
        return subject.event
    return subject.version.rpartition("/")[2] if "model" in path else subject.market


def _subject(folder: Path) -> Subject:
    """A busy market of the lake, and its event."""
    from polymarket_assets.lake import reading

    lake = Lake(folder)
    with reading.connected(lake) as connection:
        busiest = connection.execute(f"select market_id, count(*) from trades group by 1 order by 2 desc limit {1 + _OTHERS}").fetchall()  # fmt: skip
        if not busiest:
            raise Failed(f"no trade lies in {folder}: make a lake with `python -m benchmarks.console_lake`")
        market, *others = (market_id for market_id, _ in busiest)
        (event,) = connection.execute("select any_value(event_id) from markets where market_id = ?", [market]).fetchone() or ("",)  # fmt: skip
    # Told apart by chance, the same in every run: those of each address have many trades and few.
    random.Random(7).shuffle(others)
    return Subject(market, event, tuple(others))


@dataclass(frozen=True)
class Console:
    """A console that answers."""

    base: str
    pid: int

    def get(self, path: str, session: Any = None) -> Any:
        import requests

        return (session or requests).get(f"{self.base}{path}", timeout=_ANSWER_S)

    def document(self) -> Mapping[str, Any]:
        """What it says of its endpoints."""
        found: Mapping[str, Any] = self.get("/api/openapi.json").json()
        return found


@contextmanager
def _console(folder: str) -> Iterator[Console]:
    """`python -m console` on a lake, and nobody else there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as state:
        command = [sys.executable, "-m", "console", "--port", str(port)]
        process = subprocess.Popen(command, env=_environment(folder, state), cwd=Path(__file__).parents[1])
        try:
            console = Console(f"http://127.0.0.1:{port}", process.pid)
            _until(lambda: _answers(console), "the console to answer", _START_S, process)
            yield console
        finally:
            process.terminate()
            process.wait(_START_S)


def _environment(folder: str, state: str) -> dict[str, str]:
    """Ours without what names another installation."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "PYTHONPATH", "LANG", "TMPDIR")}  # fmt: skip
    nobody = "http://127.0.0.1:1"
    away = {"POLYMARKET_GAMMA_URL": nobody, "POLYMARKET_CLOB_URL": nobody, "POLYMARKET_DATA_URL": nobody, "STREAM_STATUS_URLS": nobody}  # fmt: skip
    return {**kept, "LAKE_ROOT": folder, "STATE_DIR": state, "DAGSTER_HOME": state, **away}


def _answers(console: Console) -> bool:
    import requests

    try:
        return bool(console.get("/api/openapi.json").ok)
    except requests.ConnectionError:
        return False


def _until(holds: Callable[[], bool], what: str, seconds: float, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + seconds
    while not holds():
        if process.poll() is not None or time.monotonic() > until:
            raise Failed(f"waited in vain for {what}")
        time.sleep(_LOOK_S)


def _warm(console: Console, paths: Sequence[str]) -> None:
    """Until nothing is looked at for the first time any more."""
    until, left = time.monotonic() + _WARM_S, list(paths)
    while left and time.monotonic() < until:
        left = [path for path in left if "it is being looked at" in console.get(path).text]
        time.sleep(_LOOK_S)


def _asked(console: Console, name: str, paths: Sequence[str], seconds: float) -> Asked:
    """Ask for them in turn over and over, once at the least, as so many at once."""
    found, until, turn = Asked(name), time.monotonic() + seconds, itertools.cycle(paths)

    def client(_: int) -> None:
        import requests

        with requests.Session() as session:
            while True:
                began = time.perf_counter()
                answer = console.get(next(turn), session)
                found.taken_ms.append(1e3 * (time.perf_counter() - began))
                found.statuses.add(answer.status_code)
                found.bytes = len(answer.content)
                if _OURS in answer.text:
                    found.fault = answer.text[:_SHOWN]
                if time.monotonic() >= until:
                    return

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(client, range(CLIENTS)))
    return found


def _row(asked: Asked) -> Row:
    """Raises `Failed` where an answer was an error that nobody meant."""
    if any(status >= 500 and status != 503 for status in asked.statuses):
        raise Failed(f"{asked.name} answered {sorted(asked.statuses)}")
    if asked.fault:
        raise Failed(f"{asked.name} answered {asked.fault}")
    told = ", ".join(map(str, sorted(asked.statuses)))
    note = f"p50 {asked.quantile(0.5):.0f}, most {max(asked.taken_ms):.0f} ms, {len(asked.taken_ms):,} answers of {asked.bytes / 1e3:,.0f} kB, status {told}"  # fmt: skip
    return Row(asked.name, asked.quantile(0.95), "ms", P95_MS, more=False, note=note)


@dataclass
class _Peak:
    """The most that a process and its children had at once, what they have now, and what was asked for when it was most."""

    mb: float = 0.0
    processes: int = 0
    last_mb: float = 0.0
    asked: str = ""
    reached: str = ""


@contextmanager
def _watching(pid: int) -> Iterator[_Peak]:
    import psutil

    peak, is_over = _Peak(), threading.Event()

    def look() -> None:
        while not is_over.wait(_LOOK_S):
            every = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
            held = [mb for mb in map(_mb, every) if mb]
            peak.last_mb, peak.processes = sum(held), max(peak.processes, len(held))
            if peak.last_mb > peak.mb:
                peak.mb, peak.reached = peak.last_mb, peak.asked

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        is_over.set()
        thread.join()


def _mb(process: Any) -> float:
    """Its own, and its share of what several have; 0 of one that ended."""
    import psutil

    try:
        return float(process.memory_full_info().pss) / 2**20
    except psutil.Error:
        return 0.0


def main() -> int:
    """Ask on a lake that is there."""
    from rich.console import Console as Terminal

    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    asked = parser.parse_args()
    told = Terminal(stderr=True)
    rows = list(measured_on(asked.folder, told.print, asked.seconds))
    Terminal(width=200).print(telling.shown(TITLE, sorted(rows, key=lambda row: -row.value)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
