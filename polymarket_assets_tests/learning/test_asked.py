"""A row is the same whatever else is asked for with it, however files are ordered, and beside rows that nobody can read."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.evidence.recorded import at_instants
from polymarket_assets_tests.learning.rows import HOUR, MINUTE, NOON, SECOND, market, publish, snapshot
from polymarket_assets_tests.learning.slowly import Slow

AT = NOON + timedelta(minutes=2, seconds=30)
_DICE = random.Random(1)


def trade(at: datetime, usd: int, **more: Any) -> dict[str, Any]:
    return {
        "session_id": "s", "connection": 1, "sequence": _DICE.randrange(10**9), "received_at": at, "venue_at": at, "market_id": "pm:a", "outcome_index": 0,
        "is_buy": True, "price_e6": 500_000, "size_e6": usd * 2_000_000, "tx_hash": _DICE.randbytes(32), "token_id": "1", **more,
    }  # fmt: skip


def trades() -> list[dict[str, Any]]:
    """Of a day, with a large one in the step of the clock in which the day began, and one whose copy alone lies within it."""
    twice = trade(AT - 24 * HOUR - SECOND, 7_000)
    found = [trade(AT - n * 5 * MINUTE - 40 * SECOND, _DICE.choice([10, 500])) for n in range(1, 280)]
    # One message of the socket: equal in everything but the side.
    found += [trade(AT - HOUR, 300, is_buy=n % 3 > 0) for n in range(40)]
    return [*found, trade(NOON - 24 * HOUR + MINUTE, 50_000), twice, {**twice, "session_id": "t", "received_at": AT - 24 * HOUR + SECOND}]  # fmt: skip


def fill(lake: Lake, heard: list[dict[str, Any]]) -> Lake:
    quotes = [snapshot("a", AT - n * MINUTE, bid := round(_DICE.uniform(0.3, 0.6), 2), bid + 0.01, tier="t2") for n in range(26 * 60)]  # fmt: skip
    publish(lake, "markets", [market("a", NOON - 40 * HOUR, NOON + 3 * HOUR)])
    publish(lake, "snapshots", quotes)
    publish(lake, "trades_raw", heard)
    return lake


def at(lake: Lake, *instants: datetime) -> dict[datetime, dict[str, Any]]:
    wanted = {
        "market_id": ["pm:a"] * len(instants),
        "as_of": pa.array(instants, pa.timestamp("us", tz="UTC")),
    }
    return {row["as_of"]: row for row in at_instants(lake, pa.table(wanted)).to_pylist()}


def test_a_row_is_the_same_alone_and_beside_others(lake: Lake) -> None:
    """Also what reaches back to the step in which a day began, and copies of which the first came before the day."""
    fill(lake, trades())
    alone, slowly = at(lake, AT)[AT], Slow(lake).features("pm:a", AT)
    assert alone == at(lake, AT - HOUR, AT)[AT]
    assert slowly is not None
    assert alone["kyle_24h"] == pytest.approx(slowly["kyle_24h"], rel=1e-9)
    assert alone["n_tr_24h"] == pytest.approx(slowly["n_tr_24h"], rel=1e-9)


def test_a_row_is_the_same_in_whatever_order_trades_were_filed(tmp_path: Path) -> None:
    heard = trades()
    state = _DICE.getstate()
    found = []
    for order in range(6):
        _DICE.setstate(state)
        shuffled = random.Random(order).sample(heard, len(heard))
        found.append(at(fill(Lake(tmp_path / str(order)), shuffled), AT)[AT])
    assert found[0]["vpin_24h"] is not None
    assert all(row == found[0] for row in found)


@pytest.mark.parametrize("tier", ["hot", "", "t9"])
def test_a_tier_that_nobody_knows_has_no_price_and_stops_nobody(tier: str, lake: Lake) -> None:
    """Another version's, say: how long its price stands is not known."""
    publish(lake, "markets", [market("a", NOON - 40 * HOUR, NOON + 3 * HOUR)])
    rows = [snapshot("a", AT - MINUTE, 0.4, 0.41, tier="t2"), snapshot("a", AT, 0.6, 0.61, tier=tier)]
    lake.publish_rows("snapshots", rows, part="0", at=AT, tier="t2")
    row = at(lake, AT)[AT]
    assert (row["mid"], row["tier"]) == (pytest.approx(0.405), "t2")


def test_best_levels_beyond_all_sense_do_not_turn_the_flow_of_books_round(lake: Lake) -> None:
    fill(lake, [])
    level = {"price_e6": 400_000, "size_e6": 2**62}
    books = [{"market_id": "pm:a", "slot_at": AT - n * MINUTE, "received_at": AT - n * MINUTE, "tick_e6": 10_000, "token_id": "1", "hash": "", "bids": [level], "asks": [{**level, "price_e6": 410_000}]} for n in range(8)]  # fmt: skip
    lake.publish_rows("orderbooks", books, part="0", at=AT, tier="t2")
    assert at(lake, AT)[AT]["ofi_15m"] == 0
