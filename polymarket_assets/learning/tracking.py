"""MLflow: one run per training, logged explicitly, with everything needed to judge, repeat and serve it.

The model is logged as code and a native booster; what is loaded takes `mid` and the features and cannot be
asked without the price. `load_predictions` gives an evaluation the same out-of-fold rows later.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from polymarket_assets.learning import plots, training
from polymarket_assets.learning.evaluation import Evaluation
from polymarket_assets.learning.features import documenting
from polymarket_assets.learning.features.catalogue import FEATURES
from polymarket_assets.venue.errors import Gone, Unavailable

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature

EXPERIMENT = "polymarket"
MODEL = "model"
# The source of rows that were recorded live; all others are history.
RECORDED = "recorded"
PREDICTIONS = "predictions/out_of_fold.parquet"
GAINS = "features/gain.json"

# How MLflow behaves unless its own variables say otherwise. A tracking server is on the same machine or next
# door: what does not answer in seconds is down, and seven tries of two minutes would hold a run for a quarter of
# an hour. Progress bars and links belong on a terminal, not in a run's log.
_MANNERS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
_KNOCK_S = 5

# Pages of the tracking server show training runs first, not prompts and traces.
_KIND = "custom_model_development"

# Rows of the input example: enough to show nulls and categories.
_EXAMPLE_ROWS = 5


def log_training(trained: training.Trained, rows: pa.Table, tracking_uri: str) -> str:
    """Log a training of these rows as one run; returns its id.

    Raises:
        Unavailable: the tracking server cannot be reached.
    """
    with _tracking(tracking_uri) as mlflow, TemporaryDirectory() as folder:
        mlflow.set_experiment(EXPERIMENT)
        mlflow.set_experiment_tag("mlflow.experimentKind", _KIND)
        with mlflow.start_run(run_name=_named(rows), tags={"code_version": code_version()}) as run:
            mlflow.log_params(
                {**trained.params, "features": len(trained.feature_names), "code_version": code_version()}
            )
            mlflow.log_metrics(_counts(rows, trained.predictions))
            mlflow.log_dict(_provenance(rows), "lake/partitions.json")
            mlflow.log_text(documenting.page(trained.feature_names), "features/list.html")
            mlflow.log_dict({"features": _described(trained.feature_names)}, "features/list.json")
            mlflow.log_dict(trained.gains, GAINS)
            _log_table(mlflow, trained.predictions, Path(folder), PREDICTIONS)
            _log_model(mlflow, trained, rows, Path(folder))
        return str(run.info.run_id)


def require(tracking_uri: str) -> None:
    """Raises `Unavailable` where no tracking server answers: asked before a training, not after it."""
    _knock(tracking_uri)


def load_predictions(run_id: str, tracking_uri: str) -> pa.Table:
    """The out-of-fold predictions of a run.

    Raises:
        Unavailable: the tracking server cannot be reached.
        Gone: the run has no predictions.
    """
    with _tracking(tracking_uri) as mlflow, TemporaryDirectory() as folder:
        return pq.read_table(_artifact(mlflow, run_id, PREDICTIONS, folder), schema=training.PREDICTIONS)


def log_evaluation(run_id: str, evaluation: Evaluation, tracking_uri: str) -> None:
    """Add an evaluation to the run of its training: metrics overall and `<metric>.<source>`, plots, verdict.

    Raises:
        Unavailable: the tracking server cannot be reached.
    """
    with _tracking(tracking_uri) as mlflow, TemporaryDirectory() as folder:
        gains = json.loads(Path(_artifact(mlflow, run_id, GAINS, folder)).read_text(encoding="utf-8"))
        with mlflow.start_run(run_id=run_id):
            mlflow.log_metrics(evaluation.metrics())
            mlflow.log_text(evaluation.table(), "evaluation/scores.md")
            mlflow.set_tag("mlflow.note.content", f"{evaluation.verdict}\n\n{evaluation.table()}")
            for picture in plots.draw(evaluation, gains, Path(folder)):
                mlflow.log_artifact(str(picture), "plots")


def _named(rows: pa.Table) -> str:
    """A run by when it was trained and on how much."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} on {rows.num_rows:,} rows"


def code_version() -> str:
    """The commit this code stands at, `+` where it was changed since; outside a repository, the package's version."""
    here = Path(__file__).parent
    try:
        commit = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return metadata.version("polymarket-assets")
    return commit.stdout.strip()


def fingerprint(rows: pa.Table) -> str:
    """SHA-256 of the rows, independent of how they were filed."""
    digest = hashlib.sha256()
    for batch in rows.combine_chunks().to_batches():
        with pa.ipc.new_stream(sink := pa.BufferOutputStream(), batch.schema) as writer:
            writer.write_batch(batch)
        digest.update(sink.getvalue())
    return digest.hexdigest()


@contextmanager
def _tracking(uri: str) -> Iterator[Any]:
    """MLflow bound to one server, with little patience; the former binding is restored."""
    for name, value in _MANNERS.items():
        os.environ.setdefault(name, value)
    import mlflow
    from mlflow.exceptions import MlflowException

    _knock(uri)
    former = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        yield mlflow
    except (MlflowException, OSError) as e:
        if not _lost(e):
            raise
        raise Unavailable(f"the tracking server at {uri} stopped answering: {e}") from e
    finally:
        mlflow.set_tracking_uri(former)


def _knock(uri: str) -> None:
    """Ask a server for its health first: one refused connection instead of a series of retries."""
    if not uri.startswith("http"):
        return
    import requests

    try:
        requests.get(f"{uri.rstrip('/')}/health", timeout=_KNOCK_S).raise_for_status()
    except requests.RequestException as e:
        raise Unavailable(
            f"no tracking server answers at {uri}: start it with `make pages` or `make up`, or set MLFLOW_TRACKING_URI"
        ) from e


def _lost(error: Exception) -> bool:
    """Whether an error of MLflow means that the server was not there, rather than that it refused."""
    from requests import RequestException

    return isinstance(error, RequestException) or "API request to" in str(error)


def _artifact(mlflow: Any, run_id: str, path: str, folder: str) -> str:
    from mlflow.exceptions import MlflowException

    try:
        return str(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=path, dst_path=folder))
    except MlflowException as e:
        if _lost(e):
            raise
        raise Gone(f"run {run_id} holds no {path}: train again") from e


def _counts(rows: pa.Table, predictions: pa.Table) -> dict[str, float]:
    return {
        "training_rows": rows.num_rows,
        "training_groups": len(rows.column("group_id").unique()),
        "training_markets": len(rows.column("market_id").unique()),
        "out_of_fold_rows": predictions.num_rows,
    }


def _provenance(rows: pa.Table) -> dict[str, Any]:
    """The partitions of `features` and `history_features` the rows stand in, the labels' versions, and a fingerprint of the rows."""
    recorded = pc.equal(rows.column("source"), RECORDED)
    per = pa.table(
        {
            "asset": pc.if_else(recorded, "features", "history_features"),
            "source": rows.column("source"),
            "partition": pc.if_else(
                recorded,
                pc.strftime(rows.column("as_of"), "%Y-%m-%d-%H:00"),
                pc.strftime(rows.column("as_of"), "%Y-%m-%d"),
            ),
        }
    )
    names = ["asset", "source", "partition"]
    found = per.group_by(names).aggregate([([], "count_all")]).rename_columns([*names, "rows"])
    labels = rows.group_by("label_version").aggregate([("market_id", "count_distinct")])
    return {
        "training_set": {"sha256": fingerprint(rows), "rows": rows.num_rows},
        "partitions": found.sort_by([(name, "ascending") for name in names]).to_pylist(),
        "resolutions": labels.rename_columns(["version", "markets"]).sort_by("version").to_pylist(),
    }


def _described(names: tuple[str, ...]) -> list[dict[str, str]]:
    docs = {feature.name: feature.said for feature in FEATURES}
    return [{"name": name, "description": docs[name]} for name in names]


def _log_table(mlflow: Any, table: pa.Table, folder: Path, path: str) -> None:
    local = folder / Path(path).name
    pq.write_table(table, local, compression="zstd")
    mlflow.log_artifact(str(local), str(Path(path).parent))


def _log_model(mlflow: Any, trained: training.Trained, rows: pa.Table, folder: Path) -> None:
    from polymarket_assets.learning import served

    trained.model.save_model(folder / "booster.ubj")
    encoding = {"names": list(trained.feature_names), "categories": training.CATEGORICAL}
    (folder / "encoding.json").write_text(json.dumps(encoding), encoding="utf-8")
    example = _example(rows, trained.feature_names)
    mlflow.pyfunc.log_model(
        name=MODEL,
        python_model=served.__file__,
        artifacts={"booster": str(folder / "booster.ubj"), "encoding": str(folder / "encoding.json")},
        signature=_signature(example),
        input_example=example,
        pip_requirements=[
            f"{name}=={metadata.version(name)}" for name in ("mlflow", "numpy", "pandas", "xgboost")
        ],
    )


def _example(rows: pa.Table, names: tuple[str, ...]) -> pd.DataFrame:
    """What the model is asked with: `mid` and the features, `logit_mid` left out because the model derives it."""
    asked = ["mid", *(name for name in names if name != "logit_mid")]
    frame: pd.DataFrame = rows.slice(0, _EXAMPLE_ROWS).select(asked).to_pandas()
    kinds = {name: "str" if name in training.CATEGORICAL else "float64" for name in asked}
    return frame.astype(kinds)


def _signature(example: pd.DataFrame) -> ModelSignature:
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema, TensorSpec

    kinds = {name: DataType.string if name in training.CATEGORICAL else DataType.double for name in example}
    return ModelSignature(
        inputs=Schema([ColSpec(kind, str(name)) for name, kind in kinds.items()]),
        outputs=Schema([TensorSpec(np.dtype("float64"), (-1,))]),
    )
