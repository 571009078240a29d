"""A real tracking server with three versions of the model, as trainings and promotion leave them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from polymarket_assets.learning.registered import (
    CHALLENGER,
    CHAMPION,
    DATA_UNTIL,
    EXPERIMENT,
    NAME,
    SAYS_THE_PRICE,
)
from polymarket_assets_tests.console.served import LOOPBACK, free_port

_WITHIN_S = 60.0
FIGURES = {"brier_skill": 0.021, "brier_skill_low": 0.004, "brier_skill_high": 0.039, "log_loss_gain": 0.0042, "log_loss_gain_low": -0.001, "log_loss_gain_high": 0.009}  # fmt: skip


def fill(store: str) -> str:
    """Register the price, a challenger that was judged, and one that was not; the run of the second."""
    import mlflow

    client = mlflow.MlflowClient(store)
    experiment = client.create_experiment(EXPERIMENT)
    client.create_registered_model(NAME)
    runs = [client.create_run(experiment).info.run_id for _ in range(3)]
    for name, value in FIGURES.items():
        client.log_metric(runs[1], name, value)
    client.log_param(runs[1], "kappa", 0.5)
    for n, tags in enumerate(({SAYS_THE_PRICE: "yes"}, {DATA_UNTIL: "2026-04-05 23:59 UTC"}, {})):
        client.create_model_version(NAME, f"runs:/{runs[n]}/model", runs[n], tags=tags)
    client.update_model_version(NAME, "2", "<b>better</b> than the price")
    client.set_registered_model_alias(NAME, CHAMPION, "1")
    client.set_registered_model_alias(NAME, CHALLENGER, "2")
    return runs[1]


@contextmanager
def tracking(folder: Path) -> Iterator[tuple[str, str]]:
    """The address of a server over such a store, and the run of version 2."""
    store = f"sqlite:///{folder}/mlflow.db"
    run_id = fill(store)
    port = free_port()
    options = ["--backend-store-uri", store, "--artifacts-destination", str(folder), "--host", LOOPBACK, "--port", str(port), "--workers", "1"]  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "mlflow", "server", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
    try:
        address = f"http://{LOOPBACK}:{port}"
        _await(address, process)
        yield address, run_id
    finally:
        _end(process)


def _await(address: str, process: subprocess.Popen[Any]) -> None:
    until = time.monotonic() + _WITHIN_S
    while True:
        assert process.poll() is None, "the tracking server ended"
        try:
            requests.get(f"{address}/health", timeout=1).raise_for_status()
            return
        except requests.RequestException:
            assert time.monotonic() < until, "the tracking server did not start in time"
            time.sleep(0.1)


def _end(process: subprocess.Popen[Any]) -> None:
    """It and its workers, which are its session."""
    import os
    import signal

    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
