"""Rows of the catalogue: one wire row, its two halves apart.

The catalogue writes lists as JSON inside text, numbers as text or numbers, and dates in several ways
(PROTOCOL section 3). Ids follow a market's `version`, never the presence of a key: a v1 market may carry the
ids of both generations. Rows recorded before versions existed are v1.
"""

from __future__ import annotations

import msgspec

from polymarket_assets.venue import ids
from polymarket_assets.venue.instants import instant
from polymarket_assets.venue.numbers import optional_size_e6, real, tick_e6
from polymarket_assets.venue.parse import measured
from polymarket_assets.venue.parse.categories import category
from polymarket_assets.venue.parse.reading import Number, Row, decoder, read, unreadable
from polymarket_assets.venue.records import FeeSchedule, Listing, Market, MarketEnd

VERSIONS = ("v1", "v2")
# Words of an oracle that was asked to decide, or has decided: trading is over in all but name.
PROPOSED = frozenset(
    {"proposed", "challenged", "reproposed", "disputed", "arbitration", "settled", "resolved"}
)


class _Fees(msgspec.Struct, rename="camel"):
    rate: Number = None
    exponent: Number = None
    taker_only: bool | None = None
    rebate_rate: Number = None


class _Named(msgspec.Struct):
    """A tag or a series, of which only the slug is read."""

    slug: str | None = None


class _Event(msgspec.Struct, rename="camel"):
    id: str | int | None = None
    slug: str | None = None
    title: str | None = None
    series_slug: str | None = None
    series: list[_Named] | None = None
    tags: list[_Named] | None = None
    game_id: str | int | None = None


class _Market(msgspec.Struct, rename="camel"):
    id: str | int
    condition_id: str
    slug: str | None = None
    question: str | None = None
    version: str | None = None
    outcomes: str | list[str] | None = None
    outcome_prices: str | list[str] | None = None
    clob_token_ids: str | list[str] | None = None
    position_ids: list[str | int] | str | None = None
    events: list[_Event] | None = None
    tags: list[_Named] | None = None
    category: str | None = None
    neg_risk: bool | None = None
    neg_risk_market_id: str | None = msgspec.field(name="negRiskMarketID", default=None)
    created_at: str | None = None
    accepting_orders_timestamp: str | None = None
    end_date: str | None = None
    game_start_time: str | None = None
    event_start_time: str | None = None
    game_id: str | int | None = None
    sports_market_type: str | None = None
    resolution_source: str | None = None
    crypto_market_config: measured.Config | None = None
    order_price_min_tick_size: Number = None
    order_min_size: Number = None
    fees_enabled: bool | None = None
    fee_type: str | None = None
    fee_schedule: _Fees | None = None
    volume_num: Number = None
    volume: Number = None
    volume24hr: Number = None
    liquidity_num: Number = None
    liquidity: Number = None
    active: bool | None = None
    closed: bool | None = None
    accepting_orders: bool | None = None
    enable_order_book: bool | None = None
    closed_time: str | None = None
    uma_resolution_status: str | None = None
    uma_resolution_statuses: str | list[str] | None = None
    resolution_status: str | None = None
    automatically_resolved: bool | None = None

    @property
    def generation(self) -> str:
        version = self.version or VERSIONS[0]
        if version not in VERSIONS:
            raise ValueError(f"market generation {version!r} is unknown")
        return version

    @property
    def tokens(self) -> tuple[str, ...]:
        """Token ids in the order of the outcomes; none while the venue has not minted them all."""
        found = _words(self.position_ids if self.generation == "v2" else self.clob_token_ids)
        if not all(found):
            return ()
        if found and len(found) != len(_words(self.outcomes)):
            raise ValueError(f"{len(found)} token ids for the outcomes {self.outcomes}")
        return tuple(map(ids.token_id, found))

    @property
    def status(self) -> str | None:
        """What the oracle says, in the words of its generation."""
        said = (
            (self.resolution_status or self.uma_resolution_status)
            if self.generation == "v2"
            else self.uma_resolution_status
        )
        return said.lower() if said else None

    @property
    def event(self) -> _Event:
        return self.events[0] if self.events else _Event()


_MARKET = decoder(_Market)
_WORDS = msgspec.json.Decoder(list[str | int])


def listing(row: Row) -> Listing:
    """A row of `/markets`, `/markets/keyset` or `/markets/{id}` in its two halves."""
    with unreadable("catalogue row", row):
        wire = read(_MARKET, row)
        return Listing(_market(wire), _end(wire))


def market(row: Row) -> Market:
    """What a row asks and how it trades."""
    return listing(row).market


def market_end(row: Row) -> MarketEnd:
    """What a row says of its market's end."""
    return listing(row).end


def _market(wire: _Market) -> Market:
    condition = ids.condition_id(wire.condition_id)
    event = wire.event
    tags = _slugs(wire.tags) or _slugs(event.tags)
    return Market(
        market_id=f"pm:{condition}",
        condition_id=condition,
        gamma_id=str(wire.id),
        version=wire.generation,
        slug=wire.slug or "",
        question=(wire.question or "").strip(),
        outcomes=_words(wire.outcomes),
        token_ids=wire.tokens,
        event_id=_text(event.id),
        event_slug=event.slug or None,
        event_title=event.title or None,
        series_slug=event.series_slug or next(iter(_slugs(event.series)), None),
        neg_risk_id=wire.neg_risk_market_id or None,
        neg_risk=bool(wire.neg_risk),
        category=category(tags, wire.fee_type, wire.category),
        tags=tags,
        listed_at=instant(wire.accepting_orders_timestamp) or instant(wire.created_at),
        scheduled_end=instant(wire.end_date),
        game_start_at=instant(wire.game_start_time),
        window_start_at=instant(wire.event_start_time),
        game_id=_text(wire.game_id) or _text(event.game_id),
        sports_market_type=wire.sports_market_type or None,
        resolution_source=wire.resolution_source or None,
        twap_s=measured.twap_s(wire.crypto_market_config, wire.resolution_source, instant(wire.end_date)),
        tick_e6=tick_e6(wire.order_price_min_tick_size),
        min_size_e6=optional_size_e6(wire.order_min_size),
        fees=_fees(wire),
        volume_usd=_either(wire.volume_num, wire.volume),
        volume_24h_usd=real(wire.volume24hr),
        liquidity_usd=_either(wire.liquidity_num, wire.liquidity),
        active=wire.active is not False,
        closed=bool(wire.closed),
        accepting_orders=bool(wire.accepting_orders),
        enable_order_book=bool(wire.enable_order_book),
        end_proposed=wire.status in PROPOSED,
    )


def _end(wire: _Market) -> MarketEnd:
    condition = ids.condition_id(wire.condition_id)
    return MarketEnd(
        market_id=f"pm:{condition}",
        condition_id=condition,
        token_ids=wire.tokens,
        closed=bool(wire.closed),
        closed_at=instant(wire.closed_time),
        prices=_words(wire.outcome_prices),
        status=wire.status,
        statuses=_words(wire.uma_resolution_statuses),
        automatically_resolved=wire.automatically_resolved,
    )


def _fees(wire: _Market) -> FeeSchedule | None:
    """The taker fee; a closed market keeps its schedule, whatever its switch says by then (PROTOCOL 10)."""
    said = wire.fee_schedule
    if said is None or (wire.fees_enabled is False and not wire.closed):
        return None
    rate, exponent = real(said.rate), real(said.exponent)
    if rate is None or exponent is None:
        raise ValueError("a fee schedule without rate or exponent")
    return FeeSchedule(rate, exponent, said.taker_only is not False, real(said.rebate_rate))


def _words(value: str | list[str] | list[str | int] | None) -> tuple[str, ...]:
    """A list of texts: a real one, or JSON inside text."""
    found = _WORDS.decode(value) if isinstance(value, str) and value else value or []
    return tuple(map(str, found))


def _slugs(named: list[_Named] | None) -> tuple[str, ...]:
    return tuple(each.slug for each in named or () if each.slug)


def _either(first: Number, second: Number) -> float | None:
    number = real(first)
    return real(second) if number is None else number


def _text(value: str | int | None) -> str | None:
    return None if value is None or value == "" else str(value)
