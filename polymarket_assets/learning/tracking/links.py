"""Where people look: addresses of the tracking server's own pages.

Its front page is for language models; whoever trains wants the table of runs, which `workflowType` asks for. Where people
reach the server under another address than we do, `MLFLOW_URL` says which.
"""

from __future__ import annotations

from polymarket_assets.learning.registered import EXPERIMENT, NAME, TRAINING
from polymarket_assets.learning.tracking import server
from polymarket_assets.learning.tracking.runs import VIEW
from polymarket_assets.masking import masked
from polymarket_assets.settings import load


def of_run(tracking_uri: str, run_id: str) -> str | None:
    """The page of a run; None where runs lie in files and have no pages. Raises `Unavailable`."""
    experiment = _experiment(tracking_uri)
    return f"{_shown(tracking_uri)}/#/experiments/{experiment}/runs/{run_id}{TRAINING}" if experiment else None  # fmt: skip


def of_runs(tracking_uri: str) -> str | None:
    """The table of all trainings, side by side with their figures. As `of_run`; None also before the first."""
    experiment = _experiment(tracking_uri)
    return f"{_shown(tracking_uri)}/#/experiments/{experiment}/runs{TRAINING}&viewStateShareKey={VIEW}" if experiment else None  # fmt: skip


def of_versions(tracking_uri: str) -> str | None:
    """The registered model, its versions and aliases; None where there are no pages."""
    return f"{_shown(tracking_uri)}/#/models/{NAME}{TRAINING}" if tracking_uri.startswith("http") else None


def _shown(tracking_uri: str) -> str:
    return masked(load().mlflow_url or tracking_uri).rstrip("/")


def _experiment(tracking_uri: str) -> str | None:
    if not tracking_uri.startswith("http"):
        return None
    with server.bound(tracking_uri) as mlflow:
        found = mlflow.get_experiment_by_name(EXPERIMENT)
    return str(found.experiment_id) if found else None
