"""Addresses of the other pages of an installation: Dagster's and MLflow's."""

from __future__ import annotations

from polymarket_assets.masking import masked
from polymarket_assets.settings import LOOPBACK, Settings

# MLflow's front page is for language models.
_RUNS = "/#/experiments?workflowType=machine_learning"


def dagster(settings: Settings, path: str = "") -> str:
    """A path of the Dagster UI, as people open it."""
    base = settings.dagster_url or f"http://{LOOPBACK}:{settings.dagster_port}"
    return f"{base.rstrip('/')}{path}"


def mlflow(settings: Settings) -> str:
    """The runs of MLflow, as people open it."""
    told = settings.mlflow_tracking_uri or ""
    base = settings.mlflow_url or (masked(told) if told.startswith("http") else f"http://{LOOPBACK}:{settings.mlflow_port}")  # fmt: skip
    return f"{base.rstrip('/')}{_RUNS}"
