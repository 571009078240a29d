"""Importing many rows: the quotes of `us`, and ten million generated books in time order, each beside the plain way.

The plain way holds everything: pandas or pyarrow reads the file, sorts it by day, market and instant, and writes a file per day. It checks
nothing, derives no prices and finds nothing to do only by doing it all again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.history_import_us import DATASETS, QUOTES
from benchmarks.measuring import Cost, run
from benchmarks.rows import Row, Tell

TITLE = "importing datasets; × is of the plain way, which checks nothing and derives nothing"
BOOKS = 10_000_000
MARKETS, DAYS, LEVELS = 2_000, 20, 5
# As the issue wants them on two cores.
WANTED_US_S, WANTED_BOOKS_S, WANTED_MB = 5.0, 60.0, 2048.0

_MAPPING = """
source: generated
venue: import
markets: {files: markets.parquet, columns: {id: id, close: ends, expected_close: ends, outcome: won}}
books: {files: books.parquet, time: iso, columns: {id: id, time: booked, bids: bids, asks: asks}}
"""
_IMPORT = """
from datetime import UTC, datetime
from pathlib import Path
from polymarket_assets.history_import import importing
from polymarket_assets.lake.writing import Lake
importing.run(Lake({lake!r}), [Path({path!r})], only={only!r}, clock=lambda: datetime.now(UTC))
"""
_PLAIN_US = """
import pandas as pd
rows = pd.read_parquet({path!r}).sort_values(["slug", "ts"])
for day, of_day in rows.groupby(rows["ts"].dt.date):
    of_day.to_parquet({out!r} + f"/{{day}}.parquet", compression="zstd")
"""
_PLAIN_BOOKS = """
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
rows = pq.read_table({folder!r} + "/books.parquet")
ends = pq.read_table({folder!r} + "/markets.parquet")
days = ends.column("ends").cast(pa.date32())
rows = rows.append_column("day", days.take(pc.index_in(rows.column("id"), ends.column("id").combine_chunks())))
order = pc.sort_indices(rows.select(["day", "id", "booked"]), [("day", "ascending"), ("id", "ascending"), ("booked", "ascending")])
for day in pc.unique(rows.column("day")):
    of_day = rows.take(order.filter(pc.equal(rows.column("day").take(order), day)))
    pq.write_table(of_day, {out!r} + f"/{{day}}.parquet", compression="zstd", compression_level=1)
"""


def generate(folder: Path, books: int = BOOKS) -> Path:
    """Books of `MARKETS` markets over `DAYS` days of close, all markets at every instant; returns the mapping beside them."""
    import duckdb

    step_us = 18 * 86_400_000_000 // max(1, books // MARKETS)
    sides = {side: _side(base, sign) for side, base, sign in (("bids", 30, "-"), ("asks", 31, "+"))}
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select printf('0x%064x', i % {MARKETS}) as id, make_timestamptz({_BEGAN} + (i // {MARKETS}) * {step_us} + i % {MARKETS}) as booked,
                    {sides["bids"]} as bids, {sides["asks"]} as asks from range({books}) rows(i)
            ) to '{folder}/books.parquet' (format parquet, compression zstd)
            """
        )
        connection.execute(
            f"""
            copy (
                select printf('0x%064x', i) as id, make_timestamptz({_BEGAN} + (19 + i % {DAYS}) * 86400000000) as ends, (i % 3 = 0)::int as won
                from range({MARKETS}) rows(i)
            ) to '{folder}/markets.parquet'
            """
        )
    mapping = folder / "generated.yaml"
    mapping.write_text(_MAPPING)
    return mapping


# 2026-01-01.
_BEGAN = 1_767_225_600_000_000


def _side(base: int, sign: str) -> str:
    price = f"({base} + hash(i) % 40 {sign} l) / 100.0"
    return f"list_transform(range({LEVELS}), lambda l: {{'price': {price}, 'size': (hash(i + l) % 50000)::integer / 10.0 + 1}})"


def imported(path: Path, lake: Path, only: tuple[str, ...] = ()) -> Cost:
    """An import in a process of its own."""
    return run(_IMPORT.format(path=str(path), lake=str(lake), only=only))


def plainly(folder: Path, out: Path) -> Cost:
    """The books of a folder sorted and written by day, all in memory."""
    out.mkdir()
    return run(_PLAIN_BOOKS.format(folder=str(folder), out=str(out)))


def measured(*, long: bool, tell: Tell) -> Iterator[Row]:
    """Measure; rows come as they are known."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        if QUOTES.exists():
            tell("importing us_quotes")
            (folder / "us").mkdir()
            yield from _rows(
                "us_quotes",
                imported(DATASETS, folder / "us_lake", ("us",)),
                run(_PLAIN_US.format(path=str(QUOTES), out=str(folder / "us"))),
                WANTED_US_S,
            )
        tell(f"generating {BOOKS:,} books")
        mapping = generate(folder)
        tell(f"importing {BOOKS:,} books")
        cost = imported(mapping, folder / "lake")
        tell("the plain way")
        yield from _rows(f"{BOOKS:,} books", cost, plainly(folder, folder / "plain"), WANTED_BOOKS_S)
        tell("importing them again")
        again = imported(mapping, folder / "lake")
        yield Row(f"{BOOKS:,} books, again", again.wall_s, "s", note="nothing to do")


def _rows(name: str, cost: Cost, plain: Cost, wanted_s: float) -> Iterator[Row]:
    note = f"plain way {plain.wall_s:,.1f} s and {plain.peak_mb:,.0f} MB"
    yield Row(
        f"{name}: time", cost.wall_s, "s", wanted_s, more=False, ratio=cost.wall_s / plain.wall_s, note=note
    )
    yield Row(
        f"{name}: peak memory", cost.peak_mb, "MB", WANTED_MB, more=False, ratio=cost.peak_mb / plain.peak_mb
    )
