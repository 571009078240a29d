"""What is installed is what was locked, byte for byte, and from wherever packages come to whoever installs."""

from __future__ import annotations

import re
import tomllib
from collections import Counter

import pytest

from polymarket_assets_tests.conftest import PROJECT

LOCKS = {name: (PROJECT / name).read_text() for name in ("requirements.lock", "audit.lock")}
# One requirement: `name==version`, perhaps for some machines only, and its hashes.
REQUIREMENT = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[a-z,]+\])?==(\S+?)(?: ; [^\\]+?)?((?: \\\n +--hash=\S+)*)$", re.M)  # fmt: skip


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(lock: str = "requirements.lock") -> list[tuple[str, str, list[str]]]:
    """Name, version and hashes of every requirement."""
    return [(normal(name), version, re.findall(r"--hash=(\S+)", hashes)) for name, version, hashes in REQUIREMENT.findall(LOCKS[lock])]  # fmt: skip


@pytest.mark.parametrize("lock", LOCKS)
def test_nothing_but_requirements_stands_in_the_lock(lock: str) -> None:
    """An index, a file or a repository named there would be where anybody's packages come from."""
    assert REQUIREMENT.sub("", LOCKS[lock]).strip() == ""


@pytest.mark.parametrize(("lock", "least"), [("requirements.lock", 100), ("audit.lock", 10)])
def test_every_requirement_has_a_hash_and_stands_there_once(lock: str, least: int) -> None:
    found = locked(lock)
    assert len(found) > least
    assert [name for name, _, hashes in found if not hashes] == []
    assert [name for name, count in Counter(name for name, _, _ in found).items() if count > 1] == []


def test_every_hash_is_sha256() -> None:
    assert {bool(re.fullmatch(r"sha256:[0-9a-f]{64}", hash_)) for lock in LOCKS for _, _, hashes in locked(lock) for hash_ in hashes} == {True}  # fmt: skip


def test_everything_the_project_asks_for_is_locked() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(name for extra in project["optional-dependencies"].values() for name in extra)]  # fmt: skip
    names = {normal(re.split(r"[\[<>=!~; ]", name)[0]) for name in asked}
    assert names - {name for name, _, _ in locked()} == set()


def test_both_installations_demand_the_hashes() -> None:
    for file in ("Makefile", "deploy/Dockerfile"):
        for line in (PROJECT / file).read_text().splitlines():
            if "-r requirements.lock" in line:
                assert "--require-hashes" in line, f"{file}: {line}"
