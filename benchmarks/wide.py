"""Listing 80,000 markets, and a sweep of 10,000 books of 60 levels with its snapshots, beside one request per token.

`python -m benchmarks.wide [--markets N] [--books N]` prints a table. The venue is a process of its own that answers after
50 milliseconds (`wide_venue`); CPU is ours alone. The way beside it is that of the system before: a GET for each token,
100 threads, JSON decoded and nothing kept, under the same published limits.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock, local

import requests
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.measuring import Figure
from benchmarks.wide_venue import condition, token
from polymarket_assets import venue
from polymarket_assets.collecting import census, discovery, sweeping
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.tiers import BY_NAME
from polymarket_assets.venue.limits import Limits

MARKETS, BOOKS = 80_000, 10_000
# As the system before had.
THREADS = 100
# Wanted, by the issue.
LIST_WITHIN_S, SWEEP_WITHIN_S, SWEEP_CPU_S = 120.0, 10.0, 4.0

# The figure of `make bench`: how a small sweep compares, start of the interpreter and imports included.
FIGURE = Figure(
    "wide",
    "from benchmarks import wide; wide.quick(batched=True)",
    "from benchmarks import wide; wide.quick(batched=False)",
    called="one request per token",
    rounds=1,
)


@dataclass(frozen=True)
class Took:
    """What something took of us."""

    what: str
    count: int
    wall_s: float
    cpu_s: float
    requests: int
    mb: float


@contextmanager
def served(markets: int, books: int) -> Iterator[Settings]:
    """A wide venue, and the settings of one who asks it at all of the published limits."""
    command = [sys.executable, "-m", "benchmarks.wide_venue", "--markets", str(markets), "--books", str(books)]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        try:
            yield Settings(
                _env_file=None, polymarket_gamma_url=f"{base}/gamma", polymarket_clob_url=f"{base}/clob", polymarket_data_url=f"{base}/data",
                rate_share=1.0, min_volume_usd=0.0, lookahead_hours=24 * 3_650,
            )  # fmt: skip
        finally:
            process.kill()


def _took(what: str, work: Callable[[], tuple[int, int]]) -> Took:
    wall, cpu = time.perf_counter(), time.process_time()
    count, asked = work()
    took = time.perf_counter() - wall, time.process_time() - cpu
    status = Path("/proc/self/status").read_text().splitlines()
    peak_kb = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return Took(what, count, *took, asked, peak_kb / 1024)


def listed(settings: Settings, root: Path) -> Iterator[Took]:
    """Everything that is open: by the census, and by discovery as if all of it entered the tiers."""
    for what, run in (("census", census.take), ("discovery", discovery.discover)):
        connected, lake = venue.connect(settings), Lake(root / what)

        def work(run: Callable[..., object] = run, lake: Lake = lake) -> tuple[int, int]:
            report = run(lake, connected.gamma, settings, clock=lambda: datetime.now(UTC))  # noqa: B023
            count = report.open if isinstance(report, census.CensusReport) else getattr(report, "listed")  # noqa: B009
            return count, connected.gamma.service.traffic.requests  # noqa: B023

        yield _took(f"{what}: markets listed and stored", work)
        connected.close()


def swept(settings: Settings, root: Path, books: int) -> Took:
    """One slot of T1: books fetched, parsed and published with their snapshots and their account."""
    lake, connected, slot = Lake(root / "sweep"), venue.connect(settings), datetime.now(UTC).replace(microsecond=0)  # fmt: skip
    lake.publish_rows("markets", [_market(n, slot) for n in range(books)], part="0", at=slot)
    listed = sweeping.Listed(lake)
    listed.refresh(slot)

    def work() -> tuple[int, int]:
        account = sweeping.sweep(lake, connected.clob, BY_NAME["t1"], slot, listed, cap=books, run_id="run", clock=lambda: datetime.now(UTC))  # fmt: skip
        return account.books, account.requests

    took = _took("a sweep of books, with snapshots, published", work)
    connected.close()
    return took


def one_by_one(settings: Settings, books: int) -> Took:
    """The way before: a GET per token from a hundred threads, at the published limit of that endpoint."""
    limits, mine, lock = Limits(1.0), local(), Lock()

    def get(n: int) -> int:
        # The limits belong to one thread; all wait their turn.
        with lock:
            limits.wait("all", "clob", "clob /book")
        session = mine.__dict__.setdefault("session", requests.Session())
        return len(json.loads(session.get(f"{settings.polymarket_clob_url}/book", params={"token_id": token(n)}, timeout=30).content)["bids"])  # fmt: skip

    def work() -> tuple[int, int]:
        with ThreadPoolExecutor(THREADS) as pool:
            return sum(levels > 0 for levels in pool.map(get, range(books))), books

    return _took("one request per token: books fetched and decoded", work)


def quick(*, batched: bool, books: int = 1_000) -> None:
    """A tenth of a sweep, for the table of `make bench`."""
    with served(100, books) as settings, tempfile.TemporaryDirectory() as folder:
        if batched:
            swept(settings, Path(folder), books)
        else:
            one_by_one(settings, books)


def _market(n: int, at: datetime) -> dict[str, object]:
    return {
        "market_id": f"pm:{condition(n)}", "received_at": at - timedelta(minutes=5), "phase": "scheduled", "tier": "t1",
        "effective_close": at + timedelta(hours=24), "end_source": "end_date", "venue": "polymarket", "condition_id": condition(n),
        "outcomes": ["Yes", "No"], "token_ids": [token(n)], "neg_risk": False, "tags": [], "volume_usd": float(n), "accepting_orders": True,
    }  # fmt: skip


def main() -> None:
    """Measure, and show."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wide", description=__doc__)
    parser.add_argument("--markets", type=int, default=MARKETS, help="open markets (default: %(default)s)")
    parser.add_argument("--books", type=int, default=BOOKS, help="books of a sweep (default: %(default)s)")
    asked = parser.parse_args()
    with served(asked.markets, asked.books) as settings, tempfile.TemporaryDirectory() as folder:
        rows = [swept(settings, Path(folder), asked.books), one_by_one(settings, asked.books), *listed(settings, Path(folder))]  # fmt: skip
    table = Table("", "count", "wall s", "CPU s", "requests", "peak MB so far", box=SIMPLE)
    for row in rows:
        table.add_row(row.what, f"{row.count:,}", f"{row.wall_s:.1f}", f"{row.cpu_s:.1f}", f"{row.requests:,}", f"{row.mb:.0f}")  # fmt: skip
    Console().print(table)
    print(f"wanted: a sweep of 10,000 books within {SWEEP_WITHIN_S:g} s and {SWEEP_CPU_S:g} CPU-seconds, 80,000 markets within {LIST_WITHIN_S:g} s")  # fmt: skip


if __name__ == "__main__":
    main()
