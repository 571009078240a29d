"""Rows of the catalogue: markets as it writes them, key for key in its order (PROTOCOL section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from simulator.ladder import ONE
from simulator.market import GAME, SERIES, Event, Market
from simulator.stamps import blank_form, day_of, rfc3339

Row = dict[str, Any]

ICON = "https://polymarket-upload.s3.us-east-2.amazonaws.com/{}.png"
SUBMITTER, RESOLVER = "0x91430CaD2d3975766499717fA0D66A78D814E5c5", "0x65070BE91477460D8A7AeEb94ef92fe056C2f2A7"  # fmt: skip


def inner(values: object) -> str:
    """JSON inside a string, with the blanks the venue puts in."""
    return "[" + ", ".join(msgspec.json.encode(value).decode() for value in values) + "]"  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Figures:
    """What a row says of trading; refreshed by jobs of the venue's, so a little old."""

    volume: float
    volume_24h: float
    liquidity: float
    bid: int | None
    ask: int | None
    last: int | None
    mid: float
    tick: int
    updated_at: float


def market(market: Market, figures: Figures, now: float) -> Row:
    """One market, without its parent and tags: its sections in the order of the wire."""
    closed = market.closed(now)
    return {
        **_named(market),
        **_listed(market, figures, closed),
        **_state(market, figures, closed),
        **_oracle(market, now),
        **_grid(market, figures, closed, now),
        **_volumes(figures),
        **_ids(market),
        **_constants(market, figures, closed),
        **_game(market),
        **_race(market, closed),
        **_quotes(market, figures, closed, now),
        **_last_words(market, now),
    }


def _named(market: Market) -> Row:
    return {
        "id": market.id,
        "question": market.question,
        "conditionId": market.gamma_condition,
        "slug": market.slug,
        "resolutionSource": market.event.resolution_source,
    }


def _listed(market: Market, figures: Figures, closed: bool) -> Row:
    said: Row = {} if market.end_date is None else {"endDate": rfc3339(market.end_date)}
    said |= {
        "liquidity": "0" if closed else f"{figures.liquidity:.5f}",
        "startDate": rfc3339(market.listed_at, 6),
    }
    said |= {**pictures(market.event), "description": market.description, "outcomes": inner(market.outcomes)}
    if not market.placeholder:
        said["outcomePrices"] = inner(_prices(market, figures, closed))
    if figures.volume:
        said["volume"] = f"{figures.volume:.6f}".rstrip("0").rstrip(".")
    return said


def pictures(event: Event) -> Row:
    return {"image": ICON.format(event.topic.name), "icon": ICON.format(event.topic.name)}


def _prices(market: Market, figures: Figures, closed: bool) -> tuple[str, str]:
    if closed:
        return market.ending.final_prices()
    first = round(figures.mid * 2 * ONE) / (2 * ONE)
    return f"{first:g}", f"{round(1 - first, 6):g}"


def _state(market: Market, figures: Figures, closed: bool) -> Row:
    said: Row = {
        "active": not market.placeholder,
        "closed": closed,
        "marketMakerAddress": "",
        "createdAt": rfc3339(market.created_at, 6),
        "updatedAt": rfc3339(figures.updated_at, 6),
    }
    if closed:
        said["closedTime"] = blank_form(market.ending.closed_at)
    return said | {
        "new": False,
        "featured": False,
        "submitted_by": SUBMITTER,
        "archived": False,
        "resolvedBy": RESOLVER,
        "restricted": True,
        "groupItemTitle": market.group_title,
        "groupItemThreshold": market.group_place,
        "questionID": market.question_id,
    }


def _oracle(market: Market, now: float) -> Row:
    if market.closed(now) and market.ending.final_status:
        return {"umaEndDate": rfc3339(market.ending.closed_at)}
    return {}


def _grid(market: Market, figures: Figures, closed: bool, now: float) -> Row:
    said: Row = {
        "enableOrderBook": market.has_book,
        "orderPriceMinTickSize": figures.tick / ONE,
        "orderMinSize": 5,
    }
    if status := market.ending.status(now):
        said["umaResolutionStatus"] = status
    if figures.volume:
        said["volumeNum"] = round(figures.volume, 6)
    said["liquidityNum"] = 0 if closed else round(figures.liquidity, 5)
    if market.end_date is not None:
        said["endDateIso"] = day_of(market.end_date)
    return said | {"startDateIso": day_of(market.listed_at), "hasReviewedDates": True}


def _volumes(figures: Figures, suffix: str = "") -> Row:
    """Absent until something was traded."""
    if not figures.volume:
        return {}
    day, whole = round(figures.volume_24h, 6), round(figures.volume, 6)
    return {f"volume24hr{suffix}": day, **{f"volume{span}{suffix}": whole for span in ("1wk", "1mo", "1yr")}}


def _ids(market: Market) -> Row:
    said: Row = {}
    if market.version == "v1":
        said["clobTokenIds"] = inner(market.tokens)
    if market.position_ids:
        said["positionIds"] = list(market.position_ids)
    return said


def _constants(market: Market, figures: Figures, closed: bool) -> Row:
    said: Row = {"comboStatus": "disabled", "umaBond": "500", "umaReward": "5", **_volumes(figures, "Clob")}
    if figures.volume:
        said["volumeClob"] = round(figures.volume, 6)
    said["liquidityClob"] = 0 if closed else round(figures.liquidity, 5)
    return said | {"makerBaseFee": 1000, "takerBaseFee": 1000, "customLiveness": 0}


def _game(market: Market) -> Row:
    if not market.sports_type or market.event.starts_at is None:
        return {}
    said: Row = {
        "gameStartTime": blank_form(market.event.starts_at),
        "secondsDelay": 3,
        "sportsMarketType": market.sports_type,
        "gameId": str(market.event.game_id),
    }
    return said if market.line is None else said | {"line": market.line}


def _race(market: Market, closed: bool) -> Row:
    accepting = market.has_book and (not closed or not market.ending.automatic)
    said: Row = {"acceptingOrders": accepting, "negRisk": market.event.neg_risk}
    if market.event.neg_risk_id:
        said["negRiskMarketID"] = market.event.neg_risk_id
    return said | {"negRiskRequestID": market.question_id if market.event.neg_risk else ""}


def _quotes(market: Market, figures: Figures, closed: bool, now: float) -> Row:
    said: Row = {
        "ready": False,
        "funded": False,
        "acceptingOrdersTimestamp": rfc3339(market.listed_at),
        "cyom": False,
        "competitive": competitive(figures),
        "approved": True,
        "rewardsMinSize": 50,
        "rewardsMaxSpread": 4.5,
    }
    if not market.has_book or market.placeholder:
        return said
    bid, ask = figures.bid, ONE if figures.ask is None else figures.ask
    said["spread"] = round((ask - (bid or 0)) / ONE, 3)
    if closed:
        said["automaticallyResolved"] = market.ending.automatic
    said |= _moved(market, now)
    if figures.last is not None:
        said["lastTradePrice"] = figures.last / ONE
    if bid is not None:
        said["bestBid"] = bid / ONE
    return said | {"bestAsk": ask / ONE}


def _moved(market: Market, now: float) -> Row:
    """How far the price came in a day and an hour; what was not listed then did not move."""
    at = min(now, market.ending.book_until)
    spans = (("oneDayPriceChange", 86_400), ("oneHourPriceChange", 3_600))
    moved = {
        name: round(market.mid(at) - market.mid(max(at - span, market.listed_at)), 4) for name, span in spans
    }
    return {name: change for name, change in moved.items() if change}


def competitive(figures: Figures) -> float:
    """1 at even odds, 0.8 when decided."""
    return round(1 / (1 + (figures.mid - 0.5) ** 2), 16)


def _last_words(market: Market, now: float) -> Row:
    event, topic = market.event, market.event.topic
    said: Row = {
        "automaticallyActive": True,
        "clearBookOnStart": event.kind == GAME,
        "manualActivation": False,
        "negRiskOther": market.other_leg,
        "umaResolutionStatuses": inner(market.ending.history(now)),
        "pendingDeployment": False,
        "deploying": False,
        "rfqEnabled": False,
    }
    if event.kind in (SERIES, GAME) and event.starts_at is not None:
        said["eventStartTime"] = rfc3339(event.starts_at)
    said |= {
        "holdingRewardsEnabled": False,
        "feesEnabled": True,
        "makerRebatesFeeShareBps": 10_000,
        "feeType": topic.fee_type,
    }
    said["feeSchedule"] = {
        "exponent": 1,
        "rate": topic.fee_rate,
        "takerOnly": True,
        "rebateRate": topic.rebate,
    }
    if market.crypto:
        said |= _crypto(*market.crypto)
    if market.version == "v2":
        said["resolutionStatus"] = "resolved" if market.closed(now) else "active"
    return said | {"version": market.version}


def _crypto(asset: str, duration: str) -> Row:
    name = f"{asset}-{duration}-twap-60"
    config = {
        "id": name,
        "asset": asset,
        "duration": duration,
        "twapEnabled": True,
        "twapLookbackSeconds": 60,
    }
    return {"cryptoMarketConfigId": name, "cryptoMarketConfig": config}
