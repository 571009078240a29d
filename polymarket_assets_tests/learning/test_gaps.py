"""Gaps of all kinds: what nobody heard is what the gaps known at an instant cover together."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from polymarket_assets.learning.evidence.gaps import Gaps, parts
from polymarket_assets.learning.evidence.quotes import Instants

instants = st.integers(0, 30)
gap = st.tuples(instants, instants).map(lambda ends: (min(ends), max(ends)))
SCHEMA = pa.schema([("m", pa.int64()), ("from_us", pa.int64()), ("to_us", pa.int64())])


def covered(gaps: list[tuple[int, int]], begin: int, until: int) -> int:
    """Of begin … until what gaps that were over by its end cover."""
    return sum(any(a <= at < b <= until for a, b in gaps) for at in range(begin, until))


def of_markets(market: list[int], as_of: list[int]) -> Instants:
    whole = np.array(as_of, dtype=np.int64)
    return Instants(np.array(market), whole, whole, whole.astype(float), whole, whole, whole)


def test_a_short_gap_within_a_long_one_takes_nothing_from_it() -> None:
    assert sorted(parts([(0, 20), (12, 15)])) == [(0, 12, 20), (12, 15, 15), (15, 20, 20)]


@settings(deadline=None)
@given(st.lists(gap, max_size=8), instants, instants)
def test_parts_known_at_an_instant_are_what_gaps_known_then_cover(gaps: list[tuple[int, int]], one: int, other: int) -> None:  # fmt: skip
    begin, until = min(one, other), max(one, other)
    known = [(a, b) for a, b, at in parts(gaps) if at <= until]
    assert sum(max(0, min(b, until) - max(a, begin)) for a, b in known) == covered(gaps, begin, until)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([None, 1, 2, 5]), gap), max_size=10), st.lists(st.tuples(st.sampled_from([1, 2, 3]), instants, instants), min_size=1, max_size=6))  # fmt: skip
def test_gaps_of_one_market_and_of_all(found: list[tuple[int | None, tuple[int, int]]], asked: list[tuple[int, int, int]]) -> None:  # fmt: skip
    deaf = pa.Table.from_pylist([{"m": m, "from_us": a, "to_us": b} for m, (a, b) in found], SCHEMA)
    market, begins, until = ([row[n] for row in asked] for n in range(3))
    held = Gaps.of(deaf, of_markets(market, until))
    within = held.within_us(np.array(market), np.array(begins), np.array(until))
    wanted = [
        covered([ends for m, ends in found if m in (None, one)], a, b) if a < b else 0 for one, a, b in asked
    ]
    assert within.tolist() == wanted


def test_gaps_that_many_markets_share_are_not_held_for_each() -> None:
    """A gap of a shard is one of each of its markets: thousands of them hundreds of times, as Python objects, take more than all the rest."""
    markets, gaps = 1000, 100
    from_us = np.tile(np.arange(gaps) * 100, markets)
    columns = [np.repeat(np.arange(markets), gaps), from_us, from_us + 5]
    deaf = pa.table([pa.array(column) for column in columns], SCHEMA)
    at = of_markets(list(range(markets)), [gaps * 100] * markets)
    tracemalloc.start()
    held = Gaps.of(deaf, at)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held.to_us.size == gaps
    assert most < 40 * deaf.num_rows, "five numbers a row at the most"
