"""What the lake holds, and rows as files."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterator

import pyarrow.parquet as pq
import pytest
import requests

from console.database import described, downloading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.conftest import either_store
from polymarket_assets_tests.console.lakes import FORMULA, SCRIPT, TRADES, filled
from polymarket_assets_tests.console.served import Console, served, settings_of
from polymarket_assets_tests.report.rows import NOON, file, trade

DOWNLOAD = "/api/database/tables/trades/download"


@pytest.fixture
def console(lake: Lake) -> Iterator[Console]:
    with served(settings_of(filled(lake))) as console:
        yield console


@either_store
def test_every_table_says_what_it_holds(lake: Lake) -> None:
    with served(settings_of(filled(lake))) as console:
        found = {table["name"]: table for table in console.json("/api/database/tables")["tables"]}
    assert list(found) == list(TABLES)
    trades = found["trades"]
    assert (trades["rows"], trades["files"], trades["problem"]) == (TRADES, 3, None)
    assert trades["bytes"] == sum(lake.store.sizes("trades").values())
    assert (trades["first"], trades["last"]) == ("2026-03-02T12:00:00Z", "2026-03-02T14:54:00Z")
    assert (trades["key"], trades["filed_by"], trades["grain"]) == (["trade_id"], "traded_at", "hour")
    units = {column["name"]: column["unit"] for column in trades["columns"]}
    assert (units["usd_e6"], units["traded_at"], units["market_id"]) == ("millionths of a dollar", "UTC", "")
    assert (found["rejects"]["rows"], found["rejects"]["first"]) == (0, None)


def test_a_damaged_file_is_told_at_its_table_and_the_others_are_counted(lake: Lake) -> None:
    filled(lake)
    lake.store.write_bytes(lake.store.list("orderbooks")[0], b"PAR1 no more")
    with served(settings_of(lake)) as console:
        found = {table["name"]: table for table in console.json("/api/database/tables")["tables"]}
    assert "could not be read" in found["orderbooks"]["problem"]
    assert found["trades"]["rows"] == TRADES


def test_a_csv_is_no_program(console: Console) -> None:
    """A title of the venue opened in a spreadsheet would run there."""
    answer = console.ask(DOWNLOAD, params={"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == TRADES
    assert {row["source"] for row in rows} == {f"'{FORMULA}", SCRIPT}
    assert rows[0]["traded_at"].endswith("Z")
    assert answer.headers["content-disposition"] == 'attachment; filename="trades.csv"'


@pytest.mark.parametrize("start", ["=1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_every_beginning_of_a_formula_is_defused(start: str) -> None:
    import pyarrow as pa

    rows = downloading.plain(pa.table({"a": [start, "b", None], "n": [-1, 2, 3]}))
    assert rows.to_pydict() == {"a": [f"'{start}", "b", None], "n": [-1, 2, 3]}


@either_store
def test_a_parquet_file_has_the_declared_columns_and_the_rows_asked_for(lake: Lake) -> None:
    with served(settings_of(filled(lake))) as console:
        answer = console.ask(DOWNLOAD, params={"format": "parquet", "where": ["market_id:=:pm:a", "price_e6:<:150000"], "from": "2026-03-02T13:00"})  # fmt: skip
    found = pq.read_table(io.BytesIO(answer.content))
    assert found.schema.names == list(TABLES["trades"].names)
    assert found.num_rows == 6
    assert set(found["market_id"].to_pylist()) == {"pm:a"}


def test_a_download_ends_at_its_limit(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "MOST_ROWS", 12)
    assert len(list(csv.DictReader(io.StringIO(console.ask(DOWNLOAD).text)))) == 12


@pytest.mark.parametrize("name", ["snapshots", "orderbooks", "markets", "rejects", "training_set"])
@pytest.mark.parametrize("format_", downloading.FORMATS)
def test_every_kind_of_table_can_be_taken_along(console: Console, name: str, format_: str) -> None:
    answer = console.ask(f"/api/database/tables/{name}/download", params={"format": format_})
    assert answer.status_code == 200
    if format_ == "parquet":
        assert pq.read_schema(io.BytesIO(answer.content)).names == list(TABLES[name].names)
    else:
        assert answer.text.splitlines()[0].replace('"', "").split(",") == list(TABLES[name].names)


@pytest.mark.parametrize(("given", "status"), [({"format": "xlsx"}, 422), ({"where": "nix:=:1"}, 422), ({"from": "soon"}, 422)])  # fmt: skip
def test_what_cannot_be_downloaded_is_said_before_anything_is_sent(console: Console, given: dict[str, str], status: int) -> None:  # fmt: skip
    assert console.ask(DOWNLOAD, params=given).status_code == status


def test_turns_are_given_back(console: Console) -> None:
    """A download that failed would otherwise keep a place for ever: after two of them nobody could have one."""
    for _ in range(5):
        assert console.ask(DOWNLOAD, params={"where": "nix:=:1"}).status_code == 422
        assert console.ask("/api/database/tables/rejects/download").status_code == 200


def test_a_reader_that_is_slow_or_goes_away_keeps_nobody_waiting(lake: Lake) -> None:
    """Downloads of a sleeping laptop would hold what pages of rows are asked of, and the places of other downloads."""
    many = [trade("a", NOON, n, n=n, source=f"{n:0500d}") for n in range(40_000)]
    file(lake, "trades", many, "traded_at")
    with served(settings_of(lake)) as console:
        slow = [requests.get(f"{console.address}{DOWNLOAD}", stream=True, timeout=10) for _ in range(2)]
        # Held: an iterator that is let go closes its connection.
        reading = [answer.iter_content(100) for answer in slow]
        assert all(next(pieces) for pieces in reading)
        assert len(console.json("/api/database/tables/trades")["rows"]) == 100
        assert console.ask(DOWNLOAD).status_code == 503
        del reading
        for answer in slow:
            answer.close()
        assert _within_s(5, lambda: console.ask("/api/database/tables/rejects/download").status_code == 200)


def _within_s(seconds: float, holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.1)
    return holds()


def test_tables_lead_to_assets_that_exist() -> None:
    """A link into Dagster that leads nowhere is found by a person at night."""
    from polymarket_assets.definitions import defs

    known = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    named = {described.asset_key(name) for name in TABLES} - {""}
    assert named <= known, named - known
