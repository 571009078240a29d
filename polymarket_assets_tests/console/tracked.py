"""A real tracking server with three versions of the model, as trainings and promotion leave them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from polymarket_assets.learning.registered import (
    CHALLENGER,
    CHAMPION,
    DATA_UNTIL,
    EXPERIMENT,
    NAME,
    SAYS_THE_PRICE,
)
from polymarket_assets_tests.console.served import LOOPBACK

FIGURES = {"brier_skill": 0.021, "brier_skill_low": 0.004, "brier_skill_high": 0.039, "log_loss_gain": 0.0042, "log_loss_gain_low": -0.001, "log_loss_gain_high": 0.009}  # fmt: skip
HOSTILE = "<b>better</b> than the price"


def fill(store: str) -> str:
    """Register the price, a challenger that was judged, and one that was not; the run of the second."""
    import mlflow

    client = mlflow.MlflowClient(store, registry_uri=store)
    experiment = client.create_experiment(EXPERIMENT)
    client.create_registered_model(NAME)
    runs = [client.create_run(experiment).info.run_id for _ in range(3)]
    for name, value in FIGURES.items():
        client.log_metric(runs[1], name, value)
    client.log_metric(runs[1], "backtest/deflated_sharpe", float("nan"))
    client.log_param(runs[1], "kappa", 0.5)
    for n, tags in enumerate(({SAYS_THE_PRICE: "yes"}, {DATA_UNTIL: "2026-04-05 23:59 UTC"}, {})):
        client.create_model_version(NAME, f"runs:/{runs[n]}/model", runs[n], tags=tags)
    client.update_model_version(NAME, "2", HOSTILE)
    client.set_registered_model_alias(NAME, CHAMPION, "1")
    client.set_registered_model_alias(NAME, CHALLENGER, "2")
    return str(runs[1])


def _opened(store: str) -> str:
    """Its tables take seconds to make, which is no time of the server's."""
    import mlflow

    mlflow.MlflowClient(store, registry_uri=store).search_experiments()
    return ""


@contextmanager
def tracking(folder: Path, *, filled: bool = True) -> Iterator[tuple[str, str]]:
    """The address of a server over such a store, or over an empty one, and the run of version 2."""
    from werkzeug.serving import make_server

    store = f"sqlite:///{folder}/mlflow.db"
    run_id = fill(store) if filled else _opened(store)
    named = {"_MLFLOW_SERVER_FILE_STORE": store, "_MLFLOW_SERVER_REGISTRY_STORE": store}
    with mock.patch.dict(os.environ, named):
        from mlflow.server import app, handlers

        # Who is asked first decides which store it is for good.
        with mock.patch.multiple(handlers, _tracking_store=None, _model_registry_store=None):
            server = make_server(LOOPBACK, 0, app, threaded=True)
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield f"http://{LOOPBACK}:{server.server_port}", run_id
            finally:
                server.shutdown()
                thread.join(10)
