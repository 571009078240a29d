"""The catalogue: what is listed, by key-set pages, and single markets.

The venue ignores parameters it does not know and answers as if they were not there (PROTOCOL 2.1), so a
filter is believed only when the rows show it, and a walk only as long as it gets on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from polymarket_assets.venue import ids, parse
from polymarket_assets.venue.errors import MalformedPayload, Refused
from polymarket_assets.venue.http import ANSWERS_OF_THE_MISSING, Call, Params, Service
from polymarket_assets.venue.parse.reading import Rows, evidence
from polymarket_assets.venue.records import Listing, Market, Page

log = logging.getLogger(__name__)

# The venue clamps larger ones without a word.
PAGE_ROWS = 100
# Twice the largest number of open markets anyone has counted: a walk beyond it goes in a circle.
MOST_PAGES = 3_000
# A page that leads nowhere is asked for so often: what is wrong with one answer is seldom wrong with the next.
PAGE_ATTEMPTS = 3
# More ids at once are refused.
IDS_A_REQUEST = 100
# Rows that miss a filter: a few change between index and row, but a filter that is ignored lets through most.
STRAYS_ALWAYS, STRAYS_SHARE = 2, 0.1

LISTING = ("gamma lists", "gamma /markets")
SINGLE = ("gamma /markets",)


class _Page(msgspec.Struct):
    markets: Rows
    next_cursor: str | None = None


class _Identified(msgspec.Struct):
    id: str | int


_PAGE = msgspec.json.Decoder(_Page)
_RAW = msgspec.json.Decoder(msgspec.Raw)
_ID = msgspec.json.Decoder(_Identified)


@dataclass(frozen=True)
class Filter:
    """What a listing is asked for, as parameters and as a test of each row."""

    closed: bool
    end_date_min: datetime | None = None
    end_date_max: datetime | None = None
    volume_num_min: float | None = None

    def params(self) -> list[tuple[str, str]]:
        asked = [("closed", str(self.closed).lower())]
        if self.end_date_min is not None:
            asked.append(("end_date_min", _rfc3339(self.end_date_min)))
        if self.end_date_max is not None:
            asked.append(("end_date_max", _rfc3339(self.end_date_max)))
        if self.volume_num_min is not None:
            asked.append(("volume_num_min", f"{self.volume_num_min:g}"))
        return asked

    def missed_by(self, market: Market) -> str | None:
        """Which parameter a row does not match; None when it matches all."""
        end = market.scheduled_end
        if market.closed is not self.closed:
            return f"closed={market.closed}"
        if self.end_date_min is not None and (end is None or end < self.end_date_min.replace(microsecond=0)):
            return f"endDate={end}, before end_date_min"
        if self.end_date_max is not None and (end is None or end > self.end_date_max):
            return f"endDate={end}, after end_date_max"
        if self.volume_num_min is not None and (market.volume_usd or 0.0) < self.volume_num_min:
            return f"volumeNum={market.volume_usd}, below volume_num_min"
        return None


class Gamma:
    """The catalogue service."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def markets(
        self,
        *,
        closed: bool,
        end_date_min: datetime | None = None,
        end_date_max: datetime | None = None,
        volume_num_min: float | None = None,
        order: str | None = None,
        ascending: bool = True,
        tag_ids: Sequence[int] = (),
    ) -> Iterator[Page]:
        """Pages of `Listing`s that match, as they come; a market may appear twice in a walk, or move out of it.

        `order` takes the catalogue's names (`volumeNum`, `endDate`, …); without it rows come by id.

        Raises:
            MalformedPayload: pages repeat themselves or end too soon, or rows do not match: the venue ignores a parameter.
            Refused: the walk does not end.
            Unavailable: the venue failed midway.
        """
        asked = Filter(closed, end_date_min, end_date_max, volume_num_min)
        params = asked.params() + [("tag_id", str(tag)) for tag in tag_ids]
        if order is not None:
            params += [("order", order), ("ascending", str(ascending).lower())]
        for rows, cursor in self._walk(params):
            yield _page(rows, cursor, asked)

    def by_condition(self, condition_ids: Sequence[str], *, closed: bool) -> list[Listing]:
        """The markets of these condition ids that are, or are not, closed: the catalogue never shows both at once.

        Unknown ids are absent. A row that cannot be read is logged and left out.

        Raises:
            MalformedPayload: the venue answers with other markets.
            Unavailable: the venue failed.
        """
        asked = set(condition_ids)
        forms = [form for condition in condition_ids for form in ids.wire_forms(condition)]
        found: dict[str, Listing] = {}
        for first in range(0, len(forms), IDS_A_REQUEST):
            params = [("closed", str(closed).lower())]
            params += [("condition_ids", form) for form in forms[first : first + IDS_A_REQUEST]]
            for rows, _ in self._walk(params, is_short=True):
                found |= {listing.market.condition_id: listing for listing in _asked(rows, asked)}
        return [found[condition] for condition in dict.fromkeys(condition_ids) if condition in found]

    def market(self, gamma_id: str) -> Listing:
        """One market by its numeric id. Raises `Gone` when it is not (any more) listed."""
        call = Call(f"/markets/{gamma_id}", SINGLE, [("include_tag", "true")], gone=ANSWERS_OF_THE_MISSING)
        return parse.listing(self.service.ask(call, _RAW).value)

    def close(self) -> None:
        self.service.close()

    def _walk(self, params: Params, *, is_short: bool = False) -> Iterator[tuple[list[msgspec.Raw], str | None]]:  # fmt: skip
        """Key-set pages, each with the cursor of the next; a list that is short fills no more than one."""
        cursor: str | None = None
        seen: set[str | None] = set()
        for _ in range(MOST_PAGES):
            page = self._after(params, cursor, seen, is_short)
            cursor = page.next_cursor or None
            yield page.markets, cursor
            if cursor is None:
                return
            seen |= _marks(page)
        raise Refused(f"the listing {params} did not end within {MOST_PAGES} pages: ask for less of it")

    def _after(self, params: Params, cursor: str | None, seen: set[str | None], is_short: bool) -> _Page:
        """The page after a cursor, asked for again where it leads nowhere: the same cursor may lead on the next time."""
        for attempt in range(1, PAGE_ATTEMPTS + 1):
            page = self._ask(params, cursor)
            try:
                self._require_way_on(params, page, seen, is_short)
            except MalformedPayload:
                if attempt == PAGE_ATTEMPTS:
                    raise
            else:
                break
        return page

    def _require_way_on(self, params: Params, page: _Page, seen: set[str | None], is_short: bool) -> None:
        """Raise `MalformedPayload` for a page that leads in a circle, or ends where more follows."""
        if again := _marks(page) & seen:
            raise MalformedPayload("catalogue page", str(again), "seen before: the cursor is stuck")
        ends_full = not is_short and not page.next_cursor and len(page.markets) >= PAGE_ROWS
        if ends_full and not self._is_last(params, page):
            raise MalformedPayload("catalogue page", f"{len(page.markets)} rows without a cursor", "more follows: the cursor is missing")  # fmt: skip

    def _is_last(self, params: Params, page: _Page) -> bool:
        """A full page without a cursor may be the last, or have lost it: the same list backwards begins with what really comes last."""
        ascending = dict(params).get("ascending", "true") == "true"
        order = dict(params).get("order", "id")
        kept = [(name, value) for name, value in params if name not in ("order", "ascending")]
        backwards = [*kept, ("order", order), ("ascending", str(not ascending).lower())]
        ends = {_id(row) for row in self._ask(backwards, None).markets}
        # A few may be new, or gone, since.
        return sum(_id(row) in ends for row in page.markets) >= len(page.markets) / 2

    def _ask(self, params: Params, cursor: str | None) -> _Page:
        paging = [("limit", str(PAGE_ROWS)), ("include_tag", "true")]
        after = [("after_cursor", cursor)] if cursor else []
        return self.service.ask(Call("/markets/keyset", LISTING, [*params, *paging, *after]), _PAGE).value


def _marks(page: _Page) -> set[str | None]:
    """By what a page would be known again: the cursor of the next, and its first row."""
    return {page.next_cursor or None, _id(page.markets[0]) if page.markets else None} - {None}


def _page(rows: list[msgspec.Raw], cursor: str | None, asked: Filter) -> Page:
    """A page of the rows that could be read and match; the others are named."""
    kept: list[Listing] = []
    malformed: list[str] = []
    strays: list[str] = []
    for row in rows:
        try:
            listing = parse.listing(row)
        except MalformedPayload as e:
            malformed.append(str(e))
            continue
        missed = asked.missed_by(listing.market)
        if missed is None:
            kept.append(listing)
        else:
            strays.append(f"market {listing.market.gamma_id} was not asked for: {missed}")
    if len(strays) > STRAYS_ALWAYS + STRAYS_SHARE * len(rows):
        why = f"{len(strays)} of {len(rows)} rows do not match: the venue ignores a filter"
        raise MalformedPayload("catalogue page", strays[0], why)
    return Page(tuple(kept), cursor, (*malformed, *strays))


def _asked(rows: list[msgspec.Raw], asked: set[str]) -> Iterator[Listing]:
    for row in rows:
        try:
            listing = parse.listing(row)
        except MalformedPayload as e:
            log.warning("a market is left out: %s", e)
            continue
        if listing.market.condition_id not in asked:
            why = "it was not asked for: the venue ignores condition_ids"
            raise MalformedPayload("catalogue row", evidence(row), why)
        yield listing


def _id(row: msgspec.Raw) -> str | None:
    try:
        return str(_ID.decode(row).id)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
