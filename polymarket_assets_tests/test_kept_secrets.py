"""What Dagster and MLflow keep holds no secret, through the real doors: every byte of it is searched."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import requests
import stamina

from drills.processes import free_port, wait_for
from launch import processes
from polymarket_assets.assets.markets import markets
from polymarket_assets.assets.models import model
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import making
from polymarket_assets.partitions import hour_key, utc_now
from polymarket_assets.resources import default_resources
from polymarket_assets.settings import Settings
from polymarket_assets_tests.learning.synthetic import training_rows
from polymarket_assets_tests.test_secrets import HOOK, NOWHERE, PASSWORD

SECRET = PASSWORD.encode()
_ENVIRONMENT = {"SLACK_WEBHOOK_URL": HOOK, "POSTGRES_PASSWORD": PASSWORD, "AWS_SECRET_ACCESS_KEY": PASSWORD}


def holding(folder: Path) -> list[str]:
    """The files below a folder that hold the secret."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    assert found, "there is something to search"
    return [str(path) for path in found if SECRET in path.read_bytes()]


def told(instance: dg.DagsterInstance, run_id: str) -> str:
    """Everything that Dagster shows of a run: its events with their errors and metadata, and what it was made of."""
    events = "\n".join(dg.serialize_value(entry) for entry in instance.all_logs(run_id))
    run = instance.get_run_by_id(run_id)
    assert run is not None
    packed = instance.get_execution_plan_snapshot(str(run.execution_plan_snapshot_id))
    return "\n".join([events, dg.serialize_value(run), dg.serialize_value(packed)])


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance in files, and an environment with an account in every address."""
    told = {**_ENVIRONMENT, "MLFLOW_TRACKING_URI": NOWHERE, **{f"POLYMARKET_{name}_URL": NOWHERE for name in ("GAMMA", "CLOB", "DATA")}}  # fmt: skip
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LAKE_ROOT", str(tmp_path / "lake"))
    (tmp_path / "dagster").mkdir()
    # Nobody will answer, however often it is tried.
    with (
        stamina.set_testing(True, attempts=1),
        dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as made,
    ):
        yield made


@pytest.mark.slow
@pytest.mark.parametrize(("asset", "said"), [(markets, "did not answer"), (model, "tracking server")], ids=["the venue", "the tracking server"])  # fmt: skip
def test_a_run_that_fails_at_an_address_with_a_password_does_not_keep_it(asset: dg.AssetsDefinition, said: str, instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """The event log and the pages of Dagster are shown to whoever may look: neither error, cause nor metadata says it."""
    # Half a minute of waiting for the same sentence.
    monkeypatch.setattr(asset.op, "_retry_policy", None)
    key = hour_key(utc_now()) if asset.partitions_def else None
    deps = [dg.AssetSpec(key) for key in asset.dependency_keys]
    ran = dg.materialize([*deps, asset], selection=[asset], instance=instance, resources=default_resources(), partition_key=key, raise_on_error=False)  # fmt: skip
    assert not ran.success
    shown = told(instance, ran.run_id)
    assert said in shown
    assert "127.0.0.1:9" in shown
    assert PASSWORD not in shown
    assert holding(tmp_path / "dagster") == []


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A tracking server as `make up` starts it; its address with an account."""
    port = free_port()
    process = processes.mlflow(Settings(_env_file=None, mlflow_port=port), tmp_path / "mlflow")  # type: ignore[call-arg]
    (tmp_path / "mlflow").mkdir()
    running = subprocess.Popen(process.command, env={**os.environ, **process.environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        wait_for(lambda: _answers(port), "MLflow")
        yield f"http://user:{PASSWORD}@127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(30)


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/health", timeout=5).ok
    except requests.RequestException:
        return False


@pytest.mark.slow
def test_a_training_keeps_no_secret_with_its_run_and_model(server: str, tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Parameters, tags, figures, artifacts and the registry: the server's own files, all of them."""
    for name, value in _ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    made = making.made(lake, training_rows(120, edge=0.8, days=60), server, seed=7, trials=0, now=utc_now(), log=print)  # fmt: skip
    making.judged(lake, made.run_id, server)
    kept = [path.name for path in (tmp_path / "mlflow").rglob("*")]
    assert {"mlflow.db", "model_report.html", "MLmodel"} <= set(kept)
    assert holding(tmp_path / "mlflow") == []
    assert holding(Path(lake.root)) == []


def test_what_holds_a_secret_is_found(tmp_path: Path) -> None:
    """A search that finds nothing shows nothing unless it could."""
    (tmp_path / "other").write_bytes(b"y" * 20_000)
    (tmp_path / "plain").write_bytes(b"x" + SECRET)
    assert holding(tmp_path) == [str(tmp_path / "plain")]
