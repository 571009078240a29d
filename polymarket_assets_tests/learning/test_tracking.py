"""Tracking: a run holds everything needed to judge, repeat and serve its model."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polymarket_assets.learning import evaluation, model_report, tracking, training
from polymarket_assets.learning.evaluation import pictures, telling
from polymarket_assets.learning.features.catalogue import WORDS
from polymarket_assets.learning.served import Correction
from polymarket_assets.learning.tracking import links
from polymarket_assets.venue.errors import Gone, Unavailable
from polymarket_assets_tests.learning.synthetic import training_rows


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One training and its evaluation, logged to a store of its own."""
    import mlflow

    folder = tmp_path_factory.mktemp("tracking")
    uri = f"sqlite:///{folder}/mlflow.db"
    client = mlflow.MlflowClient(uri)
    client.create_experiment(tracking.EXPERIMENT, artifact_location=str(folder / "artifacts"))
    rows = training_rows(400, edge=0.8, days=60)
    trained = training.train(rows)
    run_id = tracking.log_training(trained, rows, uri)
    judged = evaluation.evaluate(tracking.load_out_of_fold(run_id, uri))
    explained = tracking.load_explained(run_id, uri)
    drawn = pictures.pictures(judged, explained)
    page = model_report.page(judged, drawn, [("Run", run_id)])
    tracking.log_evaluation(run_id, judged, explained, {"backtest/roi": 0.25}, page, drawn, uri)
    return {
        "uri": uri,
        "run_id": run_id,
        "rows": rows,
        "trained": trained,
        "judged": judged,
        "client": client,
    }


def artifact(logged: dict[str, Any], path: str) -> Any:
    return json.loads(Path(logged["client"].download_artifacts(logged["run_id"], path)).read_text())


def test_what_is_a_line_is_logged_by_step_so_that_runs_lie_over_one_another(logged: dict[str, Any]) -> None:
    """Pictures of two runs can only be looked at one after the other; lines of a tracker lie in one chart."""
    explained = tracking.load_explained(logged["run_id"], logged["uri"])
    for name, line in telling.curves(logged["judged"], explained.learning_curve).items():
        held = logged["client"].get_metric_history(logged["run_id"], name)
        assert {point.step: point.value for point in held} == pytest.approx(line), name
    weeks = logged["client"].get_metric_history(logged["run_id"], "curves/skill_by_week")
    assert [one.value for one in weeks] == [week.brier_skill for week in logged["judged"].weekly.weeks]
    taught = logged["client"].get_metric_history(logged["run_id"], "curves/gain_by_groups")
    assert [(one.step, one.value / 1e3) for one in taught] == [(n, pytest.approx(gain)) for n, gain in explained.learning_curve]  # fmt: skip


def test_the_run_holds_parameters_figures_and_the_code_version(logged: dict[str, Any]) -> None:
    run = logged["client"].get_run(logged["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.params["depth"] == "2"
    assert run.data.params["seed"] == "7"
    assert run.data.tags["code_version"] == run.data.params["code_version"] != ""
    assert run.data.metrics["training_groups"] == 400
    assert run.data.metrics["brier_skill"] == pytest.approx(logged["judged"].overall.brier_skill.value)
    assert {
        "synthetic/brier",
        "b3/log_loss_gain_by_group",
        "brier_skill_low",
        "log_loss_mid",
        "detectable_logit",
    } <= set(run.data.metrics)
    assert logged["judged"].verdict in run.data.tags["mlflow.note.content"]
    assert "[In the console](http://127.0.0.1:8000/models)" in run.data.tags["mlflow.note.content"]
    assert run.data.tags["console"] == "http://127.0.0.1:8000/models"


def test_the_run_says_which_rows_it_was_trained_on(logged: dict[str, Any]) -> None:
    found = artifact(logged, "lake/partitions.json")
    assert found["training_set"] == {"sha256": tracking.fingerprint(logged["rows"]), "rows": 1200}
    assert sum(part["rows"] for part in found["partitions"]) == 1200
    assert {(part["asset"], part["source"]) for part in found["partitions"]} == {
        ("history_features", "synthetic")
    }
    assert sum(part["markets"] for part in found["resolutions"]) == len(
        logged["rows"].column("market_id").unique()
    )


def test_the_fingerprint_is_of_the_rows_not_of_their_chunks(logged: dict[str, Any]) -> None:
    import pyarrow as pa

    rows = logged["rows"]
    assert tracking.fingerprint(
        pa.concat_tables([rows.slice(0, 10), rows.slice(10)])
    ) == tracking.fingerprint(rows)
    assert tracking.fingerprint(rows.slice(1)) != tracking.fingerprint(rows)


def test_the_run_holds_predictions_features_and_pictures(logged: dict[str, Any]) -> None:
    assert tracking.load_out_of_fold(logged["run_id"], logged["uri"]).equals(logged["trained"].out_of_fold)
    assert tracking.load_explained(logged["run_id"], logged["uri"]) == logged["trained"].explained
    listed = artifact(logged, "features/list.json")["features"]
    assert [feature["name"] for feature in listed] == list(logged["trained"].correction.encoding.names)
    page = Path(logged["client"].download_artifacts(logged["run_id"], "features/list.html")).read_text(encoding="utf-8")  # fmt: skip
    assert all(f"<td>{name}<td>" in page for name in logged["trained"].correction.encoding.names)
    report = Path(logged["client"].download_artifacts(logged["run_id"], "model_report.html")).read_text(encoding="utf-8")  # fmt: skip
    assert logged["run_id"] in report
    assert logged["client"].get_run(logged["run_id"]).data.metrics["backtest/roi"] == 0.25
    pictures = {item.path for item in logged["client"].list_artifacts(logged["run_id"], "plots")}
    assert {
        f"plots/{name}.png" for name in ("reliability", "skill_by_week", "skill_by_slice", "feature_gain")
    } <= pictures


_ELSEWHERE = """
import sys
import threading
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "polymarket_assets":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import mlflow, pandas
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(sys.argv[2])
print([float(p) for p in model.predict(pandas.read_parquet(sys.argv[3]))])
"""


def test_the_model_scores_where_the_platform_is_not_installed(logged: dict[str, Any], tmp_path: Path) -> None:
    """Loaded elsewhere it must give the same probabilities, price included: without the margin they would be far off."""
    trained = logged["trained"]
    frame = logged["rows"].slice(0, 20).to_pandas()
    asked = frame[
        ["mid", *(name for name in trained.correction.encoding.names if name != "logit_mid")]
    ].astype(
        {name: "float64" for name in trained.correction.encoding.names if name not in (*WORDS, "logit_mid")}
    )
    asked.to_parquet(tmp_path / "rows.parquet")
    command = [
        sys.executable,
        "-c",
        _ELSEWHERE,
        logged["uri"],
        model_uri(logged),
        str(tmp_path / "rows.parquet"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stderr
    wanted = trained.correction.probabilities(frame)
    assert json.loads(done.stdout) == pytest.approx(wanted, abs=1e-6)


def test_the_model_cannot_be_asked_without_the_price(logged: dict[str, Any]) -> None:
    import mlflow
    from mlflow.exceptions import MlflowException

    model = mlflow.pyfunc.load_model(model_uri(logged))
    example = model.input_example if hasattr(model, "input_example") else None
    names = [column.name for column in model.metadata.signature.inputs]
    assert names[0] == "mid"
    assert "logit_mid" not in names, "derived from the price, so that the two cannot disagree"
    assert example is None or list(example) == names
    frame = logged["rows"].slice(0, 2).to_pandas()[names]
    with pytest.raises(MlflowException, match="mid"):
        model.predict(frame.drop(columns="mid"))


def model_uri(logged: dict[str, Any]) -> str:
    """Where the run's model lies, in a form that needs no tracking server."""
    (found,) = logged["client"].search_logged_models(
        [logged["client"].get_run(logged["run_id"]).info.experiment_id]
    )
    return str(found.artifact_location)


def test_boosters_are_stored_in_their_native_form(logged: dict[str, Any]) -> None:
    folder = Path(model_uri(logged).removeprefix("file://"))
    assert not list(folder.rglob("*.pkl"))
    found = Correction.load(folder / "artifacts" / "correction")
    held = logged["trained"].correction
    assert [one.save_raw() for one in found.boosters] == [one.save_raw() for one in held.boosters]
    assert (found.encoding, found.shrinkage) == (held.encoding, held.shrinkage)


def test_the_table_of_runs_is_told_which_figures_it_shows(logged: dict[str, Any]) -> None:
    """MLflow shows none by itself; a column of a figure that no run holds would stay empty."""
    tags = logged["client"].get_experiment_by_name(tracking.EXPERIMENT).tags
    shown = json.loads(tags["mlflow.sharedViewState.trainings"])["selectedColumns"]
    run = logged["client"].get_run(logged["run_id"]).data
    named = {f"metrics.`{name}`" for name in run.metrics} | {f"params.`{name}`" for name in run.params}
    assert {c for c in shown if not c.startswith("attributes.")} <= named
    assert "metrics.`brier_skill`" in shown


@pytest.mark.parametrize("link", [links.of_runs, links.of_versions, lambda uri: links.of_run(uri, "r")])
def test_runs_in_files_have_no_pages(logged: dict[str, Any], link: Callable[[str], str | None]) -> None:
    assert link(logged["uri"]) is None


def test_links_lead_to_training_runs(logged: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow's own front page is for language models."""
    monkeypatch.setattr(links, "_experiment", lambda uri: "4")
    for page in (links.of_runs("http://m"), links.of_run("http://m", "r"), links.of_versions("http://m")):
        assert page is not None
        assert page.startswith("http://m/#/")
        assert "workflowType=machine_learning" in page
    assert "/experiments/4/runs/r?" in str(links.of_run("http://m", "r"))


def test_links_lead_where_people_reach_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "_experiment", lambda uri: "4")
    monkeypatch.setenv("MLFLOW_URL", "https://user:pass@models.example/ml/")
    for page in (links.of_runs("http://mlflow:5000"), links.of_run("http://mlflow:5000", "r"), links.of_versions("http://mlflow:5000")):  # fmt: skip
        assert str(page).startswith("https://models.example/ml/#/")


def test_a_server_that_is_not_there_is_said_at_once(logged: dict[str, Any]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{free.getsockname()[1]}"
    began = time.perf_counter()
    with pytest.raises(Unavailable, match=f"no tracking server answers at {uri}"):
        tracking.log_training(logged["trained"], logged["rows"], uri)
    assert time.perf_counter() - began < 10


def test_a_run_without_predictions_is_gone(logged: dict[str, Any]) -> None:
    run = logged["client"].create_run(logged["client"].get_run(logged["run_id"]).info.experiment_id)
    with pytest.raises(Gone, match="train again"):
        tracking.load_out_of_fold(run.info.run_id, logged["uri"])


def test_the_example_is_what_the_model_takes(logged: dict[str, Any]) -> None:
    folder = Path(model_uri(logged).removeprefix("file://"))
    example = json.loads((folder / "input_example.json").read_text())
    assert example["columns"][0] == "mid"
    assert len(example["data"]) == 5
    assert np.isfinite([row[0] for row in example["data"]]).all()


class _Dying(BaseHTTPRequestHandler):
    """A server that is healthy until it is asked for something."""

    def do_GET(self) -> None:
        if self.path == "/health":
            self.send_response(200)
            self.end_headers()
        else:
            self.connection.close()

    def log_message(self, *_: object) -> None:
        """Quiet."""


def test_a_server_that_dies_in_the_middle_is_worth_another_attempt(logged: dict[str, Any]) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Dying) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        uri = f"http://127.0.0.1:{server.server_port}"
        began = time.perf_counter()
        with pytest.raises(Unavailable, match="stopped answering"):
            tracking.log_training(logged["trained"], logged["rows"], uri)
        server.shutdown()
    assert time.perf_counter() - began < 30
