"""Training starts from the price: it finds an edge that is planted, and none where there is none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from polymarket_assets.learning import evaluation, out_of_fold, splits, training
from polymarket_assets.learning.errors import TooLittleToLearn
from polymarket_assets.learning.features.catalogue import FEATURES, MIRRORS, WORDS
from polymarket_assets.learning.served import Correction, Encoding, Shrinkage, inside
from polymarket_assets.learning.training import boosting, choosing, inner, searching, shrinking, walking
from polymarket_assets.learning.training.capacity import Capacity, bearable
from polymarket_assets.learning.training.learning import Recipe
from polymarket_assets.venue.errors import Refused
from polymarket_assets_tests.learning.synthetic import PLANTED, training_rows

# Days of the smallest training that has weekly cuts.
SHORT = 60
EVERYTHING = Encoding(tuple(feature.name for feature in FEATURES if feature.name != "mid"), WORDS, MIRRORS)


def test_an_efficient_market_gives_no_skill() -> None:
    """A price that is right cannot be improved; what seems to improve it is a leak or noise."""
    trained = training.train(training_rows(2000, seed=1, days=40))
    overall = evaluation.evaluate(trained.out_of_fold).overall
    assert abs(overall.brier_skill.value) < 0.005
    assert not overall.beats


def test_a_planted_edge_is_found_and_named() -> None:
    trained = training.train(training_rows(2000, edge=0.6, seed=2, days=40))
    overall = evaluation.evaluate(trained.out_of_fold).overall
    assert overall.brier_skill.low > 0
    assert overall.beats
    assert next(iter(trained.explained.gains)) == PLANTED
    assert PLANTED in trained.explained.effects
    below, above = (trained.explained.effects[PLANTED][n][1] for n in (0, -1))
    assert below < 0 < above, "the correction goes the way the edge does"
    assert trained.explained.learning_curve[-1][1] > 0


def test_a_feature_that_knows_the_outcome_is_called_a_leak() -> None:
    """As a final volume would: mostly noise, a little of the result."""
    rows = training_rows(2000, seed=1, days=40)
    leak = np.random.default_rng(1).normal(size=rows.num_rows) + rows.column("label").to_numpy()
    index = rows.schema.get_field_index("log_cumvol")
    leaky = rows.set_column(index, rows.schema.field(index), pa.array(leak))
    overall = evaluation.evaluate(training.train(leaky).out_of_fold).overall
    assert overall.suspicious
    assert "audit for a leak" in overall.verdict


@pytest.mark.parametrize(("kappa", "trees"), [(0.0, 20), (1.0, 0), (0.0, 0)])
def test_kappa_0_or_no_trees_is_the_price_to_the_last_bit(kappa: float, trees: int) -> None:
    """The price is there at every prediction: the model can only add to it (4.6 iii)."""
    frame = training_rows(50).to_pandas()
    learnt = boosting.correction(frame, EVERYTHING, Capacity(trees=trees, child=1.0), seed=7) if trees else Correction((), EVERYTHING, Shrinkage())  # fmt: skip
    found = Correction(learnt.boosters, EVERYTHING, Shrinkage(kappa)).probabilities(frame)
    assert (found == inside(frame)).all()


def test_outcomes_that_change_places_change_the_forecast_into_its_complement() -> None:
    """Of Team A and Team B either may come first; that a forecast hung on it would be noise."""
    frame = training_rows(300, edge=0.6).to_pandas().assign(yesno_labels=False)
    found = boosting.correction(frame, EVERYTHING, Capacity(child=1.0), seed=7)
    turned = frame.assign(**EVERYTHING.mirrored(EVERYTHING.frame(frame))[[*MIRRORS.keys() - {"mid"}]], mid=1 - frame["mid"])  # fmt: skip
    known = [name for name, how in MIRRORS.items() if how == "unknown"]
    there, back = (found.members(each.assign(**dict.fromkeys(known, np.nan))) for each in (frame, turned))
    assert np.abs(there).max() > 0.01
    assert there == pytest.approx(-back, abs=1e-6)


def seen(told: float, *, bold: float = 1.0, count: int = 40_000) -> shrinking.Seen:
    """Corrections told `told` times as large as they are, of prices whose log-odds are `bold` times the true ones."""
    dice = np.random.default_rng(0)
    price, true = dice.uniform(0.1, 0.9, count), dice.normal(0, 0.5, count)
    label = (dice.random(count) < Shrinkage(1.0, 0.0, 1 / bold).probabilities(price, true)).astype(float)
    return shrinking.Seen(price, told * true, label, np.ones(count), np.arange(count))


@pytest.mark.parametrize(("told", "kappa"), [(1.0, 1.0), (0.5, 1.0), (2.0, 0.5)])
def test_kappa_is_how_much_of_a_correction_is_true(told: float, kappa: float) -> None:
    """A correction told twice as large as it is is halved; one told too small is not made larger."""
    assert shrinking.fitted(seen(told)).kappa == pytest.approx(kappa, abs=0.1)


def test_a_forecast_that_is_too_bold_is_straightened_and_one_that_is_not_is_left() -> None:
    assert shrinking.fitted(seen(1.0, bold=1.3)).slope == pytest.approx(1 / 1.3, abs=0.06)
    assert shrinking.fitted(seen(1.0)) == Shrinkage(shrinking.fitted(seen(1.0)).kappa)


def test_a_correction_that_is_noise_is_not_believed() -> None:
    dice = np.random.default_rng(0)
    price, noise = dice.uniform(0.1, 0.9, 4_000), dice.normal(0, 0.5, 4_000)
    label = (dice.random(4_000) < price).astype(float)
    assert (
        shrinking.fitted(shrinking.Seen(price, noise, label, np.ones(4_000), np.arange(4_000))).kappa == 0.0
    )


@pytest.fixture(scope="module")
def small() -> training.Trained:
    return training.train(training_rows(400, edge=0.8, days=SHORT))


def test_categories_never_seen_and_missing_values_are_predicted(small: training.Trained) -> None:
    frame = training_rows(3).to_pandas()
    frame["category"] = ["never seen", None, "sports"] * 3
    frame[["spread_c", "log_liq", "end_moves"]] = np.nan
    found = small.correction.probabilities(frame)
    assert ((found > 0) & (found < 1)).all()


def test_without_a_price_there_is_no_probability(small: training.Trained) -> None:
    frame = training_rows(1).to_pandas()
    frame.loc[0, "mid"] = np.nan
    found = small.correction.probabilities(frame)
    assert np.isnan(found[0])
    assert not np.isnan(found[1:]).any()


def test_the_same_seed_gives_the_same_model(small: training.Trained) -> None:
    """Members are learnt side by side, and which is done first must not matter."""
    two, other = (training.train(training_rows(400, edge=0.8, days=SHORT), seed=seed) for seed in (7, 8))
    assert small.out_of_fold.equals(two.out_of_fold)
    assert [one.save_raw() for one in small.correction.boosters] == [one.save_raw() for one in two.correction.boosters]  # fmt: skip
    assert not small.out_of_fold.equals(other.out_of_fold)


def test_rows_are_out_of_fold_and_hold_the_whole_ladder(small: training.Trained) -> None:
    found = small.out_of_fold.to_pandas()
    assert small.out_of_fold.schema.equals(out_of_fold.SCHEMA)
    assert not found.duplicated(["market_id", "as_of"]).any()
    said = ["mid", *(name for name in out_of_fold.BASELINES if name != "b2i"), "probability"]
    assert found[said].apply(lambda column: column.between(0, 1).all()).all()
    assert found["b2i"].isna().all(), "a step function of 400 groups would be noise"
    assert found["fold"].nunique() == small.params["folds"]
    assert (found["as_of"] >= found["cut_at"]).all()
    assert (found["correction_sd"] >= 0).all()


def test_the_model_learns_nothing_from_groups_that_are_open(small: training.Trained) -> None:
    """Those of their markets that are over are so because they ended early, and that tells of the outcome."""
    rows = training_rows(400, edge=0.8, days=SHORT)
    is_open = [int(name[-1]) == 7 for name in rows.column("group_id").to_pylist()]
    over_at = pa.array([None if found else at for found, at in zip(is_open, rows.column("group_over_at").to_pylist(), strict=True)], pa.timestamp("us", tz="UTC"))  # fmt: skip
    index = rows.schema.get_field_index("group_over_at")
    told = rows.set_column(index, rows.schema.field(index), over_at)
    turned = pa.array([1 - label if found else label for found, label in zip(is_open, rows.column("label").to_pylist(), strict=True)], pa.int8())  # fmt: skip
    index = rows.schema.get_field_index("label")
    one, other = (training.train(each).correction for each in (told, told.set_column(index, rows.schema.field(index), turned)))  # fmt: skip
    assert [booster.save_raw() for booster in one.boosters] == [
        booster.save_raw() for booster in other.boosters
    ]
    assert [booster.save_raw() for booster in one.boosters] != [booster.save_raw() for booster in small.correction.boosters]  # fmt: skip


def test_the_last_weeks_are_sealed(small: training.Trained) -> None:
    found = small.out_of_fold.to_pandas()
    assert found.loc[found["is_sealed"], "cut_at"].min() > found.loc[~found["is_sealed"], "cut_at"].max()
    assert found["is_sealed"].mean() == pytest.approx(0.2, abs=0.1)


@pytest.mark.slow
def test_a_search_tries_the_small_trees_first_and_tells_everything_it_tried() -> None:
    rows = training_rows(400, edge=0.8, days=40)
    trained = training.train(rows, trials=3)
    cuts = {cut for cut, _ in trained.trials}
    assert len(trained.trials) == trained.params["trials"] == 3 * len(cuts)
    first = next(trial for cut, trial in trained.trials if cut is None and trial.number == 0)
    assert (first.capacity.depth, first.capacity.eta) == (Capacity().depth, Capacity().eta)
    assert None in cuts, "the model itself is searched for, too"
    assert all(trial.state in ("complete", "pruned") for _, trial in trained.trials)


def test_each_cut_looks_at_what_could_be_trusted_before_it() -> None:
    """Sides of trades that are known from a day on must not be learnt from before it."""
    rows = training_rows(400, edge=0.8, days=40)
    frame = rows.to_pandas()
    is_late = frame["as_of"] > frame["as_of"].quantile(0.5)
    quality = pa.array(np.where(is_late, 1.0, 0.0))
    told = rows.set_column(
        rows.schema.get_field_index("sign_quality"), rows.schema.field("sign_quality"), quality
    )
    folds = walking.usable(told, told.to_pandas(), splits.plan(told))
    first, last = (
        learnt
        for fold in (folds[0], folds[-1])
        for learnt, _ in walking.walked(told, told.to_pandas(), [fold], Recipe())
    )
    assert not set(first.correction.encoding.names) & {"vpin_24h"}
    assert choosing.chosen(told.filter(pa.array(is_late)))
    assert set(choosing.chosen(told.filter(pa.array(is_late)))) & {"vpin_24h"}
    assert last.correction.encoding.names == choosing.chosen(told.take(folds[-1].train))


def test_trees_found_by_a_search_are_told_as_those_of_rows_that_bear_them_all() -> None:
    """On inner folds of little data the best number is small; scaled down once more it would be next to none."""
    rows = training_rows(400, edge=0.8, days=40)
    frame = rows.to_pandas()
    sides = inner.sides(rows, frame)
    shape, _ = searching.searched(sides, EVERYTHING, Capacity(), count=1, seed=7)
    folds = [searching._fold(side, EVERYTHING) for side in sides]
    best = int(sum(fold.weight * searching._curve(fold, shape, 7) for fold in folds).argmin()) + 1
    assert bearable(frame) < 0.5
    assert best <= shape.within(frame).trees < 2 * best < 2 * shape.trees


def test_without_inner_folds_there_is_no_correction() -> None:
    """Kappa is fitted where the boosters had not looked; where there is no such place, nothing is believed."""
    trained = training.train(training_rows(60, edge=0.8, days=30))
    found = trained.out_of_fold.to_pandas()
    assert (found["probability"] == found["mid"]).all()


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
        training.train(rows)
    assert isinstance(caught.value, Refused)


def test_one_outcome_only_is_too_little() -> None:
    rows = training_rows(200)
    ones = rows.filter([bool(label) for label in rows.column("label").to_pylist()])
    with pytest.raises(TooLittleToLearn, match="both outcomes"):
        training.train(ones)


def test_labels_that_all_came_at_the_end_leave_nothing_to_learn_from() -> None:
    """As when everything was resolved after the last instant: no cut has anything known before it."""
    rows = training_rows(200, days=30)
    index = rows.schema.get_field_index("label_seen_at")
    late = pa.array(
        [max(rows.column("as_of").to_pylist()) + timedelta(days=1)] * rows.num_rows,
        rows.schema.field(index).type,
    )
    with pytest.raises(TooLittleToLearn, match="200 groups in all"):
        training.train(rows.set_column(index, rows.schema.field(index), late))
