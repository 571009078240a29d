"""Runs: one per training, logged explicitly, with everything needed to judge, repeat and serve its model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from polymarket_assets import console_links
from polymarket_assets.learning import drift, out_of_fold
from polymarket_assets.learning.evaluation import Evaluation, pictures, telling
from polymarket_assets.learning.explained import Explained
from polymarket_assets.learning.features import documenting
from polymarket_assets.learning.features.catalogue import FEATURES
from polymarket_assets.learning.registered import CONSOLE, EXPERIMENT
from polymarket_assets.learning.tracking import models, server
from polymarket_assets.learning.tracking.provenance import code_version, provenance
from polymarket_assets.learning.training import Trained
from polymarket_assets.report import page as pages
from polymarket_assets.venue.errors import Gone

OUT_OF_FOLD = "predictions/out_of_fold.parquet"
EXPLAINED = "features/explained.json"
# Of recorded rows; what older runs called `profiles.json` was of all kinds of rows, weighted, and is no measure of recorded ones.
PROFILES = "features/recorded.json"
REPORT = "model_report.html"

# Pages of the tracking server show training runs first, not prompts and traces.
_KIND = "custom_model_development"
# The table of runs shows no figure unless it is told which: a view that links name (`links.of_runs`), in the form of MLflow 3.
VIEW = "trainings"
_COLUMNS = {
    "attributes": ("Created", "Models"),
    "params": ("kappa", "trees", "trials"),
    "metrics": ("groups", "brier_skill", "brier_skill_low", "log_loss_gain_best", "backtest/roi"),
}
# The tracking server takes no more points in one request.
_MOST_AT_ONCE = 1_000
# Parameters are compared by eye: digits beyond tell nothing.
_DIGITS = 4


def log_training(trained: Trained, rows: pa.Table, tracking_uri: str) -> str:
    """Log a training of these rows as one run; returns its id.

    Raises:
        Unavailable: the tracking server cannot be reached.
    """
    with server.bound(tracking_uri) as mlflow, TemporaryDirectory() as folder:
        open_experiment(mlflow)
        with mlflow.start_run(
            run_name=_named(trained, rows),
            tags={"code_version": code_version(), CONSOLE: console_links.of_models()},
        ) as run:
            names = trained.correction.encoding.names
            mlflow.log_params(
                {**_rounded(trained.params), "features": len(names), "code_version": code_version()}
            )
            mlflow.log_metrics(_counts(rows, trained.out_of_fold))
            mlflow.log_dict(provenance(rows), "lake/partitions.json")
            mlflow.log_text(documenting.page(names), "features/list.html")
            mlflow.log_dict({"features": _described(names)}, "features/list.json")
            mlflow.log_text(trained.explained.to_json(), EXPLAINED)
            mlflow.log_text(drift.to_json(drift.profiles(rows, names)), PROFILES)
            _log_table(mlflow, trained.out_of_fold, Path(folder), OUT_OF_FOLD)
            (Path(folder) / "correction").mkdir()
            model_id = models.log(mlflow, trained.correction, rows, Path(folder) / "correction")
            mlflow.set_tag("model_id", model_id)
        return str(run.info.run_id)


def open_experiment(mlflow: Any) -> None:
    """Have the experiment, shown as one of training runs, and the view of its table."""
    mlflow.set_experiment(EXPERIMENT)
    mlflow.set_experiment_tag("mlflow.experimentKind", _KIND)
    columns = [f"{kind}.`{name}`" for kind, names in _COLUMNS.items() for name in names]
    mlflow.set_experiment_tag(f"mlflow.sharedViewState.{VIEW}", json.dumps({"selectedColumns": columns}))


def load_out_of_fold(run_id: str, tracking_uri: str) -> pa.Table:
    """The out-of-fold rows of a run.

    Raises:
        Unavailable: the tracking server cannot be reached.
        Gone: the run has none.
    """
    with server.bound(tracking_uri) as mlflow, TemporaryDirectory() as folder:
        return pq.read_table(server.artifact(mlflow, run_id, OUT_OF_FOLD, folder), schema=out_of_fold.SCHEMA)


def load_explained(run_id: str, tracking_uri: str) -> Explained:
    """What the model of a run looks at. Raises as `load_out_of_fold`."""
    with server.bound(tracking_uri) as mlflow, TemporaryDirectory() as folder:
        return Explained.from_json(Path(server.artifact(mlflow, run_id, EXPLAINED, folder)).read_bytes())


def load_profiles(run_id: str, tracking_uri: str) -> dict[str, drift.Profile]:
    """What the features of a run's recorded rows looked like; nothing of a run with too few of them, or from before this was kept.

    Raises:
        Unavailable: the tracking server cannot be reached.
    """
    with server.bound(tracking_uri) as mlflow, TemporaryDirectory() as folder:
        try:
            return drift.from_json(Path(server.artifact(mlflow, run_id, PROFILES, folder)).read_bytes())
        except Gone:
            return {}


def fetch_report(run_id: str, folder: Path, tracking_uri: str) -> Path:
    """Copy `model_report.html` of a run into a folder; returns where it lies. Raises as `load_out_of_fold`."""
    with server.bound(tracking_uri) as mlflow:
        return Path(server.artifact(mlflow, run_id, REPORT, str(folder)))


def log_evaluation(
    run_id: str, evaluation: Evaluation, explained: Explained, more: dict[str, float], page: pages.Page, drawn: Mapping[str, pages.Panel], tracking_uri: str
) -> None:  # fmt: skip
    """Add an evaluation to the run of its training: its metrics, `more` of them, its curves, its pictures as plots, report, verdict.

    Raises:
        Unavailable: the tracking server cannot be reached.
    """
    with server.bound(tracking_uri) as mlflow, TemporaryDirectory() as folder, mlflow.start_run(run_id=run_id) as run:  # fmt: skip
        mlflow.log_metrics({**evaluation.metrics(), **more}, model_id=run.data.tags.get("model_id"))
        _log_curves(mlflow, run_id, telling.curves(evaluation, explained.learning_curve))
        mlflow.log_text(evaluation.table(), "evaluation/scores.md")
        mlflow.log_text(pages.html(page), REPORT)
        mlflow.set_tag("mlflow.note.content", f"{evaluation.verdict}\n\n{evaluation.table()}\n\n{console_links.in_markdown(console_links.of_models())}")  # fmt: skip
        for picture in pictures.write(drawn, Path(folder)):
            mlflow.log_artifact(str(picture), "plots")


def _log_curves(mlflow: Any, run_id: str, curves: dict[str, dict[int, float]]) -> None:
    """Each point at its step; a repeated judgement replaces none, so that a line drawn twice is the same line."""
    from mlflow.entities import Metric

    points = [Metric(name, value, 0, step) for name, line in curves.items() for step, value in line.items()]
    for first in range(0, len(points), _MOST_AT_ONCE):
        mlflow.MlflowClient().log_batch(run_id, metrics=points[first : first + _MOST_AT_ONCE])


def _named(trained: Trained, rows: pa.Table) -> str:
    """A run by what tells it from others; when it began stands beside it everywhere."""
    return f"{len(rows.column('group_id').unique()):,} groups, kappa {trained.correction.shrinkage.kappa:.2f}"


def _rounded(params: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, _DIGITS) if isinstance(value, float) else value for name, value in params.items()}  # fmt: skip


def _counts(rows: pa.Table, predictions: pa.Table) -> dict[str, float]:
    return {
        "training_rows": rows.num_rows,
        "training_groups": len(rows.column("group_id").unique()),
        "training_markets": len(rows.column("market_id").unique()),
        "out_of_fold_rows": predictions.num_rows,
    }


def _described(names: tuple[str, ...]) -> list[dict[str, str]]:
    docs = {feature.name: feature.said for feature in FEATURES}
    return [{"name": name, "description": docs[name]} for name in names]


def _log_table(mlflow: Any, table: pa.Table, folder: Path, path: str) -> None:
    local = folder / Path(path).name
    pq.write_table(table, local, compression="zstd")
    mlflow.log_artifact(str(local), str(Path(path).parent))
