"""The console answers to its own names, reads only, says on every answer what a browser may do, and listens on loopback alone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from console.guards import HEADERS, MOST_ASKED_BYTES
from polymarket_assets_tests.conftest import PROJECT
from polymarket_assets_tests.console.served import Console, free_port, served, settings_of
from polymarket_assets_tests.streamer.odd_venue import wait_until


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with served(settings_of(tmp_path_factory.mktemp("lake"), console_url="https://console.example")) as found:
        yield found


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200), ("localhost:8000", 200), ("[::1]:9", 200), ("console.example", 200), ("CONSOLE.EXAMPLE:443", 200),
        ("attacker.example", 421), ("127.0.0.1.attacker.example", 421), ("0.0.0.0:8000", 421), ("[::]", 421), ("console.example.attacker.example", 421),
        ("127.0.0.1@attacker.example", 421), ("attacker.example@127.0.0.1", 421), ("127.0.0.1/attacker", 421), ("127.0.0.1#", 421), ("[127.0.0.1", 421), ("", 421), ("<script>", 421),
    ],
)  # fmt: skip
def test_it_answers_to_its_own_names_alone(console: Console, host: str, status: int) -> None:
    """A page of the web may lead a name of its own to the loopback interface of whoever opens it."""
    for path in ("/overview", "/api/openapi.json"):
        assert console.ask(path, headers={"Host": host}).status_code == status


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_where_it_listens_on_every_interface_that_is_no_name_of_its(host: str) -> None:
    with served(settings_of(console_host=host)) as console:
        assert console.ask("/overview", headers={"Host": f"[{host}]" if ":" in host else host}).status_code == 421  # fmt: skip
        assert console.ask("/overview").status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/overview", 200), ("/", 307), ("/nothing", 404), ("/static/console.css", 200), ("/static/../app.py", 404), ("/static/nothing.js", 404),
        ("/api/monitoring/errors?limit=0", 422), ("/api/openapi.json", 200), ("/parts/overview/nothing", 404), ("/charts-0.0.js", 404), ("/api/nothing", 404),
    ],
)  # fmt: skip
def test_every_answer_says_what_a_browser_may_do(console: Console, path: str, status: int) -> None:
    answer = console.ask(path)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers.get("Cache-Control")
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_a_refusal_says_it_too(console: Console) -> None:
    refused = console.ask("/overview", headers={"Host": "attacker.example"})
    assert {name: refused.headers.get(name) for name in HEADERS} == HEADERS


def test_a_fault_of_its_own_says_it_too_and_no_more_than_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.rendering.page", lambda *_: 1 / 0)
    with served(settings_of()) as console:
        broken = console.ask("/overview")
    assert (broken.status_code, broken.json()["again"]) == (500, True)
    assert {name: broken.headers.get(name) for name in HEADERS} == HEADERS
    assert "Traceback" not in broken.text


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/overview", "/parts/overview/now", "/api/monitoring/health", "/static/console.css", "/api/openapi.json"])  # fmt: skip
def test_nothing_of_it_is_changed(console: Console, method: str, path: str) -> None:
    assert console.ask(path, method).status_code == 405


def test_only_a_question_in_sql_is_asked_by_post(console: Console) -> None:
    described = console.json("/api/openapi.json")["paths"]
    posted = {path for path, methods in described.items() if set(methods) - {"get"}}
    assert posted <= {"/api/database/query"}


@pytest.mark.parametrize(
    "given",
    [
        {"data": b"x" * (MOST_ASKED_BYTES + 1)},
        {"data": iter([b"x"])},
        {"headers": {"Content-Length": "9" * 30}, "data": b""},
    ],
    ids=["large", "in pieces", "said to be large"],
)
def test_large_questions_are_not_read(console: Console, given: dict[str, object]) -> None:
    assert console.ask("/api/database/query", "POST", **given).status_code in (400, 413)


def _started(folder: Path, port: int, **told: str) -> subprocess.Popen[str]:
    names = ("PATH", "HOME", "LANG")
    environment = {name: os.environ[name] for name in names if name in os.environ} | {"PYTHONPATH": str(PROJECT), **told}  # fmt: skip
    return subprocess.Popen([sys.executable, "-m", "console", "--port", str(port)], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip


def test_without_a_lake_it_starts_on_loopback_and_says_so_on_its_pages(tmp_path: Path) -> None:
    port = free_port()
    running = _started(tmp_path, port)
    try:
        wait_until(lambda: _answers(port), "the console answers")
        listening = [one.laddr for one in psutil.Process(running.pid).net_connections("inet") if one.status == psutil.CONN_LISTEN]  # fmt: skip
        assert [(one.ip, one.port) for one in listening] == [("127.0.0.1", port)]
        wait_until(lambda: "LAKE_ROOT is not set" in requests.get(f"http://127.0.0.1:{port}/parts/overview/tiers", timeout=20).text, "it says what is missing")  # fmt: skip
    finally:
        running.send_signal(signal.SIGTERM)
        said, errors = running.communicate(timeout=20)
    assert (running.returncode, errors) == (0, "")
    assert said.startswith(f"The console listens on 127.0.0.1, port {port}")


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/overview", timeout=10).status_code == 200
    except requests.RequestException:
        return False


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "cannot be used (Address already in use): stop what listens there, set CONSOLE_PORT"),
        ({"CONSOLE_HOST": "192.0.2.1"}, "of 192.0.2.1 cannot be used"),
        ({"CONSOLE_PORT": "x"}, "CONSOLE_PORT='x' cannot be used"),
        ({"STREAM_TIERS": "t9"}, "unknown tier 't9'"),
    ],
    ids=["busy port", "no interface", "no port", "no tier"],
)
def test_what_keeps_it_from_starting_is_one_sentence(tmp_path: Path, told: dict[str, str], said: str) -> None:  # fmt: skip
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        running = _started(tmp_path, busy.getsockname()[1], **told)
        _, errors = running.communicate(timeout=30)
    assert running.returncode == 2
    assert said in errors
    assert len(errors.strip().splitlines()) == 1
