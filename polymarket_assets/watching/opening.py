"""Opening Dagster's instance: when it is first asked for, once, and bounded in time.

Who asks what is wrong must be answered where Dagster's database is what is wrong. What hangs cannot be ended: its thread is left.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from polymarket_assets.masking import masked
from polymarket_assets.watching.findings import StorageAway

if TYPE_CHECKING:
    import sqlalchemy as sa
    from dagster import DagsterInstance

log = logging.getLogger(__name__)

# Less than a look has (`asking.LOOK_WITHIN_S`), so that the look at the storage says what it is; it takes tenths of a second.
OPEN_WITHIN_S = 8.0
# Postgres answers in milliseconds, or says at once that it has no room.
CONNECT_S = 4
# Of what Dagster and drivers say, the beginning tells.
MOST_SAID = 300


class Opening:
    """The instance of a folder. Raises `StorageAway` where it cannot be opened, at once after the first time."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._opened: Future[DagsterInstance] | None = None
        self._until = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> DagsterInstance:
        with self._lock:
            if self._opened is None:
                self._opened, self._until = _begun(lambda: _opened(self._home)), time.monotonic() + OPEN_WITHIN_S  # fmt: skip
        try:
            return self._opened.result(max(0.0, self._until - time.monotonic()))
        except TimeoutError as e:
            raise StorageAway(f"Dagster's instance was not opened within {OPEN_WITHIN_S:.0f} s") from e

    @property
    def has_failed(self) -> bool:
        """Whether it was tried and cannot be opened; while it hangs it has not."""
        return self._opened is not None and self._opened.done() and self._opened.exception() is not None

    def close(self) -> None:
        """Give back what was opened; what could not be is nothing."""
        if self._opened is not None and self._opened.done() and self._opened.exception() is None:
            self._opened.result().dispose()


def _begun(act: Callable[[], DagsterInstance]) -> Future[DagsterInstance]:
    """In a thread that nobody waits for at the end of the process, as an executor's would be."""
    future: Future[DagsterInstance] = Future()

    def run() -> None:
        try:
            future.set_result(act())
        except Exception as e:
            # Storages are other people's, with errors of their own that have no common kind.
            log.warning("Dagster's instance cannot be opened", exc_info=e)
            future.set_exception(StorageAway(f"Dagster's instance cannot be opened: {_said(e)}"))

    threading.Thread(target=run, name="open-dagster", daemon=True).start()
    return future


def _opened(home: str) -> DagsterInstance:
    from dagster import DagsterInstance

    if (url := _postgres(home)) is not None:
        asked_once(url).close()
    return DagsterInstance.from_config(home)


def asked_once(url: str) -> sa.Connection:
    """A connection of our own: Dagster's tries for so long that a look is over before it says why it failed."""
    import sqlalchemy as sa

    engine = sa.create_engine(url, poolclass=sa.pool.NullPool, connect_args={"connect_timeout": CONNECT_S})
    return engine.connect()


def _postgres(home: str) -> str | None:
    """The address of the Postgres that `dagster.yaml` names; None where it names none, or wrongly, which Dagster says itself."""
    from dagster._config import process_config, resolve_to_config_type
    from dagster._core.instance.ref import InstanceRef
    from dagster._serdes.config_class import class_from_code_pointer

    data = InstanceRef.from_dir(home).run_storage_data
    if data is None or not data.module_name.startswith("dagster_postgres"):
        return None
    from dagster_postgres.utils import pg_url_from_config

    storage: Any = class_from_code_pointer(data.module_name, data.class_name)
    read = process_config(resolve_to_config_type(storage.config_type()), data.config_dict)
    return pg_url_from_config(read.value) if read.value is not None else None


def _said(error: Exception) -> str:
    """In one line, from the end where errors of a configuration are: what comes before repeats the whole of what is allowed."""
    words = masked(" ".join(str(error).split()))
    return words.partition(" Error 1: ")[2][:MOST_SAID] or words[:MOST_SAID]
