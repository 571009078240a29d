"""Scaling out by containers: `deploy/compose.scale.yml` is sound on its own terms, and what it asks of Dagster is what Dagster takes.

No container engine is asked: that the engine starts it is not shown here.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from polymarket_assets.settings import Settings, load
from polymarket_assets_tests.conftest import PROJECT
from polymarket_assets_tests.streamer.odd_venue import wait_until

DEPLOY = PROJECT / "deploy"
SCALE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.scale.yml").read_text())
BASE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
INSTANCE: dict[str, Any] = yaml.safe_load((DEPLOY / "dagster.scale.yaml").read_text())
# What only this instance has: its storage and its launcher.
OWN = {"storage", "local_artifact_storage", "compute_logs", "run_launcher"}
LAUNCHER = INSTANCE["run_launcher"]["config"]
NEW = {name: told for name, told in SCALE["services"].items() if name not in BASE["services"]}


def test_services_that_are_changed_exist_and_new_ones_come_with_the_profile_alone() -> None:
    assert set(SCALE["services"]) - set(NEW) == {"code", "webserver", "daemon", "console", "streamer"}
    assert [told["profiles"] for told in NEW.values()] == [["scale"]]


def test_shards_are_counted_and_none_is_missing() -> None:
    told = [one["environment"] for name, one in SCALE["services"].items() if name.startswith("streamer")]
    fields = {field.upper(): field for field in Settings.model_fields}
    shards = []
    for environment in told:
        settings = load(**{fields[name]: value for name, value in environment.items() if name in fields})
        shards.append(settings.shard)
    assert {shard.count for shard in shards} == {len(shards)}
    assert sorted(shard.number for shard in shards) == list(range(len(shards)))


def test_no_shard_is_started_without_the_others() -> None:
    """Compose takes a service that waits for one of a profile that is not asked for as an error."""
    assert set(SCALE["services"]["streamer"]["depends_on"]) == set(NEW)


@pytest.mark.parametrize("service", NEW)
def test_a_new_service_is_held_as_the_others_are(service: str) -> None:
    told = NEW[service]
    assert told["healthcheck"]["test"]
    assert told["restart"] == "unless-stopped"
    assert told["logging"]["options"] == {"max-size": "50m", "max-file": "3"}
    assert {"cpus", "memory", "pids"} <= set(told["deploy"]["resources"]["limits"])
    assert (told["user"].split(":")[0] not in ("0", "root"), told["read_only"], told["cap_drop"]) == (True, True, ["ALL"])  # fmt: skip
    assert "ports" not in told


def test_what_is_named_is_there() -> None:
    volumes, networks = SCALE["volumes"], SCALE["networks"]
    for told in SCALE["services"].values():
        for mounted in told.get("volumes", ()):
            source = mounted.split(":")[0]
            is_file = source.startswith(("./", "/var/run/"))
            assert (PROJECT / source).exists() if source.startswith("./") else is_file or source in volumes, (
                source
            )
        assert set(told.get("networks", ())) <= set(networks)
    assert LAUNCHER["networks"] == [one["name"] for one in networks.values()]
    assert {one.split(":")[0] for one in LAUNCHER["container_kwargs"]["volumes"]} == {one["name"] for one in volumes.values()}  # fmt: skip


def test_only_those_that_launch_runs_speak_to_the_engine() -> None:
    """Whoever can, is root on the host."""
    speaks = {name for name, told in SCALE["services"].items() if any("docker.sock" in v for v in told.get("volumes", ()))}  # fmt: skip
    assert speaks == {"webserver", "daemon"}


def test_the_instance_is_the_project_s_but_for_where_runs_and_records_are() -> None:
    project = yaml.safe_load((PROJECT / "dagster.yaml").read_text())
    shared = {name: told for name, told in project.items() if name not in ("event_log_storage", "nux")}
    assert {name: told for name, told in INSTANCE.items() if name not in (*OWN, "nux")} == shared


def test_a_run_is_given_every_setting_and_credential_that_its_launcher_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run that samples other markets than the daemon believes would be found months later; one without credentials writes nothing."""
    pytest.importorskip("dagster_docker", reason="the extra `scale` is not installed")
    from dagster._serdes import ConfigurableClassData

    from polymarket_assets.containers import SettledRunLauncher

    for name in LAUNCHER["env_vars"]:
        monkeypatch.setenv(name, "named")
    given = {"LAKE_ROOT": "s3://bucket/lake", "UNIVERSE_TAGS": "sports", "RETENTION_DAYS_TRADES": "30", "SLACK_WEBHOOK_URL": "https://hooks.example/x",
             "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL": "http://minio:9000", "MLFLOW_TRACKING_USERNAME": "u", "MLFLOW_TRACKING_PASSWORD": "x"}  # fmt: skip
    for name, value in {**given, "SOMEBODY_S_SECRET": "x"}.items():
        monkeypatch.setenv(name, value)
    told = INSTANCE["run_launcher"]
    data = ConfigurableClassData(told["module"], told["class"], yaml.safe_dump(LAUNCHER))
    launcher = data.rehydrate(as_type=SettledRunLauncher)
    context = launcher.get_container_context(SimpleNamespace(job_code_origin=None))  # type: ignore[arg-type]
    assert set(context.env_vars) >= {*LAUNCHER["env_vars"], *given}
    assert "SOMEBODY_S_SECRET" not in context.env_vars
    assert context.container_kwargs["read_only"] is True


@pytest.fixture
def code_servers(tmp_path: Path) -> Iterator[tuple[int, list[subprocess.Popen[bytes]]]]:
    """Two code servers on one port, of two addresses of the loopback interface: as a name that stands for both."""
    file = tmp_path / "tiny.py"
    file.write_text("import dagster as dg\n\n@dg.asset\ndef one(): ...\n\ndefs = dg.Definitions([one])\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ours = SCALE["services"]["code"]["command"]
    options = ours[ours.index("--fixed-server-id") : ours.index("--container-image")]
    command = [sys.executable, "-m", "dagster", "api", "grpc", "-p", str(port), "-f", str(file), *options]
    processes = [subprocess.Popen([*command, "-h", f"127.0.0.{n}"], cwd=tmp_path, stderr=subprocess.DEVNULL) for n in (1, 2)]  # fmt: skip
    yield port, processes
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_code_that_is_served_twice_is_one_location_that_one_death_does_not_take(
    code_servers: tuple[int, list[subprocess.Popen[bytes]]],
) -> None:
    """By ids of their own the webserver would load the location anew whenever the other one answers."""
    from dagster._core.errors import DagsterUserCodeUnreachableError
    from dagster._grpc.client import DagsterGrpcClient

    port, processes = code_servers

    def told(host: str) -> str | None:
        try:
            return DagsterGrpcClient(host=host, port=port).get_server_id(timeout=5)
        except DagsterUserCodeUnreachableError:
            return None

    each = [
        wait_until(lambda host=host: told(host), f"{host} answers", 60) for host in ("127.0.0.1", "127.0.0.2")
    ]
    assert each == ["platform-${VERSION:-local}"] * 2
    both = f"ipv4:127.0.0.1:{port},127.0.0.2"
    assert told(both) == each[0]
    processes[0].kill()
    processes[0].wait()
    assert (told("127.0.0.1"), told(both)) == (None, each[0])
