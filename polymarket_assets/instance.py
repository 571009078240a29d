"""The instance's event log: Dagster's consolidated SQLite log, in whatever folder the instance lives.

Dagster's own class must be told its folder, and `dagster.yaml` can only name a variable, which a command
without DAGSTER_HOME (it then makes a temporary instance) does not have.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from dagster import Field, StringSource
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._serdes import ConfigurableClassData

# Rows of the log are one to five kilobytes: of pages of 4,096 bytes, SQLite's own size, a seventh would stay empty.
PAGE_BYTES = 16_384


class HomeEventLogStorage(ConsolidatedSqliteEventLogStorage):
    """One database for all runs, under DAGSTER_HOME; without one, in a folder that goes with the process."""

    _passing: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    def config_type(cls) -> dict[str, Field]:
        """`base_dir`, where another folder is wanted."""
        return {"base_dir": Field(StringSource, is_required=False)}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> HomeEventLogStorage:
        """Called by Dagster with what `dagster.yaml` says."""
        folder = config_value.get("base_dir") or os.environ.get("DAGSTER_HOME")
        passing = None if folder else tempfile.TemporaryDirectory(prefix="dagster-")
        storage = cls(str(folder or passing.name), inst_data)  # type: ignore[union-attr]
        storage._passing = passing
        return storage

    def _init_db(self) -> None:
        """Make the file with pages of our size; Dagster then makes its tables."""
        file = Path(self.get_db_path())
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute(f"pragma page_size = {PAGE_BYTES}")
            connection.execute("vacuum")
        super()._init_db()
