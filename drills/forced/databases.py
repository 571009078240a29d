"""Dagster's storage: on a real Postgres whose connections somebody takes, and that is killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import dagster as dg

from drills.alert_place import Place
from drills.forced import Forced
from launch import postgres
from launch.postgres import Postgres

# As few as Dagster makes its tables with: taking them all takes tenths of a second.
CONNECTIONS = 20


@contextmanager
def exhausted(place: Place) -> Iterator[Forced]:
    """Somebody takes every connection, and gives them back."""
    import psycopg2

    with _on_postgres(place) as server:
        held: list[Any] = []

        def wrong() -> None:
            for _ in range(CONNECTIONS + 1):
                try:
                    held.append(server.connect("postgres"))
                except psycopg2.OperationalError:
                    return

        def right() -> None:
            while held:
                held.pop().close()

        try:
            yield Forced(wrong, right)
        finally:
            right()


@contextmanager
def unreachable(place: Place) -> Iterator[Forced]:
    """kill -9 of the server, which recovers when it is started again."""
    with _on_postgres(place) as server:
        yield Forced(server.kill, server.start)


@contextmanager
def _on_postgres(place: Place) -> Iterator[Postgres]:
    """The instance of a place in a database of its own."""
    home = place.folder / "on-postgres"
    home.mkdir()
    with postgres.running(place.folder / "postgres", f"max_connections={CONNECTIONS}") as server:
        url = f"postgresql+psycopg2://{server.user}:{quote(server.password)}@{postgres.LOOPBACK}:{server.port}/postgres"
        told = {"storage": {"postgres": {"postgres_url": url}}, "telemetry": {"enabled": False}}
        (home / "dagster.yaml").write_text(json.dumps(told))
        with dg.DagsterInstance.from_config(str(home)) as instance:
            before, place.instance = place.instance, instance
            instance.get_runs_count()
            try:
                yield server
            finally:
                place.instance = before
