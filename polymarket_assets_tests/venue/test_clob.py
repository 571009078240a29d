"""The order-book service: batches, halves, and books that are missing or broken."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from polymarket_assets.venue import clob as books_service
from polymarket_assets.venue.breaker import Breaker
from polymarket_assets.venue.clob import Clob
from polymarket_assets.venue.errors import Gone, MalformedPayload, Refused, TooLarge, Unavailable
from polymarket_assets.venue.http import Service
from polymarket_assets.venue.limits import Limits
from polymarket_assets_tests.venue.server import Asked, Server, Told, told
from polymarket_assets_tests.venue.test_parse import case

CONDITION = "0x" + "ab" * 32


@pytest.fixture
def clob(server: Server) -> Iterator[Clob]:
    opened = Clob(Service("clob", server.url, Limits(1.0), Breaker("clob")))
    yield opened
    opened.close()


def book(token: str, **changed: Any) -> dict[str, Any]:
    return {**case("clob/books_pair_and_v2_empty.json")[0], "asset_id": token, **changed}


def tokens_of(asked: Asked) -> list[str]:
    """The tokens of a flat list; an object around it is answered with nothing, as the venue does."""
    body = json.loads(asked.body)
    return [each["token_id"] for each in body] if isinstance(body, list) else []


def books(
    missing: frozenset[str] = frozenset(),
    most: int = 500,
    then: Callable[[list[dict[str, Any]]], Any] = lambda found: found,
) -> Callable[[Asked], Told]:
    """`POST /books`: at most `most` tokens, unknown ones omitted, in another order."""

    def answer(asked: Asked) -> Told:
        tokens = tokens_of(asked)
        if len(tokens) > most:
            return told({"error": "Payload exceeds the limit"}, 400)
        return told(then([book(token) for token in reversed(tokens) if token not in missing]))

    return answer


def numbered(count: int) -> list[str]:
    return [str(1000 + n) for n in range(count)]


def test_books_come_in_the_order_asked_and_the_omitted_are_named(server: Server, clob: Clob) -> None:
    server.on("/books", books(missing=frozenset({"1001"})))
    answer = clob.books(numbered(4))
    assert [found.token_id for found in answer.books] == ["1000", "1002", "1003"]
    assert (answer.omitted, answer.malformed, answer.requests) == (("1001",), (), 1)
    assert answer.bytes > 0
    assert server.asked[0].method == "POST"


def test_a_batch_holds_five_hundred(server: Server, clob: Clob) -> None:
    server.on("/books", books())
    answer = clob.books(numbered(1_200))
    assert len(answer.books) == 1_200
    assert [len(tokens_of(asked)) for asked in server.asked] == [500, 500, 200]
    assert answer.requests == 3


def test_a_token_asked_twice_is_asked_once(server: Server, clob: Clob) -> None:
    server.on("/books", books())
    assert len(clob.books(["1", "2", "1"]).books) == 2
    assert tokens_of(server.asked[0]) == ["1", "2"]


def test_no_tokens_are_no_request(server: Server, clob: Clob) -> None:
    assert clob.books([]).requests == 0
    assert server.asked == []


@pytest.mark.parametrize("refusal", [told({"error": "Payload exceeds the limit"}, 400), told({}, 413)], ids=["400", "413"])  # fmt: skip
def test_a_batch_that_is_too_large_is_halved(refusal: Told, server: Server, clob: Clob) -> None:
    """The venue's limit moved before; half a batch is better than none."""
    serve = books()
    server.on("/books", lambda asked: refusal if len(tokens_of(asked)) > 100 else serve(asked))
    answer = clob.books(numbered(400))
    assert len(answer.books) == 400
    assert [len(tokens_of(asked)) for asked in server.asked] == [400, 200, 100, 100, 200, 100, 100]
    assert answer.requests == 7


def test_an_answer_beyond_the_cap_is_halved(server: Server, clob: Clob, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(books_service, "BOOKS_CAP_BYTES", 2_000)
    server.on("/books", books())
    assert len(clob.books(numbered(8)).books) == 8
    assert len(server.asked) > 1


def test_one_token_too_large_is_told(server: Server, clob: Clob) -> None:
    server.on("/books", told({}, 413))
    with pytest.raises(TooLarge):
        clob.books(numbered(2))


def test_other_refusals_are_not_halved(server: Server, clob: Clob) -> None:
    server.on("/books", told({"error": "Invalid token id"}, 400))
    with pytest.raises(Refused, match="Invalid token id"):
        clob.books(numbered(4))
    assert len(server.asked) == 1


def test_a_book_that_cannot_be_read_is_named_and_spoils_nothing(server: Server, clob: Clob) -> None:
    def damage(found: list[dict[str, Any]]) -> list[Any]:
        found[0]["bids"] = [{"price": "2", "size": "1"}]
        return [*found, {"asset_id": 7}, "nonsense", book("999")]

    server.on("/books", books(then=damage))
    answer = clob.books(["1", "2"])
    assert [found.token_id for found in answer.books] == ["1"]
    assert answer.omitted == ()
    two, nameless, other = answer.malformed
    assert two.startswith("2: book could not be read")
    assert nameless.startswith("a book without a token")
    assert other == "999: was not asked for"


def test_an_answer_that_is_no_list_is_malformed(server: Server, clob: Clob) -> None:
    server.on("/books", told({"books": []}))
    with pytest.raises(MalformedPayload):
        clob.books(["1"])


def test_retries_are_requests(server: Server, clob: Clob) -> None:
    serve = books()
    server.on("/books", lambda asked: told({}, 503) if len(server.asked) < 3 else serve(asked))
    assert clob.books(["1"]).requests == 3


def test_a_single_book(server: Server, clob: Clob) -> None:
    server.on("/book", told(book("5")))
    assert clob.book("5").token_id == "5"
    assert server.asked[0].one("token_id") == "5"


def test_no_book_is_gone(server: Server, clob: Clob) -> None:
    server.on("/book", told({"error": "No orderbook exists for the requested token id"}, 404))
    with pytest.raises(Gone, match="No orderbook"):
        clob.book("5")


def test_a_market_with_its_winner(server: Server, clob: Clob) -> None:
    server.on(f"/markets/{CONDITION}", told({**case("clob/market_full_closed.json")[0], "condition_id": CONDITION}))  # fmt: skip
    market = clob.market(CONDITION)
    assert [token.winner for token in market.tokens] == [False, True]
    assert server.counts() == {f"/markets/{CONDITION}": 1}


def test_a_market_known_only_in_compact_form(server: Server, clob: Clob) -> None:
    server.on(f"/clob-markets/{CONDITION}", told({**case("clob/clob_markets_compact_v2.json")[0], "c": CONDITION}))  # fmt: skip
    market = clob.market(CONDITION)
    assert (market.version, [token.winner for token in market.tokens]) == ("v2", [None, None])


def test_a_market_nobody_knows_is_gone(clob: Clob) -> None:
    with pytest.raises(Gone):
        clob.market(CONDITION)


def test_a_service_that_is_down_is_unavailable(server: Server, clob: Clob) -> None:
    server.on("/books", told({}, 500))
    with pytest.raises(Unavailable):
        clob.books(["1"])
