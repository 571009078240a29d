"""Where Dagster's storage is what is wrong, that is said, in time, and the rest is asked all the same."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from rich.console import Console

from polymarket_assets import health
from polymarket_assets.doctor import live
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.watching import asking, opening, storage
from polymarket_assets.watching.findings import Finding, StorageAway, Watched

NOW = datetime(2026, 11, 2, 13, tzinfo=UTC)
SOURCES = tuple(one for one in health.SOURCES if one.name in ("disks", "storage", "runs"))
CLOSED = "postgres_url: postgresql+psycopg2://u:secretpw@127.0.0.1:1/dagster"
UNSET = "postgres_url: {env: NO_SUCH_VARIABLE}"


def home(folder: Path, postgres: str) -> Path:
    (folder / "dagster.yaml").write_text(f"storage:\n  postgres:\n    {postgres}\ntelemetry: {{enabled: false}}\n")  # fmt: skip
    return folder


@pytest.mark.parametrize(("postgres", "said"), [(CLOSED, "Connection refused"), (UNSET, "NO_SUCH_VARIABLE")], ids=["away", "a variable is not set"])  # fmt: skip
def test_the_doctor_says_that_the_storage_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: str, said: str) -> None:  # fmt: skip
    """A traceback would end with 1, which is: warnings."""
    monkeypatch.setattr(health.findings, "__defaults__", (SOURCES,))
    settings = Settings(
        _env_file=None, dagster_home=home(tmp_path, postgres), lake_root=str(tmp_path / "lake")
    )  # type: ignore[call-arg]
    console = Console(width=300, file=io.StringIO(), record=True)
    began = time.monotonic()
    assert live.show(console, settings) == 2
    shown = console.export_text()
    assert "storage_unreachable" in shown
    assert "unknown:runs" in shown
    assert said in shown
    assert "secretpw" not in shown
    assert time.monotonic() - began < asking.LOOK_WITHIN_S


def test_an_instance_that_hangs_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "OPEN_WITHIN_S", 0.2)
    back = threading.Event()
    monkeypatch.setattr(opening, "_opened", lambda home: back.wait(10))
    asked = opening.Opening(str(tmp_path))
    began = time.monotonic()
    for _ in range(20):
        with pytest.raises(StorageAway, match="not opened within"):
            asked()
    assert time.monotonic() - began < 2
    asked.close()
    back.set()


def raising(said: str) -> Callable[[Watched], Any]:
    def count(_: Watched) -> Any:
        raise sa.exc.OperationalError("select 1", {}, Exception(said))

    return count


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (lambda _: (18, 20), "storage_connections"),
        (lambda _: (17, 20), None),
        (lambda _: (0, None), None),
        (raising("FATAL: sorry, too many clients already"), "storage_connections"),
        (raising("server closed the connection unexpectedly"), "storage_unreachable"),
    ],
    ids=["nine of ten", "fewer", "not counted", "none left", "gone"],
)
def test_what_the_storage_answers_is_told_apart(monkeypatch: pytest.MonkeyPatch, answer: Callable[[Watched], Any], key: str | None) -> None:  # fmt: skip
    monkeypatch.setattr(storage, "_connections", answer)
    found = [one.key for one in storage.look(Watched(Settings(_env_file=None), NOW, lambda: Lake("nowhere"))) if isinstance(one, Finding)]  # type: ignore[call-arg]  # fmt: skip
    assert found == ([key] if key else [])
