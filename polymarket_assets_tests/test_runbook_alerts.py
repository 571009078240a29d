"""Every alert has its section in the runbook, and whoever follows it finds what it names: commands, settings, pages."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from polymarket_assets.alerting.messages import RUNBOOK as NAMED
from polymarket_assets.collecting import accounts
from polymarket_assets.collecting.accounts import MISSED, TAKEN, Account
from polymarket_assets.definitions import build_defs
from polymarket_assets.lake.writing import Lake
from polymarket_assets.partitions import utc_now
from polymarket_assets.settings import Settings
from polymarket_assets.watching.kinds import EVENTS, STEPS
from polymarket_assets_tests.conftest import PROJECT
from polymarket_assets_tests.test_runbook import RUNBOOK, lines, run

ALERTS = RUNBOOK.partition("## Alerts\n")[2].partition("\n## ")[0]
SECTIONS = dict(re.findall(r"^### (\S+)\n\n(.*?)(?=\n### |\Z)", ALERTS, re.DOTALL | re.MULTILINE))
QUOTED = re.findall(r"`([^`\n]+)`", RUNBOOK + " ".join(STEPS.values()))
FENCED = [line for block in re.findall(r"^```sh \w+\n(.*?)^```", RUNBOOK, re.DOTALL | re.MULTILINE) for line in block.splitlines()]  # fmt: skip


def named(program: str) -> list[str]:
    """The commands of a program that the runbook, or the next step of a finding, names; each once."""
    return sorted({" ".join(said.split()) for said in [*QUOTED, *FENCED] if re.match(rf"{program}\b", said)})


def test_every_alert_has_its_section_and_no_section_is_of_another() -> None:
    assert list(SECTIONS) == [*STEPS, *EVENTS]


@pytest.mark.parametrize("kind", SECTIONS)
def test_a_section_says_what_is_seen_where_to_look_and_what_to_do(kind: str) -> None:
    said = SECTIONS[kind].strip().splitlines()
    assert [re.match(r"- \*\*(\w+):\*\* \S.{20}", line)[1] for line in said if line] == ["Seen", "Look", "Do"]  # type: ignore[index]


def test_a_message_names_the_runbook_where_it_is() -> None:
    assert (PROJECT / NAMED).read_text() == RUNBOOK


def test_commands_are_found() -> None:
    """Of the commands below each is tried: none found would be none tried."""
    assert len(named("python")) > 10
    assert "make up" in named("make")


@pytest.mark.parametrize("command", [one for one in named("python") if one.startswith("python -m")])
def test_a_command_of_python_is_there_with_what_it_is_given(command: str) -> None:
    """`--help` is read last: a subcommand, page or option that is none is refused before it."""
    words = shlex.split(re.sub(r"<[a-z_]+>", "x", command))[1:]
    tried = subprocess.run([sys.executable, *words, "--help"], cwd=PROJECT, capture_output=True, text=True, timeout=60)  # fmt: skip
    assert tried.returncode == 0, tried.stderr


@pytest.mark.parametrize("command", named("dagster"))
def test_a_command_of_dagster_is_there_with_what_it_is_given(command: str) -> None:
    program, *words = shlex.split(command)
    found = shutil.which(program, path=str(Path(sys.executable).parent))
    assert found
    tried = subprocess.run([found, *words, "--help"], capture_output=True, text=True, timeout=60)
    assert tried.returncode == 0, tried.stderr


@pytest.mark.parametrize("command", named("make"))
def test_a_target_of_make_is_there(command: str) -> None:
    assert f"\n{command.split()[1]}:" in (PROJECT / "Makefile").read_text()


def test_what_dagster_is_asked_for_by_name_is_there() -> None:
    repository = build_defs().get_repository_def()
    jobs = {job.name for job in repository.get_all_jobs()}
    assets = {key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()}
    said = " ".join(named("dagster"))
    assert set(re.findall(r"-j (\w+)", said)) <= jobs
    assert {one for listed in re.findall(r"--select (\S+)", said) for one in listed.split(",")} <= assets


def test_every_service_of_a_compose_command_is_there() -> None:
    services = re.findall(r"^  (\w+):$", (PROJECT / "docker-compose.yml").read_text(), re.MULTILINE)
    for command in named("docker compose"):
        assert set(command.split()) & set(services), command


@pytest.mark.parametrize("setting", sorted({name for name in QUOTED if re.fullmatch(r"[A-Z][A-Z0-9]+(_[A-Z0-9]+)+", name)}))  # fmt: skip
def test_a_setting_that_is_named_is_there(setting: str) -> None:
    # The folder of a backup is the person's own.
    assert setting.lower() in Settings.model_fields


def test_the_accounts_of_slots_are_shown_with_their_reasons(tmp_path: Path) -> None:
    """The runbook's own line, run on a lake."""
    lake = Lake(tmp_path / "lake")
    now = utc_now().replace(microsecond=0)
    for n, status in enumerate((TAKEN, MISSED)):
        accounts.publish(lake, Account("t4", now.replace(second=n), status, "r", "the venue is down" if n else None))  # fmt: skip
    said = run(lines("slots"), LAKE_ROOT=tmp_path / "lake")
    assert "the venue is down" in said
    assert "taken" in said
