"""The benchmark of the console asks for everything there is, of a lake in the form that real ones have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks import console, console_lake
from benchmarks.console import Asked, Subject
from benchmarks.rows import Failed
from console.app import made
from console.pages import PAGES
from console.place import Place
from polymarket_assets.lake import layout, reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import HOUR, Span, hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.console.served import settings_of

SUBJECT = Subject("pm:0x1", "0xe")
NOW = datetime(2026, 4, 6, 12, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = Lake(tmp_path_factory.mktemp("lake"))
    console_lake.make(folder, now=NOW, share=0.01, hours=4)
    return folder


def test_hours_that_are_over_are_one_file_and_the_open_one_is_not(lake: Lake) -> None:
    """A lake in parts, or one that is all merged, would be another lake than the one people look at."""
    for table in ("trades_raw", "book_changes"):
        over = reading.files(lake, table, Span(NOW - 4 * HOUR, hour_of(NOW)))
        assert over
        assert all(layout.is_merged(file) for file in over)
        assert all(not layout.is_merged(file) for file in reading.files(lake, table, Span(hour_of(NOW), NOW)))


def test_nothing_is_of_the_future(lake: Lake) -> None:
    for table in (
        "trades",
        "trades_raw",
        "book_changes",
        "snapshots",
        "predictions",
        "whale_events",
        "sweeps",
    ):
        rows = reading.rows(lake, table)
        filed = str(TABLES[table].filed_by)
        assert rows.num_rows, table
        assert max(rows.column(filed).to_pylist()) <= NOW + timedelta(seconds=1), table


def test_every_part_and_endpoint_is_asked_for() -> None:
    """What is listed by hand is soon less than there is."""
    document = made(Place(settings_of(None))).openapi()
    found = list(dict(console.addresses(document, SUBJECT)).values())
    parts = {f"/parts/{page.name}/{part.name}" for page in PAGES for part in (*page.parts, *page.lists)}
    assert {path.partition("?")[0] for path in found if path.startswith("/parts/")} == parts
    endpoints = [path for path, methods in document["paths"].items() if "get" in methods and not path.endswith(("/download", "/query"))]  # fmt: skip
    assert len([path for path in found if path.startswith("/api/")]) == len(endpoints)
    assert not [path for path in found if "{" in path]


def test_an_error_of_ours_is_told_and_one_that_is_meant_is_not() -> None:
    with pytest.raises(Failed, match=r"/api/x answered \[200, 500\]"):
        console._row(Asked("/api/x", [1.0], {200, 500}))
    row = console._row(Asked("/api/x", [float(n) for n in range(1, 101)], {200, 503}))
    assert (row.value, row.met) == (96, True)


@pytest.mark.slow
def test_everything_is_asked_and_memory_is_told(lake: Lake, tmp_path: Path) -> None:
    rows = list(console.measured_on(lake.root, lambda said: None, seconds=0.05))
    assert rows[-1].name.startswith("peak memory")
    assert 50 < rows[-1].value < 2_000
    assert len(rows) > 20
