"""A correction as MLflow keeps it: code and native boosters, with signature and example; nothing of ours is pickled."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from polymarket_assets.learning.features.catalogue import WORDS

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature

    from polymarket_assets.learning.served import Correction

MODEL = "model"
# Rows of the input example: enough to show nulls and categories.
_EXAMPLE_ROWS = 5
# What a machine needs to serve it: the platform is not among it.
_NEEDED = ("mlflow", "numpy", "pandas", "xgboost")


def log(mlflow: Any, correction: Correction, rows: pa.Table, folder: Path) -> str:
    """Log a model into the active run; returns its id. `folder` is empty and goes away afterwards."""
    from polymarket_assets.learning import served

    correction.save(folder)
    example = asked_with(rows.slice(0, _EXAMPLE_ROWS), correction.encoding.names)
    logged = mlflow.pyfunc.log_model(
        name=MODEL,
        python_model=served.__file__,
        artifacts={"correction": str(folder)},
        signature=_signature(example),
        input_example=example,
        pip_requirements=[f"{name}=={metadata.version(name)}" for name in _NEEDED],
    )
    return str(logged.model_id)


def asked_with(rows: pa.Table, names: tuple[str, ...]) -> pd.DataFrame:
    """What a model of ours is asked with: `mid` and the features, `logit_mid` left out because the model derives it."""
    return framed(rows, ("mid", *(name for name in names if name != "logit_mid")))


def framed(rows: pa.Table, names: tuple[str, ...]) -> pd.DataFrame:
    """Columns of feature rows in the types of a signature: words as text, all else as reals."""
    frame: pd.DataFrame = rows.select(names).to_pandas()
    return frame.astype({name: "str" if name in WORDS else "float64" for name in names})


def _signature(example: pd.DataFrame) -> ModelSignature:
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema, TensorSpec

    kinds = {name: DataType.string if name in WORDS else DataType.double for name in example}
    return ModelSignature(
        inputs=Schema([ColSpec(kind, str(name)) for name, kind in kinds.items()]),
        outputs=Schema([TensorSpec(np.dtype("float64"), (-1,))]),
    )
