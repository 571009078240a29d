"""The order-book service: books by the hundred, and markets with their winner."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from polymarket_assets.venue import parse
from polymarket_assets.venue.answers import BOOKS_CAP_BYTES
from polymarket_assets.venue.errors import Gone, MalformedPayload, Refused, TooLarge
from polymarket_assets.venue.http import ANSWERS_OF_THE_MISSING, Call, Service
from polymarket_assets.venue.parse.reading import Rows
from polymarket_assets.venue.records import Book, ClobMarket

log = logging.getLogger(__name__)

# More are answered with 400 "Payload exceeds the limit".
TOKENS_A_REQUEST = 500

_ROWS = msgspec.json.Decoder(Rows)
_RAW = msgspec.json.Decoder(msgspec.Raw)
_MIDPOINTS = msgspec.json.Decoder(dict[str, object])


class _Named(msgspec.Struct):
    asset_id: str


_NAMED = msgspec.json.Decoder(_Named)


@dataclass(frozen=True)
class BooksAnswer:
    """The books of the tokens asked about; every token is in exactly one of `books`, `omitted`, `malformed`."""

    books: tuple[Book, ...]
    # Tokens the venue has no book for: an answer, not a fault.
    omitted: tuple[str, ...]
    # Token ids, where they could be told, with what was wrong.
    malformed: tuple[str, ...]
    requests: int
    bytes: int
    # When the first request that was answered went out; None: nothing was asked.
    asked_at: datetime | None


@dataclass
class _Taken:
    """What came so far."""

    books: dict[str, Book] = field(default_factory=dict)
    malformed: dict[str, str] = field(default_factory=dict)
    bytes: int = 0
    asked_at: datetime | None = None


class Clob:
    """The order-book service."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def books(self, token_ids: Sequence[str], *, until: datetime | None = None) -> BooksAnswer:
        """The books of tokens, in the order asked, for as long as there is time.

        Batches the venue finds too large are halved. A book that cannot be read is named and spoils nothing.

        Raises:
            Unavailable, Refused, MalformedPayload: a batch as a whole was not answered, or not before `until`.
        """
        tokens = list(dict.fromkeys(token_ids))
        before, taken = self.service.traffic.requests, _Taken()
        for first in range(0, len(tokens), TOKENS_A_REQUEST):
            self._batch(tokens[first : first + TOKENS_A_REQUEST], taken, until)
        missing = [token for token in tokens if token not in taken.books and token not in taken.malformed]
        return BooksAnswer(
            books=tuple(taken.books[token] for token in tokens if token in taken.books),
            omitted=tuple(missing),
            malformed=tuple(f"{token}: {why}" for token, why in taken.malformed.items()),
            requests=self.service.traffic.requests - before,
            bytes=taken.bytes,
            asked_at=taken.asked_at,
        )

    def book(self, token_id: str) -> Book:
        """The book of one token. Raises `Gone` where there is none."""
        call = Call("/book", ("clob /book",), [("token_id", token_id)], gone=ANSWERS_OF_THE_MISSING)
        return parse.book(self.service.ask(call, _RAW).value)

    def midpoints(self, token_ids: Sequence[str]) -> dict[str, int]:
        """Midpoints of tokens' books, millionths of a dollar; tokens without one, or with one that cannot be read, are left out.

        Raises:
            Unavailable, Refused, MalformedPayload: a batch as a whole was not answered.
        """
        found: dict[str, int] = {}
        tokens = list(dict.fromkeys(token_ids))
        for first in range(0, len(tokens), TOKENS_A_REQUEST):
            asked = tokens[first : first + TOKENS_A_REQUEST]
            body = msgspec.json.encode([{"token_id": token} for token in asked])
            answer = self.service.ask(Call("/midpoints", ("clob /midpoints",), json=body), _MIDPOINTS).value
            found |= parse.midpoints(answer, asked)
        return found

    def market(self, condition_id: str) -> ClobMarket:
        """A market with its winner, where the venue names one; else in its compact form. Raises `Gone`."""
        try:
            return self._market(f"/markets/{condition_id}")
        except Gone:
            return self._market(f"/clob-markets/{condition_id}")

    def close(self) -> None:
        self.service.close()

    def _market(self, path: str) -> ClobMarket:
        return parse.clob_market(self.service.ask(Call(path, (), gone=ANSWERS_OF_THE_MISSING), _RAW).value)

    def _batch(self, tokens: list[str], taken: _Taken, until: datetime | None) -> None:
        """Ask for these books, in halves where they are too many at once."""
        try:
            answer = self.service.ask(_books_call(tokens), _ROWS, until=until)
        except Refused as e:
            if not _is_too_large(e) or len(tokens) < 2:
                raise
            log.info("%d books at once are too many, asking for halves: %s", len(tokens), e)
            self._batch(tokens[: len(tokens) // 2], taken, until)
            self._batch(tokens[len(tokens) // 2 :], taken, until)
            return
        taken.bytes += answer.bytes
        taken.asked_at = taken.asked_at or answer.asked_at
        asked = set(tokens)
        for row in answer.value:
            _take(row, asked, taken)


def _books_call(tokens: list[str]) -> Call:
    """A flat list: wrapped in an object it would be answered with no books at all."""
    body = msgspec.json.encode([{"token_id": token} for token in tokens])
    return Call("/books", ("clob /books",), json=body, cap=BOOKS_CAP_BYTES)


def _take(row: msgspec.Raw, asked: set[str], taken: _Taken) -> None:
    try:
        book = parse.book(row)
    except MalformedPayload as e:
        taken.malformed[_token(row)] = str(e)
        return
    if book.token_id in asked:
        taken.books[book.token_id] = book
    else:
        taken.malformed[book.token_id] = "was not asked for"


def _token(row: msgspec.Raw) -> str:
    """The token of a book that cannot be read, if at least that can."""
    try:
        return _NAMED.decode(row).asset_id
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return "a book without a token"


def _is_too_large(refusal: Refused) -> bool:
    return isinstance(refusal, TooLarge) or (refusal.status == 400 and "exceeds" in refusal.said.lower())
