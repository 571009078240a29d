"""Searches and sums over events of many markets, against what a loop over all of them finds."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polymarket_assets.learning.evidence import series
from polymarket_assets.learning.evidence.series import Series
from polymarket_assets.learning.evidence.trades import Trades

Event = tuple[int, int]
events = st.lists(st.tuples(st.integers(1, 4), st.integers(100, 120)), max_size=40)
asked = st.lists(st.tuples(st.integers(0, 5), st.integers(90, 130)), min_size=1, max_size=20)
flags = st.lists(st.booleans(), max_size=30)


def columns(rows: list[tuple[int, ...]], count: int = 2) -> list[np.ndarray]:
    return [np.array([row[n] for row in rows], dtype=np.int64) for n in range(count)]


@settings(deadline=None)
@given(events, asked)
def test_what_comes_before_an_instant(found: list[Event], asked: list[Event]) -> None:
    ordered = sorted(found)
    held, (market, at_us) = Series.over(*columns(ordered)), columns(asked)
    assert held.before(market, at_us).tolist() == [sum(event < ask for event in ordered) for ask in asked]
    assert held.until(market, at_us).tolist() == [sum(event <= ask for event in ordered) for ask in asked]
    latest = [max((n for n, event in enumerate(ordered) if event[0] == ask[0] and event <= ask), default=-1) for ask in asked]  # fmt: skip
    assert held.latest(market, at_us).tolist() == latest
    exactly = [place if place >= 0 and ordered[place] == ask else -1 for place, ask in zip(latest, asked, strict=True)]  # fmt: skip
    assert held.exactly(market, at_us).tolist() == exactly


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)), max_size=30), st.booleans())  # fmt: skip
def test_the_order_of_market_and_instant(found: list[tuple[int, int, int]], is_timed: bool) -> None:
    """In order of time, as trades come, another way of sorting is taken: to the same order."""
    given_rows = sorted(found, key=lambda row: row[1]) if is_timed else found
    order = series.in_order(*columns(given_rows, 3))
    assert [given_rows[n] for n in order] == sorted(given_rows)
    assert sorted(order) == list(range(len(given_rows)))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 9)), max_size=30))
def test_of_equal_ones_the_last(found: list[tuple[int, int, int]]) -> None:
    table = pa.table(dict(zip(("m", "at_us", "tie"), columns(found, 3), strict=True)))
    last = {(market, at_us): tie for market, at_us, tie in sorted(found)}
    taken = [found[n] for n in series.last_of_equal(table)]
    assert taken == [(*event, tie) for event, tie in sorted(last.items())]


@settings(deadline=None)
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=40), st.data())
def test_the_least_and_the_greatest_of_a_stretch(values: list[int], data: st.DataObject) -> None:
    spans = [sorted(data.draw(st.tuples(st.integers(0, len(values) - 1), st.integers(0, len(values) - 1)))) for _ in range(5)]  # fmt: skip
    first, last = columns([tuple(span) for span in spans])
    held = np.array(values)
    assert series.extreme(np.minimum, held, first, last).tolist() == [min(values[a : b + 1]) for a, b in spans]  # fmt: skip
    assert series.extreme(np.maximum, held, first, last).tolist() == [max(values[a : b + 1]) for a, b in spans]  # fmt: skip


@settings(deadline=None)
@given(flags)
def test_the_nearest_flag(found: list[bool]) -> None:
    held = np.array(found, dtype=bool)
    assert series.last_where(held).tolist() == [max((n for n in range(at + 1) if found[n]), default=-1) for at in range(len(found))]  # fmt: skip
    assert series.next_where(held).tolist() == [min((n for n in range(at, len(found)) if found[n]), default=len(found)) for at in range(len(found))]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 2), st.integers(1, 9), st.integers(1, 3), st.integers(0, 5)), max_size=30))  # fmt: skip
def test_each_trade_counts_once_the_first_time_it_was_heard(found: list[tuple[int, int, int, int]]) -> None:
    """Copies have the same name; names that only end alike are others."""
    names = [(market, name) for market, _, _, name in found]
    rows = [{"m": m, "at_us": at, "usd_e6": usd, "is_for": True, "is_known": True, "copy_of": (10 * m + name) * 2**24} for m, at, usd, name in found]  # fmt: skip
    schema = pa.schema([*((name, pa.int64()) for name in ("m", "at_us", "usd_e6", "copy_of")), ("is_for", pa.bool_()), ("is_known", pa.bool_())])  # fmt: skip
    trades = Trades.over(pa.Table.from_pylist(rows, schema))
    firsts = {name: min(row[:3] for row, other in zip(found, names, strict=True) if other == name) for name in names}  # fmt: skip
    assert np.diff(trades.of["usd_e6"]).tolist() == [usd for _, _, usd in sorted(firsts.values())]


def test_sums_that_go_round_64_bits_still_differ_by_what_was_added() -> None:
    sums = series.running(np.array([2**62, 2**62, 2**62, 5], dtype=np.int64))
    assert sums[4] - sums[3] == 5


@pytest.mark.parametrize(("market", "at_us"), [([1, 1], [0, 102 * 86_400_000_000]), ([1, 2**20], [0, 0])])
def test_more_than_keys_can_tell_apart_is_refused(market: list[int], at_us: list[int]) -> None:
    with pytest.raises(ValueError, match="a hundred days or a million markets"):
        Series.over(np.array(market), np.array(at_us))
