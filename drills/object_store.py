"""`python -m drills.object_store`: the whole demo with its lake in an object store, and the same rows there as on disk.

The store is a real S3 API server of this process. What is shown:

1. the demo, told `LAKE_ROOT=s3://…`, ends green: all that it claims is held against the simulator's ledger;
2. its lake, copied file by file into a folder, reads as the same rows there as from the store;
3. one wire at one instant (`drills.one_wire`), recorded into a folder and into the store, is the same rows in both, before and after hours are closed;
   but for `waited_s` of sweeps, which is measured.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest import mock

from rich.console import Console
from rich.table import Table

from drills import alike, one_wire
from drills.alike import Row
from drills.processes import PROJECT
from launch import demo_lake
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.object_store import BUCKET, ObjectServer, served

# Tables that a demo which is green has rows of.
_OF_DEMO = ("markets", "orderbooks", "snapshots", "sweeps", "trades_raw", "book_changes", "trades", "resolutions", "history_markets", "history_prices", "features",
            "training_set", "predictions", "paper_accounts")  # fmt: skip
_LAKE_ROOT = f"s3://{BUCKET}/lake"


def demo(told: Console, server: ObjectServer) -> bool:
    """Run the demo with its lake in the store; whether all it claims is so."""
    server.asked.clear()
    began = time.monotonic()
    command = [sys.executable, "-m", "launch", "demo", "--once"]
    code = subprocess.run(command, cwd=PROJECT, env={**os.environ, "LAKE_ROOT": _LAKE_ROOT}).returncode
    methods = ", ".join(f"{count:,} {method}" for method, count in _counted(server).items())
    told.print(f"the demo ended with {code} after {time.monotonic() - began:.0f} s and {len(server.asked):,} requests to the store ({methods})")  # fmt: skip
    return code == 0


def of_demo(folder: Path) -> Iterator[tuple[str, list[Row]]]:
    """The demo's lake, from the store and from a copy."""
    lake = Lake(demo_lake.root(_LAKE_ROOT, folder))
    copy = alike.copied(lake, folder / "copy")
    yield "the demo's lake and a copy of its files", list(alike.compared(alike.held(lake), alike.held(copy), _OF_DEMO))  # fmt: skip


def of_one_wire(folder: Path) -> Iterator[tuple[str, list[Row]]]:
    """One wire in a folder and in the store, as recorded and with its hours closed."""
    lakes = {"folder": Lake(folder / "lake"), "store": Lake(f"s3://{BUCKET}/one-wire")}
    with one_wire.at_one_instant(folder / "wire") as wire:
        for name, lake in lakes.items():
            wire.record(lake, folder / f"state-{name}")
        yield "one wire, as recorded", _rows(lakes)
    for lake in lakes.values():
        one_wire.compact(lake)
    yield "one wire, hours closed", _rows(lakes)


def _rows(lakes: Mapping[str, Lake]) -> list[Row]:
    on_disk, stored = (alike.held(lake, one_wire.MEASURED) for lake in lakes.values())
    return list(alike.compared(stored, on_disk, one_wire.FILLED))


def shown(title: str, rows: list[Row]) -> Table:
    """A line a table."""
    table = Table(title=title, title_justify="left")
    table.add_column("table")
    for heading in ("rows in the store", "on disk", "digest"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for row in rows:
        table.add_row(row.table, f"{row.one[0]:,}", f"{row.other[0]:,}", f"{row.one[1] % 2**32:08x}", "[green]✓[/]" if row.is_same else "[red]✗[/]")  # fmt: skip
    return table


def _counted(server: ObjectServer) -> dict[str, int]:
    """Requests by what they are for: a listing is a GET too."""
    return dict(Counter("LIST" if "list-type" in one.query else one.method for one in server.asked))


def main() -> int:
    """Run the drill and print its tables; 1 where the demo was not green or a row differs."""
    parser = argparse.ArgumentParser(prog="python -m drills.object_store", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--without-demo", action="store_true", help="only one wire in both: a minute")
    asked, told = parser.parse_args(), Console()
    good = True
    with tempfile.TemporaryDirectory() as made, served() as server:
        folder = Path(made)
        settings = {**server.environment, "STATE_DIR": f"{folder}/state"}
        with mock.patch.dict(os.environ, settings):
            if not asked.without_demo:
                good = demo(told, server)
            for title, rows in itertools.chain(() if asked.without_demo else of_demo(folder), of_one_wire(folder)):  # fmt: skip
                told.print(shown(title, rows))
                good = good and all(row.is_same for row in rows)
    told.print("the same rows in the object store as on disk" if good else "not as on disk", style="green" if good else "red")  # fmt: skip
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
