"""Ports: whether they are free, before anything starts; and when somebody answers on them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable

import requests

from launch.processes import LOOPBACK, Process
from polymarket_assets.venue.errors import Refused, Unavailable


class PortBusy(Refused):
    """Another program listens where one of ours should."""


# The setting that moves each process elsewhere.
_SETTING = {"mlflow": "MLFLOW_PORT", "webserver": "DAGSTER_PORT", "streamer": "STREAM_STATUS_PORT", "simulator": "SIM_PORT", "console": "CONSOLE_PORT"}  # fmt: skip


def require_free(processes: Iterable[Process]) -> None:
    """Raises `PortBusy`, naming port, process and setting, when a port is taken."""
    taken: dict[int, str] = {}
    for process in processes:
        for port in process.ports:
            if port in taken:
                raise PortBusy(
                    f"port {port} is meant for {taken[port]} and for {process.name}: set {_SETTING[process.name]} to another"
                )
            taken[port] = process.name
            if not _free(port):
                raise PortBusy(
                    f"port {port} is in use, {process.name} needs it: stop what listens there or set {_SETTING[process.name]}"
                )


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def wait_for(
    url: str,
    *,
    seconds: float,
    alive: Callable[[], bool] = lambda: True,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return when `url` answers. Raises `Unavailable` when it does not within `seconds`, or `alive` says no."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and alive():
        try:
            if requests.get(url, timeout=2).status_code < 500:
                return
        except requests.RequestException:
            pass
        sleep(0.25)
    raise Unavailable(f"{url} did not answer within {seconds:g} s")
