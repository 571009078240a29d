"""Nothing of ours listens beyond the loopback interface, and what shows the streamer changes nothing."""

from __future__ import annotations

import ast
import http.client
import inspect
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from launch import processes, simulated, up
from polymarket_assets.settings import load
from polymarket_assets.venue.errors import Refused
from polymarket_assets_tests.conftest import PROJECT
from polymarket_assets_tests.streamer.conftest import free_port
from simulator.running import start
from streamer import status

OURS = ("polymarket_assets", "streamer", "simulator", "launch", "console", "drills", "benchmarks")
EVERYWHERE = ("0.0.0.0", "::", "[::]")
# What opens a port: there the address must be named.
OPENS = {
    "_Server",
    "ThreadingHTTPServer",
    "HTTPServer",
    "TCPServer",
    "TCPSite",
    "create_server",
    "run_app",
    "SockSite",
}


def calls(file: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))


def named(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


@pytest.mark.parametrize("package", OURS)
def test_no_code_of_ours_names_every_interface(package: str) -> None:
    for file in (PROJECT / package).rglob("*.py"):
        texts = [
            node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant)
        ]
        assert not [text for text in texts if text in EVERYWHERE], file


def test_whatever_opens_a_port_says_on_which_interface() -> None:
    found = 0
    for package in OURS:
        for file in (PROJECT / package).rglob("*.py"):
            for call in calls(file):
                if named(call) in OPENS:
                    found += 1
                    told = ast.unparse(call)
                    # `host` is the streamer's setting, which is held below.
                    assert any(word in told for word in ("127.0.0.1", "LOOPBACK", "HOST", "(host, port)")), f"{file}: {told}"  # fmt: skip
    assert found >= 4


def test_the_status_page_is_told_another_interface_only_by_who_sets_it(monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.delenv("STREAM_STATUS_HOST", raising=False)
    default = inspect.signature(status.serve).parameters["host"].default
    assert (default, load().stream_status_host) == ("127.0.0.1", "127.0.0.1")
    chosen = free_port()
    server = status.serve(chosen, status.Desk(), "127.0.0.2")
    try:
        assert listening_of_this_process(chosen) == {"127.0.0.2"}
    finally:
        server.shutdown()
        server.server_close()
    with pytest.raises(
        Refused, match=r"status port \d+ of 192\.0\.2\.1 cannot be used .* or STREAM_STATUS_HOST"
    ):
        status.serve(chosen, status.Desk(), "192.0.2.1")


def test_the_status_page_answers_on_an_address_of_version_6(monkeypatch: pytest.MonkeyPatch) -> None:
    if not _has_version_6():
        pytest.skip("this machine has no ::1")
    desk = status.Desk()
    server = status.serve(port := free_port(), desk, "::1")
    try:
        assert "pages" in status.ask(f"http://[::1]:{port}", "/nothing")
    finally:
        server.shutdown()
        server.server_close()


def _has_version_6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.parametrize("make", [up.platform, lambda settings, _: simulated.running(settings)], ids=["up", "demo"])  # fmt: skip
def test_every_process_that_is_started_is_told_the_loopback_interface(make: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dagster").mkdir()
    settings = load(lake_root=str(tmp_path), state_dir=tmp_path, dagster_home=tmp_path / "dagster", mlflow_tracking_uri="http://127.0.0.1:1")  # fmt: skip
    started = make(settings, tmp_path)  # type: ignore[operator]
    assert {process.name for process in started} >= {"mlflow", "code", "webserver", "daemon", "streamer"}
    for process in started:
        told = list(process.command)
        assert not set(told) & set(EVERYWHERE)
        # Tools of others listen where they are told to; ours have no say in it, and the code server has no port at all.
        if process.name in ("mlflow", "webserver"):
            assert told[told.index("--host" if process.name == "mlflow" else "-h") + 1] == processes.LOOPBACK
        if process.name == "code":
            assert "--socket" in told
            assert "-p" not in told


def listening_of_this_process(port: int | None = None) -> set[str]:
    """Addresses; other tests of this process may have left servers, on other ports."""
    connections = psutil.Process().net_connections("inet")
    listening = [found.laddr for found in connections if found.status == psutil.CONN_LISTEN]
    return {address.ip for address in listening if port in (None, address.port)}


def test_the_simulator_and_the_status_page_are_heard_on_the_loopback_interface_alone() -> None:
    server = status.serve(free_port(), status.Desk())
    try:
        with start(seed=1):
            assert listening_of_this_process() == {"127.0.0.1"}
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def port() -> Iterator[int]:
    chosen = free_port()
    server = status.serve(chosen, status.Desk())
    yield chosen
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD"])
def test_the_status_page_answers_get_alone(method: str, port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, "/health")
    assert connection.getresponse().status == 501


@pytest.mark.parametrize("host", ["127.0.0.1", "streamer", "attacker.example", "<script>"])
def test_whatever_name_it_is_asked_under_the_status_page_is_the_same_and_for_no_other_origin(host: str, port: int) -> None:  # fmt: skip
    """In a container it is asked by name; a page of somebody's in a browser may lead a name of its own here."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/nothing", headers={"Host": host, "Origin": f"http://{host}"})
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())) == (404, {"pages": sorted(status.PAGES)})
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    assert host not in str(answer.headers) or host == "127.0.0.1"


@pytest.mark.parametrize("path", ["http://elsewhere.example/health", "/../../etc/passwd", "/health/../x", "/%2e%2e/", "/<script>", "/" + "x" * 60_000])  # fmt: skip
def test_no_path_leads_to_a_file(path: str, port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/json"
    assert set(json.loads(answer.read())) == {"pages"}


def test_who_never_ends_a_question_is_not_waited_for(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=status.QUESTION_WITHIN_S + 3) as asking:
        asking.sendall(b"GET /hea")
        assert asking.recv(100) == b""
