"""Comparing: only rows of one kind, or the same rows, say something of each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import tracking, training_set
from polymarket_assets.learning.evaluation.claims import Gate
from polymarket_assets.learning.live import outcomes
from polymarket_assets.learning.promotion import comparing
from polymarket_assets.learning.promotion.reviewing import Review
from polymarket_assets.learning.registered import TO_THE_MINUTE
from polymarket_assets.learning.served import Correction, Encoding, Shrinkage
from polymarket_assets.learning.splits import LEAST_GROUPS
from polymarket_assets.learning.tracking.registry import Registry, Version
from polymarket_assets.tiers import T0
from polymarket_assets_tests.learning.evaluation.rows import replaced, rows
from polymarket_assets_tests.learning.synthetic import training_rows

NOW = datetime(2026, 6, 1, tzinfo=UTC)
GROUPS = 2 * LEAST_GROUPS


def of_recorded(groups: int) -> list[str]:
    return ["recorded" if n < groups else "weather" for n in range(GROUPS)]


KINDS: list[tuple[str, dict[str, Any], int]] = [
    ("up to the end of T0", {"horizon_h": [48.1 if n % 2 else 48.0 for n in range(GROUPS)]}, GROUPS // 2),
    ("overdue", {"horizon_h": -3.0}, GROUPS),
    ("without a scheduled end", {"horizon_h": np.nan}, 0),
    ("enough recorded", {"source": of_recorded(LEAST_GROUPS)}, LEAST_GROUPS),
    ("too few recorded", {"source": of_recorded(LEAST_GROUPS - 1)}, GROUPS),
    ("sealed", {"is_sealed": [n % 4 == 0 for n in range(GROUPS)]}, GROUPS - GROUPS // 4),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "kept"), [(columns, kept) for _, columns, kept in KINDS], ids=[name for name, *_ in KINDS])  # fmt: skip
def test_beside_live_predictions_stand_rows_of_their_kind(columns: dict[str, Any], kept: int) -> None:
    """A gain a week before the end, or of somebody else's prices, is no measure of one in the last two days."""
    found = comparing.as_live(rows(GROUPS, 1, **{"horizon_h": 1.0, **columns}))
    assert found.num_rows == kept


def test_the_horizon_is_that_of_the_tiers_that_are_scored() -> None:
    assert timedelta(hours=comparing.WITHIN_H) == T0.beyond


def test_the_gap_between_live_and_out_of_fold_is_one_of_rows_of_a_kind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    """Of a model that knows something ten days before the end, and nothing in the last two, nothing is expected live."""
    given = rows(GROUPS, 2, off=0.5, horizon_h=[240.0, 12.0] * GROUPS)
    near = given.column("horizon_h").to_numpy() < 48
    said = np.where(near, given.column("mid").to_numpy(), given.column("probability").to_numpy())
    monkeypatch.setattr(tracking, "load_out_of_fold", lambda run_id, uri: replaced(given, probability=said))
    monkeypatch.setattr(outcomes, "decided", lambda lake, name, *, since, now: rows(GROUPS))
    review = Review(Lake(tmp_path), Registry("nowhere"), "nowhere", NOW, ())
    gap = review.gap(Version("2", "run", {}))
    assert gap
    assert (gap.out_of_fold.value, gap.is_explained) == (0, True)


CHAMPION = Version("2", "run2", {})
# A challenger that knows how far the price is off, each row at an instant of its own.
AT = [NOW - timedelta(weeks=8, minutes=n) for n in range(3 * GROUPS)]
CHALLENGED = rows(GROUPS, off=2.0, as_of=AT, is_sealed=True)


def compared(said: pa.Table, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Gate:
    """The gate of a challenger before a champion that said this out of fold."""
    monkeypatch.setattr(tracking, "load_out_of_fold", lambda run_id, uri: said)
    return Review(Lake(tmp_path), Registry("nowhere"), "nowhere", NOW, ()).compared(CHALLENGED, CHAMPION)


def saying_the_price(table: pa.Table) -> pa.Table:
    return replaced(table, probability=table.column("mid").to_pylist())


@pytest.mark.parametrize(
    ("said", "held", "told"),
    [
        (saying_the_price(CHALLENGED), True, "thousandths"),
        (CHALLENGED, False, "thousandths"),
        (saying_the_price(CHALLENGED.slice(0, 3 * (LEAST_GROUPS - 1))), False, f"{LEAST_GROUPS - 1} groups"),
        (saying_the_price(CHALLENGED.slice(0, 0)), False, "0 groups"),
    ],
    ids=["better", "the same", "too few in common", "none in common"],
)
def test_a_champion_is_compared_or_stays(said: pa.Table, held: bool, told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    """Without rows in common no gate asked, and a champion was replaced uncompared."""
    gate = compared(said, monkeypatch, tmp_path)
    assert (gate.is_held, told in gate.told) == (held, True), gate


def test_a_comparison_is_repeatable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Joins come in any order, and which groups are drawn hangs on the order of rows."""
    said, dice = saying_the_price(CHALLENGED), np.random.default_rng(1)
    shuffled = said.take(dice.permutation(said.num_rows))
    assert compared(said, monkeypatch, tmp_path) == compared(shuffled, monkeypatch, tmp_path)
    assert comparing.in_common(CHALLENGED, said) == comparing.in_common(CHALLENGED.take(dice.permutation(said.num_rows)), shuffled)  # fmt: skip


FEATURES = replaced(
    training_rows(GROUPS), **{name: CHALLENGED.column(name).to_pylist() for name in ("market_id", "as_of", "group_id", "mid")}
)  # fmt: skip
THE_PRICE = Correction((), Encoding(("logit_mid",), {}), Shrinkage(0.0))
BEFORE, MIDST, AFTER = (
    f"{at:{TO_THE_MINUTE}}" for at in (min(AT) - timedelta(hours=1), AT[len(AT) // 2], max(AT))
)


@pytest.mark.parametrize(
    ("tags", "groups"),
    [
        ({"data_until": BEFORE}, GROUPS),
        ({"data_until": MIDST}, GROUPS // 2),
        ({"data_until": AFTER}, 0),
        ({}, 0),
    ],
    ids=["learnt before them", "learnt from half of them", "learnt from all", "nobody knows"],
)
def test_a_champion_that_was_made_before_the_sealed_weeks_is_asked_about_them(tags: dict[str, str], groups: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    """Its out-of-fold rows end with its training: sealed weeks move on, and nobody could be compared with it any more. Of a group
    that began before its data ended it may know the outcome."""
    monkeypatch.setattr(tracking, "load_out_of_fold", lambda run_id, uri: CHALLENGED.slice(0, 0))
    monkeypatch.setattr(Registry, "correction", lambda self, version: THE_PRICE)
    lake = Lake(tmp_path)
    training_set.publish(lake, training_set.TrainingSet(FEATURES, {}))
    review = Review(lake, Registry("nowhere"), "nowhere", NOW, ())
    both = comparing.in_common(CHALLENGED, review.said(replace(CHAMPION, tags=tags)))
    assert len(both.column("group_id").unique()) == groups
    priced = both.to_pandas().merge(CHALLENGED.to_pandas(), on=comparing.KEY, suffixes=("", "_then"))
    assert priced["mid"].to_numpy() == pytest.approx(priced["mid_then"].clip(0.005, 0.995).to_numpy())
    gate = review.compared(CHALLENGED, replace(CHAMPION, tags=tags))
    assert ("thousandths" in gate.told) is (groups >= LEAST_GROUPS)
