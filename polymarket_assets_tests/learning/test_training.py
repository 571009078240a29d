"""Training starts from the price: it finds an edge that is planted, and none where there is none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from polymarket_assets.learning import evaluation, training
from polymarket_assets.learning.errors import TooLittleToLearn
from polymarket_assets.learning.served import margin, probabilities
from polymarket_assets.venue.errors import Refused
from polymarket_assets_tests.learning.synthetic import training_rows


def test_an_efficient_market_gives_no_skill() -> None:
    """A price that is right cannot be improved; what seems to improve it is a leak or noise."""
    trained = training.train(training_rows(2000, seed=1), seed=7)
    overall = evaluation.evaluate(trained.predictions).overall
    assert abs(overall.brier_skill.value) < 0.005
    assert not overall.beats


def test_a_planted_edge_is_found_and_named() -> None:
    trained = training.train(training_rows(2000, edge=0.6, seed=2), seed=7)
    overall = evaluation.evaluate(trained.predictions).overall
    assert overall.brier_skill.low > 0
    assert overall.log_loss_gain.low > 0
    assert next(iter(trained.gains)) == "by_deadline"


def test_a_feature_that_knows_the_outcome_is_called_a_leak() -> None:
    """As a final volume would: mostly noise, a little of the result."""
    rows = training_rows(2000, seed=1)
    leak = np.random.default_rng(1).normal(size=rows.num_rows) + rows.column("label").to_numpy()
    index = rows.schema.get_field_index("log_cumvol")
    leaky = rows.set_column(index, rows.schema.field(index), pa.array(leak))
    overall = evaluation.evaluate(training.train(leaky, seed=7).predictions).overall
    assert overall.suspicious
    assert "audit for a leak" in overall.verdict


def test_a_booster_without_trees_is_the_price() -> None:
    """The margin is there at every prediction: the model can only add to the price (4.6 iii)."""
    import xgboost

    frame = training_rows(50).to_pandas()
    names = [feature.name for feature in training.EVERY]
    from polymarket_assets.learning.served import matrix

    empty = xgboost.train(
        training.PARAMS, matrix(frame, names, training.CATEGORICAL, label=frame["label"]), num_boost_round=0
    )
    assert probabilities(empty, frame, names, training.CATEGORICAL) == pytest.approx(
        frame["mid"].to_numpy(), abs=1e-6
    )


def test_the_margin_keeps_half_a_tick_from_certainty() -> None:
    import pandas as pd

    frame = pd.DataFrame({"mid": [0.0, 1.0, 0.5, np.nan, 0.0], "tick_c": [1.0, 1.0, 1.0, 1.0, np.nan]})
    half, finest = np.log(0.995 / 0.005), np.log(0.9995 / 0.0005)
    assert margin(frame) == pytest.approx([-half, half, 0.0, np.nan, -finest], nan_ok=True)


def test_categories_never_seen_and_missing_values_are_predicted() -> None:
    trained = training.train(training_rows(300), seed=7)
    frame = training_rows(3).to_pandas()
    frame["category"] = ["never seen", None, "sports"] * 3
    frame[["spread_c", "log_liq", "end_moves"]] = np.nan
    found = probabilities(trained.model, frame, list(trained.feature_names), training.CATEGORICAL)
    assert ((found > 0) & (found < 1)).all()


def test_without_a_price_there_is_no_probability() -> None:
    trained = training.train(training_rows(300), seed=7)
    frame = training_rows(1).to_pandas()
    frame.loc[0, "mid"] = np.nan
    found = probabilities(trained.model, frame, list(trained.feature_names), training.CATEGORICAL)
    assert np.isnan(found[0])
    assert not np.isnan(found[1:]).any()


def test_the_same_seed_gives_the_same_model() -> None:
    rows = training_rows(300)
    one, two, other = (training.train(rows, seed=seed) for seed in (7, 7, 8))
    assert one.predictions.equals(two.predictions)
    assert one.model.save_raw() == two.model.save_raw()
    assert not one.predictions.equals(other.predictions)


def test_predictions_are_out_of_fold_and_hold_both_baselines() -> None:
    trained = training.train(training_rows(300), seed=7)
    found = trained.predictions.to_pandas()
    assert trained.predictions.schema.equals(training.PREDICTIONS)
    assert not found.duplicated(["market_id", "as_of"]).any()
    assert found[["mid", "baseline_b2", "probability"]].apply(lambda column: column.between(0, 1).all()).all()
    assert found["fold"].nunique() == trained.params["folds"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (training_rows(0), "0 labelled groups, 40 are needed"),
        (training_rows(39), "39 labelled groups, 40 are needed"),
        (training_rows(60, days=100, hours=(1.0,)).slice(0, 0), "0 labelled groups"),
    ],
)
def test_too_little_to_learn_says_how_much_is_missing(rows: Any, said: str) -> None:
    with pytest.raises(TooLittleToLearn, match=said) as caught:
        training.train(rows, seed=7)
    assert isinstance(caught.value, Refused)


def test_one_outcome_only_is_too_little() -> None:
    rows = training_rows(200)
    ones = rows.filter([bool(label) for label in rows.column("label").to_pylist()])
    with pytest.raises(TooLittleToLearn, match="both outcomes"):
        training.train(ones, seed=7)


def test_labels_that_all_came_at_the_end_leave_nothing_to_learn_from() -> None:
    """As when everything was resolved after the last instant: no cut has anything known before it."""
    rows = training_rows(200, days=30)
    index = rows.schema.get_field_index("label_seen_at")
    late = pa.array(
        [max(rows.column("as_of").to_pylist()) + timedelta(days=1)] * rows.num_rows,
        rows.schema.field(index).type,
    )
    with pytest.raises(TooLittleToLearn, match="200 groups in all"):
        training.train(rows.set_column(index, rows.schema.field(index), late), seed=7)
