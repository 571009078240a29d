"""`trades_raw` to `trades`: every trade once, and over the gaps of the stream what the Data API knows.

`hearing` reads what was heard, `deafness` what was not, `fetching` asks about it, `joining` makes the rows, and
`trade_hours` keeps the account. A build never loses what an earlier one recovered, and does not ask again about a
market that is healed: the same lake gives the same rows, and a later build needs to ask only for what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from polymarket_assets.collecting import hearing, joining, trade_hours
from polymarket_assets.collecting.deafness import Deafness, deafness
from polymarket_assets.collecting.fetching import (
    HEALED,
    LEFT_OUT,
    UNMAPPED,
    Asked,
    Fetched,
    Trades,
    fetch,
)
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake, table_of
from polymarket_assets.venue.errors import Refused, Unavailable

# Most markets asked about in one build: a request or a few each, minutes within the venue's limits.
MOST_HEALED = 500
PART = trade_hours.PART


class HourNotBegun(Refused):
    """Trades were asked for an hour that lies ahead."""


class HeardGone(Refused):
    """What was heard of an hour is not in the lake any more."""


@dataclass(frozen=True)
class TradesReport:
    """The trades of an hour by where they come from; `recovered` were not heard, `unexplained` of these by no gap."""

    rows: int
    stream: int
    rest: int
    both: int
    recovered: int
    unexplained: int
    gaps: int
    # Markets deaf at some time of the hour; of these healed for good, answered too early for that, without a whole
    # answer, and of the last, beyond `MOST_HEALED`.
    affected: int
    healed: int
    early: int
    unhealed: int
    left_out: int
    # Trades of the Data API whose outcome nobody knows, and rows of it that could not be read.
    unmapped: int
    malformed: int
    healing: str
    bytes: int


def build_trades(lake: Lake, data: Trades | None, hour: datetime, *, clock: Callable[[], datetime]) -> TradesReport:  # fmt: skip
    """Build `trades` of an hour from what was heard and, with the Data API, from what was not.

    Raises:
        HourNotBegun: the hour lies ahead.
        HeardGone: what was heard of it was removed; its trades stay as they are.
        Unavailable: the Data API failed; the trades heard and those recovered by now are written.
        LakeUnwritable: nothing was written.
    """
    span = _begun(hour, clock())
    heard, carried = hearing.heard_around(lake, span), reading.rows(lake, "trades", span).to_pylist()
    inside = hearing.heard_by_hour(lake, span).get(span.start, 0)
    _require_heard(inside, carried, span)
    deaf = deafness(lake, span)
    fetched = _heal(lake, data, deaf, span, clock)
    fills = joining.fetched_fills(fetched.trades, carried)
    joined = joining.joined(lake, heard, fills, span, clock())
    asked = {m: replace(a, state=UNMAPPED) if m in joined.unmapped_markets else a for m, a in fetched.asked.items()}  # fmt: skip
    written = lake.publish_pieces("trades", [table_of("trades", joined.rows)], part=PART, at=span.start)
    account = trade_hours.account(span, clock(), inside, deaf, asked, joined.rows)
    # After the trades: an account that is missing or old only makes a later build ask again.
    lake.publish_rows("trade_hours", [account], part=PART, at=span.start)
    if fetched.failure is not None:
        raise Unavailable(f"{account['unhealed']} of {len(asked)} deaf markets are not healed: {fetched.failure}") from fetched.failure  # fmt: skip
    return _report(joined, account, asked, fetched.malformed, data is not None, written.bytes)


def _begun(hour: datetime, now: datetime) -> Span:
    span = Span.hour(hour)
    if now < span.start:
        raise HourNotBegun(f"the hour {span.start:%Y-%m-%d %H}:00 UTC has not begun: it has no trades yet")
    return span


def _require_heard(inside: int, carried: list[dict[str, Any]], span: Span) -> None:
    lost = sum(row["source"] != "rest" for row in carried)
    if lost and not inside:
        raise HeardGone(
            f"the {lost} trades heard in the hour {span.start:%Y-%m-%d %H}:00 UTC stay as they are: trades_raw does not hold them any more, and built again they would be lost"
        )


def _heal(lake: Lake, data: Trades | None, deaf: Deafness, span: Span, clock: Callable[[], datetime]) -> Fetched:  # fmt: skip
    """Ask about deaf markets that no earlier build healed from as far back; what is known of the others stays."""
    before = trade_hours.asked_before(lake, span)
    since = {market_id: max(at, span.start) for market_id, at in deaf.since.items()}
    kept = {m: before[m] for m, at in since.items() if m in before and _covers(before[m], at)}
    wanted = [(market_id, at) for market_id, at in since.items() if market_id not in kept]
    fetched = fetch(data, wanted, MOST_HEALED, span, clock)
    fetched.asked = {market_id: {**kept, **fetched.asked}[market_id] for market_id in since}
    return fetched


def _covers(asked: Asked, since: datetime) -> bool:
    return asked.state == HEALED and asked.since_at <= since


def _report(joined: joining.Joined, account: dict[str, Any], asked: dict[str, Asked], malformed: int, by_rest: bool, size: int) -> TradesReport:  # fmt: skip
    sources = [row["source"] for row in joined.rows]
    states = [known.state for known in asked.values()]
    return TradesReport(
        rows=len(sources),
        stream=sources.count("stream"),
        rest=sources.count("rest"),
        both=sources.count("both"),
        recovered=account["recovered"],
        unexplained=account["unexplained"],
        gaps=len(account["gaps"]),
        affected=len(states),
        healed=states.count(HEALED),
        early=account["early"],
        unhealed=account["unhealed"],
        left_out=states.count(LEFT_OUT),
        unmapped=joined.unmapped,
        malformed=malformed,
        healing="by the Data API" if by_rest else "not done: no Data API was given",
        bytes=size,
    )
