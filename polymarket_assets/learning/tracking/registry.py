"""The registered model and its aliases: which version is on trial, which is followed, and which came before it.

Every training registers a version, the challenger. Promotion moves aliases (`learning.promotion`); until a model has earned it,
the champion is a version that says the market's own price.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from polymarket_assets import console_links
from polymarket_assets.learning.registered import (
    ASKED,
    CHALLENGER,
    CHAMPION,
    CONSOLE,
    DATA_UNTIL,
    NAME,
    SAYS_THE_PRICE,
    SHADOW_SINCE,
    TO_THE_MINUTE,
)
from polymarket_assets.learning.served import Correction, Encoding, Shrinkage
from polymarket_assets.learning.tracking import models, server
from polymarket_assets.learning.tracking.runs import open_experiment
from polymarket_assets.venue.errors import Gone, MalformedPayload

_ABOUT = (
    "Corrections of Polymarket's own price. champion: what is followed; shadow: watched live before it may be; challenger: the newest "
    "training; previous: what was followed before. The asset `promotion` moves aliases, and says why."
)


@dataclass(frozen=True)
class Version:
    """A registered version: its number, the run it came from, and what was said of it."""

    number: str
    run_id: str
    tags: dict[str, str]

    @property
    def name(self) -> str:
        """As it stands in `predictions`."""
        return f"{NAME}/{self.number}"

    @property
    def says_the_price(self) -> bool:
        """Whether it corrects nothing."""
        return SAYS_THE_PRICE in self.tags

    @property
    def learnt_before(self) -> datetime | None:
        """No row it learnt from lies at this instant or later, the minute that its tag is cut to over; None: it does not say."""
        told = self._instant(DATA_UNTIL)
        return told + timedelta(minutes=1) if told else None

    @property
    def shadow_since(self) -> datetime | None:
        """When it became shadow, to the minute; None: it does not say."""
        return self._instant(SHADOW_SINCE)

    def _instant(self, tag: str) -> datetime | None:
        told = self.tags.get(tag)
        return datetime.strptime(told, TO_THE_MINUTE).replace(tzinfo=UTC) if told else None


@dataclass(frozen=True)
class Followed:
    """What is asked live, by role: models, each with its name, and why a version that an alias names is not asked."""

    models: dict[str, tuple[str, Correction]]
    not_asked: dict[str, str]


class Registry:
    """The registry of one server; every call raises `Unavailable` where it does not answer."""

    def __init__(self, tracking_uri: str) -> None:
        self._uri = tracking_uri

    def register(self, run_id: str, tags: dict[str, str]) -> Version:
        """Register the model of a run; it is the challenger from now on."""
        with server.bound(self._uri) as mlflow:
            made = mlflow.register_model(f"runs:/{run_id}/{models.MODEL}", NAME, tags=tags)
            _name_run(mlflow, run_id, f"{NAME}/{made.version}")
        registered = Version(str(made.version), run_id, tags)
        self.tag(registered, {CONSOLE: console_links.of_models(registered.number)})
        self.point(CHALLENGER, registered.number)
        return registered

    def at(self, alias: str) -> Version | None:
        """The version of an alias."""
        from mlflow.exceptions import MlflowException

        with server.bound(self._uri) as mlflow:
            try:
                found = mlflow.MlflowClient().get_model_version_by_alias(NAME, alias)
            except MlflowException as e:
                if e.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    raise
                return None
        return Version(str(found.version), found.run_id, dict(found.tags))

    def point(self, alias: str, number: str | None) -> None:
        """Move an alias to a version, or take it away."""
        with server.bound(self._uri) as mlflow:
            client = mlflow.MlflowClient()
            if number is None:
                client.delete_registered_model_alias(NAME, alias)
            else:
                client.set_registered_model_alias(NAME, alias, number)

    def describe(self, run_id: str, said: str) -> None:
        """Say of the versions of a run what was found of them, where people look at versions."""
        with server.bound(self._uri) as mlflow:
            client = mlflow.MlflowClient()
            client.update_registered_model(NAME, f"{_ABOUT}\n\n{console_links.in_markdown(console_links.of_models())}")  # fmt: skip
            for version in client.search_model_versions(f"run_id = '{run_id}'"):
                page = console_links.of_models(str(version.version))
                client.update_model_version(NAME, version.version, f"{said}\n\n{console_links.in_markdown(page)}")  # fmt: skip

    def tag(self, version: Version, tags: dict[str, str]) -> None:
        """Say something of a version."""
        with server.bound(self._uri) as mlflow:
            for name, value in tags.items():
                mlflow.MlflowClient().set_model_version_tag(NAME, version.number, name, value)

    def metric(self, version: Version, name: str) -> float | None:
        """A figure of the run a version came from."""
        with server.bound(self._uri) as mlflow:
            found = mlflow.MlflowClient().get_run(version.run_id).data.metrics.get(name)
        return None if found is None else float(found)

    def correction(self, version: Version) -> Correction:
        """The model of a version.

        Raises:
            Gone: its files are.
            MalformedPayload: they hold something else.
        """
        # Without a folder MLflow makes one that nobody removes; boosters are read whole before it goes.
        with server.bound(self._uri) as mlflow, _readable(version), TemporaryDirectory() as folder:
            loaded = mlflow.pyfunc.load_model(f"models:/{NAME}/{version.number}", dst_path=folder)
            found: Correction = loaded.unwrap_python_model().correction
        return found

    def followed(self) -> Followed:
        """The models that are asked live; one version in two roles is asked once, as the first.

        Raises:
            Gone: there are versions, and not one of them can be loaded.
        """
        named = {role: version for role in ASKED if (version := self.at(role))}
        first = {version.number: role for role, version in reversed(named.items())}
        found = Followed({}, {})
        for role in (role for role, version in named.items() if first[version.number] == role):
            try:
                found.models[role] = named[role].name, self.correction(named[role])
            except (Gone, MalformedPayload) as e:
                found.not_asked[role] = str(e)
        if found.not_asked and not found.models:
            raise Gone(f"no model that is followed can be loaded, train again: {'; '.join(found.not_asked.values())}")  # fmt: skip
        return found

    def held_price(self) -> Version | None:
        """The version that says the price, where one is registered."""
        with server.bound(self._uri) as mlflow:
            held = mlflow.MlflowClient().search_model_versions(f"name = '{NAME}'")
        found = [one for one in held if SAYS_THE_PRICE in one.tags]
        return Version(str(found[0].version), found[0].run_id, dict(found[0].tags)) if found else None

    def price(self, rows: pa.Table, encoding: Encoding) -> Version:
        """The version that says the price, registered once and champion until a model is; `rows` give its example."""
        price = self.held_price() or self._register_price(rows, encoding)
        if self.at(CHAMPION) is None:
            self.point(CHAMPION, price.number)
        return price

    def _register_price(self, rows: pa.Table, encoding: Encoding) -> Version:
        with server.bound(self._uri) as mlflow:
            run_id = _log_price(mlflow, rows, encoding)
            made = mlflow.register_model(f"runs:/{run_id}/{models.MODEL}", NAME, tags={SAYS_THE_PRICE: "yes"})
        registered = Version(str(made.version), run_id, {SAYS_THE_PRICE: "yes"})
        self.tag(registered, {CONSOLE: console_links.of_models(registered.number)})
        return registered


@contextmanager
def _readable(version: Version) -> Iterator[None]:
    """What loading a model raises, as errors that say whose files they are; a server that is lost stays that."""
    from mlflow.exceptions import MlflowException
    from yaml import YAMLError

    try:
        yield
    except (MlflowException, OSError) as e:
        if server.is_lost(e):
            raise
        raise Gone(f"the files of {version.name} are not there: {e}") from e
    except (YAMLError, ValueError, LookupError, TypeError, AttributeError) as e:
        raise MalformedPayload(f"the model of {version.name}", e) from e


def _name_run(mlflow: Any, run_id: str, version: str) -> None:
    """Where runs are compared, each is known by its version."""
    client = mlflow.MlflowClient()
    client.update_run(run_id, name=f"{version}: {client.get_run(run_id).info.run_name}")


def _log_price(mlflow: Any, rows: pa.Table, encoding: Encoding) -> str:
    open_experiment(mlflow)
    with TemporaryDirectory() as folder, mlflow.start_run(run_name="the market's own price") as run:
        mlflow.log_params({"kappa": 0.0})
        mlflow.set_tag("mlflow.note.content", "Corrects nothing: what is followed until a model has earned it, and again when one is given up.")  # fmt: skip
        models.log(mlflow, Correction((), encoding, Shrinkage(0.0)), rows, Path(folder))
    return str(run.info.run_id)
