"""The demo's own parts: what keeps recording, what is held against the ledger, and why a portfolio is empty."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from rich.console import Console

from launch import portfolio, truth
from launch.narration import Narration
from launch.recording import Recording
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake, table_of
from polymarket_assets.tiers import TIERS

AT = datetime(2026, 11, 29, 10, 0, tzinfo=UTC)


class Asked:
    """Dagster as far as a recording knows it: what it was asked for."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, str, float | None]] = []

    def launch(self, job: str, *, tags: dict[str, str], config: dict[str, Any] | None = None) -> str:
        seconds = next(iter(config["ops"].values()))["config"]["WINDOW_S"] if config else None
        self.runs.append((job, tags["dagster/partition"], seconds))
        return f"{len(self.runs)}"

    @property
    def windows(self) -> list[tuple[str, float | None]]:
        """The hour and length of each window of T4."""
        return [(hour, seconds) for job, hour, seconds in self.runs if job == "window_t4"]


@pytest.fixture
def asked() -> Asked:
    return Asked()


def recording(asked: Asked) -> Recording:
    return Recording(asked, Narration(Console(file=io.StringIO())))  # type: ignore[arg-type]


def test_a_recording_begins_a_window_of_every_tier_and_another_where_it_is_to_go_on(asked: Asked) -> None:
    with time_machine.travel(AT, tick=False) as clock:
        kept = recording(asked)
        kept.go_on(150)
        kept.go_on(100)
        assert sorted(job for job, *_ in asked.runs) == sorted(f"window_{tier.name}" for tier in TIERS)
        clock.move_to(AT + timedelta(seconds=130))
        kept.go_on(75)
        clock.move_to(AT + timedelta(seconds=151))
        kept.look()
        kept.look()
    assert [seconds for _, seconds in asked.windows] == [150, 54]


def test_a_recording_over_the_end_of_an_hour_has_a_window_in_each(asked: Asked) -> None:
    """A window is of one partition; what is over cannot be recorded."""
    with time_machine.travel(AT - timedelta(seconds=60), tick=False) as clock:
        kept = recording(asked)
        kept.go_on(150)
        clock.move_to(AT)
        kept.look()
    assert asked.windows == [("2026-11-29-09:00", 60), ("2026-11-29-10:00", 90)]


@pytest.mark.parametrize("left", [5, 19])
def test_no_window_is_begun_in_the_last_seconds_of_an_hour(asked: Asked, left: int) -> None:
    with time_machine.travel(AT - timedelta(seconds=left), tick=False):
        recording(asked).go_on(150)
    assert asked.runs == []


NONE = {"decided": 0, "unbounded": 0}


@pytest.mark.parametrize(
    ("counted", "kappa", "said"),
    [
        (NONE, 1.0, "none of its predictions was due"),
        ({"decided": 40, "unbounded": 0}, 0.0, r"says the price: .*kappa 0"),
        ({"decided": 40, "unbounded": 0}, 0.7, "nearer to the price than its own doubt in all of 40 forecasts"),
        ({"decided": 40, "unbounded": 0, "no book": 3, "too dear": 1}, 0.7, "not filled: 3 no book, 1 too dear"),
    ],
)  # fmt: skip
def test_an_empty_portfolio_says_why(counted: dict[str, int], kappa: float, said: str) -> None:
    assert re.search(said, portfolio.why_empty(counted, kappa))


def position(market: str, outcome: int, payout: float | None) -> dict[str, Any]:
    settled = AT if payout is not None else None
    return {
        "position_id": f"m/1:{market}", "model_version": "m/1", "market_id": f"pm:{market}", "group_id": market, "opened_at": AT,
        "settled_at": settled, "outcome_index": outcome, "shares": 10.0, "cost_usd": 6.0, "fee_usd": 0.1, "payout_usd": payout, "fills": 1,
    }  # fmt: skip


def told(folder: Path) -> Path:
    """A ledger of three markets: two whose takers overpay, and one of them and the other over, won by NO."""
    listed = [{"kind": "listed", "condition_id": name, "edge_logit": edge} for name, edge in (("a", 0.4), ("b", 0.4), ("c", 0.0))]  # fmt: skip
    ended = [{"kind": "resolved", "condition_id": name, "payouts": [0.0, 1.0]} for name in ("a", "c")]
    path = folder / "ledger.jsonl"
    path.write_text("".join(json.dumps({"at": AT.isoformat(), **line}) + "\n" for line in [*listed, *ended]))
    return path


@pytest.mark.parametrize(("paid", "wrong"), [(10.0, 0), (0.0, 1)])
def test_what_was_paid_on_paper_is_held_against_the_ledger(lake: Lake, tmp_path: Path, paid: float, wrong: int) -> None:  # fmt: skip
    held = [position("a", 1, paid), position("b", 1, None), position("c", 0, 0.0)]
    lake.publish("paper_positions", table_of("paper_positions", held), part="m:1", at=AT.date())
    with reading.connected(lake) as views:
        found = truth.positions(views, told(tmp_path))
    assert found == truth.Positions(held=3, no=2, overpaid=2, settled=2, wrong=wrong)


def test_without_a_portfolio_there_is_nothing_to_hold_against_the_ledger(lake: Lake, tmp_path: Path) -> None:
    with reading.connected(lake) as views:
        assert truth.positions(views, told(tmp_path)) == truth.Positions(0, 0, 0, 0, 0)
