"""Scoring: what is said of the newest snapshots is what could have been said then, and stands beside the price."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.audit import lakes
from polymarket_assets.learning.evidence.recorded import STREAMED, at_instants
from polymarket_assets.learning.features.catalogue import FEATURES, MIRRORS, WORDS
from polymarket_assets.learning.live import scoring
from polymarket_assets.learning.served import Correction, Encoding, Shrinkage
from polymarket_assets.learning.training import boosting
from polymarket_assets.learning.training.capacity import Capacity
from polymarket_assets_tests.learning import captured
from polymarket_assets_tests.learning.synthetic import training_rows

AS_OF = captured.START + timedelta(minutes=75)
NOW = AS_OF + timedelta(seconds=9)
ENCODING = Encoding(tuple(feature.name for feature in FEATURES if feature.name != "mid"), WORDS, MIRRORS)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = Lake(tmp_path_factory.mktemp("scored"))
    captured.fill(made)
    return made


@pytest.fixture(scope="module")
def models() -> dict[str, tuple[str, Correction]]:
    learnt = boosting.correction(training_rows(300, edge=0.6).to_pandas(), ENCODING, Capacity(child=1.0, trees=20), seed=7)  # fmt: skip
    return {"champion": ("polymarket/1", Correction((), ENCODING, Shrinkage(0.0))), "shadow": ("polymarket/2", learnt)}  # fmt: skip


def scored(lake: Lake, models: dict[str, tuple[str, Correction]]) -> pa.Table:
    return scoring.scored(lake, models, as_of=AS_OF, created_at=NOW, streamed=STREAMED)


def test_every_market_of_the_nearer_tiers_is_asked_of_every_model(lake: Lake, models: dict[str, tuple[str, Correction]]) -> None:  # fmt: skip
    found = scored(lake, models).to_pandas()
    assert set(found["role"]) == {"champion", "shadow"}
    spoken = {role: set(rows["market_id"]) for role, rows in found.groupby("role")}
    assert spoken["champion"] == spoken["shadow"] != set()
    assert set(found["tier"]) <= set(scoring.SCORED), "T0 is left to the grid"
    assert (found["as_of"] == AS_OF).all()
    assert (found["created_at"] == NOW).all()
    assert found["scheduled_end"].notna().all()


def test_the_champion_that_says_the_price_says_it_to_the_last_bit(lake: Lake, models: dict[str, tuple[str, Correction]]) -> None:  # fmt: skip
    """But for the half tick that it is kept from 0 and 1."""
    found = scored(lake, models).to_pandas().query("role == 'champion'")
    near = found["mid"].between(0.01, 0.99)
    assert (found.loc[near, "probability"] == found.loc[near, "mid"]).all()
    assert (found["correction_sd"] == 0).all()


def test_the_shadow_says_what_its_features_of_then_say(
    lake: Lake, models: dict[str, tuple[str, Correction]]
) -> None:
    found = scored(lake, models).to_pandas().query("role == 'shadow'").set_index("market_id")
    asked = pa.table({"market_id": list(found.index), "as_of": pa.array([AS_OF] * len(found), pa.timestamp("us", tz="UTC"))})  # fmt: skip
    frame = at_instants(lake, asked).to_pandas().set_index("market_id", drop=False)
    assert found["probability"].to_numpy() == pytest.approx(
        models["shadow"][1].probabilities(frame.loc[found.index])
    )
    assert (found["correction_sd"] > 0).all()
    assert not np.allclose(found["probability"], found["mid"])


def test_a_replay_over_history_says_the_same(lake: Lake, models: dict[str, tuple[str, Correction]], tmp_path: Path) -> None:  # fmt: skip
    """What came in later must not change what was said (4.6 vii): the same from a lake that ends at the instant."""
    then = lakes.as_known(lake, {"source": "recorded", "as_of": AS_OF}, tmp_path)
    assert scored(then, models).equals(scored(lake, models))


def test_the_predictions_of_an_instant_are_replaced_and_those_of_another_kept(models: dict[str, tuple[str, Correction]], tmp_path: Path) -> None:  # fmt: skip
    lake = Lake(tmp_path)
    captured.fill(lake)
    predicted = scored(lake, models)
    for instant in (AS_OF, AS_OF, AS_OF + timedelta(minutes=15)):
        scoring.publish(lake, predicted, instant)
    assert reading.rows(lake, "predictions").num_rows == 2 * predicted.num_rows


def test_without_models_or_snapshots_nothing_is_said(lake: Lake, models: dict[str, tuple[str, Correction]], tmp_path: Path) -> None:  # fmt: skip
    assert scored(lake, {}).num_rows == 0
    assert scored(Lake(tmp_path), models).num_rows == 0
