"""The registry: a model is followed when it was promoted, and until then the price is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from polymarket_assets.learning import tracking, training
from polymarket_assets.learning.served import inside
from polymarket_assets.learning.tracking.registry import CHALLENGER, CHAMPION, SHADOW, Registry
from polymarket_assets_tests.learning.synthetic import training_rows


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    return training_rows(120, edge=0.8, days=60)


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory, rows: pa.Table) -> str:
    """A store with one training, registered beside the price."""
    import mlflow

    folder = tmp_path_factory.mktemp("registry")
    uri = f"sqlite:///{folder}/mlflow.db"
    mlflow.MlflowClient(uri).create_experiment(
        tracking.EXPERIMENT, artifact_location=str(folder / "artifacts")
    )
    trained = training.train(rows)
    registry = Registry(uri)
    registry.price(rows, trained.correction.encoding)
    registry.register(tracking.log_training(trained, rows, uri), {"trials_so_far": "3"})
    return uri


def test_until_a_model_is_promoted_the_champion_says_the_price(uri: str, rows: pa.Table) -> None:
    registry = Registry(uri)
    champion = registry.at(CHAMPION)
    assert champion is not None
    assert champion.says_the_price
    frame = rows.to_pandas()
    assert (registry.correction(champion).probabilities(frame) == inside(frame)).all()


def test_a_training_is_the_challenger_with_what_it_is_known_by(uri: str) -> None:
    challenger = Registry(uri).at(CHALLENGER)
    assert challenger is not None
    assert challenger.name == f"polymarket/{challenger.number}"
    assert challenger.tags["trials_so_far"] == "3"
    assert not challenger.says_the_price


def test_an_alias_nobody_has_is_none(uri: str) -> None:
    assert Registry(uri).at(SHADOW) is None


def test_a_store_without_the_model_has_no_versions(tmp_path: Path) -> None:
    assert Registry(f"sqlite:///{tmp_path}/mlflow.db").at(CHAMPION) is None


def test_the_price_is_registered_once(uri: str, rows: pa.Table) -> None:
    registry = Registry(uri)
    held = registry.at(CHAMPION)
    challenger = registry.at(CHALLENGER)
    assert held
    assert challenger
    assert registry.price(rows, registry.correction(challenger).encoding).number == held.number


def test_a_price_that_was_registered_but_not_pointed_at_is_the_champion_the_next_time(
    uri: str, rows: pa.Table
) -> None:
    """A crash between the two would leave nothing to follow, for ever."""
    registry = Registry(uri)
    held, challenger = registry.held_price(), registry.at(CHALLENGER)
    assert held
    assert challenger
    registry.point(CHAMPION, None)
    registry.price(rows, registry.correction(challenger).encoding)
    assert registry.at(CHAMPION) == held


def test_champion_and_challenger_are_asked_live_and_a_version_with_two_roles_once(
    uri: str, rows: pa.Table
) -> None:
    registry = Registry(uri)
    asked = registry.followed()
    assert list(asked) == [CHAMPION, CHALLENGER]
    challenger = registry.at(CHALLENGER)
    assert challenger
    registry.point(SHADOW, challenger.number)
    assert list(registry.followed()) == [CHAMPION, SHADOW]
    registry.point(SHADOW, None)
    said = [correction.probabilities(rows.to_pandas()) for _, correction in asked.values()]
    assert np.isfinite(said).all()
