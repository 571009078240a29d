"""What DuckDB's memory does not hold goes to a disk, and goes away."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from polymarket_assets.lake import opening, spilling

# More than this holds: rows of a hundred megabytes, sorted.
SMALL = {"memory_limit": "60MB", "threads": 1, "preserve_insertion_order": False}
MADE = "create table t as select md5(range::varchar) || md5((range + 1)::varchar) as text from range(1200000)"


def spill(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(MADE)
    connection.execute("select text from t order by text desc").fetchmany(1)


def test_a_query_larger_than_memory_spills_below_the_state_folder_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """In containers the working folder cannot be written and /tmp is memory: the query failed, or filled the memory it was to spare."""
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    with opening.connected(**SMALL) as connection:
        assert not list(tmp_path.iterdir()), "who does not spill writes nothing"
        spill(connection)
        (folder,) = tmp_path.glob("duckdb-*")
        assert any(folder.iterdir())
    assert not list(tmp_path.iterdir())


def test_databases_share_no_folder_and_take_half_of_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    asked = "select current_setting('temp_directory'), current_setting('memory_limit')"
    with duckdb.connect(config={"memory_limit": "50%"}) as half, opening.connected() as one, opening.connection() as two:  # fmt: skip
        (first, limit), (second, _) = (each.execute(asked).fetchone() or () for each in (one, two))
        assert first != second
        assert limit == (half.execute(asked).fetchone() or ())[1]


@pytest.mark.parametrize("state", [None, "nowhere"])
def test_without_a_state_folder_it_is_the_system_s(state: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STATE_DIR", raising=False)
    if state is not None:
        monkeypatch.setenv("STATE_DIR", str(tmp_path / state))
    assert Path(spilling.folder()).parent == Path(tempfile.gettempdir())


def test_what_a_process_that_died_left_is_forgotten_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    now = datetime.now(UTC)
    for name, age in (("duckdb-old", timedelta(hours=25)), ("duckdb-young", timedelta(hours=23)), ("stream", timedelta(days=9))):  # fmt: skip
        (tmp_path / name).mkdir()
        (tmp_path / name / "block").write_bytes(b"x")
        os.utime(tmp_path / name, times=((now - age).timestamp(),) * 2)
    assert spilling.forget(now=now) == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["duckdb-young", "stream"]
