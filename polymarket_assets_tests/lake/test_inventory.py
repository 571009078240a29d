"""`python -m polymarket_assets.lake` says what a lake holds, and its document says what the schemas say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from polymarket_assets.lake import __main__ as command
from polymarket_assets.lake import documenting, folders, inventory, merging, reading
from polymarket_assets.lake.inventory import Holding
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.schemas.declare import Grain
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.conftest import PROJECT, either_store
from polymarket_assets_tests.report.rows import HOUR, NOON, file, trade

AT = datetime(2026, 11, 2, 13, 5, tzinfo=UTC)


def sweeps(lake: Lake, *ats: datetime) -> None:
    for at in ats:
        row = {
            "tier": "t4", "slot_at": at, "status": "taken", "markets": 1, "books": 1, "omitted": 0, "left_out": 0,
            "requests": 1, "bytes": 10, "run_id": "r",
        }  # fmt: skip
        lake.publish_rows("sweeps", [row], part=f"{at:%M%S}", at=at, tier="t4")


def held(lake: Lake, table: str) -> Holding:
    return next(holding for holding in inventory.holdings(lake) if holding.table == table)


def test_a_table_is_counted_with_its_span(lake: Lake) -> None:
    sweeps(lake, AT, AT + timedelta(minutes=1), AT + timedelta(hours=2))
    found = held(lake, "sweeps")
    assert (found.rows, found.files) == (3, 3)
    assert (found.first, found.last) == (AT, AT + timedelta(hours=2))
    assert found.bytes == sum(Path(file).stat().st_size for file in reading.files(lake, "sweeps"))


def test_a_sealed_hour_is_counted_once(lake: Lake) -> None:
    """Its parts stay for a while beside the merged file: counting the folder would count every row twice."""
    sweeps(lake, AT, AT + timedelta(minutes=1))
    merging.merge(lake, "sweeps", AT, now=AT + timedelta(hours=2), tier="t4")
    assert (held(lake, "sweeps").rows, held(lake, "sweeps").files) == (2, 1)


def test_a_table_filed_by_day_shows_days(lake: Lake) -> None:
    row = {
        "market_id": "us:x", "close_day": AT.date(), "received_at": AT, "priced_at": AT, "known_at": AT, "fidelity_s": 0, "source": "us",
    }  # fmt: skip
    lake.publish_rows("history_prices", [row], part="import-us", at=AT)
    assert held(lake, "history_prices").first == date(2026, 11, 2)


def test_every_table_is_listed_also_of_an_empty_lake(lake: Lake) -> None:
    assert list(inventory.holdings(lake)) == [Holding(name) for name in TABLES]


def test_the_command_shows_rows_and_totals(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    sweeps(lake, AT, AT + timedelta(minutes=1))
    assert command.main(["tables", "--root", lake.root]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in TABLES)
    assert " 2 " in next(line for line in shown.splitlines() if "sweeps" in line)
    assert "2026-11-02" in shown


def test_without_a_lake_the_command_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAKE_ROOT", raising=False)
    assert command.main(["tables"]) == 1
    assert "LAKE_ROOT is not set" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_no_empty_lake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["tables", "--root", str(tmp_path / "mistyped")]) == 1
    assert "there is no lake at" in capsys.readouterr().err


def test_the_document_of_the_tables_is_what_the_schemas_say() -> None:
    """After a change of a schema: `python -m polymarket_assets.lake docs > docs/tables.md`."""
    assert (PROJECT / "docs" / "tables.md").read_text() == documenting.markdown()


def test_the_command_prints_that_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["docs"]) == 0
    assert capsys.readouterr().out == documenting.markdown()


@pytest.mark.parametrize("name", TABLES)
def test_the_document_names_every_column_and_how_a_table_is_filed(name: str) -> None:
    table = TABLES[name]
    section = documenting.markdown().split(f"### {name}\n")[1].split("\n### ")[0]
    assert all(f"| `{column.name}` |" in section for column in table.columns)
    assert (table.grain is Grain.WHOLE) == ("Filed by" not in section)
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert all(line.replace("\\|", "").count("|") == 5 for line in rows), (
        "a bar in a text would break its row"
    )


@either_store
def test_the_days_of_a_table_are_told_newest_first_without_looking_into_them(lake: Lake) -> None:
    """Who pages through years of a table would list every file of them for its newest rows."""
    rows = [trade("a", NOON + n * HOUR, 1, n=n) for n in (0, 1, 30)]
    file(lake, "trades", rows, "traded_at")
    assert folders.days(lake, TABLES["trades"]) == [(NOON + 30 * HOUR).date(), NOON.date()]
    assert folders.days(lake, TABLES["snapshots"]) == []
    assert len(folders.of_day(lake, TABLES["trades"], NOON.date())) == 2
