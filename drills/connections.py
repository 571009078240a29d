"""How many connections services hold open to their Postgres, at the most, while something goes on."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psycopg2

from launch.containers import Containers

_LOOK_S = 0.2


@dataclass
class Connections:
    """The most connections that were open at once, by service and in all, as far as looks five times a second tell."""

    of: Counter[str] = field(default_factory=Counter)
    most: int = 0

    def look(self, made: Containers) -> None:
        """One look; a server that is down has none."""
        assert made.database is not None
        with suppress(psycopg2.Error):
            rows = made.database.ask("postgres", "select application_name, count(*) from pg_stat_activity where datname in ('dagster', 'mlflow') group by 1")  # fmt: skip
            self.of |= Counter({str(name): int(count) for name, count in rows})
            self.most = max(self.most, sum(int(count) for _, count in rows))


@contextmanager
def counted(made: Containers) -> Iterator[Connections]:
    """Count connections meanwhile."""
    found, over = Connections(), threading.Event()

    def go_on() -> None:
        while not over.wait(_LOOK_S):
            found.look(made)

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
