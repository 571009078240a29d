"""Fills as rows: what a strategy bought, when it was paid, and what it got."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from polymarket_assets.learning.backtest.portfolio import payout_usd
from polymarket_assets.learning.backtest.strategies import Wishes
from polymarket_assets.learning.backtest.trading import Decisions, Done

_INSTANT = pa.timestamp("us", tz="UTC")

FILLS = pa.schema(
    [
        ("market_id", pa.string()),
        ("group_id", pa.string()),
        ("as_of", _INSTANT),
        ("executed_at", _INSTANT),
        ("outcome_index", pa.int8()),
        # Dollars a share of the outcome bought: what it was believed to be worth at least, its mid then, and the mean fill.
        ("belief", pa.float64()),
        ("mid", pa.float64()),
        ("price", pa.float64()),
        ("shares", pa.float64()),
        ("fee_usd", pa.float64()),
        ("cost_usd", pa.float64()),
        # Null: not paid yet.
        ("paid_at", _INSTANT),
        ("payout_usd", pa.float64()),
    ]
)


def table(done: Sequence[Done], decisions: Decisions, wishes: Wishes) -> pa.Table:
    """The fills among what was done, in the schema `FILLS`, as they were decided."""
    rows = [_row(one, decisions, wishes) for one in done if one.fill is not None]
    return pa.Table.from_pylist(rows, schema=FILLS)


def _row(done: Done, of: Decisions, wishes: Wishes) -> dict[str, Any]:
    fill, row = done.fill, done.row
    assert fill is not None
    outcome, end = int(wishes.outcome[row]), of.ends.get(of.market[row])
    paid = payout_usd(outcome, fill.shares, fill.cost_usd, end.payout) if end else None
    return {
        "market_id": of.market[row], "group_id": of.group[row], "as_of": of.at_us[row], "executed_at": int(of.books.at_us[row]),
        "outcome_index": outcome, "belief": wishes.belief[row], "mid": wishes.mid[row], "price": fill.price, "shares": fill.shares,
        "fee_usd": fill.fee_usd, "cost_usd": fill.cost_usd, "paid_at": end.at_us if end else None, "payout_usd": paid,
    }  # fmt: skip
