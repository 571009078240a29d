"""The registry: a model is followed when it was promoted, and until then the price is."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from mlflow.models import infer_signature
from mlflow.pyfunc.model import PythonModel

from polymarket_assets.learning import tracking, training
from polymarket_assets.learning.commands.loading import loaded
from polymarket_assets.learning.registered import CHALLENGER, CHAMPION, NAME, SHADOW
from polymarket_assets.learning.served import inside
from polymarket_assets.learning.tracking.registry import Registry, Version
from polymarket_assets.learning.tracking.server import bound
from polymarket_assets.venue.errors import Gone, MalformedPayload, PolymarketError, Unavailable
from polymarket_assets_tests.learning.synthetic import training_rows


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    return training_rows(120, edge=0.8, days=60)


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory, rows: pa.Table) -> str:
    """A store with one training, registered beside the price."""
    import mlflow

    folder = tmp_path_factory.mktemp("registry")
    uri = f"sqlite:///{folder}/mlflow.db"
    mlflow.MlflowClient(uri).create_experiment(
        tracking.EXPERIMENT, artifact_location=str(folder / "artifacts")
    )
    trained = training.train(rows)
    registry = Registry(uri)
    registry.price(rows, trained.correction.encoding)
    registry.register(tracking.log_training(trained, rows, uri), {"trials_so_far": "3"})
    return uri


def test_until_a_model_is_promoted_the_champion_says_the_price(uri: str, rows: pa.Table) -> None:
    registry = Registry(uri)
    champion = registry.at(CHAMPION)
    assert champion is not None
    assert champion.says_the_price
    frame = rows.to_pandas()
    assert (registry.correction(champion).probabilities(frame) == inside(frame)).all()


def test_a_training_is_the_challenger_with_what_it_is_known_by(uri: str) -> None:
    challenger = Registry(uri).at(CHALLENGER)
    assert challenger is not None
    assert challenger.name == f"polymarket/{challenger.number}"
    assert challenger.tags["trials_so_far"] == "3"
    assert not challenger.says_the_price


def test_an_alias_nobody_has_is_none(uri: str) -> None:
    assert Registry(uri).at(SHADOW) is None


def test_a_store_without_the_model_has_no_versions(tmp_path: Path) -> None:
    assert Registry(f"sqlite:///{tmp_path}/mlflow.db").at(CHAMPION) is None


def test_the_price_is_registered_once(uri: str, rows: pa.Table) -> None:
    registry = Registry(uri)
    held = registry.at(CHAMPION)
    challenger = registry.at(CHALLENGER)
    assert held
    assert challenger
    assert registry.price(rows, registry.correction(challenger).encoding).number == held.number


def test_a_price_that_was_registered_but_not_pointed_at_is_the_champion_the_next_time(
    uri: str, rows: pa.Table
) -> None:
    """A crash between the two would leave nothing to follow, for ever."""
    registry = Registry(uri)
    held, challenger = registry.held_price(), registry.at(CHALLENGER)
    assert held
    assert challenger
    registry.point(CHAMPION, None)
    registry.price(rows, registry.correction(challenger).encoding)
    assert registry.at(CHAMPION) == held


def test_champion_and_challenger_are_asked_live_and_a_version_with_two_roles_once(
    uri: str, rows: pa.Table
) -> None:
    registry = Registry(uri)
    asked = registry.followed().models
    assert list(asked) == [CHAMPION, CHALLENGER]
    challenger = registry.at(CHALLENGER)
    assert challenger
    registry.point(SHADOW, challenger.number)
    assert list(registry.followed().models) == [CHAMPION, SHADOW]
    registry.point(SHADOW, None)
    said = [correction.probabilities(rows.to_pandas()) for _, correction in asked.values()]
    assert np.isfinite(said).all()


@contextmanager
def broken(folder: Path, how: Callable[[Path], object]) -> Iterator[None]:
    """The files of a model, or one of them, as a disk or a hand may leave them."""
    held = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    how(folder)
    try:
        yield
    finally:
        for file, content in held.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def files_of(uri: str, version: Version) -> Path:
    """The folder of a version's model."""
    import mlflow

    model_id = mlflow.MlflowClient(uri, uri).get_model_version(NAME, version.number).source.rpartition("/")[2]
    (folder,) = Path(uri.removeprefix("sqlite:///")).parent.glob(f"artifacts/**/{model_id}")
    return folder


def one(folder: Path, name: str) -> Path:
    (found,) = folder.rglob(name)
    return found


BROKEN: list[tuple[str, Callable[[Path], object], type[PolymarketError]]] = [
    ("all files gone", shutil.rmtree, Gone),
    ("one file gone", lambda folder: one(folder, "correction.json").unlink(), Gone),
    ("trees cut off", lambda folder: one(folder, "0.ubj").write_bytes(b"{L"), MalformedPayload),
    ("no JSON", lambda folder: one(folder, "correction.json").write_text("{"), MalformedPayload),
    ("other JSON", lambda folder: one(folder, "correction.json").write_text("{}"), MalformedPayload),
    ("no YAML", lambda folder: one(folder, "MLmodel").write_text("{{:"), MalformedPayload),
    ("empty", lambda folder: one(folder, "MLmodel").write_text(""), MalformedPayload),
]


@pytest.mark.parametrize(("how", "error"), [(how, error) for _, how, error in BROKEN], ids=[name for name, *_ in BROKEN])  # fmt: skip
def test_a_version_that_cannot_be_loaded_is_left_out_and_said_and_the_others_are_asked(uri: str, how: Callable[[Path], object], error: type[PolymarketError]) -> None:  # fmt: skip
    """One broken version would silence all forecasts."""
    registry = Registry(uri)
    challenger = registry.at(CHALLENGER)
    assert challenger
    with broken(files_of(uri, challenger), how):
        with pytest.raises(error, match=challenger.name):
            registry.correction(challenger)
        found = registry.followed()
    assert list(found.models) == [CHAMPION]
    assert list(found.not_asked) == [CHALLENGER]
    assert challenger.name in found.not_asked[CHALLENGER]


def test_where_no_version_can_be_loaded_that_is_an_error(uri: str) -> None:
    """Nothing said would look as if no market was there."""
    registry = Registry(uri)
    champion, challenger = registry.at(CHAMPION), registry.at(CHALLENGER)
    assert champion
    assert challenger
    with (
        broken(files_of(uri, champion), shutil.rmtree),
        broken(files_of(uri, challenger), shutil.rmtree),
        pytest.raises(Gone, match="train again"),
    ):
        registry.followed()


def test_a_server_that_stopped_answering_is_no_version_without_files(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:  # fmt: skip
    """Left out, it would be missing without need; asked again, it is there."""
    import mlflow
    from mlflow.exceptions import MlflowException

    def lost(where: str, dst_path: str) -> None:
        raise MlflowException("API request to http://tracking failed with exception: timed out")

    monkeypatch.setattr(mlflow.pyfunc, "load_model", lost)
    with pytest.raises(Unavailable):
        Registry(uri).followed()


class Theirs(PythonModel):
    """A model that reads its files when it is asked, as one may that is not ours."""

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> Any:
        return np.full(len(model_input), float(Path(context.artifacts["said"]).read_text()))


@pytest.fixture
def kept_elsewhere(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is kept is fetched, as from a server: the folder where everything temporary goes."""
    from mlflow.store.artifact.artifact_repo import ArtifactRepository
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

    there = LocalArtifactRepository.download_artifacts
    kept = str(Path(uri.removeprefix("sqlite:///")).parent)

    def fetched(self: Any, artifact_path: str, dst_path: str | None = None) -> str:
        how = ArtifactRepository.download_artifacts if self.artifact_dir.startswith(kept) else there
        return str(how(self, artifact_path, dst_path))

    monkeypatch.setattr(LocalArtifactRepository, "download_artifacts", fetched)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_model_that_is_asked_every_quarter_of_an_hour_leaves_nothing_behind(kept_elsewhere: Path, uri: str, rows: pa.Table) -> None:  # fmt: skip
    """Its files were fetched into a folder that nobody removed, and it must not need them afterwards."""
    for _, correction in Registry(uri).followed().models.values():
        assert np.isfinite(correction.probabilities(rows.to_pandas())).all()
    assert list(kept_elsewhere.iterdir()) == []


@pytest.mark.parametrize("names", [["spread_c"], ["mid", "logit_mid", "category"]])
def test_the_files_of_a_model_are_there_as_long_as_it_is_asked(kept_elsewhere: Path, uri: str, rows: pa.Table, names: list[str]) -> None:  # fmt: skip
    """And it is asked with what it names, the price and its log-odds included."""
    (said := kept_elsewhere / "said.txt").write_text("0.25")
    with bound(uri) as mlflow, mlflow.start_run() as run:
        signature = infer_signature(rows.slice(0, 2).select(names).to_pandas())
        mlflow.pyfunc.log_model(name="theirs", python_model=Theirs(), artifacts={"said": str(said)}, signature=signature)  # fmt: skip
    for path in list(kept_elsewhere.iterdir()):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    with loaded(f"runs:/{run.info.run_id}/theirs", lambda: uri) as model:
        assert set(model.says(rows)[0]) == {0.25}
    assert list(kept_elsewhere.iterdir()) == []
