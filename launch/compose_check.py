"""`make compose-check`: whether `docker-compose.yml`, alone and with what is laid on top of it, holds together, and every service's command starts under its own environment.

No container engine is asked: the rules are `launch.compose_rules`; then each service runs from a clean copy of what is
committed, with the environment that stands for the image (`launch.containers`), until its own health check passes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import reduce
from pathlib import Path

from rich.console import Console
from rich.table import Table

from launch import built, compose
from launch.compose_merging import merged
from launch.compose_rules import RULES, Content
from launch.containers import Containers
from launch.home import PROJECT
from polymarket_assets.venue.errors import PolymarketError

# What `.env` holds at the least; characters that an address would have to escape.
VARIABLES = {"POSTGRES_PASSWORD": "p@ss/word:?#"}
WIDTH = 140
BASE = "docker-compose.yml"
# What is laid on top, and what it needs in `.env` too.
OVERLAY, OVERLAY_VARIABLES = "deploy/compose.scale.yml", {**VARIABLES, "DOCKER_GID": "999"}

# What was asked, what was seen, whether it is as it must be.
Row = tuple[str, str, bool]


def content(variables: Mapping[str, str] = VARIABLES, files: Sequence[str] = (BASE,)) -> Content:
    """The project's file, or several as Compose merges them. Raises `NotConfigured`."""
    return reduce(merged, [compose.read(PROJECT / file, variables) for file in files])


def committed(folder: Path) -> Path:
    """What is committed, and nothing else, in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=PROJECT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
    return folder


def containers(root: Path, asked: Content, variables: Mapping[str, str], *, venv: Path | None = None) -> Containers:  # fmt: skip
    """The services, built into a folder from what is committed; nothing runs yet. Raises `NotBuilt`."""
    root.mkdir(parents=True, exist_ok=True)
    root.chmod(0o755)
    tree = committed(root / "tree")
    arguments = asked["services"]["code"]["build"].get("args", {})
    image = built.build(tree / "deploy" / "Dockerfile", tree, root, venv=venv, told=arguments)
    more = {} if venv is None else {"PYTHONPATH": str(root / "build"), "PYTHONDONTWRITEBYTECODE": "1"}
    made = {one.name: one for one in compose.services(asked)}
    return Containers(image, made, variables, root / "logs", more)


def run() -> int:
    """Print a table of the file alone and one with the overlay; 1 where something is wrong."""
    alone, both = content(), content(OVERLAY_VARIABLES, (BASE, OVERLAY))
    changed = compose.read(PROJECT / OVERLAY, OVERLAY_VARIABLES)["services"]
    # What the overlay leaves as it is was started before.
    tables = [(BASE, alone, set(alone["services"])), (f"{BASE}, {OVERLAY}", both, waited_for(both, changed))]
    return max([_shown(title, list(_checked(asked, names))) for title, asked, names in tables])


def waited_for(asked: Content, names: Iterable[str]) -> set[str]:
    """Services, and those that they wait for."""
    found: set[str] = set()
    for one in reversed(compose.services(asked)):
        if one.name in names or one.name in found:
            found |= {one.name, *one.waits_for}
    return found


def _checked(asked: Content, names: Set[str]) -> Iterator[Row]:
    rows = [_ruled(what, asked) for what in RULES]
    yield from rows
    if all(good for *_, good in rows):
        yield from _started(asked, names)


def _shown(title: str, rows: Sequence[Row]) -> int:
    table = Table("", "seen", "", title=title, title_justify="left")
    for what, seen, good in rows:
        table.add_row(what, seen, "[green]✓[/]" if good else "[red]✗[/]")
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.print(table)
    console.print(built.whose())
    return 0 if all(good for *_, good in rows) else 1


def _ruled(what: str, asked: Content) -> Row:
    found = list(RULES[what](asked))
    return what, "; ".join(found), not found


def _started(asked: Content, names: Set[str]) -> Iterator[Row]:
    """Each of some services in the order in which they wait for each other."""
    with tempfile.TemporaryDirectory(prefix="compose-check-") as folder:
        Path(folder).chmod(0o755)
        made = containers(Path(folder) / "image", asked, VARIABLES, venv=Path(sys.prefix))
        try:
            yield from [_is_started(made, name) for name in made.services if name in names]
        finally:
            began = time.monotonic()
            killed = made.stop()
        took = f"after {time.monotonic() - began:.0f} s, one after another"
        yield (
            "all stop when they are asked to",
            took if not killed else f"{', '.join(killed)} had to be killed",
            not killed,
        )


def _is_started(made: Containers, name: str) -> Row:
    what = f"{name}: {' '.join(made.services[name].command)[:60]}"
    try:
        took = made.up([name])
    except PolymarketError as e:
        return what, str(e)[-500:], False
    return what, f"healthy after {took[name]:.0f} s", True
