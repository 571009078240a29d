"""A review from end to end: a model that is no better is refused, and a champion whose inputs drift gives way to the price."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from polymarket_assets.lake import TABLES, reading
from polymarket_assets.lake.writing import Lake, conform
from polymarket_assets.learning import tracking, training
from polymarket_assets.learning.promotion.reviewing import Review
from polymarket_assets.learning.registered import CHALLENGER, CHAMPION, PREVIOUS, SHADOW
from polymarket_assets.learning.tracking.registry import Registry
from polymarket_assets.learning_checks import features_as_learnt
from polymarket_assets.resources import LakeResource, SettingsResource, TrackingResource
from polymarket_assets_tests.learning.synthetic import PLANTED, T0, training_rows

NOW = T0 + timedelta(days=104)


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    """Rows as if they had been recorded."""
    made = training_rows(250, edge=0.8, days=100, hours=(24.0, 12.0, 6.0, 1.0))
    return made.set_column(made.column_names.index("source"), made.schema.field("source"), pa.array(["recorded"] * made.num_rows))  # fmt: skip


@pytest.fixture(scope="module")
def trained(rows: pa.Table) -> training.Trained:
    return training.train(rows)


@pytest.fixture
def review(tmp_path: Path, rows: pa.Table, trained: training.Trained) -> Review:
    """A registry of its own with the price as champion and one training as challenger, and a lake of which nothing is known."""
    import mlflow

    uri = f"sqlite:///{tmp_path}/mlflow.db"
    mlflow.MlflowClient(uri).create_experiment(
        tracking.EXPERIMENT, artifact_location=str(tmp_path / "artifacts")
    )
    registry = Registry(uri)
    registry.price(rows, trained.correction.encoding)
    registry.register(tracking.log_training(trained, rows, uri), {})
    return Review(Lake(tmp_path / "lake"), registry, uri, NOW, ("t4",))


def numbers(registry: Registry) -> dict[str, str]:
    return {
        alias: at.number for alias in (CHALLENGER, SHADOW, CHAMPION, PREVIOUS) if (at := registry.at(alias))
    }


def test_a_model_of_few_groups_is_refused_and_the_price_stays(review: Review) -> None:
    before = numbers(review.registry)
    (decision,) = review.decisions()
    assert decision.asked == "challenger to shadow"
    assert not decision.is_granted
    assert "at least 4,000 groups" in decision.table()
    assert "refused" in decision.said
    assert numbers(review.registry) == before


def test_an_opening_of_sealed_weeks_is_counted(review: Review) -> None:
    list(review.decisions())
    found = reading.rows(review.lake, "trials").to_pylist()
    assert [row["made_for"] for row in found] == ["sealed"]


def test_a_lake_without_a_training_set_is_not_green(review: Review) -> None:
    """Guards that have nothing to look at find no leak."""
    (decision,) = review.decisions()
    (gate,) = [gate for gate in decision.gates if gate.name == "no leak"]
    assert (gate.is_held, gate.told) == (False, "the lake gives no training set to look at")
    challenger = review.registry.at(CHALLENGER)
    assert challenger
    assert "leaks" not in challenger.tags


def recorded(rows: pa.Table, **columns: Any) -> pa.Table:
    """Rows as they are recorded in the last week; columns are replaced."""
    ago = NOW - timedelta(days=2)
    found = {name: rows.column(name) for name in TABLES["features"].names}
    found |= {"source": pa.array(["recorded"] * rows.num_rows), "as_of": pa.array([ago + timedelta(seconds=n) for n in range(rows.num_rows)], pa.timestamp("us", tz="UTC"))}  # fmt: skip
    return conform(TABLES["features"], pa.table({**found, **columns}))


def followed(review: Review, features: pa.Table) -> dict[str, str]:
    """Aliases after a review of a champion that was asked with these features in the last week."""
    challenger = review.registry.at(CHALLENGER)
    assert challenger
    review.registry.point(CHAMPION, challenger.number)
    review.lake.publish("features", features, part="recorded", at=(NOW - timedelta(days=2)).replace(minute=0))
    list(review.decisions())
    return numbers(review.registry)


def test_a_champion_whose_inputs_are_what_it_learnt_from_stays(review: Review, rows: pa.Table) -> None:
    challenger = review.registry.at(CHALLENGER)
    assert challenger
    assert followed(review, recorded(rows))[CHAMPION] == challenger.number


@pytest.mark.parametrize("how", ["shifted", "missing"])
def test_a_drifted_champion_falls_back_to_the_price_and_is_kept_for_a_return(how: str, review: Review, rows: pa.Table) -> None:  # fmt: skip
    price, challenger = review.registry.held_price(), review.registry.at(CHALLENGER)
    assert price
    assert challenger
    values = pc.add(rows.column(PLANTED), 3.0) if how == "shifted" else pa.nulls(rows.num_rows, pa.float64())
    found = followed(review, recorded(rows, **{PLANTED: values}))
    assert (found[CHAMPION], found[PREVIOUS]) == (price.number, challenger.number)


def test_a_source_that_feeds_nothing_the_champion_uses_may_be_out(review: Review, trained: training.Trained, rows: pa.Table) -> None:  # fmt: skip
    challenger = review.registry.at(CHALLENGER)
    assert challenger
    assert trained.explained.gains["norm_logit_shift"] == 0.0
    found = followed(review, recorded(rows, norm_logit_shift=pa.nulls(rows.num_rows, pa.float64())))
    assert found[CHAMPION] == challenger.number


def test_a_champion_of_imported_rows_is_not_given_up_for_what_they_lack(review: Review, trained: training.Trained, rows: pa.Table) -> None:  # fmt: skip
    """Whether recorded rows drift cannot be told of it."""
    index = rows.column_names.index("source")
    bought = rows.set_column(index, rows.schema.field(index), pa.array(["weather"] * rows.num_rows))
    version = review.registry.register(tracking.log_training(trained, bought, review.tracking_uri), {})
    assert review.drifted(version) == []
    said = features_as_learnt(
        lake=LakeResource(root=review.lake.root),
        tracking=TrackingResource(uri=review.tracking_uri),
        settings=SettingsResource(),
    )
    assert isinstance(said, dg.AssetCheckResult)
    assert f"{version.name}: learnt from imported rows" in str(said.description)
    found = followed(review, recorded(rows, **{PLANTED: pa.nulls(rows.num_rows, pa.float64())}))
    assert found[CHAMPION] == version.number
