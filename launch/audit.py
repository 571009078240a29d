"""`make audit`: whether anything that is locked is known to be vulnerable.

`pip-audit` stands in an environment of its own, from a lock of its own: a tool that looks at what is installed is no part
of it. It asks a public service, since no package brings a database of today's advisories; without a network nothing is
known, and that is said rather than taken for a clean bill.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from launch.home import PROJECT

CLEAN, FOUND, NOT_KNOWN = 0, 1, 2
# Two hundred questions of a tenth of a second, and a slow line.
WITHIN_S = 600
# So many names show what they have in common.
_NAMED = 5
_ENVIRONMENT = PROJECT / ".venv" / "audit"
_OPTIONS = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json")


def main() -> int:
    """Ask, and say what was found; 0 nothing, 1 something, 2 nobody could be asked."""
    made = _made()
    if made is not None:
        return _unknown(made)
    return audit([str(_ENVIRONMENT / "bin" / "pip-audit")], PROJECT / "requirements.lock")


def audit(tool: Sequence[str], lock: Path) -> int:
    """What `pip-audit`, by its command, says of a lock."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        command = [*tool, "--requirement", str(lock), *_OPTIONS, "--output", str(told)]
        try:
            asked = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S)
        except subprocess.TimeoutExpired:
            return _unknown(f"no answer within {WITHIN_S} s")
        # It ends with 1 where it found something, and where it could not ask.
        if not told.exists():
            return _unknown(_last_line(asked.stderr))
        return _tell(json.loads(told.read_text())["dependencies"])


def _tell(asked: list[dict[str, object]]) -> int:
    skipped = [str(one["name"]) for one in asked if "skip_reason" in one]
    found = [one for one in asked if one.get("vulns")]
    for one in found:
        for flaw in one["vulns"]:  # type: ignore[attr-defined]
            cure = ", ".join(flaw["fix_versions"]) or "no version yet"
            print(f"{one['name']} {one['version']}: {flaw['id']}, mended by {cure}")
    if skipped and not found:
        return _unknown(
            f"the service knows nothing of {len(skipped)} packages: {', '.join(skipped[:_NAMED])}"
        )
    print(f"{len(asked)} packages are locked, {len(found)} of them are known to be vulnerable")
    return FOUND if found else CLEAN


def _made() -> str | None:
    """Have the environment of the tool; None, or why there is none."""
    commands = (
        [sys.executable, "-m", "venv", str(_ENVIRONMENT)],
        [str(_ENVIRONMENT / "bin" / "pip"), "install", "--quiet", "--no-deps", "--require-hashes", "-r", str(PROJECT / "audit.lock")],
    )  # fmt: skip
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return _last_line(done.stderr)
    return None


def _unknown(why: str) -> int:
    print(f"not known: {why}\nrun `make audit` where the network reaches a vulnerability service", file=sys.stderr)  # fmt: skip
    return NOT_KNOWN


def _last_line(said: str) -> str:
    return (said.strip().splitlines() or ["no word"])[-1][:300]


if __name__ == "__main__":
    sys.exit(main())
