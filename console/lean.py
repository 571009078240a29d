"""What keeps the console's process small and its answers even: one DuckDB with little memory, and allocators that give back."""

from __future__ import annotations

import ctypes
import sys
from importlib.abc import MetaPathFinder

# Of the 500 MB that the console may have; what a question needs beyond it DuckDB spills. A question has a thread: a page asks many
# at once, and those that share one wait for each other.
# What DuckDB does not need any more it gives back at once, rather than at the next 128 MB.
_DUCKDB = {
    "memory_limit": "64MB", "threads": 1, "allocator_flush_threshold": "1MB", "allocator_bulk_deallocation_flush_threshold": "1MB",
    "allocator_background_threads": True,
}  # fmt: skip
# `mallopt(3)`: eight arenas a core each keep what the threads of one look needed at the most.
_M_ARENA_MAX, _ARENAS = -8, 2
# Who comes back from DuckDB waits for the interpreter as long as this, of 5 ms a tenth: a page asks DuckDB some thirty times.
_SWITCH_S = 0.0005


class _NoPandas(MetaPathFinder):
    """DuckDB and pyarrow import it, where it is, to ask whether a table is one of its frames: 40 MB for nothing that the console has."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("the console does without pandas", name=fullname)


def begin() -> None:
    """To be called before the first question, and before threads are started."""
    import pyarrow as pa

    from polymarket_assets.lake import opening

    sys.meta_path.insert(0, _NoPandas())
    opening.share(keeps_footers=True, **_DUCKDB)
    # The pool that Arrow brings holds on to what it had.
    pa.set_memory_pool(pa.system_memory_pool())
    if (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)
    sys.setswitchinterval(_SWITCH_S)
