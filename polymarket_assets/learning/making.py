"""Making a model from end to end: trained, tracked, registered; judged, traded on paper in hindsight, and told as a page."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import evaluation, model_report, tracking, training
from polymarket_assets.learning import trials as counting
from polymarket_assets.learning.backtest import showing
from polymarket_assets.learning.backtest.deflated import deflated_sharpe
from polymarket_assets.learning.backtest.returns import daily
from polymarket_assets.learning.backtest.running import Backtest, backtest
from polymarket_assets.learning.backtest.strategies import MODEL as STRATEGY
from polymarket_assets.learning.evaluation import Evaluation, pictures
from polymarket_assets.learning.registered import DATA_UNTIL, TO_THE_MINUTE
from polymarket_assets.learning.tracking.provenance import code_version, feature_hash
from polymarket_assets.learning.tracking.registry import Registry
from polymarket_assets.report import page as pages

# Folds between two lines of a run's log.
_FOLDS_A_LINE = 10
# Pictures that stand beside the asset, at the size of a thumbnail: Dagster keeps them in its event log.
_SHOWN, _SHARPNESS = (
    ("baselines", "reliability", "skill_by_week", "skill_by_slice", "feature_effects", "learning_curve"),
    0.7,
)


@dataclass(frozen=True)
class Made:
    """A model that was trained and registered."""

    run_id: str
    version: str
    rows: int
    kappa: float
    trials: int


@dataclass(frozen=True)
class Judged:
    """What a run's out-of-fold rows are worth, as forecasts and as trades, and pictures in Markdown by name."""

    evaluation: Evaluation
    backtest: Backtest
    pictures: dict[str, str]


def made(
    lake: Lake, rows: pa.Table, tracking_uri: str, *, seed: int, trials: int, now: datetime, log: Callable[[str], None],
    on_fold: Callable[[int, int], None] = lambda done, of: None,
) -> Made:  # fmt: skip
    """Train on the rows of a training set, log the run and register its model as the challenger; `on_fold` hears of each cut.

    Raises:
        TooLittleToLearn: the rows do not suffice.
        Unavailable: the tracking server cannot be reached.
    """

    def told(done: int, of: int) -> None:
        on_fold(done, of)
        if done % _FOLDS_A_LINE == 0 or done == of:
            log(f"walked through {done} of {of} cuts")

    trained = training.train(rows, seed=seed, trials=trials, on_fold=told)
    run_id = tracking.log_training(trained, rows, tracking_uri)
    count = counting.publish(lake, run_id, counting.of(trained), now)
    registry = Registry(tracking_uri)
    registry.price(rows, trained.correction.encoding)
    version = registry.register(run_id, _tags(rows, trained, counting.counted(lake)))
    return Made(run_id, version.name, rows.num_rows, trained.correction.shrinkage.kappa, count)


def judged(lake: Lake, run_id: str, tracking_uri: str) -> Judged:
    """Judge the open weeks of a run, trade them on recorded books, and add both to the run with a page.

    Raises:
        Gone: the run has no out-of-fold rows.
        NothingToJudge: none of them is open.
        Unavailable: the tracking server cannot be reached.
    """
    rows = tracking.load_out_of_fold(run_id, tracking_uri)
    explained = tracking.load_explained(run_id, tracking_uri)
    found = evaluation.evaluate(rows)
    traded = backtest(lake, rows.filter(pc.invert(rows.column("is_sealed"))))
    tried = counting.counted(lake)
    bought = traded.fills[STRATEGY]
    paid = bought.filter(pc.is_valid(bought.column("payout_usd")))
    # Of trainings before each was counted nothing may be stored; one attempt is the model itself.
    real = deflated_sharpe(daily(paid), max(tried, 1))
    drawn = pictures.pictures(found, explained)
    page = model_report.page(found, drawn, _facts(run_id, tried, real))
    page = replace(page, panels=[*page.panels, *showing.panels(traded)])
    tracking.log_evaluation(
        run_id, found, explained, {**traded.metrics(), **_told(real)}, page, drawn, tracking_uri
    )
    Registry(tracking_uri).describe(run_id, f"{found.verdict}\n\n{traded.verdict}")
    return Judged(found, traded, {name: _inline(drawn[name]) for name in _SHOWN if name in drawn})


def _tags(rows: pa.Table, trained: training.Trained, tried: int) -> dict[str, str]:
    """What a version is known by: data cut, features, code, labels, and how much had been tried."""
    return {
        DATA_UNTIL: f"{pc.max(rows.column('as_of')).as_py():{TO_THE_MINUTE}}",
        "label_version": str(pc.max(rows.column("label_version")).as_py()),
        "features": feature_hash(trained.correction.encoding.names),
        "code_version": code_version(),
        "trials_so_far": str(tried),
    }


def _facts(run_id: str, tried: int, real: float) -> list[tuple[str, str]]:
    sharpe = "not known: too few days of payouts" if math.isnan(real) else f"{real:.0%}"
    return [
        ("Run", run_id),
        ("Code", code_version()),
        ("Shapes and openings tried so far", f"{tried:,}"),
        ("Chance that the backtest's Sharpe ratio is real, all that was tried paid for", sharpe),
    ]


def _told(real: float) -> dict[str, float]:
    return {} if math.isnan(real) else {"backtest/deflated_sharpe": real}


def _inline(panel: pages.Panel) -> str:
    return f"![{panel.title}](data:image/png;base64,{b64encode(pages.picture(panel, sharpness=_SHARPNESS)).decode()})"
