"""Runs in containers of their own: Dagster's launcher for Docker, telling each run the settings and credentials that its own process has.

Named by `deploy/dagster.scale.yaml`; needs the extra `scale`. Dagster hands on what its instance file names and nothing else, and
refuses a name that is not set, so settings that most people leave alone could not stand there.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dagster_docker import DockerRunLauncher

from polymarket_assets.settings import Settings

if TYPE_CHECKING:
    from dagster import DagsterRun
    from dagster_docker.container_context import DockerContainerContext

_NAMES = {name.upper() for name in Settings.model_fields}
# Of the lake in an object store, and of a tracking server with a login: read by the libraries they belong to, so no settings of ours.
_CREDENTIALS = {"MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"}
_BEGINNINGS = ("RETENTION_DAYS_", "AWS_")


class SettledRunLauncher(DockerRunLauncher):
    """`DockerRunLauncher`, whose containers have every setting and credential that is set where it launches them."""

    def get_container_context(self, dagster_run: DagsterRun) -> DockerContainerContext:
        """What the instance file says of the container, and the settings and credentials that it does not name."""
        context = super().get_container_context(dagster_run)
        named = {entry.split("=", 1)[0] for entry in context.env_vars}
        given = [name for name in sorted(os.environ) if name in _NAMES | _CREDENTIALS or name.startswith(_BEGINNINGS)]  # fmt: skip
        return context._replace(env_vars=[*context.env_vars, *(name for name in given if name not in named)])
