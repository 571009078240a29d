"""`make compose-check`: whether `docker-compose.yml` holds together, and every service's command starts under its own environment.

No container engine is asked: the rules are `launch.compose_rules`; then each service runs from a clean copy of what is
committed, with the environment that stands for the image (`launch.containers`), until its own health check passes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from launch import built, compose
from launch.compose_rules import RULES, Content
from launch.containers import Containers
from launch.home import PROJECT
from polymarket_assets.venue.errors import PolymarketError

# What `.env` holds at the least; characters that an address would have to escape.
VARIABLES = {"POSTGRES_PASSWORD": "p@ss/word:?#"}
WIDTH = 140

# What was asked, what was seen, whether it is as it must be.
Row = tuple[str, str, bool]


def content(variables: Mapping[str, str] = VARIABLES) -> Content:
    """The project's file. Raises `NotConfigured`."""
    return compose.read(PROJECT / "docker-compose.yml", variables)


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
    image = built.build(tree / "deploy" / "Dockerfile", tree, root, venv=venv)
    more = {} if venv is None else {"PYTHONPATH": str(root / "build"), "PYTHONDONTWRITEBYTECODE": "1"}
    made = {one.name: one for one in compose.services(asked)}
    return Containers(image, made, variables, root / "logs", more)


def run() -> int:
    """Print the table; 1 where something is wrong."""
    asked = content()
    rows = [_ruled(what, asked) for what in RULES]
    if all(good for *_, good in rows):
        rows += _started(asked)
    table = Table("", "seen", "", title="docker-compose.yml", title_justify="left")
    for what, seen, good in rows:
        table.add_row(what, seen, "[green]✓[/]" if good else "[red]✗[/]")
    Console(width=None if sys.stdout.isatty() else WIDTH).print(table)
    return 0 if all(good for *_, good in rows) else 1


def _ruled(what: str, asked: Content) -> Row:
    found = list(RULES[what](asked))
    return what, "; ".join(found), not found


def _started(asked: Content) -> Iterator[Row]:
    """Each service in the order in which they wait for each other."""
    with tempfile.TemporaryDirectory(prefix="compose-check-") as folder:
        Path(folder).chmod(0o755)
        made = containers(Path(folder) / "image", asked, VARIABLES, venv=Path(sys.prefix))
        try:
            yield from [_is_started(made, name) for name in made.services]
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
