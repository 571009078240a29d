"""One compose file on top of another, as `docker compose -f one -f other` takes them.

The rules are those of the Compose Specification, "Merge and override" (13-merge.md): mappings merge key by key, sequences are
joined, scalars and the commands of a service are replaced; what names itself is there once, the later one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from polymarket_assets.settings import NotConfigured

Name = Callable[[Any], str]

# Words of one command: half of one and half of another are none.
REPLACED = {"command", "entrypoint", "test"}
# Lists that may be written as mappings too.
NAMED = {"environment", "labels", "annotations", "sysctls", "args", "extra_hosts"}
# Lists of services and networks, which are mappings without further words.
LISTED: Mapping[str, Any] = {"depends_on": {"condition": "service_started"}, "networks": None}


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The two files as one; anchors (`x-…`) are of the file that has them. Raises `NotConfigured` for what cannot be merged."""
    files = ({key: value for key, value in file.items() if not key.startswith("x-")} for file in (below, above))  # fmt: skip
    return dict(_merged("", *files))


def _merged(key: str, below: Any, above: Any) -> Any:
    if below is None or above is None or key in REPLACED:
        return below if above is None else above
    below, above = _as_mapping(key, below), _as_mapping(key, above)
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        if key == "logging" and below.get("driver") != above.get("driver", below.get("driver")):
            return above
        return {**below, **{name: _merged(name, below.get(name), value) for name, value in above.items()}}
    if _is_list(below) and _is_list(above):
        return _joined(UNIQUE.get(key, str), [*below, *above])
    if _is_list(below) != _is_list(above) or isinstance(below, Mapping) != isinstance(above, Mapping):
        raise NotConfigured(f"{key} is {type(below).__name__} in one file and {type(above).__name__} in the other")  # fmt: skip
    return above


def _as_mapping(key: str, value: Any) -> Any:
    """What may be written either way, as a mapping."""
    if not _is_list(value):
        return value
    if key in NAMED:
        return {name: rest for name, _, rest in (str(entry).partition("=") for entry in value)}
    return dict.fromkeys(value, LISTED[key]) if key in LISTED else value


def _joined(name: Name, entries: Sequence[Any]) -> list[Any]:
    """Each entry once, by its name: in the place of the first, as the last has it."""
    return list({name(entry): entry for entry in entries}.values())


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _target(volume: Any) -> str:
    """Where it is mounted: `source:target[:mode]`, or the target alone."""
    if isinstance(volume, Mapping):
        return str(volume.get("target"))
    parts = str(volume).split(":")
    return parts[1] if len(parts) > 1 else parts[0]


def _path(entry: Any) -> str:
    return str(entry.get("path") if isinstance(entry, Mapping) else entry)


UNIQUE: Mapping[str, Name] = {"volumes": _target, "env_file": _path}
