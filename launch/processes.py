"""Which processes make a platform: rows of data, read by the supervisor."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from launch import code as code_server
from polymarket_assets.settings import Settings

LOOPBACK = "127.0.0.1"
# MLflow's front page is for language models; the list of experiments, asked for in this way, is of training runs.
_EXPERIMENTS = "/#/experiments?workflowType=machine_learning"


@dataclass(frozen=True)
class Process:
    """A command to keep running, the ports it listens on and the page it shows."""

    name: str
    command: tuple[str, ...]
    ports: tuple[int, ...] = ()
    page: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """The command as one shell line; `exec` so that signals reach it and not a shell."""
        return "exec " + shlex.join(self.command)


def _tool(name: str) -> str:
    """A console script of the environment this runs in."""
    return str(Path(sys.executable).with_name(name))


def _page(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def mlflow(settings: Settings, folder: Path) -> Process:
    """The tracking server: one worker and no job runner, which would take over a gigabyte."""
    return Process(
        "mlflow",
        (
            _tool("mlflow"), "server", "--host", LOOPBACK, "--port", str(settings.mlflow_port), "--workers", "1",
            "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}",
            "--artifacts-destination", str(folder / "artifacts"),
        ),
        (settings.mlflow_port,),
        _page(settings.mlflow_port) + _EXPERIMENTS,
        {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"},
    )  # fmt: skip


def code(settings: Settings) -> Process:
    """The code server, from which webserver and daemon have the definitions, and runs their life."""
    socket = str(code_server.address(_home(settings)))
    return Process("code", (_tool("dagster"), "api", "grpc", "--module-name", code_server.MODULE, "--socket", socket, "--log-level", "warning"))  # fmt: skip


def webserver(settings: Settings) -> Process:
    """Dagster's pages."""
    return Process(
        "webserver",
        _after_code(settings, "dagster-webserver", "-h", LOOPBACK, "-p", str(settings.dagster_port)),
        (settings.dagster_port,),
        _page(settings.dagster_port),
    )


def daemon(settings: Settings) -> Process:
    """Dagster's schedules, sensors and run queue."""
    return Process("daemon", _after_code(settings, "dagster-daemon", "run"))


def _after_code(settings: Settings, tool: str, *options: str) -> tuple[str, ...]:
    """A command of Dagster's that begins once the code server answers: one that finds nobody looks again after a minute."""
    home = _home(settings)
    return (
        sys.executable, "-m", "launch.code", str(code_server.address(home)),
        _tool(tool), *options, "-w", str(code_server.workspace(home)),
    )  # fmt: skip


def _home(settings: Settings) -> Path:
    return Path(str(settings.dagster_home))


def streamer(settings: Settings, *options: str) -> Process:
    """The WebSocket recorder."""
    return Process(
        "streamer",
        (sys.executable, "-m", "streamer", "run", *options),
        (settings.stream_status_port,),
        f"{_page(settings.stream_status_port)}/health",
    )


def console(settings: Settings) -> Process:
    """The platform's data and stream in a browser, read-only."""
    return Process(
        "console",
        (sys.executable, "-m", "console"),
        (settings.console_port,),
        _page(settings.console_port),
    )


def simulator(settings: Settings, ledger: Path, seed: int, profile: str) -> Process:
    """A local venue: HTTP, WebSocket and control on three ports in a row."""
    return Process(
        "simulator",
        (
            sys.executable,
            "-m",
            "simulator",
            "serve",
            "--seed",
            str(seed),
            "--ledger",
            str(ledger),
            "--port",
            str(settings.sim_port),
            "--profile",
            profile,
        ),
        tuple(range(settings.sim_port, settings.sim_port + 3)),
        f"{_page(settings.sim_port + 2)}/summary",
    )


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """The environment of every process: ours, plus where things lie."""
    placed = {
        "LAKE_ROOT": settings.need_lake_root(),
        "STATE_DIR": str(settings.need_state_dir()),
        "DAGSTER_HOME": str(settings.dagster_home),
        "MLFLOW_TRACKING_URI": settings.need_mlflow_tracking_uri(),
        "PYTHONUNBUFFERED": "1",
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }
    return {**os.environ, **placed, **more}
