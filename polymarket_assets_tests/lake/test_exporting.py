"""An export holds exactly the rows that were asked for, in a form that can be read back, and never takes another's place."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import csv

from polymarket_assets.lake import __main__ as command
from polymarket_assets.lake import export_files, exporting, merging, reading
from polymarket_assets.lake.errors import LakeUnwritable, NoSuchTable, NotAnExport, SpanDoesNotFit
from polymarket_assets.lake.exporting import Asked
from polymarket_assets.lake.schemas import TABLES, Table
from polymarket_assets.lake.schemas.declare import Grain
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.conftest import either_store

AT = datetime(2026, 11, 2, 13, 5, tzinfo=UTC)
DAY = AT.replace(hour=0, minute=0)
HOUR = timedelta(hours=1)


def now() -> datetime:
    return AT + timedelta(days=1)


def sweep(at: datetime, **changed: Any) -> dict[str, Any]:
    return {
        "tier": "t4", "slot_at": at, "status": "taken", "markets": 1, "books": 1, "omitted": 0, "left_out": 0,
        "requests": 1, "bytes": 10, "run_id": "r", **changed,
    }  # fmt: skip


def sweeps(lake: Lake, *ats: datetime) -> None:
    for at in ats:
        lake.publish_rows("sweeps", [sweep(at)], part=f"{at:%M%S}", at=at, tier="t4")


def prices(lake: Lake, day: date, *markets: str) -> None:
    at = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
    rows = [
        {"market_id": name, "close_day": day, "priced_at": at, "known_at": at, "received_at": AT, "fidelity_s": 0, "source": "us"}
        for name in markets
    ]  # fmt: skip
    lake.publish_rows("history_prices", rows, part="import-us", at=day)


def exported(lake: Lake, folder: Path, table: str, **asked: Any) -> export_files.Manifest:
    return exporting.export(lake, Asked(table, **asked), folder, clock=now)


def read_back(folder: Path) -> pa.Table:
    said = json.loads((folder / "manifest.json").read_text())
    schema = TABLES[said["table"]].schema
    return pa.concat_tables([pq.read_table(folder / file["name"]).cast(schema) for file in said["files"]])


# --- rows of every kind


def _values(type_: pa.DataType) -> st.SearchStrategy[Any]:
    """Values of a type, the awkward ones included."""
    if pa.types.is_list(type_):
        return st.lists(_values(type_.value_type), max_size=3)
    if pa.types.is_struct(type_):
        return st.fixed_dictionaries({f.name: _nullable(f) for f in type_})
    if pa.types.is_integer(type_):
        return st.integers(-(2 ** (type_.bit_width - 1)), 2 ** (type_.bit_width - 1) - 1)
    if pa.types.is_fixed_size_binary(type_):
        return st.binary(min_size=type_.byte_width, max_size=type_.byte_width)
    return _SIMPLE[str(type_)]


def _nullable(field: pa.Field) -> st.SearchStrategy[Any]:
    return st.none() | _values(field.type) if field.nullable else _values(field.type)


_SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6) | st.sampled_from(["", "a,b", '"', "a\r\nb", "=1+1"]),
    "bool": st.booleans(),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "date32[day]": st.dates(),
    "timestamp[us, tz=UTC]": st.datetimes(timezones=st.just(UTC)).filter(lambda at: 1970 <= at.year < 2200),
}  # fmt: skip


def rows_of(table: Table) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows that lie in the folder of `AT`."""
    filed = {table.filed_by: st.just(AT.date() if pa.types.is_date(table.schema.field(table.filed_by).type) else AT)} if table.filed_by else {}  # fmt: skip
    return st.lists(
        st.fixed_dictionaries({f.name: _nullable(f) for f in table.schema} | filed), min_size=1, max_size=4
    )


def _published(lake: Lake, table: Table, rows: list[dict[str, Any]]) -> None:
    at = None if table.grain is Grain.WHOLE else AT
    lake.publish_rows(table.name, rows, part="0", at=at, tier="t4" if table.tiered else None)


# Among them every type there is: levels, instants within lists, bytes, days, words, reals, flags.
KINDS = pytest.mark.parametrize("name", ["orderbooks", "trade_hours", "trades", "history_markets", "resolutions", "features"])  # fmt: skip
# Every example is a lake of its own, written and synced.
FEW = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))


@KINDS
@FEW
@given(data=st.data())
def test_an_export_as_parquet_equals_the_table(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("export")
    lake = Lake(folder / "lake")
    _published(lake, TABLES[name], data.draw(rows_of(TABLES[name])))
    done = exported(lake, folder / "out", name)
    assert read_back(folder / "out").equals(reading.rows(lake, name), check_metadata=True)
    assert done.rows == reading.rows(lake, name).num_rows


@KINDS
@FEW
@given(data=st.data())
def test_an_export_as_csv_gives_back_every_value(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Null apart from the empty text, reals to the last bit, instants to the microsecond, lists whole."""
    folder = tmp_path_factory.mktemp("export")
    lake = Lake(folder / "lake")
    _published(lake, TABLES[name], data.draw(rows_of(TABLES[name])))
    done = exported(lake, folder / "out", name, format="csv")
    texts = _texts(folder / "out" / done.files[0].name, TABLES[name])
    assert [_parsed(row, TABLES[name]) for row in texts] == reading.rows(lake, name).to_pylist()


def test_the_kinds_hold_every_type_of_every_table() -> None:
    """A type that came with a new table must be among those that are written and read back."""
    tried = {field.type for name in KINDS.args[1] for field in TABLES[name].schema}
    rest = {field.type for table in TABLES.values() for field in table.schema} - tried
    assert rest <= {pa.int16()}


def _texts(file: Path, table: Table) -> list[dict[str, str | None]]:
    options = csv.ConvertOptions(column_types=dict.fromkeys(table.names, pa.string()), strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""])  # fmt: skip
    found = csv.read_csv(file, parse_options=csv.ParseOptions(newlines_in_values=True), convert_options=options)  # fmt: skip
    return list(found.to_pylist())


def _parsed(row: dict[str, str | None], table: Table) -> dict[str, Any]:
    return {
        f.name: None if (text := row[f.name]) is None else _value(f.type, json.loads(text) if pa.types.is_nested(f.type) else text)
        for f in table.schema
    }  # fmt: skip


def _value(type_: pa.DataType, said: Any) -> Any:
    """What a reader makes of a text, or of JSON."""
    if said is None:
        return None
    if pa.types.is_list(type_):
        return [_value(type_.value_type, item) for item in said]
    if pa.types.is_struct(type_):
        return {f.name: _value(f.type, said[f.name]) for f in type_}
    if pa.types.is_timestamp(type_):
        return datetime.fromisoformat(said)
    if pa.types.is_fixed_size_binary(type_):
        return bytes.fromhex(said)
    return _READ.get(str(type_), int)(said)


_READ: dict[str, Any] = {"string": str, "double": float, "date32[day]": date.fromisoformat, "bool": {"true": True, "false": False}.get}  # fmt: skip


# --- what is asked for


@either_store
def test_a_span_is_exact_though_hours_are_files(lake: Lake, tmp_path: Path) -> None:
    """Reading gives whole hours: an export of ten minutes must not hold the whole hour."""
    sweeps(lake, AT - HOUR, AT, AT + timedelta(minutes=1), AT + timedelta(days=2))
    done = exported(lake, tmp_path / "out", "sweeps", start=AT, end=AT + timedelta(minutes=1))
    assert read_back(tmp_path / "out").column("slot_at").to_pylist() == [AT]
    assert (done.first, done.last, done.rows) == ("2026-11-02T13:05:00Z", "2026-11-02T13:05:00Z", 1)


def test_days_of_close_are_whole_days(lake: Lake, tmp_path: Path) -> None:
    for n in range(3):
        prices(lake, AT.date() + timedelta(days=n), f"us:{n}")
    exported(lake, tmp_path / "out", "history_prices", start=DAY + timedelta(days=1), end=DAY + timedelta(days=2))  # fmt: skip
    assert read_back(tmp_path / "out").column("market_id").to_pylist() == ["us:1"]


def test_only_the_markets_named_are_in_it(lake: Lake, tmp_path: Path) -> None:
    prices(lake, AT.date(), "us:a", "us:b", "us:c")
    exported(lake, tmp_path / "out", "history_prices", markets=("us:c", "us:a"))
    assert read_back(tmp_path / "out").column("market_id").to_pylist() == ["us:a", "us:c"]


@pytest.mark.parametrize("format_", export_files.FORMATS)
def test_an_empty_span_gives_an_export_with_columns_and_no_rows(
    lake: Lake, tmp_path: Path, format_: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever reads every hour in a loop meets the hours in which nothing was."""
    sweeps(lake, AT)
    arguments = ["--from", "2026-12-01", "--to", "2026-12-02", "--format", format_, "--out", str(tmp_path / "out")]  # fmt: skip
    assert command.main(["export", "sweeps", "--root", lake.root, *arguments]) == 0
    assert "no rows in this span" in capsys.readouterr().out
    (file,) = (tmp_path / "out").glob(f"sweeps-*.{format_}")
    read = pq.read_table(file) if format_ == "parquet" else csv.read_csv(file)
    assert (read.num_rows, read.column_names) == (0, list(TABLES["sweeps"].names))


def test_a_sealed_hour_is_exported_once(lake: Lake, tmp_path: Path) -> None:
    """Its parts stay beside the merged file for a while."""
    sweeps(lake, AT, AT + timedelta(minutes=1))
    merging.merge(lake, "sweeps", AT, now=AT + 2 * HOUR, tier="t4")
    assert exported(lake, tmp_path / "out", "sweeps").rows == 2


def test_many_rows_are_several_files(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_files, "FILE_BYTES", 1)
    monkeypatch.setattr(exporting.form, "group_rows", lambda table: 2)
    monkeypatch.setattr(exporting, "_BATCH_ROWS", 2)
    prices(lake, AT.date(), *(f"us:{n}" for n in range(5)))
    done = exported(lake, tmp_path / "out", "history_prices")
    assert [file.rows for file in done.files] == [2, 2, 1]
    assert read_back(tmp_path / "out").equals(reading.rows(lake, "history_prices"))


# --- what stands beside the data


def test_the_manifest_tells_what_a_reader_can_check(lake: Lake, tmp_path: Path) -> None:
    sweeps(lake, AT)
    exported(lake, tmp_path / "out", "sweeps", start=DAY)
    said = json.loads((tmp_path / "out" / "manifest.json").read_text())
    (file,) = said.pop("files")
    content = (tmp_path / "out" / file["name"]).read_bytes()
    assert file == {"name": file["name"], "rows": 1, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}  # fmt: skip
    assert said == {
        "table": "sweeps", "start": "2026-11-02T00:00:00Z", "end": None, "markets": [], "format": "parquet", "rows": 1,
        "first": "2026-11-02T13:05:00Z", "last": "2026-11-02T13:05:00Z", "lake_format": 1, "created_at": "2026-11-03T13:05:00Z",
    }  # fmt: skip


def test_the_schema_tells_what_every_column_means(lake: Lake, tmp_path: Path) -> None:
    sweeps(lake, AT)
    exported(lake, tmp_path / "out", "sweeps", format="csv")
    said = json.loads((tmp_path / "out" / "schema.json").read_text())
    assert (said["table"], said["key"], said["filed_by"]) == ("sweeps", ["tier", "slot_at"], "slot_at")
    assert [c["name"] for c in said["columns"]] == list(TABLES["sweeps"].names)
    by_name = {c["name"]: c for c in said["columns"]}
    assert by_name["slot_at"] == {"name": "slot_at", "type": "instant", "nullable": False, "meaning": "planned instant", "written": "RFC 3339, UTC"}  # fmt: skip
    assert by_name["gone"]["written"] == "JSON"


# --- whose place it takes


def test_the_same_export_again_replaces_the_former(lake: Lake, tmp_path: Path) -> None:
    sweeps(lake, AT)
    exported(lake, tmp_path / "out", "sweeps")
    sweeps(lake, AT + HOUR)
    exported(lake, tmp_path / "out", "sweeps")
    assert read_back(tmp_path / "out").num_rows == 2
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_what_a_killed_export_left_is_replaced(lake: Lake, tmp_path: Path) -> None:
    """Data files come before the manifest: the folder has some, and no manifest."""
    sweeps(lake, AT)
    exported(lake, tmp_path / "out", "sweeps")
    left = tmp_path / "out" / f"sweeps-0002-{'0' * 16}.parquet"
    left.touch()
    (tmp_path / "out" / "manifest.json").unlink()
    exported(lake, tmp_path / "out", "sweeps")
    assert not left.exists()
    assert read_back(tmp_path / "out").num_rows == 1


@pytest.mark.parametrize(
    "asked",
    [
        {"table": "resolutions"},
        {"start": DAY},
        {"end": DAY},
        {"format": "csv"},
        {"table": "history_prices", "markets": ("us:a",)},
    ],
    ids=lambda asked: ",".join(asked),
)
def test_another_export_is_not_overwritten(lake: Lake, tmp_path: Path, asked: dict[str, Any]) -> None:
    sweeps(lake, AT)
    exported(lake, tmp_path / "out", "sweeps")
    before = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    with pytest.raises(NotAnExport, match="--out"):
        exported(lake, tmp_path / "out", **{"table": "sweeps", **asked})
    assert {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()} == before


@pytest.mark.parametrize(
    ("name", "content"), [("thesis.txt", "mine"), ("manifest.json", "{}"), ("manifest.json", "[")]
)
def test_a_folder_of_somebody_elses_is_not_touched(
    lake: Lake, tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(NotAnExport, match=name):
        exported(lake, tmp_path, "sweeps")
    assert (tmp_path / name).read_text() == content


def test_an_export_that_fails_midway_leaves_the_former_one(lake: Lake, tmp_path: Path) -> None:
    sweeps(lake, AT)
    exported(lake, tmp_path / "out", "sweeps")
    before = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    sweeps(lake, AT + HOUR)
    Path(reading.files(lake, "sweeps")[-1]).write_bytes(b"no Parquet")
    assert command.main(["export", "sweeps", "--root", lake.root, "--out", str(tmp_path / "out")]) == 1
    assert {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()} == before


def test_where_nothing_can_be_written_it_is_said(lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LakeUnwritable, match="the export at"):
        exported(lake, tmp_path / "file" / "out", "sweeps")


# --- what cannot be asked


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        (Asked("trade"), NoSuchTable, "there is no table 'trade'; tables are markets, "),
        (Asked("training_set", start=DAY), SpanDoesNotFit, "not filed by time"),
        (Asked("history_prices", start=AT), SpanDoesNotFit, "name whole days"),
        (Asked("sweeps", start=AT, end=AT), SpanDoesNotFit, "--to is the first instant left out"),
        (Asked("sweeps", markets=("us:a",)), SpanDoesNotFit, "without --market"),
    ],
)
def test_what_does_not_fit_its_table_is_refused(
    lake: Lake, tmp_path: Path, asked: Asked, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        exporting.export(lake, asked, tmp_path / "out", clock=now)
    assert not (tmp_path / "out").exists()


def test_an_instant_that_is_none_is_told_by_example(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["export", "sweeps", "--root", lake.root, "--from", "yesterday", "--out", "x"])
    assert "'yesterday' is no instant: write 2026-03-01 or" in capsys.readouterr().err
