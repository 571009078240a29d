"""Rows of the catalogue: markets and events as it writes them, key for key in its order (PROTOCOL section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from simulator import books
from simulator.ladder import ONE
from simulator.market import GAME, SERIES, Event, Market

Row = dict[str, Any]

ICON = "https://polymarket-upload.s3.us-east-2.amazonaws.com/{}.png"
SUBMITTER, RESOLVER = "0x91430CaD2d3975766499717fA0D66A78D814E5c5", "0x65070BE91477460D8A7AeEb94ef92fe056C2f2A7"  # fmt: skip


def rfc3339(at: float, decimals: int = 0) -> str:
    """`2026-10-05T23:15:00Z`, with up to six decimals where the venue has them."""
    moment = datetime.fromtimestamp(at, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f" if decimals else "%Y-%m-%dT%H:%M:%S") + "Z"


def blank_form(at: float) -> str:
    """`2026-10-05 23:15:00+00`: a blank, no T, a short offset."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S+00")


def day_of(at: float) -> str:
    return rfc3339(at)[:10]


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

    @property
    def liquidity_now(self) -> float:
        return round(self.liquidity, 5)


def market(market: Market, figures: Figures, now: float) -> Row:
    """One market, without its parent and tags."""
    closed = market.closed(now)
    row: Row = {
        "id": market.id,
        "question": market.question,
        "conditionId": market.gamma_condition,
        "slug": market.slug,
        "resolutionSource": market.event.resolution_source,
    }
    if market.end_date is not None:
        row["endDate"] = rfc3339(market.end_date)
    row |= {"liquidity": "0" if closed else f"{figures.liquidity_now}", "startDate": rfc3339(market.listed_at, 6), **_pictures(market.event), "description": market.description, "outcomes": inner(market.outcomes)}  # fmt: skip
    if not market.placeholder:
        row["outcomePrices"] = inner(_prices(market, figures, closed))
    if figures.volume:
        row["volume"] = f"{figures.volume:.6f}".rstrip("0").rstrip(".")
    row |= {"active": not market.placeholder, "closed": closed, "marketMakerAddress": "", "createdAt": rfc3339(market.created_at, 6), "updatedAt": rfc3339(figures.updated_at, 6)}  # fmt: skip
    if closed:
        row["closedTime"] = blank_form(market.ending.closed_at)
    row |= {"new": False, "featured": False, "submitted_by": SUBMITTER, "archived": False, "resolvedBy": RESOLVER, "restricted": True, "groupItemTitle": market.group_title, "groupItemThreshold": market.group_place, "questionID": market.question_id}  # fmt: skip
    row |= _end(market, closed, now)
    row |= {
        "enableOrderBook": market.has_book,
        "orderPriceMinTickSize": figures.tick / ONE,
        "orderMinSize": 5,
    }
    row |= _amounts(figures, closed)
    if market.end_date is not None:
        row["endDateIso"] = day_of(market.end_date)
    row |= {"startDateIso": day_of(market.listed_at), "hasReviewedDates": True}
    row |= _ids(market)
    row |= {"comboStatus": "disabled", "umaBond": "500", "umaReward": "5", "makerBaseFee": 1000, "takerBaseFee": 1000, "customLiveness": 0}  # fmt: skip
    row |= _game(market)
    row |= {"acceptingOrders": market.has_book and (not closed or not market.ending.automatic), "negRisk": market.event.neg_risk}  # fmt: skip
    if market.event.neg_risk_id:
        row["negRiskMarketID"] = market.event.neg_risk_id
    row |= {"negRiskRequestID": market.question_id if market.event.neg_risk else "", "ready": False, "funded": False, "acceptingOrdersTimestamp": rfc3339(market.listed_at), "cyom": False, "competitive": round(1 / (1 + (figures.mid - 0.5) ** 2), 16), "approved": True, "rewardsMinSize": 50, "rewardsMaxSpread": 4.5}  # fmt: skip
    row |= _quotes(figures, market)
    row |= {"automaticallyActive": True, "clearBookOnStart": market.event.kind == GAME, "manualActivation": False, "negRiskOther": market.other_leg, "umaResolutionStatuses": inner(market.ending.history(now)), "pendingDeployment": False, "deploying": False, "rfqEnabled": False}  # fmt: skip
    if market.event.kind in (SERIES, GAME) and market.event.starts_at is not None:
        row["eventStartTime"] = rfc3339(market.event.starts_at)
    topic = market.event.topic
    row |= {"holdingRewardsEnabled": False, "feesEnabled": True, "makerRebatesFeeShareBps": 10_000, "feeType": topic.fee_type, "feeSchedule": {"exponent": 1, "rate": topic.fee_rate, "takerOnly": True, "rebateRate": topic.rebate}}  # fmt: skip
    if market.crypto:
        asset, duration = market.crypto
        row |= {"cryptoMarketConfigId": f"{asset}-{duration}-twap-60", "cryptoMarketConfig": {"id": f"{asset}-{duration}-twap-60", "asset": asset, "duration": duration, "twapEnabled": True, "twapLookbackSeconds": 60}}  # fmt: skip
    return row | {"version": market.version}


def _pictures(event: Event) -> Row:
    return {"image": ICON.format(event.topic.name), "icon": ICON.format(event.topic.name)}


def _prices(market: Market, figures: Figures, closed: bool) -> tuple[str, str]:
    if closed:
        return market.ending.final_prices()
    first = round(figures.mid * 2 * ONE) / (2 * ONE)
    return f"{first:g}", f"{round(1 - first, 6):g}"


def _end(market: Market, closed: bool, now: float) -> Row:
    said: Row = {}
    status = market.ending.status(now)
    if closed and status:
        said["umaEndDate"] = rfc3339(market.ending.closed_at)
    if status:
        said["umaResolutionStatus"] = status
    if closed:
        said["automaticallyResolved"] = market.ending.automatic
    if market.version == "v2":
        said["resolutionStatus"] = "resolved" if closed else "active"
    return said


def _amounts(figures: Figures, closed: bool) -> Row:
    said: Row = {}
    if figures.volume:
        said["volumeNum"] = round(figures.volume, 6)
    said["liquidityNum"] = 0 if closed else figures.liquidity_now
    if figures.volume:
        day, whole = round(figures.volume_24h, 6), round(figures.volume, 6)
        said |= {"volume24hr": day, "volume1wk": whole, "volume1mo": whole, "volume1yr": whole, "volume24hrClob": day, "volume1wkClob": whole, "volume1moClob": whole, "volume1yrClob": whole, "volumeClob": whole}  # fmt: skip
    return said | {"liquidityClob": said["liquidityNum"]}


def _ids(market: Market) -> Row:
    said: Row = {}
    if market.version == "v1":
        said["clobTokenIds"] = inner(market.tokens)
    if market.position_ids:
        said["positionIds"] = list(market.position_ids)
    return said


def _game(market: Market) -> Row:
    if not market.sports_type or market.event.starts_at is None:
        return {}
    said: Row = {"gameStartTime": blank_form(market.event.starts_at), "secondsDelay": 3, "sportsMarketType": market.sports_type, "gameId": str(market.event.game_id)}  # fmt: skip
    return said if market.line is None else said | {"line": market.line}


def _quotes(figures: Figures, market: Market) -> Row:
    said: Row = {}
    bid, ask = figures.bid, figures.ask
    if market.has_book and not market.placeholder:
        said["spread"] = round(((ONE if ask is None else ask) - (bid or 0)) / ONE, 3)
        if figures.last is not None:
            said["lastTradePrice"] = figures.last / ONE
        if bid is not None:
            said["bestBid"] = bid / ONE
        said["bestAsk"] = (ONE if ask is None else ask) / ONE
    return said


def tags(event: Event) -> list[Row]:
    """An event's tags; ids are strings."""
    return [
        {"id": id_, "label": label, "slug": slug, "forceShow": False, "createdAt": "2024-02-12T22:34:50.962Z", "updatedAt": "2026-04-17T20:52:10.030771Z"}
        for id_, label, slug in event.topic.tags
    ]  # fmt: skip


def event(event: Event, now: float, figures: list[Figures]) -> Row:
    """A parent, without its markets and tags."""
    closed = all(market.closed(now) for market in event.markets if not market.placeholder)
    volume, liquidity = (round(sum(getattr(f, name) for f in figures), 6) for name in ("volume", "liquidity"))
    row: Row = {"id": event.id, "ticker": event.slug, "slug": event.slug, "title": event.title, "description": event.description, "resolutionSource": event.resolution_source, "startDate": rfc3339(event.listed_at, 6), "creationDate": rfc3339(event.created_at, 6), "endDate": rfc3339(event.end_date), **_pictures(event), "active": True, "closed": closed, "archived": False, "new": False, "featured": False, "restricted": True, "liquidity": 0 if closed else liquidity, "volume": volume, "openInterest": round(volume / 3, 6), "createdAt": rfc3339(event.created_at, 6), "updatedAt": rfc3339(max((f.updated_at for f in figures), default=now), 6)}  # fmt: skip
    if closed:
        row["closedTime"] = rfc3339(max(market.ending.closed_at for market in event.markets if not market.placeholder))  # fmt: skip
    row |= {"competitive": max((round(1 / (1 + (f.mid - 0.5) ** 2), 16) for f in figures), default=0), "volume24hr": round(sum(f.volume_24h for f in figures), 6), "enableOrderBook": True, "liquidityClob": 0 if closed else liquidity, "negRisk": event.neg_risk}  # fmt: skip
    if event.neg_risk_id:
        row["negRiskMarketID"] = event.neg_risk_id
    row["commentCount"] = 0
    if event.series:
        id_, slug, title = event.series
        row["series"] = [{"id": id_, "ticker": slug, "slug": slug, "title": title, "seriesType": "single", "recurrence": event.recurrence, "active": True, "closed": False, "archived": False, "createdAt": "2025-08-09T22:36:44.765536Z", "updatedAt": rfc3339(now, 6), "commentCount": 0}]  # fmt: skip
    row |= {"cyom": False, "showAllOutcomes": True, "showMarketImages": True, "enableNegRisk": event.neg_risk, "automaticallyActive": True}  # fmt: skip
    if event.starts_at is not None:
        row["startTime"] = rfc3339(event.starts_at)
    if event.game_id is not None:
        row |= {
            "gameId": event.game_id,
            "live": not closed and now >= (event.starts_at or now),
            "ended": closed,
        }
    if event.series:
        row["seriesSlug"] = event.series[1]
    return row | {"negRiskAugmented": event.augmented, "pendingDeployment": False, "deploying": False, "version": event.markets[0].version}  # fmt: skip


def tick(market: Market) -> str:
    """The tick size at birth as text."""
    return books.price(market.tick)
