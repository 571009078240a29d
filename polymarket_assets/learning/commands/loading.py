"""Models by name: of a registry, of a run, or in a folder; what each says, and up to when it may have learnt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from polymarket_assets.lake.spans import DAY, HOUR
from polymarket_assets.learning.tracking import models, server
from polymarket_assets.venue.errors import Gone, Refused

if TYPE_CHECKING:
    from polymarket_assets.learning.served import Correction

Reals = npt.NDArray[np.float64]

PARTITIONS = "lake/partitions.json"
TRACKED = ("models:/", "runs:/")


@dataclass(frozen=True)
class Loaded:
    """A model that can be asked. `says` gives of n feature rows the probabilities (n,), and where members differ their
    spread (n,), logits; `learnt_until`: no row it learnt from lies later; None: not known."""

    name: str
    run_id: str | None
    learnt_until: datetime | None
    says_the_price: bool
    says: Callable[[pa.Table], tuple[Reals, Reals | None]]


@contextmanager
def loaded(where: str, tracking_uri: Callable[[], str]) -> Iterator[Loaded]:
    """The model of `models:/name@alias`, `models:/name/3`, `runs:/<id>/model` or a folder; the server is asked for tracked ones only,
    whose files are there for as long as the model is: one that is not ours may read them when it is asked.

    Raises:
        Unavailable: the tracking server cannot be reached.
        Gone: there is no such model.
        Refused: what lies there is no model.
    """
    if not where.startswith(TRACKED):
        yield _of_folder(Path(where))
        return
    with TemporaryDirectory() as folder:
        yield _of_server(where, tracking_uri(), folder)


def _of_server(where: str, tracking_uri: str, folder: str) -> Loaded:
    with server.bound(tracking_uri) as mlflow, _there(where):
        model = mlflow.pyfunc.load_model(where, dst_path=folder)
        run_id = model.metadata.run_id
        return _asked(_named(mlflow, where), model, _learnt_until(mlflow, run_id) or _made_at(model))


@contextmanager
def _there(where: str) -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as e:
        if server.is_lost(e):
            raise
        raise Gone(f"there is no model {where}: {str(e).splitlines()[0]}") from e


def _named(mlflow: Any, where: str) -> str:
    """Name and version; of a run, what was asked for."""
    name, at, alias = where.removeprefix("models:/").partition("@")
    if not at:
        return where.removeprefix("models:/")
    return f"{name}/{mlflow.MlflowClient().get_model_version_by_alias(name, alias).version}"


def _of_folder(folder: Path) -> Loaded:
    """What `Correction.save` wrote, or a model as MLflow writes it."""
    if not folder.is_dir():
        raise Gone(
            f"there is no model at {folder}: name a folder, {' or '.join(f'{kind}…' for kind in TRACKED)}"
        )
    if (folder / "MLmodel").exists():
        import mlflow

        with _there(str(folder)):
            model = mlflow.pyfunc.load_model(str(folder))
            return _asked(str(folder), model, _made_at(model))
    if not (folder / "correction.json").exists():
        raise Refused(f"{folder} holds no model: neither MLmodel nor correction.json is there")
    from polymarket_assets.learning.served import Correction

    return _of_correction(str(folder), None, None, Correction.load(folder))


def _asked(name: str, model: Any, until: datetime | None) -> Loaded:
    """One of ours says how sure it is, too; any other is asked for probabilities."""
    inside = getattr(model.unwrap_python_model(), "correction", None)
    if inside is not None:
        return _of_correction(name, model.metadata.run_id, until, inside)
    names = tuple(column.name for column in model.metadata.signature.inputs)

    def says(rows: pa.Table) -> tuple[Reals, Reals | None]:
        if missing := [each for each in names if each not in rows.column_names]:
            raise Refused(f"{name} asks for {', '.join(missing)}, which features are not")
        return np.asarray(model.predict(models.framed(rows, names)), dtype=np.float64).ravel(), None

    return Loaded(name, model.metadata.run_id, until, False, says)


def _of_correction(name: str, run_id: str | None, until: datetime | None, correction: Correction) -> Loaded:
    def says(rows: pa.Table) -> tuple[Reals, Reals | None]:
        return correction.said(rows.to_pandas())

    return Loaded(name, run_id, until, correction.shrinkage.kappa == 0.0, says)


def _learnt_until(mlflow: Any, run_id: str | None) -> datetime | None:
    """The end of the last partition that a run took rows from; None: it does not say."""
    if not run_id:
        return None
    with TemporaryDirectory() as folder:
        try:
            found = Path(server.artifact(mlflow, run_id, PARTITIONS, folder)).read_bytes()
        except Gone:
            return None
    return max((_end(each["partition"]) for each in json.loads(found)["partitions"]), default=None)


def _end(partition: str) -> datetime:
    """Of an hour (`2026-03-01-14:00`) or a day."""
    if len(partition) == len("2026-03-01"):
        day = date.fromisoformat(partition)
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + DAY
    return datetime.strptime(partition, "%Y-%m-%d-%H:%M").replace(tzinfo=UTC) + HOUR


def _made_at(model: Any) -> datetime | None:
    """When a model was made, later than which nothing can have been learnt from."""
    made = model.metadata.utc_time_created
    return datetime.fromisoformat(made).replace(tzinfo=UTC) if made else None
