"""The Dagster instance is made by one process before several use it.

Its databases are created by whoever comes first; where webserver, daemon and code servers come at once, two
write the version of the same schema and none can open it again.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from polymarket_assets.settings import NotConfigured

# The database that Dagster makes last.
LAST_MADE = Path("schedules") / "schedules.db"
# Four seconds on two idle cores.
MADE_WITHIN_S = 120


def make(dagster_home: Path, environment: Mapping[str, str]) -> None:
    """Have Dagster create what an instance consists of, unless it is there.

    Raises:
        NotConfigured: it cannot be made there; nothing was started.
    """
    if (dagster_home / LAST_MADE).exists():
        return
    made = subprocess.run(
        [sys.executable, "-m", "dagster", "instance", "info"],
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=MADE_WITHIN_S,
        check=False,
    )
    if made.returncode:
        why = (made.stderr.strip() or "no reason was given").splitlines()[-1]
        raise NotConfigured(f"DAGSTER_HOME={dagster_home} cannot hold a Dagster instance: {why}")
