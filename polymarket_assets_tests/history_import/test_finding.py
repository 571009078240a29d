"""Files are recognised by what they hold; what is not known is said, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from polymarket_assets.history_import import __main__ as command
from polymarket_assets.history_import.errors import BadDataset, UnknownForm
from polymarket_assets.history_import.finding import find
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.history_import import cases
from polymarket_assets_tests.history_import.conftest import Import

UNKNOWN = [{"what": "else"}]


def test_a_form_is_recognised_by_its_columns_whatever_the_files_are_called(
    folder: Path, import_: Import
) -> None:
    cases.weather(folder)
    (folder / "weather_markets.parquet").rename(folder / "a.parquet")
    (folder / "weather_prices.parquet").rename(folder / "b.parquet")
    (imported,) = import_(folder).datasets
    assert (imported.source, imported.filed["history_prices"].rows) == ("weather", 1)


def test_files_may_be_given_one_by_one_and_twice(folder: Path) -> None:
    """A file given both by itself and in its folder would otherwise repeat every key."""
    cases.weather(folder)
    found = find([folder / "weather_markets.parquet", folder, folder / "weather_prices.parquet"])
    assert [len(paths) for paths in found.datasets[0].files.values()] == [1, 1]


def test_other_files_of_a_folder_are_passed_over_by_name(folder: Path, import_: Import) -> None:
    cases.sports(folder)
    cases.write(folder / "notes.parquet", UNKNOWN)
    (folder / "torn.parquet").write_bytes(b"PAR1")
    report = import_(folder)
    assert [imported.source for imported in report.datasets] == ["sports_closing"]
    assert [(path.name, why) for path, why in report.passed_over] == [
        ("notes.parquet", "of no known form"),
        ("torn.parquet", "no readable Parquet file"),
    ]


def test_only_the_forms_asked_for_are_imported(folder: Path, import_: Import) -> None:
    cases.sports(cases.weather(folder))
    report = import_(folder, only=("weather",))
    assert [imported.source for imported in report.datasets] == ["weather"]
    assert [(path.name, why) for path, why in report.passed_over] == [
        ("sports_closing.parquet", "sports_closing was not asked for")
    ]


@pytest.mark.parametrize(
    ("write", "path", "only", "said"),
    [
        (lambda f: cases.write(f / "x.parquet", UNKNOWN), "x.parquet", (), "holds no file of a known form; known forms are weather"),
        (lambda f: cases.write(f / "x.parquet", UNKNOWN), ".", (), "holds no file of a known form"),
        (lambda f: None, ".", (), "holds no file of a known form"),
        (lambda f: None, "nowhere", (), "nowhere is not there"),
        (cases.weather, ".", ("us",), "holds no file of the form us"),
        (cases.weather, ".", ("wether",), "no form is called 'wether'; known forms are weather"),
    ],
)  # fmt: skip
def test_what_cannot_be_recognised_is_refused_in_a_sentence(
    folder: Path, write: object, path: str, only: tuple[str, ...], said: str
) -> None:
    write(folder)  # type: ignore[operator]
    with pytest.raises(UnknownForm) as refused:
        find([folder / path], only=only)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("missing", ["weather_prices", "weather_markets"])
def test_a_file_without_its_partner_is_refused(folder: Path, missing: str) -> None:
    """Prices without their markets would have no close; markets without prices would look untraded."""
    cases.weather(folder)
    (folder / f"{missing}.parquet").unlink()
    with pytest.raises(BadDataset, match=f"weather: its {missing.removeprefix('weather_')} are missing"):
        find([folder])


def test_the_command_ends_with_1_one_sentence_and_an_untouched_lake(
    folder: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAKE_ROOT", lake.root)
    cases.write(folder / "x.parquet", UNKNOWN)
    assert command.main([str(folder)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "sports_closing (sports moneylines" in told.err
    assert not Path(lake.root).exists()


def test_the_command_reports_rows_and_what_was_left_out(
    folder: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAKE_ROOT", lake.root)
    monkeypatch.setenv("COLUMNS", "200")
    cases.sports(folder, [cases.sport(), cases.sport(2, market_created_date="2025-03-06 00:00:00")])
    assert command.main([str(folder), "--only", "sports_closing"]) == 0
    shown = capsys.readouterr().out
    assert "before the market was listed" in shown
    assert "2 final" in shown
    assert reading.rows(lake, "history_markets").num_rows == 2
