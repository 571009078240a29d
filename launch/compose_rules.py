"""What `docker-compose.yml` must hold, asked of it without a container engine: each rule returns what is wrong, nothing where all is well."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from launch.compose import services
from launch.compose_mounts import ENGINE, engine, folders, host, mounts
from launch.home import PROJECT
from polymarket_assets.settings import NotConfigured, Settings, load

Content = Mapping[str, Any]
Rule = Callable[[Content], Iterator[str]]

# The schema of the Compose Specification, as its authors publish it.
SPECIFICATION = PROJECT / "deploy" / "compose-spec.json"
LOOPBACK = "127.0.0.1:"
# 50 MB, three times: what a service says of a week.
LOGS = {"max-size": "50m", "max-file": "3"}
# libpq's, of those that we use; those that the image of Postgres reads when it makes its databases; and Dagster's own.
_LIBPQ = {"PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGCONNECT_TIMEOUT", "PGAPPNAME"}
_IMAGE = {"POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "POSTGRES_INITDB_ARGS"}
# What is asked directly, for libraries that read the one or the other.
_DIRECT = ("NO_PROXY", "no_proxy")
# The engine's own first process (`init: true`) is tini.
_OTHERS = {"DAGSTER_DAEMON_HEARTBEAT_TOLERANCE", "TINI_KILL_PROCESS_GROUP", *_DIRECT}
_NAMED = re.compile(r"env:\s*(\w+)")


def specification(content: Content) -> Iterator[str]:
    """The schema of the specification: unknown keys, and values of the wrong kind."""
    import jsonschema

    validator = jsonschema.Draft202012Validator(json.loads(SPECIFICATION.read_text(encoding="utf-8")))
    for error in validator.iter_errors(dict(content)):
        yield f"{'.'.join(map(str, error.absolute_path))}: {error.message[:120]}"


def references(content: Content) -> Iterator[str]:
    """Services, volumes, networks and files that are named exist."""
    for name, told in content["services"].items():
        for kind, wanted in (("services", told.get("depends_on", {})), ("networks", told.get("networks", ()))):  # fmt: skip
            yield from (f"{name} names {one!r}, which is none of the {kind}" for one in wanted if one not in content[kind])  # fmt: skip
        for source in (one.source for one in mounts(told)):
            there = (PROJECT / source).exists() if source.startswith(".") else source in (*content["volumes"], ENGINE)  # fmt: skip
            if not there:
                yield f"{name} mounts {source!r}, which is not there"
    # Compose would look for one by the name that stands here alone, which nobody is told to make.
    yield from (f"the volume {name} is another's and has no name" for name, told in content["volumes"].items() if told and told.get("external") and not told.get("name"))  # fmt: skip


def variables(content: Content) -> Iterator[str]:
    """Names of variables are somebody's: a setting, Dagster's instance file, libpq, MLflow, Postgres."""
    import mlflow.environment_variables as of_mlflow

    named = {name for file in ("dagster.yaml", "workspace.yaml") for name in _NAMED.findall((PROJECT / "deploy" / file).read_text(encoding="utf-8"))}  # fmt: skip
    known = {field.upper() for field in Settings.model_fields} | named | _LIBPQ | _IMAGE | _OTHERS
    for service in services(content):
        for name in service.environment:
            if name not in known and not (name.startswith("MLFLOW_") and hasattr(of_mlflow, name)):
                yield f"{service.name} is told {name}, which nobody reads"


def settings(content: Content) -> Iterator[str]:
    """Values of settings can be used."""
    fields = {field.upper(): field for field in Settings.model_fields}
    for service in services(content):
        try:
            load(**{fields[name]: value for name, value in service.environment.items() if name in fields})
        except NotConfigured as e:
            yield f"{service.name}: {e}"


def ports(content: Content) -> Iterator[str]:
    """Nothing listens beyond this machine."""
    for name, told in content["services"].items():
        yield from (f"{name} listens on {port}, not on the loopback interface" for port in told.get("ports", ()) if not str(port).startswith(LOOPBACK))  # fmt: skip
        if told.get("network_mode") == "host":
            yield f"{name} has the network of the host"


def healing(content: Content) -> Iterator[str]:
    """Each says whether it is well, and is started again."""
    for name, told in content["services"].items():
        if not told.get("healthcheck", {}).get("test"):
            yield f"{name} has no health check"
        if told.get("restart") != "unless-stopped":
            yield f"{name} is not started again"
        waits = told.get("depends_on", {})
        conditions = waits if isinstance(waits, Mapping) else {one: {} for one in waits}
        # One that does the same beside it is not asked for anything: that it is to be started is enough.
        asked = [one for other, one in conditions.items() if content["services"].get(other, {}).get("command") != told.get("command")]  # fmt: skip
        if any(one.get("condition") != "service_healthy" for one in asked):
            yield f"{name} waits for a start, not for health"


def limits(content: Content) -> Iterator[str]:
    """Nobody takes all of the machine, nor fills its disk with what it says."""
    for name, told in content["services"].items():
        given = told.get("deploy", {}).get("resources", {}).get("limits", {})
        missing = {"cpus", "memory", "pids"} - set(given)
        if missing:
            yield f"{name} has no limit of {', '.join(sorted(missing))}"
        if told.get("logging", {}).get("options") != LOGS:
            yield f"{name} keeps other logs than 50 MB, three times"


def privileges(content: Content) -> Iterator[str]:
    """No root, no capability, and nothing to write but what is named."""
    for name, told in content["services"].items():
        user = str(told.get("user", "0")).split(":")[0]
        held = {
            "runs as root": user in ("0", "root"),
            "may write everywhere": told.get("read_only") is not True,
            "keeps capabilities": told.get("cap_drop") != ["ALL"] or bool(told.get("cap_add")),
            "may gain privileges": "no-new-privileges:true" not in told.get("security_opt", ()),
            "is privileged": bool(told.get("privileged")),
        }
        yield from (f"{name} {what}" for what, is_so in held.items() if is_so)


def pinned(content: Content) -> Iterator[str]:
    """Images that others make are named by a version or a digest."""
    ours = {told.get("image") for told in content["services"].values() if told.get("build")}
    for name, told in content["services"].items():
        image = str(told.get("image", ""))
        if image not in ours and not re.search(r"@sha256:[0-9a-f]{64}$|:\d+\.\d+", image):
            yield f"{name} takes {image!r}: name a version or a digest"


def proxies(content: Content) -> Iterator[str]:
    """What is in the file is asked directly, whatever proxy leads out: health, code, MLflow."""
    ours = {told.get("image") for told in content["services"].values() if told.get("build")}
    wanted = {LOOPBACK.rstrip(":"), *content["services"]}
    for service in services(content):
        for name in _DIRECT if service.told.get("image") in ours else ():
            if missing := wanted - set(service.environment.get(name, "").split(",")):
                yield f"{service.name} may ask a proxy for {', '.join(sorted(missing))}: {name}"


def secrets(content: Content) -> Iterator[str]:
    """What must be secret is asked for, stands in no command, and reaches nobody by the way of `.env`."""
    written = json.dumps(content["services"])
    for service in services(content):
        if service.reads_env and service.environment.get("POSTGRES_PASSWORD") != "":
            yield f"{service.name} reads the password of the database in .env"
        held = [value for name, value in service.environment.items() if name.endswith("PASSWORD") and value]
        yield from (f"{service.name} shows a secret in its command" for value in held if any(value in word for word in (*service.command, *service.health)))  # fmt: skip
    if "PASSWORD" not in written:
        yield "no service has a password"


def streamers(content: Content) -> Iterator[str]:
    """Their shards are all there, and who tells of them asks each where it listens."""
    every = services(content)
    found = [one for one in every if one.command[-2:] == ("streamer", "run")]
    shards = sorted((one.environment.get("STREAM_SHARDS", "1"), one.environment.get("STREAM_SHARD", "0")) for one in found)  # fmt: skip
    if shards != [(str(len(found)), str(n)) for n in range(len(found))]:
        yield f"streamers share the markets as {', '.join(f'{n} of {count}' for count, n in shards)}"
    yield from (f"{one.name} tells its status to itself alone" for one in found if one.environment.get("STREAM_STATUS_HOST", LOOPBACK).startswith("127."))  # fmt: skip
    addresses = {f"http://{one.name}:{one.environment.get('STREAM_STATUS_PORT', 8081)}" for one in found}
    for one in every:
        asks = one.environment.get("STREAM_STATUS_URLS")
        if (asks is not None or "polymarket_assets.definitions" in one.command) and set((asks or "").split(",")) != addresses:  # fmt: skip
            yield f"{one.name} asks {asks or 'no streamer'}, where there are {', '.join(sorted(addresses))}"


RULES: Mapping[str, Rule] = {
    "the Compose Specification": specification,
    "services, volumes and networks that are named": references,
    "names of variables": variables,
    "values of settings": settings,
    "ports on the loopback interface": ports,
    "health, restarts, who waits for whom": healing,
    "limits and logs": limits,
    "users, capabilities, read-only": privileges,
    "images are pinned": pinned,
    "secrets": secrets,
    "what is written lies on volumes": folders,
    "what is seen of the host": host,
    "who speaks to the container engine": engine,
    "nothing here is asked through a proxy": proxies,
    "streamers: shards, and who asks them": streamers,
}
