"""Versions of the registered model: their aliases, what they gained over the price out of fold, and where MLflow shows them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from console.models.mlflow import PAGE, Tracking
from console.place import Place
from polymarket_assets.learning.registered import (
    DATA_UNTIL,
    EXPERIMENT,
    GIVEN_UP,
    NAME,
    SAYS_THE_PRICE,
    SHADOW_SINCE,
    TRAINING,
)
from polymarket_assets.masking import masked
from polymarket_assets.venue.errors import Gone, MalformedPayload

# A training a week and a promotion a day: half a minute is soon.
EVERY_S = 30.0


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval; null ends: not known."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Version:
    """A registered version. `skill` is 1 − Brier / Brier of the price, `gain` log loss of the price less its own, nats: of unseen weeks."""

    version: str
    name: str
    aliases: tuple[str, ...]
    created_at: datetime
    run_id: str
    says_the_price: bool
    skill: Figure | None
    gain: Figure | None
    data_until: str | None
    shadow_since: str | None
    given_up: str | None
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    description: str
    mlflow_version: str
    mlflow_run: str | None


@dataclass(frozen=True)
class Registered:
    """All versions, the newest first; `mlflow` is the page of all of them."""

    versions: tuple[Version, ...]
    mlflow: str

    def named(self, version: str) -> Version:
        """A version by its number, its name or an alias. Raises `Gone`."""
        for one in self.versions:
            if version in (one.version, one.name, *one.aliases):
                return one
        raise Gone(f"there is no version {version!r} of the model; there are {', '.join(v.version for v in self.versions) or 'none'}")  # fmt: skip


def registered(place: Place) -> Registered:
    """What the tracking server has. Raises `Unavailable`."""
    server = Tracking(place.settings)
    base = masked(place.settings.mlflow_url or place.settings.need_mlflow_tracking_uri()).rstrip("/")
    shown = f"{base}/#/models/{NAME}"
    try:
        model = server.get("registered-models/get", name=NAME)["registered_model"]
    except Gone:
        return Registered((), f"{shown}{TRAINING}")
    named = _aliases(model)
    found = server.pages("model-versions/search", "model_versions", filter=f"name = '{NAME}'")
    runs = _runs(server)
    versions = [_version(one, named.get(str(one["version"]), ()), runs.get(one.get("run_id", "")), base) for one in found]  # fmt: skip
    return Registered(tuple(sorted(versions, key=lambda one: -int(one.version))), f"{shown}{TRAINING}")


def _aliases(model: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for one in model.get("aliases", []):
        found[str(one["version"])] = (*found.get(str(one["version"]), ()), one["alias"])
    return found


def _runs(server: Tracking) -> dict[str, dict[str, Any]]:
    """The newest runs by id: one question, not one a version."""
    try:
        experiment = server.get("experiments/get-by-name", experiment_name=EXPERIMENT)["experiment"]
    except Gone:
        return {}
    asked = {"experiment_ids": [experiment["experiment_id"]], "max_results": PAGE, "order_by": ["attributes.start_time DESC"]}  # fmt: skip
    return {run["info"]["run_id"]: run for run in server.post("runs/search", asked).get("runs", [])}


def _version(one: Mapping[str, Any], aliases: tuple[str, ...], run: dict[str, Any] | None, base: str) -> Version:  # fmt: skip
    try:
        tags = _named(one.get("tags", []))
        data = run["data"] if run else {}
        metrics = {name: float(value) for name, value in _named(data.get("metrics", [])).items() if math.isfinite(float(value))}  # fmt: skip
        number = str(one["version"])
        return Version(
            version=number, name=f"{NAME}/{number}", aliases=aliases, run_id=one.get("run_id", ""),
            created_at=datetime.fromtimestamp(int(one["creation_timestamp"]) / 1e3, UTC),
            says_the_price=SAYS_THE_PRICE in tags, skill=_figure(metrics, "brier_skill"), gain=_figure(metrics, "log_loss_gain"),
            data_until=tags.get(DATA_UNTIL), shadow_since=tags.get(SHADOW_SINCE), given_up=tags.get(GIVEN_UP),
            tags=tags, params=_named(data.get("params", [])), metrics=metrics, description=one.get("description", ""),
            mlflow_version=f"{base}/#/models/{NAME}/versions/{number}{TRAINING}",
            mlflow_run=f"{base}/#/experiments/{run['info']['experiment_id']}/runs/{one['run_id']}{TRAINING}" if run else None,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, OverflowError) as e:
        raise MalformedPayload("a version of the tracking server", dict(one), str(e)) from e


def _named(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {one["key"]: one["value"] for one in entries}


def _figure(metrics: Mapping[str, float], name: str) -> Figure | None:
    value = metrics.get(name)
    return None if value is None else Figure(value, metrics.get(f"{name}_low"), metrics.get(f"{name}_high"))
