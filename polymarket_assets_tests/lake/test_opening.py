"""Queries of a process share a database, and nothing else."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from polymarket_assets.lake import opening, reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.conftest import either_store
from polymarket_assets_tests.lake.test_lake import AT, sweep


def rows() -> int:
    """What `it` of a connection of its own holds, made and read."""
    with opening.connected() as connection:
        connection.execute("create temp table it as select range as n from range(1000)")
        ((count,),) = connection.execute("select count(*) from it").fetchall()
        return int(count)


def test_what_one_query_made_no_other_sees() -> None:
    """Two reports at once each have a `quotes`; of the one that came second there would be none, or the first one's."""
    with opening.connected() as one, opening.connected() as two:
        for connection, value in ((one, 1), (two, 2)):
            connection.execute(f"create temp view it as select {value} as n")
            connection.register("held", pa.table({"n": [value * 10]}))
        for connection, value in ((one, 1), (two, 2)):
            assert connection.execute("select it.n, held.n from it, held").fetchall() == [(value, value * 10)]
    with opening.connected() as after:
        assert after.execute("select count(*) from duckdb_tables()").fetchall() == [(0,)]
        assert after.execute("select count(*) from duckdb_views() where not internal").fetchall() == [(0,)]


def test_queries_of_many_threads_do_not_meet() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: rows(), range(64))) == [1000] * 64


def test_an_error_that_ends_the_database_ends_no_other_query_than_its_own() -> None:
    """DuckDB closes a database for good after an error of its own: a process that runs for months must not be left without one."""
    rows()
    opening._database().close()
    assert rows() == 1000


def test_a_process_with_little_memory_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The console has 500 MB, of which no question may take half of the machine; who names a limit has that one."""
    monkeypatch.setattr(opening, "_asked_for", opening._AskedFor())
    # Of an object store, which another test may have used, each question has one of its own.
    monkeypatch.setattr(opening.objects, "is_used", lambda: False)
    limit = "select current_setting('memory_limit'), current_setting('threads')"
    opening.share(keeps_footers=True, memory_limit="100MiB", threads=1)
    try:
        with opening.connected() as shared, opening.connected(memory_limit="50MiB") as named:
            assert shared.execute(limit).fetchall() == [("100.0 MiB", 1)]
            assert named.execute(limit).fetchall()[0][0] == "50.0 MiB"
            assert shared.execute("select current_setting('parquet_metadata_cache')").fetchall() == [(True,)]
    finally:
        opening._let_go()


def test_a_process_that_was_forked_has_one_of_its_own() -> None:
    """The threads of the parent's are not there: a query would wait for them for ever."""
    rows()
    child = os.fork()
    if child == 0:
        os._exit(0 if rows() == 1000 else 1)
    late = threading.Timer(20.0, os.kill, (child, 9))
    late.start()
    _, status = os.waitpid(child, 0)
    late.cancel()
    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.parametrize("keeps_footers", [False, True])
@either_store
def test_a_part_that_is_published_again_is_read_anew(lake: Lake, keeps_footers: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """A slot that is taken again replaces its file; a database that held on to the former one met half of each."""
    monkeypatch.setattr(opening, "_asked_for", opening._AskedFor())
    opening.share(keeps_footers=keeps_footers)
    seen: list[tuple[int, int]] = []
    for count in (1, 3_000, 2):
        rows = [sweep(AT, requests=n, reason=f"{n * 7919:x}") for n in range(count)]
        lake.publish_rows("sweeps", rows, part="0", at=AT, tier="t4")
        for _ in range(2):
            with reading.connected(lake) as connection:
                seen.append(connection.execute("select count(*), max(requests) from sweeps").fetchall()[0])
    assert seen == [(1, 0)] * 2 + [(3_000, 2_999)] * 2 + [(2, 1)] * 2


@pytest.mark.parametrize("asked", ["current_setting('TimeZone')", "strftime(timestamptz '2026-11-02 13:40:00+00', '%H')"])  # fmt: skip
def test_every_connection_is_in_utc(asked: str) -> None:
    with opening.connected() as shared, opening.connection() as own:
        said = [connection.execute(f"select {asked}").fetchall() for connection in (shared, own)]
    assert said in ([[("UTC",)]] * 2, [[("13",)]] * 2)
