"""An audit that could not be made is not a clean one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from launch import audit

FLAW = {"id": "GHSA-x", "fix_versions": ["2.0"], "aliases": [], "description": ""}
# What a tool writes where it is told to, if anything; the code it ends with; ours.
ENDS = [
    ([{"name": "a", "version": "1.0", "vulns": []}], 0, audit.CLEAN, "1 packages are locked, 0 of them"),
    ([{"name": "a", "version": "1.0", "vulns": [FLAW]}], 1, audit.FOUND, "a 1.0: GHSA-x, mended by 2.0"),
    (
        [{"name": "a", "skip_reason": "not on the index"}],
        0,
        audit.NOT_KNOWN,
        "knows nothing of 1 packages: a",
    ),
    (None, 1, audit.NOT_KNOWN, "not known: connection refused"),
]


@pytest.mark.parametrize(
    ("told", "code", "ends", "said"), ENDS, ids=["clean", "found", "skipped", "no network"]
)
def test_what_the_tool_says_is_told(told: object, code: int, ends: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    tool = tmp_path / "tool.py"
    writes = f"open(sys.argv[-1], 'w').write({json.dumps({'dependencies': told})!r})" if told is not None else "print('connection refused', file=sys.stderr)"  # fmt: skip
    tool.write_text(f"import sys\n{writes}\nsys.exit({code})\n")
    assert audit.audit([sys.executable, str(tool)], tmp_path / "lock") == ends
    shown = capsys.readouterr()
    assert said in shown.out + shown.err
