"""A name that somebody gives, a person or the venue, finds what it names or nothing: it is no path, no SQL and no markup."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from polymarket_assets.history_import import __main__ as history_import
from polymarket_assets.lake import __main__ as lake_command
from polymarket_assets.lake import layout, reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.report import __main__ as report
from polymarket_assets.report import page
from polymarket_assets_tests.hostile import CONTROL, MARKUP, NAMES
from polymarket_assets_tests.report.rows import followed


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture
def root(lake: Lake) -> str:
    followed(lake)
    return lake.root


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "x' or '1'='1", "a\x00b", "\x1b[31m", "\ud800", "x" * 5_000], ids=ascii
)
@pytest.mark.parametrize("what", ["market", "event"])
def test_a_name_of_a_report_finds_nothing_and_touches_nothing(what: str, name: str, root: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    before = everything(tmp_path)
    assert report.main([what, f"--root={root}", f"--out={tmp_path / 'out'}", "--", name]) == 1
    said = capsys.readouterr().err
    assert "is called" in said
    assert "\x1b" not in said
    assert everything(tmp_path) == before


@pytest.mark.parametrize("name", [*NAMES, MARKUP, CONTROL], ids=ascii)
def test_a_page_is_filed_under_a_name_that_leads_nowhere_else(name: str) -> None:
    if "\ud800" in name:
        pytest.skip("no text of the lake holds half a character: JSON with one is refused")
    file = page.file_name(name)
    assert Path(file).name == file
    assert file not in ("", ".", "..")
    assert not file.startswith("-")
    assert file.isascii()
    assert file.isprintable()
    assert len(file) < 200


@pytest.mark.parametrize("name", [*NAMES, MARKUP, CONTROL], ids=ascii)
def test_no_part_of_the_lake_is_called_so(name: str) -> None:
    try:
        file = layout.part(name)
    except ValueError:
        return
    assert "/" not in file
    assert "\\" not in file
    assert layout.is_part(file)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_table_that_is_none_is_refused(name: str, root: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    before = everything(tmp_path)
    assert lake_command.main(["export", f"--root={root}", f"--out={tmp_path / 'out'}", "--", name]) == 1
    assert "there is no table" in capsys.readouterr().err
    assert everything(tmp_path) == before


@pytest.mark.parametrize(
    "name", ["x' or '1'='1", "'; drop table markets; --", "[red]x[/blue]", "../.."], ids=ascii
)
def test_an_export_of_markets_that_are_none_holds_no_rows(name: str, root: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert lake_command.main(["export", "markets", f"--root={root}", f"--out={out}", "--market", name]) == 0
    said = json.loads((out / "manifest.json").read_text())
    assert (said["rows"], said["markets"]) == (0, [name])


@pytest.mark.parametrize("folder", ["o'brien", "a'); drop table markets; --", '"quoted"', "[red]x[/blue]", "with blanks", "{n}*?"])  # fmt: skip
def test_a_lake_may_lie_in_a_folder_of_any_name(folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    lake = Lake(tmp_path / folder / "lake")
    followed(lake)
    assert reading.connect(lake).execute("select count(*) from snapshots").fetchone() == (40,)
    assert lake_command.main(["tables", f"--root={lake.root}"]) == 0
    assert (
        lake_command.main(
            ["export", "snapshots", f"--root={lake.root}", f"--out={tmp_path / folder / 'out'}"]
        )
        == 0
    )


@pytest.mark.parametrize("file", ["o'brien.parquet", "'); drop table x; --.parquet", "[red]x.parquet", "-rf.parquet"])  # fmt: skip
def test_a_file_that_is_no_dataset_is_passed_over_whatever_it_is_called(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    monkeypatch.setenv("LAKE_ROOT", str(tmp_path / "lake"))
    given = tmp_path / "given"
    given.mkdir()
    pq.write_table(pa.table({MARKUP: ["x"]}), given / file)
    assert history_import.main([str(given)]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_a_mapping_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    """YAML can name objects to be made; a mapping comes from whoever offers a dataset."""
    monkeypatch.setenv("LAKE_ROOT", str(tmp_path / "lake"))
    mapping = tmp_path / "x.yaml"
    mapping.write_text(f"source: !!python/object/apply:os.system ['touch {tmp_path / 'ran'}']\n")
    assert history_import.main([str(mapping)]) == 1
    assert not (tmp_path / "ran").exists()
    assert "Traceback" not in capsys.readouterr().err


def test_a_mapping_that_names_itself_over_and_over_is_refused_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    """Nine lines of YAML that are a billion words once they are written out."""
    monkeypatch.setenv("LAKE_ROOT", str(tmp_path / "lake"))
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    mapping = tmp_path / "x.yaml"
    mapping.write_text("\n".join(lines))
    assert history_import.main([str(mapping)]) == 1
    assert len(capsys.readouterr().err) < 20_000
