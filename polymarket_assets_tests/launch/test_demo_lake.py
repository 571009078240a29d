"""The demo's lake: its own place wherever `LAKE_ROOT` points, and the only thing that it ever empties."""

from __future__ import annotations

from pathlib import Path

import pytest

from launch import demo_lake, simulated
from polymarket_assets.lake.errors import NoLake, StoreRefused
from polymarket_assets.lake.object_storage import ObjectStore
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Refused
from polymarket_assets_tests.object_store import ObjectServer

NAME = f"{demo_lake.PREFIX}-{demo_lake._whose()}"
OWN = f"s3://bucket/lake/{NAME}"


@pytest.mark.parametrize(
    ("lake_root", "root"),
    [
        (None, "own"),
        ("/data/lake", "own"),
        ("s3://bucket/lake", OWN),
        ("s3://bucket/lake/", OWN),
        ("s3://bucket", f"s3://bucket/{NAME}"),
    ],
)
def test_it_lies_where_nobody_else_records(lake_root: str | None, root: str) -> None:
    assert demo_lake.root(lake_root, Path("own")) == root


@pytest.mark.parametrize("changed", ["getpass.getuser", "socket.gethostname"])
def test_colleagues_with_one_lake_root_have_a_demo_each(monkeypatch: pytest.MonkeyPatch, changed: str) -> None:  # fmt: skip
    """One that begins empties its prefix, under the feet of the other."""
    monkeypatch.setattr(changed, lambda: "another")
    assert demo_lake.root("s3://bucket/lake", Path("own")) != OWN


def test_every_process_of_a_demo_is_told_the_same_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    monkeypatch.setattr(simulated, "DATA", tmp_path)
    monkeypatch.setenv("LAKE_ROOT", "s3://bucket/lake")
    told = simulated.settings()
    assert told.lake_root == OWN
    assert simulated.processes.environment(told)["LAKE_ROOT"] == OWN


def test_beginning_anew_empties_its_own_prefix_and_nothing_beside_it(object_lake: Lake) -> None:
    own = Lake(demo_lake.root(object_lake.root, Path("own")))
    near = Lake(f"{own.root}-of-somebody")
    for lake in (object_lake, own, near):
        lake.store.write_bytes("markets/date=2026-11-02/part-1.parquet", b"rows")
        lake.store.write_bytes("_lake.json", b"torn")
    for _ in range(2):
        demo_lake.empty(own.root)
    assert own.store.list("") == []
    assert near.store.list("") == ["_lake.json", "markets/date=2026-11-02/part-1.parquet"]
    assert object_lake.store.list("markets") == ["markets/date=2026-11-02/part-1.parquet"]


@pytest.mark.parametrize(
    "path", ["notes.txt", "holidays/part-1.parquet", "marketing/_lake.json", ".netrc", "markets/.notes"]
)
def test_what_is_no_lake_is_not_removed(object_lake: Lake, path: str) -> None:
    """Whoever keeps something of that name did not ask us to clear it away."""
    for one in (path, "markets/part-1.parquet"):
        object_lake.store.write_bytes(one, b"x")
    with pytest.raises(Refused, match="is no file of a lake"):
        demo_lake.empty(object_lake.root)
    assert list(ObjectStore(object_lake.root).all_names()) == sorted([path, "markets/part-1.parquet"])


@pytest.mark.parametrize(
    ("root", "error"),
    [("s3://nowhere/lake", StoreRefused), ("gs://bucket/lake", NoLake), ("s3://key:secret@bucket/lake", NoLake)],
)  # fmt: skip
def test_a_place_that_cannot_be_one_ends_the_demo_before_it_begins(
    object_store: ObjectServer, root: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as told:
        demo_lake.empty(demo_lake.root(root, Path("own")))
    assert "secret" not in str(told.value)


def test_a_folder_is_left_to_who_removes_the_rest(tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    demo_lake.empty(str(tmp_path))
    assert (tmp_path / "kept").exists()
