"""Sealing: the parts of a closed folder become one sorted file, named by a manifest.

The merged file is invisible until the manifest names it, and the parts stay until no reader can still
hold their names, so a reader sees every row once, before, during and after. Doing it twice changes nothing;
parts that came after a manifest count as they are, and sealing again takes them in.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.lake import layout, manifests, reading
from polymarket_assets.lake.manifests import Manifest, ManifestFile
from polymarket_assets.lake.schemas import TABLES, Table
from polymarket_assets.lake.writing import Lake

# A reader may hold a list of files for this long; superseded parts are kept as long.
SUPERSEDED_KEPT = timedelta(minutes=15)


def merge(
    lake: Lake,
    table: str,
    at: datetime,
    *,
    now: datetime,
    tier: str | None = None,
    through: datetime | None = None,
    gaps: int = 0,
) -> Manifest:
    """Seal the folder of `at`: merge its parts into one file sorted by key, then name it in a manifest.

    A sealed folder into which nothing came since is left as it is and its manifest returned; a later `through`
    is noted. An hour with no parts is sealed empty: that nothing happened in it is then known, not guessed.
    """
    declared = TABLES[table]
    folder = layout.folder(declared, at, tier)
    before = manifests.read(lake.store, folder)
    fresh = _not_merged(lake, folder, before)
    if before is None or fresh:
        manifest = _sealed(lake, declared, folder, before, fresh, now)
    elif through is not None and (before.through is None or through > before.through):
        manifest = msgspec.structs.replace(before, sealed_at=now)
    else:
        return before
    kept = before.through if before and through is None else through
    manifest = msgspec.structs.replace(manifest, through=kept, gaps=gaps)
    manifests.write(lake.store, folder, manifest)
    return manifest


def remove_superseded(lake: Lake, table: str, at: datetime, *, now: datetime, tier: str | None = None) -> int:
    """Remove the parts a manifest replaced, once it is old enough; returns how many went."""
    folder = layout.folder(TABLES[table], at, tier)
    manifest = manifests.read(lake.store, folder)
    if manifest is None or now - manifest.sealed_at < SUPERSEDED_KEPT:
        return 0
    present = set(lake.store.list(folder))
    doomed = [path for name in manifest.superseded if (path := f"{folder}/{name}") in present]
    for path in doomed:
        lake.store.remove(path)
    return len(doomed)


def _not_merged(lake: Lake, folder: str, before: Manifest | None) -> list[str]:
    merged = set(before.superseded) if before else set()
    return [path for path in lake.store.list(folder) if layout.is_part(path) and _name(path) not in merged]


def _sealed(
    lake: Lake, table: Table, folder: str, before: Manifest | None, fresh: list[str], now: datetime
) -> Manifest:
    """The manifest of what was merged before and the parts that came since."""
    held = [f"{folder}/{file.name}" for file in before.files] if before else []
    rows = _merged(lake, table, [*held, *fresh])
    files = (_publish(lake, folder, rows),) if rows.num_rows else ()
    replaced = [*(before.superseded if before else ()), *map(_name, [*held, *fresh])]
    current = {file.name for file in files}
    first, last = _extent(table, rows)
    return Manifest(
        table=table.name,
        sealed_at=now,
        files=files,
        superseded=tuple(name for name in replaced if name not in current),
        rows=rows.num_rows,
        first=first,
        last=last,
    )


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _merged(lake: Lake, table: Table, parts: list[str]) -> pa.Table:
    read = [reading._read(table, lake.store.uri(path)) for path in parts]
    rows = pa.concat_tables([table.schema.empty_table(), *read])
    return rows.sort_by([(name, "ascending") for name in table.key])


def _publish(lake: Lake, folder: str, rows: pa.Table) -> ManifestFile:
    name = f"merged-{_fingerprint(rows)[:16]}.parquet"
    size = lake.store.write_table(f"{folder}/{name}", rows)
    content = lake.store.read_bytes(f"{folder}/{name}") or b""
    return ManifestFile(name, rows.num_rows, size, hashlib.sha256(content).hexdigest())


def _fingerprint(rows: pa.Table) -> str:
    digest = hashlib.sha256()
    for batch in rows.to_batches():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        digest.update(sink.getvalue())
    return digest.hexdigest()


def _extent(table: Table, rows: pa.Table) -> tuple[datetime | None, datetime | None]:
    if (
        table.filed_by is None
        or not rows.num_rows
        or not pa.types.is_timestamp(rows.schema.field(table.filed_by).type)
    ):
        return None, None
    extent = pc.min_max(rows.column(table.filed_by))
    return extent["min"].as_py(), extent["max"].as_py()
