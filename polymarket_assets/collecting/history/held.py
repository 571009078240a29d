"""Prices that were fetched of a day before: the venue forgets the fine ones with time, and what it forgot stays here.

A day is fetched again when its prices are wanted of more markets. By then the venue may give every half hour of what it
gave every minute of: such a point counts where its bucket holds nothing finer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.collecting.history.closed_days import PART, is_fetched
from polymarket_assets.lake import layout, reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake

Market: TypeAlias = tuple[str, pa.Table]

_TABLE = TABLES["history_prices"]
_ID = itemgetter(0)


def fetched_before(lake: Lake, day: date, lives: Mapping[str, Span]) -> Iterator[Market]:
    """Markets with their rows within their `lives` as known now, in the order they were filed: that of their ids.

    Raises:
        DamagedFile, SchemaMismatch: what was filed cannot be read.
    """
    if not is_fetched(lake, _TABLE.name, day):
        return
    path = f"{layout.folder(_TABLE, day)}/{layout.part(PART)}"
    file = reading.require_declared(_TABLE, lake.store.uri(path))
    with reading.damage_told(path):
        for market_id, pieces in groupby(pieces_of(file.iter_batches()), key=_ID):
            life = lives.get(market_id)
            rows = pa.concat_tables([rows for _, rows in pieces])
            if life is None:
                continue
            yield market_id, rows.filter((pc.field("priced_at") >= life.start) & (pc.field("priced_at") < life.end))  # fmt: skip


def pieces_of(batches: Iterable[pa.RecordBatch]) -> Iterator[Market]:
    """Rows that follow one another and are of one market; a market may go on in the next piece."""
    for batch in batches:
        rows = reading.completed(_TABLE, pa.Table.from_batches([batch])).cast(_TABLE.schema)
        runs = pc.run_end_encode(rows["market_id"].combine_chunks())
        start = 0
        for market_id, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
            yield market_id, rows.slice(start, end - start)
            start = end


def united(fetched: Iterable[Market], before: Iterable[Market]) -> Iterator[pa.Table]:
    """The rows of each market of either, both in the order of market ids: of a bucket the finest, of equals the newly fetched."""
    for _, pieces in groupby(merge(fetched, before, key=_ID), key=_ID):
        tables = [rows for _, rows in pieces]
        yield tables[0] if len(tables) == 1 else _finest(pa.concat_tables(tables))


def _finest(rows: pa.Table) -> pa.Table:
    """Rows of one market, of which the newly fetched come first."""
    ordered = rows.take(pc.sort_indices(rows, [("priced_at", "ascending"), ("fidelity_s", "ascending")]))
    at_s = ordered["priced_at"].cast(pa.int64()).to_numpy() / 1e6
    spacing_s = ordered["fidelity_s"].to_numpy()
    stands = np.ones(len(at_s), dtype=bool)
    stands[1:] = at_s[1:] > at_s[:-1]
    for coarse_s in np.unique(spacing_s)[1:]:
        finer, coarse = at_s[spacing_s < coarse_s], spacing_s == coarse_s
        held = np.searchsorted(finer, at_s[coarse] + coarse_s) > np.searchsorted(finer, at_s[coarse])
        stands[coarse] &= ~held
    return ordered.filter(pa.array(stands))
