"""Judging scored rows: outcomes by the rules of the training set, and never on rows the model may have learnt from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import evaluation, training_set
from polymarket_assets.learning.commands import judging, outcomes, scoring
from polymarket_assets.learning.commands.loading import Loaded
from polymarket_assets.learning.commands.scoring import Scored
from polymarket_assets.learning.errors import NothingToJudge
from polymarket_assets_tests.learning.commands.lakes import filled
from polymarket_assets_tests.learning.rows import publish, resolution
from polymarket_assets_tests.learning.synthetic import T0, training_rows

NOW = datetime(2026, 11, 1, tzinfo=UTC)
MIDDLE = T0 + timedelta(days=15)
INSTANT = pa.timestamp("us", tz="UTC")


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which rows are judged does not hang on how often they are drawn."""
    monkeypatch.setattr(evaluation, "judge_predictions", partial(evaluation.judge_predictions, draws=100))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return filled(Lake(tmp_path_factory.mktemp("lake")), training_rows(150, days=30))


def model(until: datetime | None, **more: bool) -> Loaded:
    """One that moves the price a little towards the middle."""

    def says(rows: pa.Table) -> tuple[np.ndarray, None]:  # type: ignore[type-arg]
        return 0.01 + 0.98 * rows.column("mid").to_numpy(), None

    return Loaded("polymarket/3", "run", until, more.get("says_the_price", False), says)


def file(lake: Lake, folder: Path, until: datetime | None, **more: bool) -> Path:
    rows = scoring.rows_of_features(lake, None, None)
    scoring.write(
        scoring.scored(rows, model(until, **more), of=scoring.FEATURES, at=NOW), folder / "said.parquet"
    )
    return folder / "said.parquet"


def test_outcomes_weights_and_groups_are_those_of_the_training_set(lake: Lake, tmp_path: Path) -> None:
    scored, told = scoring.read(file(lake, tmp_path, None))
    names = ["market_id", "as_of", "label", "label_seen_at", "weight", "group_id", "was_disputed"]
    order = [("market_id", "ascending"), ("as_of", "ascending")]
    found = outcomes.joined(lake, scored, told, now=NOW).select(names).sort_by(order)
    wanted = training_set.build(lake, now=NOW).rows.select(names).sort_by(order)
    assert found.drop("weight").to_pylist() == wanted.drop("weight").to_pylist()
    assert found.column("weight").to_pylist() == pytest.approx(wanted.column("weight").to_pylist())


def test_rows_of_groups_that_began_before_the_data_cut_are_left_out(lake: Lake, tmp_path: Path) -> None:
    """Also their later rows: the label of a group that was learnt from is known to the model."""
    found = judging.judged(lake, file(lake, tmp_path, MIDDLE), now=NOW)
    frame = training_set.build(lake, now=NOW).rows.to_pandas()
    began = frame.groupby("group_id")["as_of"].min()
    assert found.evaluation.overall.groups == (began > MIDDLE).sum()
    assert ((frame["as_of"] > MIDDLE).sum()) > found.evaluation.overall.rows
    assert "were left out" in found.warnings[0]
    assert found.evaluation.kind == judging.UNSEEN
    assert found.evaluation.verdict.startswith(judging.UNSEEN)


@pytest.mark.parametrize(
    "until", [None, T0 + timedelta(days=90)], ids=["nobody knows what it learnt from", "all of it"]
)
def test_a_model_is_not_judged_on_what_it_learnt_from(
    lake: Lake, tmp_path: Path, until: datetime | None
) -> None:
    said = file(lake, tmp_path, until)
    with pytest.raises(NothingToJudge, match="--in-sample"):
        judging.judged(lake, said, now=NOW)
    looked = judging.judged(lake, said, now=NOW, in_sample=True)
    assert looked.evaluation.overall.groups == 150
    assert looked.evaluation.kind == judging.SEEN
    assert looked.warnings[0].startswith("IN SAMPLE")


def test_what_says_the_price_learnt_from_nothing(lake: Lake, tmp_path: Path) -> None:
    found = judging.judged(lake, file(lake, tmp_path, None, says_the_price=True), now=NOW)
    assert (found.evaluation.overall.groups, found.evaluation.kind) == (150, judging.UNSEEN)


def test_without_outcomes_there_is_nothing_to_judge_yet(tmp_path: Path) -> None:
    lake = filled(Lake(tmp_path / "lake"), training_rows(50, days=10), decided=False)
    with pytest.raises(NothingToJudge, match="has an outcome in the lake"):
        judging.judged(lake, file(lake, tmp_path, MIDDLE), now=NOW)


def test_the_page_warns_before_it_tells(lake: Lake, tmp_path: Path) -> None:
    found = judging.judged(lake, file(lake, tmp_path, MIDDLE), now=NOW)
    judging.write(found, tmp_path / "pages" / "report.html")
    page = (tmp_path / "pages" / "report.html").read_text(encoding="utf-8")
    assert "polymarket/3" in page
    assert page.index("may have learnt from their groups") < page.index("Every baseline")


# Of an instant: what happened to the market, and whether its row may be judged.
FATES = [
    ("decided later", {}, True),
    ("open", {"state": "open", "label": None}, False),
    ("split", {"state": "split", "label": None}, False),
    ("labelled in the future", {"label_seen_at": NOW + timedelta(days=1)}, False),
    ("decided before", {"decided_seen_at": T0 - timedelta(hours=1)}, False),
]


@pytest.mark.parametrize(("how", "kept"), [fate[1:] for fate in FATES], ids=[fate[0] for fate in FATES])
def test_rows_of_an_instant_are_held_to_the_same_rules(
    tmp_path: Path, how: dict[str, object], kept: bool
) -> None:
    lake = Lake(tmp_path)
    publish(lake, "resolutions", [{**resolution("a", T0 + timedelta(days=2), 1), **how}])
    found = outcomes.joined(lake, instant("a"), TOLD, now=NOW)
    assert found.num_rows == kept


def test_markets_of_a_group_share_its_weight_at_an_instant(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    publish(lake, "resolutions", [resolution(name, T0 + timedelta(days=2), 0) for name in "abc"])
    found = outcomes.joined(lake, instant("a", "b", "c"), TOLD, now=NOW)
    assert found.column("weight").to_pylist() == [pytest.approx(1 / 3)] * 3
    late = replace(TOLD, learnt_until=T0)
    assert outcomes.unseen(found, TOLD).num_rows == 3
    assert outcomes.unseen(found, late).num_rows == 0


TOLD = Scored("polymarket/3", "run", T0 - timedelta(days=1), False, scoring.INSTANT, NOW)


def instant(*names: str) -> pa.Table:
    """Scored rows of one instant, of one group."""
    count = len(names)
    return pa.table({
        "market_id": list(names), "as_of": pa.array([T0] * count, INSTANT), "group_id": ["g"] * count,
        "scheduled_end": pa.array([T0 + timedelta(days=1)] * count, INSTANT), "mid": [0.4] * count, "probability": [0.5] * count,
    })  # fmt: skip


def test_the_last_row_learnt_from_is_not_unseen(lake: Lake, tmp_path: Path) -> None:
    scored, told = scoring.read(file(lake, tmp_path, None))
    rows = outcomes.joined(lake, scored, told, now=NOW)
    last = pc.max(rows.column("group_began_at")).as_py()
    assert outcomes.unseen(rows, replace(told, learnt_until=last)).num_rows == 0
