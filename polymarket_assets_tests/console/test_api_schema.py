"""Whatever programs ask, the API answers what its OpenAPI document says, and never with an error of ours.

Cases are generated from the document of the whole console (schemathesis): values at and beyond the bounds of every parameter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import response_schema_conformance

from console.app import made
from console.place import Place
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.console import models_lake
from polymarket_assets_tests.console.models_lake import NOW
from polymarket_assets_tests.console.served import Console, served, settings_of

# Of each endpoint; `--hypothesis-seed` and more of them are for a longer search.
_CASES = 12
# Of SQL, each case is a process; what may be asked has a table of attacks of its own.
_QUERY, _QUERIES = "/api/database/query", 3
_WITHIN_S = 20.0
_AWAY, _OURS = 503, 500


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """Over a lake with a little of much, alone: what asks others answers 503."""
    lake = Lake(tmp_path_factory.mktemp("lake"))
    models_lake.fill(lake)
    with served(settings_of(lake), clock=lambda: NOW) as found:
        yield found


described = made(Place(settings_of(None))).openapi()
schema = schemathesis.openapi.from_dict(described)
of_queries = schemathesis.openapi.from_dict(described).include(path=_QUERY)
of_queries.config.phases.update(phases=["fuzzing"])


@schema.exclude(path=_QUERY).parametrize()
@settings(max_examples=_CASES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_answer_is_as_described(case: Any, console: Console) -> None:
    _hold(case, console)


@of_queries.parametrize()
@settings(max_examples=_QUERIES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_answer_of_sql_is_as_described(case: Any, console: Console) -> None:
    _hold(case, console)


def _hold(case: Any, console: Console) -> None:
    answer = case.call(base_url=console.address, timeout=_WITHIN_S)
    if answer.status_code >= _OURS:
        assert answer.status_code == _AWAY, (case.as_curl_command(), answer.text[:300])
        assert {"detail", "reasons"} & set(answer.json()), "what is away is told in words"
    elif answer.status_code == 200:
        case.validate_response(answer, checks=[response_schema_conformance])


def test_every_endpoint_says_what_it_is_and_what_each_parameter_means(console: Console) -> None:
    """The page of the API is made of nothing else."""
    for path, methods in console.json("/api/openapi.json")["paths"].items():
        for method, said in methods.items():
            assert said.get("description"), f"{method} {path} does not say what it answers"
            unsaid = [one["name"] for one in said.get("parameters", ()) if not one.get("description")]
            assert not unsaid, f"{method} {path} does not say what {unsaid} mean"
            answers = said["responses"]["200"]["content"]
            is_typed = all(kind != "application/json" or held.get("schema") for kind, held in answers.items())
            assert is_typed, f"{method} {path} does not say what form its answer has"


def test_every_parameter_is_bounded(console: Console) -> None:
    """What has no bound, somebody asks for without one."""
    for path, methods in console.json("/api/openapi.json")["paths"].items():
        for method, said in methods.items():
            for one in said.get("parameters", ()):
                kinds = one["schema"].get("anyOf", [one["schema"]])
                for kind in kinds:
                    told = f"{method} {path}: {one['name']}"
                    if kind.get("type") in ("integer", "number"):
                        assert {"maximum", "exclusiveMaximum"} & set(kind), told
                    if kind.get("type") == "string":
                        assert {"maxLength", "enum", "const", "format", "pattern"} & set(kind), told
