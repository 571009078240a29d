"""The steps of a Dockerfile without a container engine: `COPY` and `RUN`, replayed into a folder.

Paths of the image (`/opt`, `/data`, …) lie under that folder; all stages share it, so that what one takes from another is
there already. Knows what our Dockerfile uses, and refuses the rest.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from types import MappingProxyType

from polymarket_assets.venue.errors import Refused

# What an image begins with, beside its Python.
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
# Folders of the image that are ours; others, as `/usr`, are the machine's own.
_OURS = re.compile(r"(?<![\w.:/])/(?=(?:opt|data|tmp|build)\b)")
# Who runs in the image. Where we are not root we run as ourselves, and so does it.
IMAGE_USER = 10001


class NotBuilt(Refused):
    """A step of the Dockerfile failed, or is none that we can replay."""


@dataclass
class Image:
    """A folder that looks as the image does, and what it tells every process."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": SYSTEM_PATH})
    # Values of `ARG`, which only its own stage sees.
    arguments: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "0:0"

    def mapped(self, text: str) -> str:
        """A text in which paths of the image are those of the folder."""
        return _OURS.sub(f"{self.root}/", text)

    def inside(self, path: str) -> Path:
        """A path of the image, absolute or as seen from its working folder."""
        return self.root / os.path.join(self.workdir, path).lstrip("/")


def user() -> int | None:
    """Who is to run what runs in the image: None where that is ourselves, as where nobody else may reach our Python."""
    return IMAGE_USER if os.getuid() == 0 and _is_for_all(Path(os.path.realpath(sys.executable))) else None


def whose() -> str:
    """`user` in words."""
    who = user()
    return (
        f"services run as user {who}"
        if who
        else "services run as ourselves: we are not root, or nobody else may reach our Python"
    )


def _is_for_all(file: Path) -> bool:
    """Whether every folder on the way can be entered by anybody: a Python below a home often cannot."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in file.parents)


def build(dockerfile: Path, context: Path, root: Path, *, venv: Path | None = None, told: Mapping[str, str] = MappingProxyType({})) -> Image:  # fmt: skip
    """Replay it. With `venv`, an environment that is there stands for `/opt/venv`, and steps of pip are left out; `told` are values of `ARG`.

    Raises:
        NotBuilt: a step failed, told with the end of what it said.
    """
    image = Image(root)
    (root / "tmp").mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    if venv is not None:
        (root / "opt").mkdir(parents=True, exist_ok=True)
        (root / "opt" / "venv").symlink_to(venv)
    for word, rest in _steps(dockerfile.read_text(encoding="utf-8")):
        if word == "FROM":
            image = Image(root)
        elif word == "COPY":
            _copy(image, context, shlex.split(rest))
        elif word == "RUN" and not (venv is not None and "/opt/venv/bin/pip" in rest):
            _run(image, rest)
        elif word == "ENV":
            pairs = (pair.partition("=") for pair in shlex.split(rest))
            known = {**image.arguments, **image.environment}
            image.environment |= {name: Template(value).safe_substitute(known) for name, _, value in pairs}
        elif word == "WORKDIR":
            image.workdir = rest
            image.inside("").mkdir(parents=True, exist_ok=True)
        elif word == "USER":
            image.user = rest
        elif word == "ARG":
            name, _, value = rest.partition("=")
            image.arguments[name] = told.get(name) or value
        elif word != "RUN":
            raise NotBuilt(f"the step {word} {rest!r} cannot be replayed")
    # Every part of PATH is a path of its own.
    image.environment = {name: ":".join(map(image.mapped, value.split(":"))) for name, value in image.environment.items()}  # fmt: skip
    return image


def _steps(text: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        word, _, rest = line.strip().partition(" ")
        yield word.upper(), rest.strip()


def _copy(image: Image, context: Path, words: list[str]) -> None:
    options, *paths = ([], *words) if not words[0].startswith("--") else ([words[0]], *words[1:])
    *sources, target = paths
    if options:
        if sources != [target]:
            raise NotBuilt(f"COPY {' '.join(words)}: stages share a folder, what is copied must keep its place")  # fmt: skip
        return
    goal = image.inside(target)
    for source in sources:
        found = context / source
        if found.is_dir():
            shutil.copytree(found, goal, dirs_exist_ok=True)
        else:
            into = goal / found.name if target.endswith("/") else goal
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(found, into)


def _run(image: Image, line: str) -> None:
    """In the shell, as a build does; `python` is the one that this environment was made with."""
    tools = image.root / "tools"
    tools.mkdir(exist_ok=True)
    python = tools / "python"
    if not python.exists():
        python.symlink_to(os.path.realpath(sys.executable))
    owner = (IMAGE_USER, IMAGE_USER) if os.getuid() == 0 else (os.getuid(), os.getgid())
    told = image.mapped(line).replace(f"-o {IMAGE_USER} -g {IMAGE_USER}", f"-o {owner[0]} -g {owner[1]}")
    environment = {**os.environ, **image.environment, "PATH": f"{tools}:{SYSTEM_PATH}"}
    done = subprocess.run(["sh", "-ec", told], cwd=image.inside(""), env=environment, capture_output=True, text=True, check=False)  # fmt: skip
    if done.returncode:
        raise NotBuilt(f"RUN {line} ended with code {done.returncode}: {(done.stderr or done.stdout)[-2000:]}")  # fmt: skip
