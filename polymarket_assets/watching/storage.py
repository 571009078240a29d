"""Dagster's storage: whether it answers, and how many of its connections are taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from polymarket_assets.watching import opening
from polymarket_assets.watching.findings import Figure, Finding, Severity, StorageAway, Told, Watched

if TYPE_CHECKING:
    import sqlalchemy as sa

# Dagster opens a connection for each operation, so that some dozens come and go: the last tenth is gone within seconds.
CONNECTIONS_PCT = 90
_EXHAUSTED = ("too many clients", "remaining connection slots", "too many connections")


def look(watched: Watched) -> Iterator[Told]:
    """SQLite has no connections to run out of: of it only whether it answers."""
    import sqlalchemy as sa
    from dagster import DagsterError

    try:
        used, most = _connections(watched)
    except (sa.exc.SQLAlchemyError, DagsterError, StorageAway, OSError) as e:
        said = " ".join(str(e).split())[:200]
        if any(words in said for words in _EXHAUSTED):
            yield Finding("storage_connections", Severity.CRITICAL, watched.now, f"Dagster's storage has no connection left: raise max_connections, or see who holds them ({said})")  # fmt: skip
        else:
            yield Finding("storage_unreachable", Severity.CRITICAL, watched.now, f"Dagster's storage does not answer, nothing is scheduled: {said}")  # fmt: skip
        return
    if most is None:
        return
    yield Figure("storage_connections", "Connections of Dagster's storage that are taken.", used)
    yield Figure("storage_connections_most", "Connections that Dagster's storage allows.", most)
    if 100 * used >= CONNECTIONS_PCT * most:
        yield Finding("storage_connections", Severity.CRITICAL, watched.now, f"{used} of {most} connections of Dagster's storage are taken: raise max_connections, or see who holds them")  # fmt: skip


def _connections(watched: Watched) -> tuple[int, int | None]:
    """How many are taken and how many there are; None where they are not counted."""
    from dagster._core.storage.runs.sql_run_storage import SqlRunStorage

    storage = watched.dagster.run_storage
    if not isinstance(storage, SqlRunStorage):
        storage.get_runs_count()
        return 0, None
    url = getattr(storage, "postgres_url", None)
    with opening.asked_once(url) if url else storage.connect() as connection:
        return _counted(connection)


def _counted(connection: sa.Connection) -> tuple[int, int | None]:
    import sqlalchemy as sa

    if connection.dialect.name != "postgresql":
        connection.execute(sa.text("select count(*) from runs where id < 0"))
        return 0, None
    counted = "select (select count(*) from pg_stat_activity where backend_type = 'client backend'), current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
    used, most = connection.execute(sa.text(counted)).one()
    return int(used), int(most)
