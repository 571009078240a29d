"""One source's fault hides no other, and what cannot be asked is not fine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from polymarket_assets import health
from polymarket_assets.lake.errors import LakeUnwritable
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.venue.errors import Unavailable
from polymarket_assets.watching import asking
from polymarket_assets.watching.findings import Event, Figure, Finding, Severity, Source, Told, Watched

NOW = datetime(2026, 11, 2, 13, tzinfo=UTC)
WRONG = Finding("b:1", Severity.WARNING, NOW, "it is")


def watched(lake: Lake, **more: object) -> Watched:
    return Watched(Settings(lake_root=lake.root, **more), NOW, lambda: lake)  # type: ignore[arg-type]


def raising(error: Exception) -> Callable[[Watched], Iterator[Told]]:
    def look(_: Watched) -> Iterator[Told]:
        yield Figure("a", "said", 1)
        raise error

    return look


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Unavailable("it is away"), "it is away"),
        (LakeUnwritable("no space is left"), "no space is left"),
        (TypeError("a fault of ours"), "TypeError: a fault of ours"),
    ],
)
def test_a_source_that_raises_is_a_finding_and_the_next_is_asked(lake: Lake, error: Exception, said: str) -> None:  # fmt: skip
    sources = [Source("first", raising(error)), Source("second", lambda _: iter([WRONG]))]
    first, second = asking.look(watched(lake), sources)
    assert first.unknown == said
    assert [one.key for one in first.findings] == ["unknown:first"]
    assert first.figures == ()
    assert second.findings == (WRONG,)


def test_a_source_that_hangs_is_left_and_not_asked_again_before_it_came_back(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Each look would otherwise leave one more thread that waits for the same disk."""
    monkeypatch.setattr(asking, "LOOK_WITHIN_S", 0.2)
    back = threading.Event()

    def hang(_: Watched) -> Iterator[Told]:
        back.wait(10)
        yield WRONG

    source = [Source("hung", hang)]
    assert "no answer within" in str(next(asking.look(watched(lake), source)).unknown)
    assert next(asking.look(watched(lake), source)).unknown == "the look before has not come back"
    back.set()
    asking._left["hung"].join(5)
    assert next(asking.look(watched(lake), source)).findings == (WRONG,)


def test_what_a_source_says_is_sorted_by_what_it_is_and_bounded(lake: Lake) -> None:
    told: list[Told] = [WRONG, Event("e:1", NOW, "it was"), Figure("f", "said", 2), *[WRONG] * 200]
    (said,) = asking.look(watched(lake), [Source("all", lambda _: iter(told))])
    assert (len(said.findings), len(said.events), len(said.figures)) == (1, 1, 1)
    assert said.unknown is None


def test_what_is_found_beyond_the_bound_is_not_known_and_counted(lake: Lake) -> None:
    """Left out without a word it would have recovered."""
    many = [replace(WRONG, key=f"b:{n}") for n in range(asking.MOST_TOLD + 7)]
    (said,) = asking.look(watched(lake), [Source("all", lambda _: iter(many))])
    assert len(said.findings) == asking.MOST_TOLD + 1
    assert said.findings[-1].key == "unknown:all"
    assert said.unknown == "it found 7 more than the 500 that are told"


def test_the_worst_comes_first(lake: Lake) -> None:
    critical = Finding("z:1", Severity.CRITICAL, NOW, "worse")
    found = health.findings(watched(lake), [Source("all", lambda _: iter([WRONG, critical]))])
    assert found == [critical, WRONG]


def test_an_empty_installation_says_what_it_does_not_know(tmp_path: Path) -> None:
    """Without an instance nothing that Dagster records is known: that is not the same as nothing being wrong."""
    names = ("storage", "runs", "checks", "assets", "partitions", "models", "decisions")
    sources = [source for source in health.SOURCES if source.name in names]
    found = health.findings(watched(Lake(tmp_path / "lake")), sources)
    assert [one.key for one in found] == sorted(f"unknown:{name}" for name in names)
    assert all("set DAGSTER_HOME" in one.text for one in found)
