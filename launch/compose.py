"""`docker-compose.yml` as data: read, with its variables filled in, service by service."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polymarket_assets.settings import NotConfigured

# `${NAME}`, `${NAME:-default}`, `${NAME:+where it is set}` and `${NAME:?what is to be done}`, a default with one more variable in it; `$$` is a dollar.
_VARIABLE = re.compile(r"\$\$|\$\{(?P<name>\w+)(?::(?P<kind>[-+?])(?P<rest>(?:[^{}]|\{[^{}]*\})*))?\}")


@dataclass(frozen=True)
class Service:
    """One service: what runs, what it is told, how it is asked, and whom it waits for."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    # Whether it is told what stands in `.env`, too.
    reads_env: bool
    health: tuple[str, ...]
    waits_for: tuple[str, ...]
    told: Mapping[str, Any]


def read(file: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """The file's content, variables filled in. Raises `NotConfigured` for one that must be set."""
    import yaml

    return dict(_filled(yaml.safe_load(file.read_text(encoding="utf-8")), variables))


def services(content: Mapping[str, Any]) -> list[Service]:
    """The services, each after those that it waits for."""
    made = {name: _service(name, told) for name, told in content["services"].items()}
    ordered: list[Service] = []
    while rest := [one for one in made.values() if one not in ordered]:
        ready = [one for one in rest if all(made[name] in ordered for name in one.waits_for)]
        if not ready:
            raise NotConfigured(f"services wait for each other: {', '.join(one.name for one in rest)}")
        ordered += ready
    return ordered


def _service(name: str, told: Mapping[str, Any]) -> Service:
    command, test = told.get("command", ()), told.get("healthcheck", {}).get("test", ())
    waits = told.get("depends_on", {})
    return Service(
        name,
        tuple(map(str, command)),
        {key: str(value) for key, value in told.get("environment", {}).items()},
        bool(told.get("env_file")),
        tuple(map(str, test[1:] if test and test[0] == "CMD" else test)),
        tuple(waits),
        told,
    )


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(one, variables) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_filled(one, variables) for one in value]
    return _VARIABLE.sub(lambda found: _value(found, variables), value) if isinstance(value, str) else value


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    name, kind, rest = found["name"], found["kind"], found["rest"]
    if name is None:
        return "$"
    given = variables.get(name, "")
    if kind == "+":
        return str(_filled(rest, variables)) if given else ""
    if given or kind is None:
        return given
    if kind == "?":
        raise NotConfigured(f"{name} is not set: {rest}")
    return str(_filled(rest, variables))
