"""A venue that hangs cannot be recorded, and that is known in time; which generations answer is told by the answers."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import simulator
from polymarket_assets import health
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.watching import asking
from polymarket_assets.watching.asking import Looked
from polymarket_assets.watching.findings import Watched

NOW = datetime(2026, 11, 2, 13, tzinfo=UTC)
SOURCE = [one for one in health.SOURCES if one.name == "venue"]
NAMES = ("gamma", "clob", "data")


def looked(urls: dict[str, str]) -> Looked:
    settings = Settings(_env_file=None, **{f"polymarket_{name}_url": url for name, url in urls.items()})  # type: ignore[arg-type, call-arg]
    (said,) = asking.look(Watched(settings, NOW, lambda: Lake("nowhere")), SOURCE)
    return said


@pytest.fixture
def deaf() -> Iterator[str]:
    """An address that takes a connection and says nothing."""
    with ExitStack() as stack:
        one = stack.enter_context(socket.socket())
        one.bind(("127.0.0.1", 0))
        one.listen()
        yield f"http://127.0.0.1:{one.getsockname()[1]}"


def simulated(folder: Path, **generation: Any) -> Any:
    return simulator.start(seed=7, ledger=folder / "ledger.jsonl", port=0, **generation)


def test_a_venue_that_hangs_cannot_be_recorded(deaf: str) -> None:
    """It was not known: each service waited for the one before, longer together than a look has."""
    began = time.monotonic()
    said = looked(dict.fromkeys(NAMES, deaf))
    assert time.monotonic() - began < asking.LOOK_WITHIN_S
    assert said.unknown is None
    assert [one.key for one in said.findings] == ["venue_unrecordable"]


def test_a_service_that_hangs_hides_no_other(deaf: str, tmp_path: Path) -> None:
    with simulated(tmp_path, v1_data=True, v2_data=True) as running:
        urls = {name: getattr(running, f"{name}_url") for name in NAMES}
        said = looked({**urls, "data": deaf})
        assert (said.unknown, said.findings, said.events) == (None, (), ())
        assert [one.key for one in looked({**urls, "clob": deaf}).findings] == ["venue_unrecordable"]


@pytest.mark.parametrize(
    ("generation", "findings", "named"),
    [({"v1_data": True, "v2_data": False}, ["venue_former"], "GET /trades v1"), ({"v1_data": True, "v2_data": True}, [], "GET /v2/trades v2")],
    ids=["only the former", "both"],
)  # fmt: skip
def test_which_generation_answers_is_told(tmp_path: Path, generation: dict[str, bool], findings: list[str], named: str) -> None:  # fmt: skip
    with simulated(tmp_path, **generation) as running:
        said = looked({name: getattr(running, f"{name}_url") for name in NAMES})
    assert [one.key for one in said.findings] == findings
    assert f"venue_generation:data {named}" in {one.key for one in said.events}
    assert all(one.only_changes for one in said.events)
