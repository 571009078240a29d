"""MLflow bound to one server: with little patience, and with errors that say whether to ask again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from polymarket_assets.masking import masked
from polymarket_assets.venue.errors import Gone, Unavailable

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


@contextmanager
def bound(uri: str) -> Iterator[Any]:
    """The module `mlflow`, bound to one server; the former binding is restored.

    Raises:
        Unavailable: no server answers there, or it stopped answering.
    """
    for name, value in _MANNERS.items():
        os.environ.setdefault(name, value)
    import mlflow
    from mlflow.exceptions import MlflowException

    require(uri)
    former = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    try:
        yield mlflow
    except (MlflowException, OSError) as e:
        if not is_lost(e):
            raise
        raise Unavailable(f"the tracking server at {masked(uri)} stopped answering: {masked(str(e))}") from e
    finally:
        mlflow.set_tracking_uri(former[0])
        mlflow.set_registry_uri(former[1])


def require(uri: str) -> None:
    """Ask a server for its health first: one refused connection instead of a series of retries, and before a training, not after it.

    Raises:
        Unavailable: no server answers there.
    """
    if not uri.startswith("http"):
        return
    import requests

    try:
        requests.get(f"{uri.rstrip('/')}/health", timeout=_KNOCK_S).raise_for_status()
    except requests.RequestException as e:
        raise Unavailable(
            f"no tracking server answers at {masked(uri)}: start it with `make pages` or `make up`, or set MLFLOW_TRACKING_URI"
        ) from e


def artifact(mlflow: Any, run_id: str, path: str, folder: str) -> str:
    """Fetch an artifact of a run into a folder; returns where it lies there.

    Raises:
        Gone: the run holds no such thing.
    """
    from mlflow.exceptions import MlflowException

    try:
        return str(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=path, dst_path=folder))
    except MlflowException as e:
        if is_lost(e):
            raise
        raise Gone(f"run {run_id} holds no {path}: train again") from e


def is_lost(error: Exception) -> bool:
    """Whether an error of MLflow means that the server was not there, rather than that it refused."""
    from requests import RequestException

    return isinstance(error, RequestException) or "API request to" in str(error)
