"""The lake: Parquet folders by table and hour, the only interface between the platform's processes.

    from polymarket_assets import lake
    lake.connect().sql("select * from snapshots limit 5")

Without a root, `LAKE_ROOT` says where it is.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from polymarket_assets.lake import reading as _reading
from polymarket_assets.lake.errors import NoLake
from polymarket_assets.lake.objects import is_object
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake, Written

if TYPE_CHECKING:
    import duckdb


def connect(root: str | Path | None = None, span: Span | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection with one view per table of the lake at `root`; a span bounds what is listed.

    It is DuckDB's own: what an object store says to its queries comes as `duckdb.Error`; of `connected` in words.
    """
    return _reading.connect(open_lake(root), span)


def connected(
    root: str | Path | None = None, span: Span | None = None
) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """The same for a `with` statement, closed afterwards. Raises `StoreUnavailable` and `StoreRefused` of queries, too."""
    return _reading.connected(open_lake(root), span)


def files(
    table: str, span: Span | None = None, *, root: str | Path | None = None, tier: str | None = None
) -> list[str]:
    """The Parquet files that hold a table's rows of a span, for pyarrow, polars or pandas."""
    return _reading.files(open_lake(root), table, span, tier=tier)


def open_lake(root: str | Path | None = None) -> Lake:
    """The lake at `root`, else at `LAKE_ROOT`; a folder that is not there yet is an empty lake, a bucket that is not there an error.

    Raises:
        NotConfigured: neither names one.
        NoLake: what is named can be no lake.
        StoreUnavailable, StoreRefused: the object store does not say what is there.
    """
    if root is None:
        from polymarket_assets.settings import load

        root = load().need_lake_root()
    if not is_object(root) and Path(root).exists() and not Path(root).is_dir():
        raise NoLake(f"{root} is a file and no lake: name a folder with LAKE_ROOT")
    return Lake(root)


def open_existing(root: str | Path | None = None) -> Lake:
    """The same, for who only reads. Raises `NoLake` where nothing is there yet, too."""
    lake = open_lake(root)
    if not lake.store.stands():
        raise NoLake(f"there is no lake at {lake.root} yet: `make up`, `make demo` and history_import begin one; LAKE_ROOT or --root name another")  # fmt: skip
    return lake


__all__ = ["TABLES", "Lake", "Span", "Written", "connect", "connected", "files", "open_existing", "open_lake"]
