"""A day of 2,000 closed markets with their prices and 100 trades each, at the venue's published limits.

`python -m benchmarks past`. The venue is a process of its own that answers after 50 milliseconds (`past_venue`); CPU and peak
memory are ours alone, each table in a process of its own. What a table must take is what the published limit lets through: so
many requests in ten seconds. Beside it stands what the same requests would wait for
answers alone, one after the other.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from benchmarks.past_venue import POINTS_EACH, TRADES_EACH
from benchmarks.rows import Failed, Row, Tell
from benchmarks.wide_venue import LATENCY_S
from polymarket_assets import venue
from polymarket_assets.collecting import history
from polymarket_assets.collecting.history.asking import CONNECTIONS
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.venue.limits import PUBLISHED, WINDOW_S

Answer = TypeVar("Answer")

MARKETS = 2_000
# Wanted, by the issue: of the time that the limits dictate, and of one core.
LONGER_BY, CORE = 1.05, 0.2

TITLE = "a day of 2,000 closed markets, 50 ms away, at all of the published limits; × is of their latencies one after the other"


@dataclass(frozen=True)
class Took:
    """What fetching a table took of us."""

    rows: int
    requests: int
    wall_s: float
    cpu_s: float
    mb: float


@dataclass(frozen=True)
class Of:
    """A table of a day: the limit its requests meet, and rows of each market."""

    group: str
    rows_each: int


TABLES = {
    "history_markets": Of("gamma /markets", 1),
    "history_prices": Of("data", POINTS_EACH),
    "history_trades": Of("data /trades", TRADES_EACH),
}


def measured(*, long: bool, tell: Tell, markets: int = MARKETS) -> Iterator[Row]:
    """Measure; rows come as they are known. Raises `Failed` where rows are missing."""
    took: dict[str, Took] = {}
    with served(markets) as settings, tempfile.TemporaryDirectory() as folder:
        for table in TABLES:
            tell(f"{table} of {markets:,} markets")
            took[table] = apart(fetched, settings, Path(folder), table)
            yield _table_row(table, took[table], markets)
    yield from _day_rows(took, markets)


def _table_row(table: str, took: Took, markets: int) -> Row:
    wanted = TABLES[table].rows_each * markets
    if took.rows != wanted:
        raise Failed(f"{table}: {took.rows} rows of {wanted}")
    note = f"{took.rows:,} rows, {took.requests:,} requests, {took.cpu_s:.1f} CPU-s, peak {took.mb:.0f} MB; the limit dictates {_dictated(table, took):.1f} s"
    # A cursor leads from page to page: what is listed cannot be asked for at once, and counts in the whole day.
    limit = None if table == "history_markets" else round(LONGER_BY * _dictated(table, took), 1)
    one_by_one_s = took.requests * LATENCY_S
    return Row(table, took.wall_s, "s", limit, more=False, ratio=took.wall_s / one_by_one_s, note=note)


def _day_rows(took: dict[str, Took], markets: int) -> Iterator[Row]:
    wall, cpu = sum(t.wall_s for t in took.values()), sum(t.cpu_s for t in took.values())
    dictated = sum(_dictated(table, of) for table, of in took.items())
    name = f"a day of {markets:,} markets"
    yield Row(
        name,
        wall,
        "s",
        round(LONGER_BY * dictated, 1),
        more=False,
        note=f"the limits dictate {dictated:.1f} s",
    )
    yield Row(f"{name}, of one core", cpu / wall, "", CORE, more=False, note=f"{cpu:.1f} CPU-s")


def _dictated(table: str, took: Took) -> float:
    """How long so many requests take when every ten seconds hold as many as are published."""
    return took.requests * WINDOW_S / PUBLISHED[TABLES[table].group]


def fetched(settings: Settings, root: Path, table: str) -> Took:
    """One table of yesterday."""
    lake, day = Lake(root / "lake"), (datetime.now(UTC) - timedelta(days=1)).date()
    with closing(venue.connect_many(settings, CONNECTIONS)) as connected:
        clients = [each.data for each in connected.venues]
        fetch: dict[str, Callable[[], int]] = {
            "history_markets": lambda: history.fetch_markets(lake, connected.venues[0].gamma, day, clock=_now).rows,
            "history_prices": lambda: history.fetch_prices(lake, clients, day, clock=_now).rows,
            "history_trades": lambda: history.fetch_trades(lake, clients, day, clock=_now).rows,
        }  # fmt: skip
        wall, cpu = time.perf_counter(), time.process_time()
        rows = fetch[table]()
        took = time.perf_counter() - wall, time.process_time() - cpu
        asked = sum(int(account["requests"]) for account in connected.account().values())
    return Took(rows, asked, *took, peak_mb())


def apart(piece: Callable[..., Answer], *given: object) -> Answer:
    """Measure a piece in a process of its own, whose peak memory is nobody else's."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(piece, *given).result()


def peak_mb() -> float:
    """Of this process, megabytes."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def served(markets: int) -> Iterator[Settings]:
    """A venue with a day of the past, and the settings of one who asks it at all of the published limits."""
    command = [sys.executable, "-m", "benchmarks.past_venue", "--markets", str(markets)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        try:
            yield Settings(
                _env_file=None, polymarket_gamma_url=f"{base}/gamma", polymarket_clob_url=f"{base}/clob",
                polymarket_data_url=f"{base}/data", rate_share=1.0,
            )  # fmt: skip
        finally:
            process.kill()
