"""Importing again changes nothing, a correction replaces what it corrects, and a crash is completed by the next run."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from polymarket_assets.history_import import importing
from polymarket_assets.lake import reading
from polymarket_assets.lake.errors import LakeUnwritable
from polymarket_assets.lake.writing import Lake, Written
from polymarket_assets_tests.history_import import cases
from polymarket_assets_tests.history_import.conftest import NOW, Import

DAY = timedelta(days=1)
TABLES = ("history_markets", "history_prices", "resolutions")


def everything(folder: Path) -> Path:
    """Datasets of all forms over several days."""
    cases.weather(
        folder,
        [cases.bucket(), cases.bucket("222", endDate="2026-04-03T12:00:00Z", resolved_yes=True)],
        [cases.point(), cases.point("222"), cases.point("222", before=timedelta(hours=2))],
    )
    cases.sports(folder, [cases.sport(n, game_start_time=f"2025-03-0{n} 03:30:00", market_created_date=None) for n in (1, 2, 3)])  # fmt: skip
    return cases.us(folder)


def content(lake: Lake) -> dict[str, list[dict[str, Any]]]:
    """The rows of the lake, but for when they reached us."""
    return {
        table: sorted(
            (
                {k: v for k, v in row.items() if k not in ("received_at", "seen_at")}
                for row in reading.rows(lake, table).to_pylist()
            ),
            key=str,
        )
        for table in TABLES
    }


def files(lake: Lake) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in Path(lake.root).rglob("*.parquet")}


def test_a_second_import_on_another_day_touches_no_file(lake: Lake, folder: Path, import_: Import) -> None:
    everything(folder)
    import_(folder)
    before = files(lake)
    report = import_(folder, now=NOW + DAY)
    assert files(lake) == before
    assert all(filed.written == 0 for imported in report.datasets for filed in imported.filed.values())
    assert all(imported.labelled.written == 0 for imported in report.datasets)


def test_a_changed_label_is_a_new_version(lake: Lake, folder: Path, import_: Import) -> None:
    cases.sports(folder)
    import_(folder)
    cases.sports(folder, [cases.sport(winner="Pelicans")])
    for n in (1, 2):
        import_(folder, now=NOW + n * DAY)
    versions = reading.rows(lake, "resolutions").to_pylist()
    assert [(row["version"], row["label"]) for row in versions] == [(1, 0), (2, 1)]


def test_two_datasets_of_one_form_stand_beside_each_other(
    lake: Lake, tmp_path: Path, import_: Import
) -> None:
    import_(cases.sports(tmp_path / "one", [cases.sport(1)]))
    import_(cases.sports(tmp_path / "two", [cases.sport(2)]))
    assert reading.rows(lake, "history_markets").num_rows == 2
    assert reading.rows(lake, "resolutions").num_rows == 2


def test_a_market_whose_day_of_close_is_corrected_is_filed_once(
    lake: Lake, tmp_path: Path, import_: Import
) -> None:
    import_(cases.sports(tmp_path / "one", [cases.sport(1), cases.sport(2)]))
    import_(cases.sports(tmp_path / "two", [cases.sport(1, game_start_time="2025-03-07 03:30:00")]))
    for table in ("history_markets", "history_prices"):
        filed = {row["market_id"][-1]: row["close_day"] for row in reading.rows(lake, table).to_pylist()}
        assert filed == {"1": date(2025, 3, 7), "2": date(2025, 3, 5)}
        assert reading.rows(lake, table).num_rows == 2


@pytest.mark.parametrize(("label", "settled_elsewhere", "contradicted"), [(0, 1, 0), (1, 0, 1)])
def test_what_the_venue_settled_is_not_overruled(
    lake: Lake, folder: Path, import_: Import, label: int, settled_elsewhere: int, contradicted: int
) -> None:
    """The newest version is what training believes: a dataset of unknown care must not become it."""
    venue = {
        "market_id": f"pm:0x{1:064x}", "version": 1, "seen_at": NOW, "state": "final", "label": label, "payouts_e6": [0, 1],
        "evidence": "{}", "reason": "settled", "was_disputed": True, "source": "polymarket",
    }  # fmt: skip
    lake.publish_rows("resolutions", [venue], part="venue", at=NOW)
    (imported,) = import_(cases.sports(folder)).datasets
    assert reading.rows(lake, "resolutions").num_rows == 1
    labelled = imported.labelled
    assert (labelled.settled_elsewhere, labelled.contradicted) == (settled_elsewhere, contradicted)


def test_what_the_venue_left_open_gets_the_next_version(lake: Lake, folder: Path, import_: Import) -> None:
    venue = {
        "market_id": f"pm:0x{1:064x}", "version": 3, "seen_at": NOW, "state": "disputed", "evidence": "{}", "reason": "disputed",
        "was_disputed": True, "source": "polymarket",
    }  # fmt: skip
    lake.publish_rows("resolutions", [venue], part="venue", at=NOW)
    import_(cases.sports(folder))
    newest = max(reading.rows(lake, "resolutions").to_pylist(), key=lambda row: row["version"])
    assert (newest["version"], newest["state"], newest["was_disputed"]) == (4, "final", True)


# Of sixteen files: first and last of each table, and between tables.
@pytest.mark.parametrize("published", [0, 1, 3, 4, 7, 11, 15])
def test_an_import_that_dies_anywhere_is_completed_by_the_next(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, published: int
) -> None:
    everything(folder)
    whole, torn = Lake(tmp_path / "whole"), Lake(tmp_path / "torn")
    importing.run(whole, [folder], clock=lambda: NOW)
    with monkeypatch.context() as patched:
        left = [published]
        for name in ("publish", "publish_pieces"):
            patched.setattr(Lake, name, _dying(getattr(Lake, name), left))
        with pytest.raises(LakeUnwritable):
            importing.run(torn, [folder], clock=lambda: NOW)
    assert len(files(torn)) == published
    importing.run(torn, [folder], clock=lambda: NOW + DAY)
    assert content(torn) == content(whole)


def _dying(publish: Any, left: list[int]) -> Any:
    """A way to publish that works as often as is left."""

    def dying(*args: Any, **where: Any) -> Written:
        if not left[0]:
            raise LakeUnwritable("no space is left")
        left[0] -= 1
        return publish(*args, **where)

    return dying


def test_parts_filed_before_a_column_was_thought_of_are_found_as_they_are(lake: Lake, folder: Path, import_: Import) -> None:  # fmt: skip
    """An update of the platform would make every import of before fail."""
    everything(folder)
    import_(folder)
    for path in files(lake):
        rows = pq.read_table(path)
        pq.write_table(rows.drop_columns([name for name in ("twap_s", "rule") if name in rows.column_names]), path)  # fmt: skip
    before = files(lake)
    import_(folder, now=NOW + DAY)
    assert files(lake) == before


def test_labels_carry_what_decides_them(lake: Lake, folder: Path, import_: Import) -> None:
    """The station that measures a day's temperature is what a weather label means."""
    everything(folder)
    import_(folder)
    source = {row["market_id"]: row["resolution_source"] for row in content(lake)["history_markets"]}
    labelled = content(lake)["resolutions"]
    assert all(row["resolution_source"] == source[row["market_id"]] for row in labelled)
    assert any(row["resolution_source"] for row in labelled)
