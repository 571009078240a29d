"""Ended markets and the venue's word on them, shared by the tests of resolving."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from polymarket_assets.collecting import resolving
from polymarket_assets.collecting.asking_times import Through
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Gone, Unavailable
from polymarket_assets.venue.records import ClobMarket, ClobToken, Listing, PricePoint, ResolutionRow
from polymarket_assets_tests.collecting.fakes import HOUR, Gamma, Time, Venue, market_row, token

OVER = {"effective_close": HOUR - timedelta(minutes=10)}
NOW = HOUR + timedelta(minutes=3)
CLOSED_AT = HOUR - timedelta(minutes=9)
CLOSED = {"closed": True, "end": {"prices": ("1", "0"), "status": "resolved", "closed_at": CLOSED_AT}}


@dataclass
class Data:
    """Resolution rows from a list; fails after so many calls if told to."""

    rows: list[ResolutionRow] = field(default_factory=list)
    fails_after: int | None = None
    calls: int = 0
    # What a share of the canonical outcome was paid, as the price history says it; or why it says nothing.
    payout: float | Exception | None = None
    histories: list[str] = field(default_factory=list)

    def resolutions(self, condition_ids: list[str]) -> list[ResolutionRow]:
        self.calls += 1
        if self.fails_after is not None and self.calls > self.fails_after:
            raise Unavailable("data answered 503")
        return [row for row in self.rows if row.condition_id in condition_ids]

    def prices_history(self, token_id: str, start: datetime, end: datetime, bucket_s: int) -> list[PricePoint]:  # fmt: skip
        self.histories.append(token_id)
        if isinstance(self.payout, Exception):
            raise self.payout
        return [PricePoint(start, 0.97, bucket_s), *([] if self.payout is None else [PricePoint(start, self.payout, 0)])]  # fmt: skip


@dataclass
class Winners:
    """Markets with winners, or an error for those without."""

    winners: dict[str, str] = field(default_factory=dict)
    error: Exception = field(default_factory=lambda: Gone("market not found"))
    asked: list[str] = field(default_factory=list)

    def market(self, condition_id: str) -> ClobMarket:
        self.asked.append(condition_id)
        if condition_id not in self.winners:
            raise self.error
        n = int(condition_id, 16)
        tokens = tuple(ClobToken(t, "?", t == self.winners[condition_id]) for t in (token(n), f"9{token(n)}"))
        return ClobMarket(condition_id=condition_id, tokens=tokens, closed=True)


def row_of(n: int, status: str = "resolved", payouts: tuple[int, ...] | None = (1_000_000, 0), at: datetime | None = CLOSED_AT, disputed: bool = False) -> ResolutionRow:  # fmt: skip
    return ResolutionRow(condition_id=f"0x{n:064x}", status=status, was_disputed=disputed, payouts_e6=payouts, resolved_at=at)  # fmt: skip


def resolve(lake: Lake, listings: list[Listing], data: Data | None = None, clob: Winners | None = None, at: datetime = NOW, since: Through | None = None) -> resolving.ResolveReport:  # fmt: skip
    venue = Venue(clob=clob or Winners(), gamma=Gamma(listings), data=data or Data())
    return resolving.resolve(lake, venue, clock=Time(at).clock, since=since)


def versions(lake: Lake) -> list[dict[str, Any]]:
    return reading.rows(lake, "resolutions").sort_by([("market_id", "ascending"), ("version", "ascending")]).to_pylist()  # fmt: skip


def publish_history(lake: Lake, *numbers: int, **changed: Any) -> None:
    """Markets fetched from the venue after they closed; publishing again replaces them."""
    lake.publish_rows("history_markets", [_history_row(n, changed) for n in numbers], part="venue", at=CLOSED_AT.date())  # fmt: skip


def _history_row(n: int, changed: dict[str, Any]) -> dict[str, Any]:
    kept = market_row(n)
    row = {name: kept[name] for name in ("market_id", "venue", "condition_id", "outcomes", "token_ids", "neg_risk", "tags", "end_source")}  # fmt: skip
    row |= {"close_day": CLOSED_AT.date(), "received_at": NOW, "closed_at": CLOSED_AT, "source": "polymarket"}
    return {**row, **changed}


def push(lake: Lake, n: int, winner: str | None, at: datetime) -> None:
    """What the socket says of market `n`: a token that won, "" for none, None for a message that cannot be read."""
    condition_id = f"0x{n:064x}"
    said = {"market": condition_id, "winning_asset_id": winner, "winning_outcome": "?", "timestamp": "1793624400000"}  # fmt: skip
    row = {"session_id": "s", "connection": 0, "sequence": 1, "received_at": at, "kind": "market_resolved",
           "condition_id": condition_id, "payload": "{}" if winner is None else json.dumps(said)}  # fmt: skip
    lake.publish_rows("market_events", [row], part=f"{n}-{at:%H%M%S}", at=at)
