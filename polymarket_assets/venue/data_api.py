"""The Data API: trades, price histories and resolutions.

The second generation is asked first. Where it is not there (404 or 410 without its own form of an error), the
first stands in for the life of the client: trades by offset, prices from the order-book service, and no
resolutions, which it never had.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeVar

import msgspec

from polymarket_assets.venue import parse
from polymarket_assets.venue.errors import Gone, MalformedPayload, Refused
from polymarket_assets.venue.http import Call, Params, Service
from polymarket_assets.venue.parse.reading import Rows
from polymarket_assets.venue.records import Page, PricePoint, ResolutionRow, Trade

log = logging.getLogger(__name__)

V1, V2 = "v1", "v2"

TRADES_A_PAGE = 1_000
# A page that cannot be used is asked for so often: without it all the pages before it would be asked for again.
PAGE_ATTEMPTS = 3
# A million trades of one market: ten times the busiest seen.
MOST_TRADE_PAGES = 1_000
# v1 gives no more at once, and nothing beyond this offset.
V1_TRADES_A_PAGE = 500
V1_LAST_OFFSET = 10_000
# One request answers fifteen days at the most, and whole seconds are rounded outwards.
PRICES_WINDOW = timedelta(days=15) - timedelta(seconds=1)
# Fifteen days of minutes at a hundred points a page, and as many again.
MOST_PRICE_PAGES = 500
SHORTEST_BUCKET_S, LONGEST_BUCKET_S = 60, 86_400
CONDITIONS_A_REQUEST = 20

_ABSENT = frozenset({404, 410})
Row = TypeVar("Row")


class _Pagination(msgspec.Struct):
    next_cursor: str | None = None
    has_more: bool | None = None


class _Envelope(msgspec.Struct):
    # A documented miss may be null.
    data: Rows | None
    pagination: _Pagination | None = None

    @property
    def rows(self) -> list[msgspec.Raw]:
        return self.data or []

    @property
    def next_cursor(self) -> str | None:
        return (self.pagination.next_cursor or None) if self.pagination else None


class _Problem(msgspec.Struct):
    """How v2 refuses; v1 and the edge write otherwise."""

    error: str
    code: str | int


class _HistoryV1(msgspec.Struct):
    history: Rows


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ROWS = msgspec.json.Decoder(Rows)
_HISTORY_V1 = msgspec.json.Decoder(_HistoryV1)
_PROBLEM = msgspec.json.Decoder(_Problem)
_RAW = msgspec.json.Decoder(msgspec.Raw)


@dataclass(frozen=True)
class DataStatus:
    """Which generation answers, and what v2 says of its freshness, verbatim."""

    generation: str
    payload: str


class _NotV2(Exception):
    """The second generation is not there."""


class DataApi:
    """The Data API; `prices` is the service that has v1's price history."""

    def __init__(self, service: Service, prices: Service) -> None:
        self.service = service
        self.prices = prices
        # None until an answer told.
        self.generation: str | None = None

    def trades(self, condition_id: str, *, since: datetime) -> Iterator[Page]:
        """Pages of a market's `Trade`s of takers from `since` on, newest first; what cannot be read is named.

        Raises:
            Gone, Refused, Unavailable, MalformedPayload: the venue does not answer, or with other markets' trades.
        """
        if self.generation != V1:
            try:
                yield from self._trades_v2(condition_id, since)
                return
            except _NotV2:
                self._fall_back()
        yield from self._trades_v1(condition_id, since)

    def prices_history(
        self, token_id: str, start: datetime, end: datetime, bucket_s: int
    ) -> list[PricePoint]:
        """A token's prices of [start, end), oldest first; spacing may be coarser than asked, and each point says so.

        A point of `resolution_s` 0 is the settlement.

        Raises:
            Gone, Refused, Unavailable, MalformedPayload: the venue does not answer as agreed.
        """
        bucket_s = min(max(bucket_s, SHORTEST_BUCKET_S), LONGEST_BUCKET_S)
        found: list[PricePoint] = []
        while start < end:
            until = min(start + PRICES_WINDOW, end)
            found += self._prices(token_id, start, until, bucket_s)
            start = until
        return found

    def resolutions(self, condition_ids: Sequence[str]) -> list[ResolutionRow]:
        """What is known of these markets' resolutions; the unknown are absent, the unreadable logged and left out.

        Raises:
            Refused, Unavailable, MalformedPayload: the venue does not answer, or about other markets.
        """
        found: list[ResolutionRow] = []
        asked = list(dict.fromkeys(condition_ids))
        try:
            for first in range(0, len(asked), CONDITIONS_A_REQUEST):
                found += self._resolutions(asked[first : first + CONDITIONS_A_REQUEST])
        except _NotV2:
            self._fall_back()
        return found

    def status(self) -> DataStatus:
        """Which generation answers. Raises `Refused` where neither does."""
        try:
            answer = self.service.ask(Call("/v2/status", (), gone=_ABSENT), _RAW).value
            return DataStatus(V2, bytes(answer).decode(errors="replace"))
        except Gone:
            self._ask_v1_trades([("limit", "1")])
            return DataStatus(V1, "")

    def close(self) -> None:
        self.service.close()

    def _page(self, path: str, params: Params, cursor: str | None, *groups: str) -> _Envelope:
        """The page of v2 after a cursor, asked for again where it leads nowhere."""
        for attempt in range(1, PAGE_ATTEMPTS + 1):
            try:
                page = self._ask(path, [*params, *_after(cursor)], *groups)
                if cursor is not None and page.next_cursor == cursor:
                    raise MalformedPayload("page of the Data API", cursor, "the cursor is stuck")
            except MalformedPayload:
                if attempt == PAGE_ATTEMPTS:
                    raise
            else:
                return page
        raise AssertionError("the last attempt returns or raises")

    def _ask(self, path: str, params: Params, *groups: str) -> _Envelope:
        """An answer of v2. Raises `_NotV2` when it is not there, unless it has answered before."""
        if self.generation == V1:
            raise _NotV2
        try:
            answer = self.service.ask(Call(path, groups, params), _ENVELOPE).value
        except Refused as e:
            if e.status not in _ABSENT:
                raise
            if self.generation is None and not _is_v2(e.said):
                raise _NotV2 from e
            raise Gone(str(e), status=e.status, said=e.said) from e
        self.generation = V2
        if answer.next_cursor is None and answer.pagination is not None and answer.pagination.has_more:
            raise MalformedPayload("page of the Data API", answer.pagination, "more follows: the cursor is missing")  # fmt: skip
        return answer

    def _fall_back(self) -> None:
        if self.generation != V1:
            log.warning("%s has no second generation: asking the first", self.service.address)
        self.generation = V1

    def _trades_v2(self, condition_id: str, since: datetime) -> Iterator[Page]:
        params = [("condition", condition_id), ("limit", str(TRADES_A_PAGE))]
        cursor: str | None = None
        for _ in range(MOST_TRADE_PAGES):
            answer = self._page("/v2/trades", params, cursor, "data /trades")
            cursor = answer.next_cursor
            page, is_last = _trades(answer.rows, condition_id, since, cursor)
            yield page
            if is_last:
                return
        raise Refused(f"the trades of {condition_id} did not end within {MOST_TRADE_PAGES} pages")

    def _trades_v1(self, condition_id: str, since: datetime) -> Iterator[Page]:
        for offset in range(0, V1_LAST_OFFSET + 1, V1_TRADES_A_PAGE):
            params = [("market", condition_id), ("limit", str(V1_TRADES_A_PAGE)), ("offset", str(offset))]
            rows = self._ask_v1_trades(params)
            following = str(offset + V1_TRADES_A_PAGE) if len(rows) == V1_TRADES_A_PAGE else None
            page, is_last = _trades(rows, condition_id, since, following)
            yield page
            if is_last:
                return
        yield Page((), None, is_cut=True)

    def _ask_v1_trades(self, params: Params) -> list[msgspec.Raw]:
        try:
            return self.service.ask(Call("/trades", ("data /trades",), params), _ROWS).value
        except Refused as e:
            if e.status not in _ABSENT:
                raise
            raise Refused(
                f"the Data API at {self.service.address} answers in neither generation: look at POLYMARKET_DATA_URL, or run `python -m polymarket_assets.doctor`",
                status=e.status,
            ) from e

    def _prices(self, token_id: str, start: datetime, end: datetime, bucket_s: int) -> list[PricePoint]:
        """One window of at most fifteen days."""
        try:
            points = self._prices_v2(token_id, start, end, bucket_s)
        except _NotV2:
            self._fall_back()
            points = self._prices_v1(token_id, start, end, bucket_s)
        inside = [point for point in points if start <= point.at < end or point.resolution_s == 0]
        if points and not inside:
            raise MalformedPayload("price history", points[0], "no point of it was asked for")
        return inside

    def _prices_v2(self, token_id: str, start: datetime, end: datetime, bucket_s: int) -> list[PricePoint]:
        window = _window(("start", "end"), start, end)
        params = [("token_id", token_id), *window, ("bucket_seconds", str(bucket_s))]
        found: list[PricePoint] = []
        cursor: str | None = None
        for _ in range(MOST_PRICE_PAGES):
            answer = self._page("/v2/prices-history", params, cursor)
            found += parse.price_points(answer.rows)
            if answer.next_cursor is None:
                return found
            cursor = answer.next_cursor
        raise Refused(f"the prices of {token_id} did not end within {MOST_PRICE_PAGES} pages")

    def _prices_v1(self, token_id: str, start: datetime, end: datetime, bucket_s: int) -> list[PricePoint]:
        minutes = max(1, bucket_s // 60)
        window = _window(("startTs", "endTs"), start, end)
        params = [("market", token_id), *window, ("fidelity", str(minutes))]
        call = Call("/prices-history", ("clob /prices-history",), params)
        rows = self.prices.ask(call, _HISTORY_V1).value.history
        points = parse.price_points(rows, v1_resolution_s=minutes * 60)
        return _spaced(points, minutes * 60)

    def _resolutions(self, condition_ids: list[str]) -> list[ResolutionRow]:
        answer = self._ask("/v2/resolutions", [("condition", ",".join(condition_ids))])
        found: list[ResolutionRow] = []
        for row in answer.rows:
            try:
                found.append(parse.resolution_row(row))
            except MalformedPayload as e:
                log.warning("a resolution is left out: %s", e)
        others = [row for row in found if row.condition_id not in condition_ids]
        if others:
            raise MalformedPayload("resolution", others[0], "it was not asked for")
        return found


def _spaced(points: list[PricePoint], asked_s: int) -> list[PricePoint]:
    """Points of v1, which does not tell how far apart it gives them: each as far as its neighbours are, or it would count as known too early."""
    ordered = sorted({point.at: point for point in points}.values(), key=lambda point: point.at)
    steps = [(later.at - earlier.at).total_seconds() for earlier, later in pairwise(ordered)]
    # One alone may stand for as long as any.
    between = [*steps[:1], *steps, *steps[-1:]] if steps else [LONGEST_BUCKET_S] * 2
    return [
        msgspec.structs.replace(point, resolution_s=max(asked_s, round(before), round(after)))
        for point, before, after in zip(ordered, between, between[1:], strict=False)
    ]


def _trades(
    rows: list[msgspec.Raw], condition_id: str, since: datetime, cursor: str | None
) -> tuple[Page, bool]:
    """A page without what is older than `since`, and whether it is the last that is wanted."""
    read: list[Trade] = []
    malformed: list[str] = []
    for row in rows:
        try:
            read.append(parse.trade(row))
        except MalformedPayload as e:
            malformed.append(str(e))
    others = [trade for trade in read if trade.condition_id != condition_id]
    if others:
        raise MalformedPayload("trade", others[0], "its market was not asked for")
    is_last = cursor is None or (bool(read) and read[-1].traded_at < since)
    kept = tuple(trade for trade in read if trade.traded_at >= since)
    return Page(kept, None if is_last else cursor, tuple(malformed)), is_last


def _after(cursor: str | None) -> list[tuple[str, str]]:
    return [("cursor", cursor)] if cursor else []


def _is_v2(said: str) -> bool:
    """Whether a refusal has the form in which v2 refuses."""
    try:
        _PROBLEM.decode(said)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return True


def _window(names: tuple[str, str], start: datetime, end: datetime) -> list[tuple[str, str]]:
    """A window in whole Unix seconds, rounded outwards: what lies outside is dropped afterwards."""
    return [(names[0], str(math.floor(start.timestamp()))), (names[1], str(math.ceil(end.timestamp())))]
