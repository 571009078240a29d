"""The command line: trained, scored and judged without Dagster; whatever is missing is one sentence and exit code 2."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path

import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import evaluation, trials
from polymarket_assets.learning.__main__ import main
from polymarket_assets.learning.commands import scoring
from polymarket_assets.learning.served import Correction, Shrinkage
from polymarket_assets_tests.learning.commands.lakes import ENCODING, filled, synthetic
from polymarket_assets_tests.learning.synthetic import training_rows


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, where nothing is configured."""
    for name in ("LAKE_ROOT", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_a_model_is_trained_asked_and_judged_without_dagster(
    at_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    for judge in ("evaluate", "judge_predictions"):
        monkeypatch.setattr(evaluation, judge, partial(getattr(evaluation, judge), draws=50))
    uri = f"sqlite:///{at_home}/mlflow.db"
    mlflow.MlflowClient(uri).create_experiment("polymarket", artifact_location=str(at_home / "artifacts"))
    synthetic(Lake(at_home / "lake"), 300, days=60, hours=(6.0, 1.0), edge=1.5)
    assert main(["train", "--lake", "lake", "--tracking", uri]) in (0, 1)
    told = capsys.readouterr().out
    assert trials.counted(Lake(at_home / "lake")) == 1, "without a search, the model itself"
    assert "kappa" in told
    assert "open weeks: " in told
    run_id = told.split("run ", 1)[1].split(",", 1)[0]
    for model in ("models:/polymarket@challenger", "models:/polymarket/2", f"runs:/{run_id}/model"):
        assert (
            main(["score", "--lake", "lake", "--tracking", uri, "--model", model, "--out", "said.parquet"])
            == 0
        )
        assert scoring.read(Path("said.parquet"))[1].run_id == run_id
    assert main(["evaluate", "--lake", "lake", "--predictions", "said.parquet"]) == 2
    assert "--in-sample" in capsys.readouterr().err
    assert main(["evaluate", "--lake", "lake", "--predictions", "said.parquet", "--in-sample", "--report", "r.html"]) == 0  # fmt: skip
    assert "IN SAMPLE" in capsys.readouterr().out
    assert main(["score", "--lake", "lake", "--tracking", uri, "--model", "models:/polymarket@champion", "--out", "price.parquet"]) == 0  # fmt: skip
    assert main(["evaluate", "--lake", "lake", "--predictions", "price.parquet"]) == 0
    assert "does not beat the market's price" in capsys.readouterr().out
    for missing in ("models:/polymarket@nobody", "models:/polymarket/99", "runs:/nothing/model"):
        assert (
            main(["score", "--lake", "lake", "--tracking", uri, "--model", missing, "--out", "x.parquet"])
            == 2
        )
        assert f"there is no model {missing}" in capsys.readouterr().err


def test_a_model_in_a_folder_needs_no_server(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled(Lake(at_home / "lake"), training_rows(60, days=10))
    (at_home / "model").mkdir()
    Correction((), ENCODING, Shrinkage(0.0)).save(at_home / "model")
    assert main(["score", "--lake", "lake", "--model", "model", "--out", "said.parquet", "--since", "2026-01-08"]) == 0  # fmt: skip
    assert "scored by model" in capsys.readouterr().out


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


WRONG = [
    (["score", "--lake", "nowhere", "--model", "m", "--out", "o"], "there is no lake at"),
    (["score", "--model", "m", "--out", "o"], "LAKE_ROOT is not set"),
    (["score", "--lake", "lake", "--model", "models:/polymarket/1", "--out", "o"], "MLFLOW_TRACKING_URI is not set"),
    (["score", "--lake", "lake", "--model", "m", "--out", "o"], "there is no model at m"),
    (["score", "--lake", "lake", "--model", "m", "--out", "o", "--at", "now", "--since", "2026-01-01"], "ask for one of them"),
    (["evaluate", "--lake", "lake", "--predictions", "o"], "there is no file o"),
    (["train", "--lake", "lake"], "MLFLOW_TRACKING_URI is not set"),
    (["train", "--lake", "lake", "--tracking", "sqlite:///x.db"], "0 labelled groups"),
    (["leak-audit", "--root", "nowhere"], "there is no lake at"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_cannot_be_done_is_one_sentence_and_2(at_home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:  # fmt: skip
    (at_home / "lake").mkdir()
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told


def test_a_server_that_is_not_there_is_said_before_anything_is_done(
    at_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (at_home / "lake").mkdir()
    for arguments in (["train"], ["score", "--model", "models:/polymarket@champion", "--out", "o"]):
        assert main([*arguments, "--lake", "lake", "--tracking", closed_port()]) == 2
        assert "no tracking server answers at" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["train", "--trials", "-1"], ["train", "--trials", "1000"], ["score", "--since", "yesterday"]],
)
def test_arguments_that_mean_nothing_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
