"""Where services write, and what of the host they see: rules of `launch.compose_rules` about mounts.

A service that writes beside its volumes goes on as if all were well, until its container is made anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from launch.home import PROJECT

Content = Mapping[str, Any]
Told = Mapping[str, Any]

# Whoever speaks to it is root on this host: those alone that start or end containers, under the instance file that says so.
ENGINE = "/var/run/docker.sock"
LAUNCHING, LAUNCHER = ("webserver", "daemon"), "./deploy/dagster.scale.yaml"
# What a service is told of folders that it writes, by variables and by options of its command.
WRITTEN = ("LAKE_ROOT", "STATE_DIR", "RUN_LOGS_DIR")
OPTION = "--artifacts-destination="
# Those that only read what they mount.
READERS = frozenset({"console"})
# Since 18 the image declares this one a volume, and keeps its cluster in a folder of its version below: mounted deeper,
# as before, everything would lie in a volume that has no name and goes with the container.
POSTGRES, CLUSTER = "postgres:", "/var/lib/postgresql"
# What cannot be made again: `docker compose down -v` removes only what it made.
KEPT = ("lake", "postgres", "mlflow")
# Namespaces of the host that a container can be given, beside that of the network.
SHARED = ("pid", "ipc", "uts", "cgroup", "userns_mode")


@dataclass(frozen=True)
class Mount:
    """One entry of `volumes`."""

    source: str
    target: PurePosixPath
    is_writable: bool = True


def mounts(told: Told) -> list[Mount]:
    """The volumes and folders of a service, in either way of writing them."""
    return [_long(one) if isinstance(one, Mapping) else _short(str(one)) for one in told.get("volumes", ())]


def folders(content: Content) -> Iterator[str]:
    """What is written lies on a volume, and what cannot be made again on one that stays."""
    ours = {told.get("image") for told in content["services"].values() if told.get("build")}
    for name, told in content["services"].items():
        there = [*mounts(told), *(_of_runs() if _launches(name, told) else ())]
        yield from (f"{name} writes {what}, which is on none of its volumes" for what in _written(told) if not _holds(there, what, name not in READERS))  # fmt: skip
        if told.get("image") in ours and not any(
            str(one).split(":")[0] == "/tmp" for one in told.get("tmpfs", ())
        ):
            yield f"{name} has no tmpfs at /tmp"
        if str(told.get("image", "")).startswith(POSTGRES) and not _holds([one for one in there if str(one.target) == CLUSTER], CLUSTER, True):  # fmt: skip
            yield f"{name} mounts no volume at {CLUSTER}"
    yield from (f"the volume {name} goes with `docker compose down -v`" for name in KEPT if not (content["volumes"].get(name) or {}).get("external"))  # fmt: skip


def host(content: Content) -> Iterator[str]:
    """Nobody sees more of the host than its volumes, and files of ours to read."""
    for name, told in content["services"].items():
        yield from (f"{name} has the {kind} of the host" for kind in SHARED if told.get(kind) == "host")
        if told.get("devices"):
            yield f"{name} has devices of the host"
        for one in mounts(told):
            if one.source.startswith(("/", "~", "..")) and one.source != ENGINE:
                yield f"{name} mounts {one.source} of the host"
            elif one.source.startswith(".") and (one.is_writable or not _is_deployed(one.source)):
                yield f"{name} mounts {one.source}, which is no file to read of deploy/"


def engine(content: Content) -> Iterator[str]:
    """Nobody speaks to the container engine but those that launch runs."""
    for name, told in content["services"].items():
        if ENGINE in (one.source for one in mounts(told)) and not _launches(name, told):
            yield f"{name} speaks to the container engine, and launches nothing"


def _launches(name: str, told: Told) -> bool:
    return name in LAUNCHING and LAUNCHER in (one.source for one in mounts(told))


def _of_runs() -> list[Mount]:
    """What runs mount: where they are containers, their launcher is told folders for them."""
    launcher = yaml.safe_load((PROJECT / LAUNCHER).read_text(encoding="utf-8"))["run_launcher"]
    return mounts(launcher["config"]["container_kwargs"])


def _written(told: Told) -> list[str]:
    """Folders that a service is told; an address of an object store is none."""
    environment, command = told.get("environment", {}), told.get("command", ())
    named = [str(environment[name]) for name in WRITTEN if name in environment]
    named += [str(word).removeprefix(OPTION) for word in command if str(word).startswith(OPTION)]
    return [one for one in named if "://" not in one]


def _holds(there: list[Mount], path: str, must_write: bool) -> bool:
    """Whether a path lies on a volume, which may be written if it must be."""
    found = [one for one in there if PurePosixPath(path).is_relative_to(one.target) and not one.source.startswith(".")]  # fmt: skip
    return any(one.is_writable or not must_write for one in found)


def _is_deployed(source: str) -> bool:
    return (PROJECT / source).resolve().is_relative_to(PROJECT / "deploy")


def _short(entry: str) -> Mount:
    source, target, *mode = entry.split(":") if ":" in entry else ("", entry)
    return Mount(source, PurePosixPath(target), "ro" not in ",".join(mode).split(","))


def _long(entry: Told) -> Mount:
    return Mount(str(entry.get("source", "")), PurePosixPath(entry["target"]), not entry.get("read_only"))
