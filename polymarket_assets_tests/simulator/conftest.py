"""What the simulator's tests share: a small venue over real sockets, and recorded payloads to hold it against."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from simulator.market import STANDALONE
from simulator.profiles import Profile, Series, Standing
from simulator.running import Running, start

# Many brief markets and trades: seconds are enough to see everything happen.
BUSY = Profile(
    "busy",
    (Standing(30, STANDALONE, 0.02, 0.05),),
    (Series("btc", "1m", 60, 60),),
    brief_every_s=0.7,
    past_standalone=6,
    past_races=2,
    past_games=2,
    past_windows=3,
)


@pytest.fixture(scope="session")
def ledger_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("simulator") / "ledger.jsonl"


@pytest.fixture(scope="session")
def venue(ledger_file: Path) -> Iterator[Running]:
    with start(seed=11, profile=BUSY, ledger=ledger_file) as running:
        yield running


def lines(ledger: Path, kind: str) -> list[dict[str, Any]]:
    """A ledger's lines of one kind; one still being written is not one yet."""
    said = (json.loads(line) for line in ledger.read_text().splitlines(keepends=True) if line.endswith("\n"))
    return [line for line in said if line["kind"] == kind]


def walk(venue: Running, what: str = "markets", /, **query: Any) -> list[dict[str, Any]]:
    """All pages of a key-set listing."""
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    for _ in range(100):
        page = requests.get(
            f"{venue.gamma_url}/{what}/keyset", params={"limit": 100, **query, **cursor}, timeout=10
        ).json()
        rows += page[what]
        if "next_cursor" not in page:
            return rows
        cursor = {"after_cursor": page["next_cursor"]}
    raise AssertionError("the pages do not end")


def tokens(row: dict[str, Any]) -> list[str]:
    """A row's token ids by its version."""
    return row["positionIds"] if row["version"] == "v2" else json.loads(row["clobTokenIds"])
