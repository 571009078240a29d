"""Sealing: the parts of a closed folder become one sorted file, named by a manifest.

Rows are sorted through scratch files where they are many, so memory does not grow with them. The merged file is invisible until the manifest names it, and the parts stay until no reader can still
hold their names, so a reader sees every row once, before, during and after. Doing it twice changes nothing;
parts that came after a manifest count as they are, and sealing again takes them in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.lake import cold, form, layout, manifests, reading, sorting
from polymarket_assets.lake.manifests import Manifest, ManifestFile
from polymarket_assets.lake.schemas import TABLES, Table
from polymarket_assets.lake.storage import Store
from polymarket_assets.lake.writing import Lake

# A reader may hold a list of files for this long; superseded parts are kept as long.
SUPERSEDED_KEPT = timedelta(minutes=15)

# Told the table, the files that were merged and what they became; it raises where the rows are not the same.
Verify = Callable[[Table, Sequence[str], Sequence[str]], None]


def merge(
    lake: Lake,
    table: str,
    at: datetime,
    *,
    now: datetime,
    tier: str | None = None,
    through: datetime | None = None,
    gaps: int = 0,
    verify: Verify = lambda table, before, after: None,
    stamp: Callable[[], datetime] | None = None,
) -> Manifest:
    """Seal the folder of `at`: merge its parts into one file sorted by key, then name it in a manifest.

    A sealed folder into which nothing came since is left as it is and its manifest returned; a later `through`
    is noted. An hour with no parts is sealed empty: that nothing happened in it is then known, not guessed.
    The manifest is dated `now`, or what `stamp` says when it is written: merging takes minutes, and from then on the
    time counts that readers may still hold the parts.

    Raises:
        LakeUnwritable, DamagedFile, SchemaMismatch, ColdAway: everything counts as before; the call can be repeated.
        RowsDiffer: of `verifying.require_same`, where it is asked to verify; everything counts as before.
    """
    declared = TABLES[table]
    folder = layout.folder(declared, at, tier)
    before = manifests.read(lake.store, folder)
    fresh = _not_merged(lake, folder, before)
    if before is None or fresh:
        manifest = _sealed(lake, declared, folder, before, fresh, now, verify)
    elif through is not None and (before.through is None or through > before.through):
        manifest = msgspec.structs.replace(before, sealed_at=now)
    else:
        return before
    kept = before.through if before and through is None else through
    at_last = stamp() if stamp else manifest.sealed_at
    manifest = msgspec.structs.replace(manifest, through=kept, gaps=gaps, sealed_at=at_last)
    manifests.write(lake.store, folder, manifest)
    return manifest


def remove_superseded(
    lake: Lake,
    table: str,
    at: datetime | date,
    *,
    now: datetime,
    tier: str | None = None,
    kept: timedelta = SUPERSEDED_KEPT,
) -> int:
    """Remove what a manifest replaced once it is so old, and drafts of processes that died; returns how many files went.

    Raises `LakeUnwritable`.
    """
    folder = layout.folder(TABLES[table], at, tier)
    removed = lake.store.remove_drafts(folder)
    manifest = manifests.read(lake.store, folder)
    if manifest is None or now - manifest.sealed_at < kept:
        return removed
    current = {file.name for file in manifest.files}
    away = cold.store(lake)
    # The copy that counts has the same name in the other part of the lake.
    removed += _removed(lake.store, folder, manifest, set() if manifest.cold else current)
    if away is not None:
        removed += away.remove_drafts(folder)
        removed += _removed(away, folder, manifest, current if manifest.cold else set())
    return removed


def _removed(store: Store, folder: str, manifest: Manifest, current: set[str]) -> int:
    present = set(store.list(folder))
    doomed = [f"{folder}/{name}" for name in manifest.superseded if name not in current]
    doomed = [path for path in doomed if path in present]
    for path in doomed:
        store.remove(path)
    return len(doomed)


def _not_merged(lake: Lake, folder: str, before: Manifest | None) -> list[str]:
    merged = set(before.superseded) if before else set()
    return [path for path in lake.store.list(folder) if layout.is_part(path) and _name(path) not in merged]


def _sealed(
    lake: Lake,
    table: Table,
    folder: str,
    before: Manifest | None,
    fresh: list[str],
    now: datetime,
    verify: Verify,
) -> Manifest:
    """The manifest of what was merged before and the parts that came since."""
    held = cold.located(lake, folder, before) if before else []
    sources = [*held, *map(lake.store.uri, fresh)]
    files, extent = _merged(lake, table, folder, sources)
    verify(table, sources, [lake.store.uri(f"{folder}/{file.name}") for file in files])
    # Of a sealing that died before it named its file.
    orphans = [path for path in lake.store.list(folder) if layout.is_merged(path)]
    replaced = [*(before.superseded if before else ()), *map(_name, [*held, *fresh, *orphans])]
    current = {file.name for file in files}
    return Manifest(
        table=table.name,
        sealed_at=now,
        files=files,
        superseded=tuple(dict.fromkeys(name for name in replaced if name not in current)),
        rows=sum(file.rows for file in files),
        first=extent.first,
        last=extent.last,
    )


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _merged(
    lake: Lake, table: Table, folder: str, files: list[str]
) -> tuple[tuple[ManifestFile, ...], _Extent]:
    """The one file of these files' rows (none where they hold none), and their extent in time."""
    rows = sum(reading.require_declared(table, file).metadata.num_rows for file in files)
    extent = _Extent(table)
    if not rows:
        return (), extent
    with lake.store.scratch() as scratch, reading.damage_told(f"a file of {folder}"):
        ids = form.ids(table)
        complete = partial(reading.completed, table, dictionaries=ids)
        pieces = sorting.sorted_rows(files, ids, form.order(table), scratch, complete)
        groups = extent.noted(_groups(table, pieces))
        stored = lake.store.write_groups(folder, layout.MERGED, table.schema, groups, form.options(table))
    return (ManifestFile(stored.name, rows, stored.bytes, stored.sha256),), extent


def _groups(table: Table, pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Rows in groups of always the same size, so that the same rows give the same file, byte for byte."""
    size = form.group_rows(table)
    held: list[pa.Table] = []
    for piece in pieces:
        held.append(piece)
        while (count := sum(part.num_rows for part in held)) >= size:
            whole = pa.concat_tables(held)
            yield _declared(table, whole.slice(0, size))
            held = [whole.slice(size)] if count > size else []
    if held:
        yield _declared(table, pa.concat_tables(held))


def _declared(table: Table, rows: pa.Table) -> pa.Table:
    return rows.select(list(table.names)).cast(table.schema)


@dataclass
class _Extent:
    """The first and the last instant by which rows are filed; None where a table is not filed by one."""

    table: Table
    first: datetime | None = None
    last: datetime | None = None

    def noted(self, groups: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The groups, each looked at as it passes."""
        column = self.table.filed_by
        timed = column is not None and pa.types.is_timestamp(self.table.schema.field(column).type)
        for group in groups:
            if timed:
                found = pc.min_max(group.column(column))
                first, last = found["min"].as_py(), found["max"].as_py()
                self.first = min(first, self.first or first)
                self.last = max(last, self.last or last)
            yield group
