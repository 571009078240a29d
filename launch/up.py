"""`make up`: the platform against the venue that the settings name. `make pages`: only what shows what there is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import requests

from launch import instance, processes
from launch.home import PROJECT, settle
from launch.ports import require_free
from launch.processes import Process
from launch.supervisor import Supervisor
from polymarket_assets.masking import masked
from polymarket_assets.settings import Settings
from polymarket_assets.venue.errors import Unavailable
from polymarket_assets.venue.http import USER_AGENT

DATA = PROJECT / "data"
# Enough for a slow line; longer and a person wonders whether anything happens.
PROBE_S = 10


def platform(settings: Settings, data: Path = DATA, *streamer_options: str) -> list[Process]:
    """The processes of one platform, in the order in which they are named in logs."""
    return [
        processes.mlflow(settings, data / "mlflow"),
        processes.code(settings),
        processes.webserver(settings),
        processes.daemon(settings),
        processes.streamer(settings, *streamer_options),
        processes.console(settings),
    ]


def require_venue(settings: Settings) -> None:
    """Raises `Unavailable`, naming the address, when the order-book service does not answer."""
    address = f"{settings.polymarket_clob_url}/time"
    try:
        requests.get(address, timeout=PROBE_S, headers={"User-Agent": USER_AGENT}).raise_for_status()
    except requests.RequestException as e:
        raise Unavailable(
            f"the venue does not answer at {masked(address)} ({type(e).__name__}): check the network or POLYMARKET_CLOB_URL, or try `make demo`, which needs neither"
        ) from e


def links(running: Sequence[Process]) -> list[tuple[str, str]]:
    """Names and pages of what can be looked at."""
    return [(process.name, process.page) for process in running if process.page]


def run() -> int:
    """Start everything and stay until Ctrl-C; returns the exit code.

    Raises:
        NotConfigured, PortBusy, Unavailable: nothing was started.
    """
    settings = settle(DATA)
    running = platform(settings)
    require_free(running)
    require_venue(settings)
    return _keep(settings, running)


def show() -> int:
    """Start the pages of console, Dagster and MLflow alone: nothing is recorded and no venue is needed. Returns the exit code.

    Raises:
        NotConfigured, PortBusy: nothing was started.
    """
    settings = settle(DATA)
    running = [
        processes.mlflow(settings, DATA / "mlflow"),
        processes.code(settings),
        processes.webserver(settings),
        processes.console(settings),
    ]
    require_free(running)
    return _keep(settings, running)


def _keep(settings: Settings, running: Sequence[Process]) -> int:
    environment = processes.environment(settings)
    instance.make(Path(str(settings.dagster_home)), environment)
    supervisor = Supervisor(DATA / "logs")
    supervisor.add_all(running, environment)
    for name, page in links(running):
        print(f"{name:>12}  {page}", flush=True)
    print(f"{'logs':>12}  {DATA / 'logs'}\nCtrl-C stops everything.", flush=True)
    supervisor.loop()
    return 0 if supervisor.returncode in (0, 130, 143) else 1
