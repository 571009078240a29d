"""Who carries which market: each exactly one shard, as many each, and few that move when a shard comes or goes."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polymarket_assets.shards import Shard, carried, jump, shard_of

MARKETS = [f"pm:0x{n:064x}" for n in range(10_000)]
counts = st.integers(1, 40)


@pytest.mark.parametrize(
    ("key", "buckets", "bucket"),
    [(0, 1, 0), (1, 1, 0), (42, 57, 43), (0xDEAD10CC, 1, 0), (0xDEAD10CC, 666, 361), (256, 1024, 520)],
)
def test_the_formula_gives_what_other_implementations_give(key: int, buckets: int, bucket: int) -> None:
    assert jump(key, buckets) == bucket


@given(st.text(), counts)
def test_a_market_has_exactly_one_shard(market_id: str, count: int) -> None:
    """Two would record it twice, none would lose it."""
    assert [n for n in range(count) if Shard(n, count).carries(market_id)] == [shard_of(market_id, count)]


@given(st.text(), counts)
def test_what_moves_when_a_shard_comes_moves_to_it(market_id: str, count: int) -> None:
    before, after = shard_of(market_id, count), shard_of(market_id, count + 1)
    assert after in (before, count)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16])
def test_one_more_shard_moves_about_its_share(count: int) -> None:
    """By a remainder nearly every market would move, and be deaf for as long as that takes."""
    moved = sum(shard_of(m, count) != shard_of(m, count + 1) for m in MARKETS)
    assert moved / len(MARKETS) == pytest.approx(1 / (count + 1), rel=0.1)


@pytest.mark.parametrize("count", [2, 3, 7, 16])
def test_shards_carry_about_as_many_each(count: int) -> None:
    held = Counter(shard_of(m, count) for m in MARKETS)
    share = len(MARKETS) / count
    # Five standard deviations of a fair draw.
    assert all(abs(held[n] - share) < 5 * share**0.5 for n in range(count))


@pytest.mark.parametrize(
    ("session", "shard"),
    [
        ("20261102T131500Z-1of2-3fa2b1", Shard(1, 2)),
        ("20261102T131500Z-1of2-3fa2b1:0", Shard(1, 2)),
        ("20261102T131500Z-0of1-3fa2b1", Shard()),
        (
            "20261102T131500Z-3-3fa2b1",
            Shard(3, 1),
        ),  # of before counts were told: any market may have been its
        ("a", Shard()),
    ],
)
def test_a_session_says_which_shard_it_was(session: str, shard: Shard) -> None:
    assert Shard.of_session(session) == shard
    assert shard.count > 1 or shard.carries(MARKETS[0])


@pytest.mark.parametrize(
    ("mine", "other", "mine_to_account_for"),
    [
        (Shard(), Shard(), True),
        (Shard(0, 2), Shard(), True),
        (Shard(1, 2), Shard(), False),
        (Shard(1, 2), Shard(1, 3), True),
        (Shard(0, 2), Shard(1, 3), False),
        (Shard(0, 2), Shard(2, 3), True),  # there is no third any more
        (Shard(1, 2), Shard(2, 3), False),
    ],
)
def test_what_a_shard_left_is_accounted_for_by_one_successor(
    mine: Shard, other: Shard, mine_to_account_for: bool
) -> None:
    assert mine.succeeds(other) is mine_to_account_for


def test_the_markets_of_named_shards() -> None:
    found = carried(MARKETS[:40], ["0of2", "2of3", "2of3"]).to_pylist()
    wanted = {(f"{n}of{count}", m) for n, count in ((0, 2), (2, 3)) for m in MARKETS[:40] if shard_of(m, count) == n}  # fmt: skip
    assert {(row["shard"], row["market_id"]) for row in found} == wanted
    assert len(found) == len(wanted)
    assert carried(MARKETS, []).num_rows == 0
