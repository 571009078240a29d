"""Switching faults: over the control port, by a script, and what is said when that cannot be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import requests

from polymarket_assets_tests.conftest import PROJECT
from polymarket_assets_tests.simulator.conftest import lines
from polymarket_assets_tests.simulator.listening import PATIENCE_S, Client, begin, control, end, until
from simulator.faults import FAULTS
from simulator.running import Running, start

DOCUMENT = (PROJECT / "docs" / "simulator.md").read_text()


@pytest.fixture(scope="module")
def venue() -> Iterator[Running]:
    with start(seed=5) as running:
        yield running


@pytest.fixture(autouse=True)
def _off(venue: Running) -> Iterator[None]:
    """No test's faults are another's."""
    yield
    requests.delete(f"{venue.control_url}/faults", timeout=PATIENCE_S)


def test_the_control_port_lists_every_fault_with_its_parameters(venue: Running) -> None:
    told = {fault["name"]: fault for fault in control(venue)["faults"]}
    assert set(told) == set(FAULTS)
    for fault in told.values():
        assert len(fault["doc"].splitlines()) == 1
        assert "for_s" in fault["parameters"]
        assert all(row["doc"] for row in fault["parameters"].values())


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_and_parameter_is_documented(venue: Running, name: str) -> None:
    (row,) = [line for line in DOCUMENT.splitlines() if line.startswith(f"| `{name}` |")]
    common = {"for_s", "sockets", "token_ids", "condition_ids", "share", "chance", "service", "path"}
    (fault,) = [fault for fault in control(venue)["faults"] if fault["name"] == name]
    for parameter in set(fault["parameters"]) - common:
        assert f"`{parameter}" in row


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_has_a_file_of_its_name(name: str) -> None:
    assert FAULTS[name].__module__.removeprefix("simulator.faults.").removeprefix("rest.") == name


def test_what_is_on_is_told_until_it_ends(venue: Running) -> None:
    id_ = begin(venue, "delay", delay_s=2, sockets="open")
    (on,) = control(venue)["on"]
    assert (on["id"], on["fault"], on["parameters"]["delay_s"]) == (id_, "delay", 2)
    assert requests.get(f"{venue.control_url}/summary", timeout=PATIENCE_S).json()["faults"] == 1
    end(venue, id_)
    assert not control(venue)["on"]
    gone = requests.delete(f"{venue.control_url}/faults/{id_}", timeout=PATIENCE_S)
    assert (gone.status_code, gone.json()) == (404, {"error": f"no fault {id_} is on"})


def test_all_faults_end_at_once(venue: Running) -> None:
    ids = [begin(venue, name) for name in ("no_pong", "duplicate")]
    answer = requests.delete(f"{venue.control_url}/faults", timeout=PATIENCE_S).json()
    assert sorted(answer["ended"]) == ids
    assert not control(venue)["on"]


@pytest.mark.parametrize(
    ("sockets", "concerned"),
    [("all", 5), ("open", 4), (3, 3), (0.5, 2), (1.0, 4), (9, 4)],
)
def test_sockets_are_all_a_number_or_a_share(venue: Running, sockets: object, concerned: int) -> None:
    """One socket opens after the fault began; only `all` means that one too."""
    clients = [Client(venue) for _ in range(4)]
    id_ = begin(venue, "no_pong", sockets=sockets)
    clients.append(Client(venue))
    (on,) = control(venue)["on"]
    assert len(on["sockets"]) == concerned
    end(venue, id_)
    for client in clients:
        client.close()
    until(lambda: not control(venue)["sockets"])


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("frozen", "{}", "there is no fault frozen: choose one of freeze_socket, "),
        ("no_pong", '{"foo": 1}', "no_pong has no parameter foo: it takes for_s, sockets"),
        ("no_pong", '{"for_s": -1}', "no_pong: for_s: expected `float` > 0.0"),
        ("no_pong", '{"for_s": "long"}', "no_pong: for_s: expected `float | null`, got `str`"),
        ("no_pong", '{"sockets": 0}', "no_pong: sockets: expected `int` >= 1"),
        ("no_pong", '{"sockets": true}', "no_pong: sockets: expected `int | float | str | array`, got `bool`"),
        ("no_pong", "[1]", "no_pong takes a JSON object of parameters"),
        ("no_pong", "{", "no_pong: the parameters are not JSON: "),
        ("close", '{"code": 1}', "close: code: invalid enum value 1"),
        ("refuse", '{"sockets": "all"}', "refuse has no parameter sockets: it takes for_s, status, drop"),
        ("freeze_tokens", "{}", "freeze_tokens needs token_ids, condition_ids or share: which tokens?"),
        ("delay", '{"chance": 0}', "delay: chance: expected `float` > 0.0"),
        ("clock_skew", '{"skew_s": 1e400}', "clock_skew: the parameters are not JSON: "),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_sentence(venue: Running, name: str, body: str, sentence: str) -> None:  # fmt: skip
    answer = requests.post(f"{venue.control_url}/faults/{name}", data=body, timeout=PATIENCE_S)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(sentence)
    assert not control(venue)["on"]


def test_a_script_begins_and_ends_faults_in_time(tmp_path: Path) -> None:
    script, ledger = tmp_path / "faults.jsonl", tmp_path / "ledger.jsonl"
    script.write_text(
        '{"after_s": 0.6, "fault": "refuse", "for_s": 0.2, "status": 502}\n\n'
        '{"after_s": 0.2, "fault": "no_pong", "for_s": 0.3}\n'
    )
    with start(seed=5, ledger=ledger, faults=script) as venue:
        until(lambda: len(lines(ledger, "fault_end")) == 2)
        assert requests.get(f"{venue.control_url}/health", timeout=PATIENCE_S).json() == {"status": "ok"}
    begun, ended = lines(ledger, "fault_begin"), lines(ledger, "fault_end")
    assert [line["fault"] for line in begun] == ["no_pong", "refuse"]
    at = {(line["fault"], line["kind"]): datetime.fromisoformat(line["at"]).timestamp() for line in begun + ended}  # fmt: skip
    assert at["refuse", "fault_begin"] - at["no_pong", "fault_begin"] == pytest.approx(0.4, abs=0.15)
    assert at["no_pong", "fault_end"] - at["no_pong", "fault_begin"] == pytest.approx(0.3, abs=0.15)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"after_s": 1, "fault": "no_pong"}\n{"after_s": 1, "fault": "nope"}', "line 2: there is no fault nope: "),
        ('{"fault": "no_pong"}', "line 1: after_s is missing or no number of seconds"),
        ('{"after_s": 1}', "line 1: fault is missing: name one"),
        ('{"after_s": 1, "fault": "no_pong", "foo": 2}', "line 1: no_pong has no parameter foo: "),
        ("what", "line 1: JSON is malformed"),
        (None, "No such file"),
    ],
)  # fmt: skip
def test_a_script_that_does_not_fit_ends_in_one_sentence(tmp_path: Path, text: str | None, sentence: str) -> None:  # fmt: skip
    script = tmp_path / "faults.jsonl"
    if text is not None:
        script.write_text(text)
    command = [sys.executable, "-m", "simulator", "serve", "--profile", "small", "--port", "0", "--faults", str(script)]  # fmt: skip
    ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=30)
    assert ran.returncode == 1
    (said,) = ran.stderr.strip().splitlines()
    assert said.startswith("simulator: ")
    assert sentence in said
