"""Listing 80,000 markets, and a sweep of 10,000 books of 60 levels with its snapshots, beside one request per token.

`python -m benchmarks wide`. The venue is a process of its own that answers after 50 milliseconds (`wide_venue`); CPU and
peak memory are ours alone, each measurement in a process of its own. The way beside it is that of the system before: a GET
for each token, 100 threads, JSON decoded and nothing kept, under the same published limits.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from threading import Lock, local

import requests

from benchmarks.rows import Failed, Row, Tell
from benchmarks.wide_venue import condition, other, token
from polymarket_assets import venue
from polymarket_assets.collecting import census, discovery, sweeping
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.tiers import BY_NAME
from polymarket_assets.venue.gamma import Gamma
from polymarket_assets.venue.limits import Limits
from polymarket_assets.venue.services import LIMITS_FILE

MARKETS, BOOKS = 80_000, 10_000
# As the system before had.
THREADS = 100
# Wanted, by the issue.
LIST_WITHIN_S, SWEEP_WITHIN_S, SWEEP_CPU_S = 120.0, 10.0, 4.0

TITLE = "the venue at its full width, 50 ms away; × is of one request per token"


@dataclass(frozen=True)
class Took:
    """What something took of us."""

    count: int
    wall_s: float
    cpu_s: float
    requests: int
    mb: float


def measured(*, long: bool, tell: Tell) -> Iterator[Row]:
    """Measure; rows come as they are known. Raises `Failed` where something is missing of what was asked for."""
    with tempfile.TemporaryDirectory() as folder, served(MARKETS, BOOKS, Path(folder) / "state") as settings:  # fmt: skip
        tell("10,000 books in batches")
        mine = _apart(swept, settings, Path(folder), BOOKS)
        tell("10,000 books, a request each")
        before = _apart(one_by_one, settings, Path(folder), BOOKS)
        yield from _sweep_rows(mine, before)
        for name in _LISTINGS:
            tell(f"80,000 markets: {name}")
            yield from _listing_rows(name, _apart(listed, settings, Path(folder), name))


def _sweep_rows(mine: Took, before: Took) -> Iterator[Row]:
    if (mine.count, before.count) != (BOOKS, BOOKS):
        raise Failed(f"{mine.count} and {before.count} books of {BOOKS}")
    note = f"{mine.requests} requests, peak {mine.mb:.0f} MB"
    yield Row("sweep of 10,000 books, snapshots published", mine.wall_s, "s", SWEEP_WITHIN_S, more=False, ratio=mine.wall_s / before.wall_s, note=note)  # fmt: skip
    yield Row("the same, CPU", mine.cpu_s, "CPU-s", SWEEP_CPU_S, more=False, ratio=mine.cpu_s / before.cpu_s)
    yield Row("one request per token, 100 threads, decoded only", before.wall_s, "s", note=f"{before.requests} requests, {before.cpu_s:.1f} CPU-s, peak {before.mb:.0f} MB")  # fmt: skip


def _listing_rows(name: str, took: Took) -> Iterator[Row]:
    if took.count != MARKETS:
        raise Failed(f"{name}: {took.count} markets of {MARKETS}")
    yield Row(f"{name}: 80,000 markets listed and stored", took.wall_s, "s", LIST_WITHIN_S, more=False, note=f"{took.cpu_s:.1f} CPU-s, {took.requests} requests, peak {took.mb:.0f} MB")  # fmt: skip


def _apart(piece: Callable[..., Took], *given: object) -> Took:
    """Measure a piece in a process of its own, whose peak memory is nobody else's."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(piece, *given).result()


@contextmanager
def served(markets: int, books: int, state: Path) -> Iterator[Settings]:
    """A wide venue, and the settings of one who asks it at all of the published limits, which processes share."""
    command = [sys.executable, "-m", "benchmarks.wide_venue", "--markets", str(markets), "--books", str(books)]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        try:
            yield Settings(
                _env_file=None, polymarket_gamma_url=f"{base}/gamma", polymarket_clob_url=f"{base}/clob", polymarket_data_url=f"{base}/data",
                rate_share=1.0, min_volume_usd=0.0, lookahead_hours=24 * 3_650, state_dir=state,
            )  # fmt: skip
        finally:
            process.kill()


def _took(work: Callable[[], tuple[int, int]]) -> Took:
    wall, cpu = time.perf_counter(), time.process_time()
    count, asked = work()
    took = time.perf_counter() - wall, time.process_time() - cpu
    status = Path("/proc/self/status").read_text().splitlines()
    peak_kb = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return Took(count, *took, asked, peak_kb / 1024)


def _census(lake: Lake, gamma: Gamma, settings: Settings) -> int:
    return census.take(lake, gamma, settings, clock=lambda: datetime.now(UTC)).open


def _discovery(lake: Lake, gamma: Gamma, settings: Settings) -> int:
    """As if everything that is open entered the tiers."""
    return discovery.discover(lake, gamma, settings, clock=lambda: datetime.now(UTC)).listed


_LISTINGS = {"census": _census, "discovery": _discovery}


def listed(settings: Settings, root: Path, name: str) -> Took:
    """Everything that is open, listed."""
    connected = venue.connect(settings)
    took = _took(lambda: (_LISTINGS[name](Lake(root / name), connected.gamma, settings), connected.gamma.service.traffic.requests))  # fmt: skip
    connected.close()
    return took


def swept(settings: Settings, root: Path, books: int) -> Took:
    """One slot of T1: books fetched, parsed and published with their snapshots and their account."""
    lake, connected, slot = Lake(root / "sweep"), venue.connect(settings), datetime.now(UTC).replace(microsecond=0)  # fmt: skip
    lake.publish_rows("markets", [_market(n, slot) for n in range(books)], part="0", at=slot)
    listed = sweeping.Listed(lake)
    listed.refresh(slot)

    def work() -> tuple[int, int]:
        account = sweeping.sweep(lake, connected.clob, BY_NAME["t1"], slot, listed, cap=books, run_id="run", clock=lambda: datetime.now(UTC))  # fmt: skip
        if account.mirrored != sweeping.MIRRORS or account.mirror_differs:
            raise Failed(f"{account.mirrored} of {sweeping.MIRRORS} pairs of books compared, {len(account.mirror_differs)} no mirrors")  # fmt: skip
        return account.books, account.requests

    took = _took(work)
    connected.close()
    return took


def one_by_one(settings: Settings, root: Path, books: int) -> Took:
    """The way before: a GET per token from a hundred threads, at the published limit of that endpoint."""
    limits, mine, lock = Limits(settings.rate_share, file=settings.need_state_dir() / LIMITS_FILE), local(), Lock()  # fmt: skip

    def get(n: int) -> int:
        # The limits belong to one thread; all wait their turn.
        with lock:
            limits.wait("all", "clob", "clob /book")
        session = mine.__dict__.setdefault("session", requests.Session())
        return len(json.loads(session.get(f"{settings.polymarket_clob_url}/book", params={"token_id": token(n)}, timeout=30).content)["bids"])  # fmt: skip

    def work() -> tuple[int, int]:
        with ThreadPoolExecutor(THREADS) as pool:
            return sum(levels > 0 for levels in pool.map(get, range(books))), books

    return _took(work)


def _market(n: int, at: datetime) -> dict[str, object]:
    return {
        "market_id": f"pm:{condition(n)}", "received_at": at - timedelta(minutes=5), "phase": "scheduled", "tier": "t1",
        "effective_close": at + timedelta(hours=24), "end_source": "end_date", "venue": "polymarket", "condition_id": condition(n),
        "outcomes": ["Yes", "No"], "token_ids": [token(n), other(n)], "neg_risk": False, "tags": [], "volume_usd": float(n), "accepting_orders": True,
    }  # fmt: skip
