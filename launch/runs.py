"""Dagster runs asked for over its own GraphQL, as a person would from the UI."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import requests

from launch.processes import LOOPBACK
from polymarket_assets.venue.errors import Refused, Unavailable

_LAUNCH = """
mutation ($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""
_STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
_REPORTED = """
query ($id: ID!) {
  runOrError(runId: $id) {
    ... on Run {
      assetMaterializations {
        assetKey { path }
        metadataEntries { label ... on IntMetadataEntry { intValue } ... on FloatMetadataEntry { floatValue } ... on TextMetadataEntry { text } ... on UrlMetadataEntry { url } ... on MarkdownMetadataEntry { mdStr } }
      }
    }
  }
}
"""
_REPOSITORY = (
    "query { repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
)

# Where a metadata entry keeps its value, by its kind.
_KINDS = ("intValue", "floatValue", "text", "url", "mdStr")
OVER = {"SUCCESS", "FAILURE", "CANCELED"}
POLL_S = 1.0
# A run of the demo takes seconds; past this something is wrong.
RUN_S = 240


class RunFailed(Refused):
    """A run ended other than well; the message links to it."""


class Dagster:
    """Runs of the one code location behind a webserver's port."""

    def __init__(self, port: int, *, seconds: float) -> None:
        """Wait until the code location is loaded. Raises `Unavailable` when it is not within `seconds`."""
        self.page = f"http://{LOOPBACK}:{port}"
        self._session = requests.Session()
        self._repository = self._loaded(seconds)

    def _loaded(self, seconds: float) -> dict[str, str]:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for node in self._ask(_REPOSITORY, {})["repositoriesOrError"].get("nodes", []):
                return {"repositoryName": node["name"], "repositoryLocationName": node["location"]["name"]}
            time.sleep(POLL_S)
        raise Unavailable(f"the code location was not loaded within {seconds:g} s: see {self.page}/locations")

    def launch(
        self, job: str, *, tags: Mapping[str, str] | None = None, config: Mapping[str, Any] | None = None
    ) -> str:
        """Queue a run of a job; returns its id. Raises `RunFailed` when Dagster refuses it."""
        parameters = {
            "selector": {**self._repository, "jobName": job},
            "runConfigData": dict(config or {}),
            "mode": "default",
            "executionMetadata": {
                "tags": [{"key": key, "value": value} for key, value in (tags or {}).items()]
            },
        }
        answer = self._ask(_LAUNCH, {"parameters": parameters})["launchRun"]
        if answer["__typename"] != "LaunchRunSuccess":
            raise RunFailed(f"{job} was refused: {answer}")
        return str(answer["run"]["runId"])

    def status(self, run_id: str) -> str:
        """The run's status, as Dagster names it."""
        return str(self._ask(_STATUS, {"id": run_id})["runOrError"]["status"])

    def reported(self, run_id: str) -> dict[str, dict[str, Any]]:
        """What a run's assets reported: asset key to label to value, for numbers and texts."""
        found = self._ask(_REPORTED, {"id": run_id})["runOrError"]["assetMaterializations"]
        return {
            "/".join(item["assetKey"]["path"]): dict(map(_entry, item["metadataEntries"])) for item in found
        }

    def link(self, run_id: str) -> str:
        """The run's page."""
        return f"{self.page}/runs/{run_id}"

    def wait(
        self, run_ids: Iterable[str], *, seconds: float, tick: Callable[[int], None] = lambda over: None
    ) -> None:
        """Return when all runs are over and well. Raises `RunFailed` for one that is not, `Unavailable` after `seconds`."""
        until, due = time.monotonic() + seconds, list(run_ids)
        while time.monotonic() < until:
            statuses = {run_id: self.status(run_id) for run_id in due}
            for run_id, status in statuses.items():
                if status in OVER and status != "SUCCESS":
                    raise RunFailed(f"a run ended as {status}: {self.link(run_id)}")
            over = sum(status in OVER for status in statuses.values())
            tick(over)
            if over == len(due):
                return
            time.sleep(POLL_S)
        raise Unavailable(f"runs were not over within {seconds:g} s: {', '.join(map(self.link, due))}")

    def wait_for(self, key: str, run_id: str, *, seconds: float, tick: Callable[[int], None]) -> None:
        """Return when a run has materialised an asset, whatever else it does. Raises as `wait`, and when it never did."""
        until = time.monotonic() + seconds
        while key not in self.reported(run_id):
            if (status := self.status(run_id)) in OVER:
                raise RunFailed(f"a run ended as {status} without {key}: {self.link(run_id)}")
            if time.monotonic() > until:
                raise Unavailable(f"{key} was not there within {seconds:g} s: {self.link(run_id)}")
            tick(0)
            time.sleep(POLL_S)

    def _ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._session.post(
            f"{self.page}/graphql", json={"query": query, "variables": variables}, timeout=60
        )
        answer.raise_for_status()
        body = answer.json()
        if "errors" in body:
            raise Refused(f"Dagster refused a query: {body['errors'][0]['message']}")
        return dict(body["data"])


def _entry(entry: Mapping[str, Any]) -> tuple[str, Any]:
    return str(entry["label"]), next((entry[kind] for kind in _KINDS if kind in entry), None)
