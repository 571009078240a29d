"""Probes: one request to each endpoint the platform uses, or its successor might replace.

Data instead of branches: an endpoint is a row of `PROBES`. What one learns (a market, its tokens) the next
ones ask about.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from polymarket_assets.doctor import socket_dump
from polymarket_assets.settings import Settings
from polymarket_assets.venue import parse
from polymarket_assets.venue.answers import Words
from polymarket_assets.venue.breaker import Breaker
from polymarket_assets.venue.errors import MalformedPayload, PolymarketError, Refused, Unreachable
from polymarket_assets.venue.http import Call, Service
from polymarket_assets.venue.limits import Limits
from polymarket_assets.venue.parse.reading import Rows
from polymarket_assets.venue.records import Market

# A person waits: the venue answers in tenths of a second, and four services make half a minute at the worst.
TIMEOUTS_S = (3.0, 5.0)
# Rows that are read to see what they look like.
SAMPLE = 20

_RAW = msgspec.json.Decoder(msgspec.Raw)
_ROWS = msgspec.json.Decoder(Rows)


class _Markets(msgspec.Struct):
    markets: Rows
    next_cursor: str | None = None


class _Data(msgspec.Struct):
    data: Rows | None


_MARKETS = msgspec.json.Decoder(_Markets)
_DATA = msgspec.json.Decoder(_Data)


class NotTried(Exception):
    """There is nothing to ask: an earlier probe found no market, or the service is silent."""


@dataclass
class Patient:
    """The venue while it is examined."""

    services: dict[str, Service]
    socket_url: str
    now: datetime
    # The busiest open market with a book; what endpoints of one market are asked about.
    market: Market | None = None
    # A closed one; what endpoints of the end of a market are asked about.
    ended: Market | None = None
    silent: set[str] = field(default_factory=set)

    @property
    def token(self) -> str:
        return self.found.token_ids[0]

    @property
    def closed(self) -> Market:
        if self.ended is None:
            raise NotTried("no closed market was found to ask about")
        return self.ended

    @property
    def found(self) -> Market:
        if self.market is None:
            raise NotTried("no open market with a book was found to ask about")
        return self.market


@dataclass(frozen=True)
class Learnt:
    """What an answer says beyond that it came."""

    generation: str = ""
    note: str = ""


@dataclass(frozen=True)
class Probe:
    """An endpoint and how it is asked."""

    service: str
    endpoint: str
    ask: Callable[[Patient], Learnt]
    # Without it nothing is recorded.
    needed: bool = False


@dataclass(frozen=True)
class Finding:
    """What came of a probe; where it does not answer, `note` says why."""

    service: str
    endpoint: str
    needed: bool
    answers: bool
    generation: str = ""
    latency_ms: float | None = None
    note: str = ""


def patient(settings: Settings, now: datetime | None = None) -> Patient:
    """The venue at the addresses of the settings; nothing is asked yet."""
    limits = Limits(settings.rate_share)
    urls = {
        "gamma": settings.polymarket_gamma_url,
        "clob": settings.polymarket_clob_url,
        "data": settings.polymarket_data_url,
    }
    services = {
        name: Service(name, url, limits, Breaker(name), attempts=1, timeouts=TIMEOUTS_S)
        for name, url in urls.items()
    }
    return Patient(services, settings.polymarket_ws_url, now or datetime.now(UTC))


def examine(venue: Patient, probes: Iterable[Probe] | None = None) -> Iterator[Finding]:
    """One finding after the other, in the order of the probes."""
    for probe in PROBES if probes is None else probes:
        yield _tried(venue, probe)


def _tried(venue: Patient, probe: Probe) -> Finding:
    began = time.monotonic()
    try:
        if probe.service in venue.silent:
            raise NotTried("not tried: silent")
        learnt = probe.ask(venue)
    except NotTried as e:
        return Finding(probe.service, probe.endpoint, probe.needed, answers=False, note=str(e))
    except PolymarketError as e:
        if isinstance(e, Unreachable):
            venue.silent.add(probe.service)
        return Finding(probe.service, probe.endpoint, probe.needed, answers=False, note=_why(e))
    latency_ms = (time.monotonic() - began) * 1000
    return Finding(
        probe.service, probe.endpoint, probe.needed, True, learnt.generation, latency_ms, learnt.note
    )


def _why(error: PolymarketError) -> str:
    if isinstance(error, Refused) and error.status in (404, 410):
        return f"not there ({error.status})"
    return str(error)


# --- how each endpoint is asked ---------------------------------------------------------------------


def _keyset(venue: Patient) -> Learnt:
    params = [("closed", "false"), ("limit", str(SAMPLE)), ("include_tag", "true")]
    params += [("order", "volume24hr"), ("ascending", "false")]
    page = venue.services["gamma"].ask(Call("/markets/keyset", (), params), _MARKETS).value
    markets, unreadable = _read(page.markets)
    venue.market = next((market for market in markets if market.enable_order_book and market.token_ids), None)
    versions = Counter(market.version for market in markets)
    said = ", ".join(f"{count} of {version}" for version, count in sorted(versions.items()))
    return Learnt("key-set", f"{said or 'no markets'}{unreadable}")


def _read(rows: list[msgspec.Raw]) -> tuple[list[Market], str]:
    """The markets of a page, and a remark on those that could not be read."""
    markets: list[Market] = []
    problems: list[str] = []
    for row in rows:
        try:
            markets.append(parse.market(row))
        except MalformedPayload as e:
            problems.append(str(e))
    return markets, f"; {len(problems)} unreadable: {problems[0]}" if problems else ""


def _closed(venue: Patient) -> Learnt:
    params = [("closed", "true"), ("limit", "1"), ("order", "closedTime"), ("ascending", "false")]
    page = venue.services["gamma"].ask(Call("/markets/keyset", (), params), _MARKETS).value
    markets, unreadable = _read(page.markets)
    venue.ended = next(iter(markets), None)
    return Learnt("key-set", f"{len(page.markets)} row{unreadable}")


def _legacy(venue: Patient) -> Learnt:
    rows = venue.services["gamma"].ask(Call("/markets", (), [("limit", "1")]), _ROWS).value
    return Learnt("legacy", f"{len(rows)} row; not used")


def _ok(venue: Patient) -> Learnt:
    said = venue.services["clob"].ask(Call("/ok", ("clob /ok",)), Words()).value
    return Learnt(note=said[:40])


def _time(venue: Patient) -> Learnt:
    said = venue.services["clob"].ask(Call("/time", ()), Words()).value
    if not (said.isdecimal() and len(said) <= 12):
        raise MalformedPayload("time", said)
    ahead_s = int(said) - venue.now.timestamp()
    return Learnt(note=f"our clock is {abs(ahead_s):.0f} s {'behind' if ahead_s > 0 else 'ahead'}" if abs(ahead_s) > CLOCK_OFF_S else "clocks agree")  # fmt: skip


# Latency and whole seconds make a few; more and trades are filed under the wrong hour.
CLOCK_OFF_S = 5


def _book(venue: Patient) -> Learnt:
    call = Call("/book", ("clob /book",), [("token_id", venue.token)])
    book = parse.book(venue.services["clob"].ask(call, _RAW).value)
    return Learnt(book.version or "v1", f"{len(book.bids)} bids, {len(book.asks)} asks")


def _books(venue: Patient) -> Learnt:
    body = msgspec.json.encode([{"token_id": token} for token in venue.found.token_ids])
    rows = venue.services["clob"].ask(Call("/books", ("clob /books",), json=body), _ROWS).value
    books = [parse.book(row) for row in rows]
    return Learnt(note=f"{len(books)} of {len(venue.found.token_ids)} tokens")


def _clob_market(venue: Patient) -> Learnt:
    path = f"/clob-markets/{venue.found.condition_id}"
    market = parse.clob_market(venue.services["clob"].ask(Call(path, ()), _RAW).value)
    return Learnt(market.version, "fees named" if market.fees else "no fees named")


def _clob_outcome(venue: Patient) -> Learnt:
    path = f"/markets/{venue.closed.condition_id}"
    market = parse.clob_market(venue.services["clob"].ask(Call(path, ()), _RAW).value)
    return Learnt(market.version, "a winner is named" if any(token.winner for token in market.tokens) else "no winner is named")  # fmt: skip


def _resolutions(venue: Patient) -> Learnt:
    params = [("condition", venue.closed.condition_id)]
    answer = venue.services["data"].ask(Call("/v2/resolutions", (), params), _DATA).value
    found = [parse.resolution_row(row) for row in answer.data or []]
    return Learnt("v2", f"{found[0].status}" if found else "nothing of the closed market asked about")


def _data_status(venue: Patient) -> Learnt:
    said = bytes(venue.services["data"].ask(Call("/v2/status", ()), _RAW).value)
    return Learnt("v2", said[:60].decode(errors="replace"))


def _trades(venue: Patient) -> Learnt:
    answer = venue.services["data"].ask(Call("/v2/trades", ("data /trades",), [("limit", "1")]), _DATA).value
    return Learnt("v2", _newest(answer.data or [], venue.now))


def _trades_v1(venue: Patient) -> Learnt:
    rows = venue.services["data"].ask(Call("/trades", ("data /trades",), [("limit", "1")]), _ROWS).value
    return Learnt("v1", _newest(rows, venue.now))


def _newest(rows: list[msgspec.Raw], now: datetime) -> str:
    if not rows:
        return "no trades"
    age_s = (now - parse.trade(rows[0]).traded_at).total_seconds()
    return f"newest trade {max(0.0, age_s):.0f} s old"


def _prices(venue: Patient) -> Learnt:
    start, end = venue.now - timedelta(hours=6), venue.now
    params = [
        ("token_id", venue.token),
        ("start", f"{start.timestamp():.0f}"),
        ("end", f"{end.timestamp():.0f}"),
    ]
    params.append(("bucket_seconds", "300"))
    answer = venue.services["data"].ask(Call("/v2/prices-history", (), params), _DATA).value
    points = [parse.price_point(row) for row in answer.data or []]
    return Learnt("v2", f"{len(points)} points of six hours")


def _prices_v1(venue: Patient) -> Learnt:
    start, end = venue.now - timedelta(hours=6), venue.now
    params = [("market", venue.token), ("startTs", f"{start.timestamp():.0f}"), ("endTs", f"{end.timestamp():.0f}"), ("fidelity", "60")]  # fmt: skip
    venue.services["clob"].ask(Call("/prices-history", ("clob /prices-history",), params), _RAW)
    return Learnt("v1", "superseded")


def _socket(venue: Patient) -> Learnt:
    books = socket_dump.first_books(venue.socket_url, venue.found.token_ids)
    return Learnt(next((book.version for book in books if book.version), "v1"), f"{len(books)} books in the first message")  # fmt: skip


PROBES: tuple[Probe, ...] = (
    Probe("gamma", "GET /markets/keyset", _keyset, needed=True),
    Probe("gamma", "GET /markets/keyset?closed=true", _closed),
    Probe("gamma", "GET /markets", _legacy),
    Probe("clob", "GET /ok", _ok),
    Probe("clob", "GET /time", _time),
    Probe("clob", "GET /book", _book),
    Probe("clob", "POST /books", _books, needed=True),
    Probe("clob", "GET /clob-markets/{id}", _clob_market),
    Probe("clob", "GET /markets/{id}", _clob_outcome),
    Probe("clob", "GET /prices-history", _prices_v1),
    Probe("data", "GET /v2/status", _data_status),
    Probe("data", "GET /v2/trades", _trades),
    Probe("data", "GET /v2/prices-history", _prices),
    Probe("data", "GET /v2/resolutions", _resolutions),
    Probe("data", "GET /trades", _trades_v1),
    Probe("socket", "market channel", _socket, needed=True),
)
