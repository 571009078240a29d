"""Rows of the catalogue: parents of markets, key for key in its order."""

from __future__ import annotations

from simulator.market import Event
from simulator.rows import Figures, Row, competitive, pictures
from simulator.stamps import rfc3339


def tags(event: Event) -> list[Row]:
    """An event's tags; ids are strings."""
    dates = {
        "forceShow": False,
        "createdAt": "2024-02-12T22:34:50.962Z",
        "updatedAt": "2026-04-17T20:52:10.030771Z",
    }
    return [{"id": id_, "label": label, "slug": slug, **dates} for id_, label, slug in event.topic.tags]


def event(event: Event, now: float, figures: list[Figures], children: list[Row] | None = None) -> Row:
    """A parent; with its markets and tags if `children` are given."""
    real = [market for market in event.markets if not market.placeholder]
    closed = all(market.closed(now) for market in real)
    said = {**_event_named(event), **_event_state(event, closed, figures, now)}
    if closed:
        said["closedTime"] = rfc3339(max(market.ending.closed_at for market in real))
    said |= _event_amounts(event, closed, figures)
    if event.neg_risk_id:
        said["negRiskMarketID"] = event.neg_risk_id
    said["commentCount"] = 0
    if children is not None:
        said["markets"] = children
    if event.series:
        said["series"] = [_series(event, now)]
    if children is not None:
        said["tags"] = tags(event)
    return said | _event_last_words(event, closed, now)


def _event_named(event: Event) -> Row:
    return {
        "id": event.id,
        "ticker": event.slug,
        "slug": event.slug,
        "title": event.title,
        "description": event.description,
        "resolutionSource": event.resolution_source,
        "startDate": rfc3339(event.listed_at, 6),
        "creationDate": rfc3339(event.created_at, 6),
        "endDate": rfc3339(event.end_date),
        **pictures(event),
    }


def _event_state(event: Event, closed: bool, figures: list[Figures], now: float) -> Row:
    volume = round(sum(each.volume for each in figures), 6)
    return {
        "active": True,
        "closed": closed,
        "archived": False,
        "new": False,
        "featured": False,
        "restricted": True,
        "liquidity": 0 if closed else round(sum(each.liquidity for each in figures), 5),
        "volume": volume,
        "openInterest": round(volume / 3, 6),
        "createdAt": rfc3339(event.created_at, 6),
        "updatedAt": rfc3339(max((each.updated_at for each in figures), default=now), 6),
    }


def _event_amounts(event: Event, closed: bool, figures: list[Figures]) -> Row:
    day, whole = sum(each.volume_24h for each in figures), sum(each.volume for each in figures)
    liquidity = sum(each.liquidity for each in figures)
    return {
        "competitive": max((competitive(each) for each in figures), default=0),
        "volume24hr": round(day, 6),
        **{f"volume{span}": round(whole, 6) for span in ("1wk", "1mo", "1yr")},
        "enableOrderBook": True,
        "liquidityClob": 0 if closed else round(liquidity, 5),
        "negRisk": event.neg_risk,
    }


def _series(event: Event, now: float) -> Row:
    assert event.series is not None
    id_, slug, title = event.series
    dates = {"createdAt": "2025-08-09T22:36:44.765536Z", "updatedAt": rfc3339(now, 6), "commentCount": 0}
    states = {"active": True, "closed": False, "archived": False}
    return {
        "id": id_,
        "ticker": slug,
        "slug": slug,
        "title": title,
        "seriesType": "single",
        "recurrence": event.recurrence,
        **states,
        **dates,
    }


def _event_last_words(event: Event, closed: bool, now: float) -> Row:
    said: Row = {
        "cyom": False,
        "showAllOutcomes": True,
        "showMarketImages": True,
        "enableNegRisk": event.neg_risk,
        "automaticallyActive": True,
    }
    if event.starts_at is not None:
        said["startTime"] = rfc3339(event.starts_at)
    if event.game_id is not None:
        started = event.starts_at is not None and now >= event.starts_at
        said |= {"gameId": event.game_id, "live": started and not closed, "ended": closed}
    if event.series:
        said["seriesSlug"] = event.series[1]
    said |= {"negRiskAugmented": event.augmented, "pendingDeployment": False, "deploying": False}
    return said | {"version": event.markets[0].version}
