"""A venue that wants to harm us: its bodies cost a bounded amount of memory, its text stays text, and the next good answer is read."""

from __future__ import annotations

import json
import math
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polymarket_assets.venue import answers, frames, parse
from polymarket_assets.venue.clob import Clob
from polymarket_assets.venue.errors import MalformedPayload, PolymarketError, Refused, TooLarge, printable
from polymarket_assets.venue.gamma import Gamma
from polymarket_assets.venue.http import Call, Service
from polymarket_assets.venue.parse.reading import MOST_ROWS
from polymarket_assets_tests.conftest import PROJECT
from polymarket_assets_tests.hostile import CONTROL, MARKUP, SWELLING, bomb, peak_mb, swollen
from polymarket_assets_tests.venue.server import Server, Told, told

ANY = msgspec.json.Decoder(Any)
CALL = Call("/thing", ())
GOOD = told({"fine": True})
LISTED = json.loads((PROJECT / "polymarket_assets_tests/cases/gamma/markets_keyset_page.json").read_text())[
    "markets"
][0]


def ask(service: Service, call: Call = CALL) -> Any:
    return service.ask(call, ANY).value


def is_one_line(error: Exception) -> bool:
    return str(error).isprintable() and len(str(error)) < 1_500


# --- bodies that unpack ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (bomb(300), "gzip"),
        (bomb(300, wrapped=2), "gzip, gzip"),
        (bomb(300, wrapped=3), "gzip, gzip, gzip"),
        (zlib.compress(b" " * 200_000_000, 9), "deflate"),
        (bomb(1) * 300, "gzip"),
    ],
    ids=["gzip", "gzip in gzip", "three times", "deflate", "members in a row"],
)
def test_a_bomb_is_refused_at_the_cap_and_takes_hardly_more_memory_than_that(packed: bytes, encoding: str, server: Server, service: Service) -> None:  # fmt: skip
    server.on("/thing", [Told(body=packed, headers={"Content-Encoding": encoding}), GOOD])
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match="more than 10 MB") as raised:
            ask(service)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < answers.CAP_BYTES + 5_000_000
    assert is_one_line(raised.value)
    assert ask(service) == {"fine": True}


@pytest.mark.parametrize("encoding", [", ".join(["gzip"] * 6), "gzip", "deflate"])
def test_packing_that_cannot_be_unpacked_is_an_answer_that_did_not_come(encoding: str, server: Server, service: Service) -> None:  # fmt: skip
    broken = Told(body=b"\x1f\x8b no gzip", headers={"Content-Encoding": encoding})
    server.on("/thing", [broken, GOOD])
    assert ask(service) == {"fine": True}


# --- JSON that swells ------------------------------------------------------------------------------------


def test_whatever_a_message_of_the_largest_size_holds_reading_it_takes_a_bounded_amount_of_memory() -> None:
    """`[{},{},…` of 32 MB would be three gigabytes and half a minute of the streamer's loop."""
    code = """
from polymarket_assets.venue import frames
from polymarket_assets.venue.errors import MalformedPayload
from polymarket_assets_tests.hostile import SWELLING, swollen
from streamer.sockets import MAX_MESSAGE_BYTES
for what in SWELLING:
    try:
        frames.parse(swollen(what, MAX_MESSAGE_BYTES))
    except MalformedPayload:
        pass
"""
    assert peak_mb(code) < 500


@pytest.mark.parametrize("what", SWELLING)
def test_a_body_that_swells_is_malformed_and_the_next_answer_is_read(what: str, server: Server, service: Service) -> None:  # fmt: skip
    size = 4_000_000
    body = swollen(what, size)
    server.on("/books", [Told(body=body), told([])])
    clob = Clob(service)
    tracemalloc.start()
    try:
        with pytest.raises(MalformedPayload) as raised:
            clob.books(["1"])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert is_one_line(raised.value)
    assert peak < 16 * size
    assert clob.books(["1"]).omitted == ("1",)


def test_more_rows_than_any_page_are_no_page(server: Server, service: Service) -> None:
    """Each that cannot be read is named: half a million names would be a gigabyte."""
    server.on("/books", told([{}] * (MOST_ROWS + 1)))
    with pytest.raises(MalformedPayload, match=f"length <= {MOST_ROWS}"):
        Clob(service).books(["1"])


# --- values ----------------------------------------------------------------------------------------------

# Each is one row of a page beside a good one.
BAD_ROWS: dict[str, dict[str, Any]] = {
    "an integer of four thousand digits": {"volumeNum": 10**4_000},
    "more than a float holds": {"volumeNum": "1e999"},
    "a number with an exponent of a billion": {"orderMinSize": "1e999999999"},
    "NaN as text": {"volumeNum": "NaN", "volume": "NaN"},
    "infinity": {"liquidityNum": "Infinity"},
    "a negative size": {"orderMinSize": "-5"},
    "a price above one": {"orderPriceMinTickSize": 7},
    "a year nobody lives in": {"endDate": "99999-01-01T00:00:00Z"},
    "text where an instant belongs": {"endDate": MARKUP},
    "an id that is a path": {"conditionId": "../../etc/passwd"},
    "an id that is SQL": {"conditionId": "0x' or 1=1; --"},
    "tokens that are no numbers": {"clobTokenIds": '["1; drop table markets", "2"]', "positionIds": None},
    "a generation nobody told of": {"version": "v3" + CONTROL},
    "lists within lists": {"outcomes": "[" * 100_000},
    "an object for text": {"question": {"a": 1}},
}  # fmt: skip


@pytest.mark.parametrize("what", BAD_ROWS)
def test_a_row_with_an_impossible_value_is_named_in_one_line_and_spoils_nothing(what: str, server: Server, service: Service) -> None:  # fmt: skip
    rows = [LISTED | BAD_ROWS[what], LISTED]
    server.on("/markets/keyset", told({"markets": rows, "next_cursor": None}))
    (page,) = Gamma(service).markets(closed=bool(LISTED["closed"]))
    assert len(page.rows) == 1
    assert len(page.malformed) == 1
    assert page.malformed[0].isprintable()


def test_what_a_market_asks_is_kept_as_it_was_written(server: Server, service: Service) -> None:
    """It is text: cleaning it would be a guess, showing it is for whoever shows it."""
    asked = MARKUP + CONTROL
    server.on("/markets/keyset", told({"markets": [LISTED | {"question": asked}], "next_cursor": None}))
    (page,) = Gamma(service).markets(closed=bool(LISTED["closed"]))
    assert page.rows[0].market.question == asked.strip()


RAW: dict[str, bytes] = {
    "NaN": b'{"a": NaN}', "infinity": b'{"a": -Infinity}', "a lone surrogate": b'{"a": "\\ud800 and more"}', "bytes that are no text": b'{"a": "\xff"}',
    "a raw control character": b'{"a": "\x1b[2J"}', "an escape that is none": b'{"a": "\\x1b"}', "a web page": b"<html><script>alert(1)</script>",
    "an integer of a million digits": b'{"a": ' + b"9" * 5_000 + b"x}", "nesting": b'{"a":' * 50_000, "nothing but NUL": b"\x00" * 100,
}  # fmt: skip


@pytest.mark.parametrize("what", RAW)
def test_what_is_no_json_is_malformed_with_its_evidence_and_a_message_of_one_line(what: str, server: Server, service: Service) -> None:  # fmt: skip
    server.on("/thing", [Told(body=RAW[what]), GOOD])
    with pytest.raises(MalformedPayload) as raised:
        ask(service)
    assert is_one_line(raised.value)
    assert raised.value.evidence == RAW[what].decode(errors="replace")[:2_000]
    assert ask(service) == {"fine": True}


# --- headers ---------------------------------------------------------------------------------------------

# Dates that no calendar holds, each by another overflow.
NO_DATES = {
    "a day of twenty digits": "Mon, 99999999999999999999 Jan 2020 00:00:00 GMT", "a year of twenty digits": "Mon, 1 Jan 99999999999999999999 00:00:00 GMT",
    "an hour of twenty digits": "Mon, 01 Jan 2020 99999999999999999999:00:00 GMT", "a zone of days": "Mon, 01 Jan 2020 00:00:00 +99999999",
    "a zone of twenty digits": "Mon, 1 Jan 2020 00:00:00 +9999999999999999999999",
}  # fmt: skip


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("what", NO_DATES)
def test_a_pause_until_a_date_that_is_none_is_a_pause_of_our_own(what: str, status: int, server: Server, service: Service) -> None:  # fmt: skip
    """An error that nobody expects would end the run of a window, and of 429 no pause would be recorded."""
    server.on("/thing", [Told(status, headers={"Retry-After": NO_DATES[what]}), GOOD])
    assert ask(service) == {"fine": True}
    assert service.traffic.throttled == (status == 429)


@settings(max_examples=300)
@given(st.text(st.characters(codec="latin-1")) | st.from_regex(r"\A(Mon, )?\d{1,25} Jan \d{1,25} \d{1,25}:\d\d:\d\d [+-]\d{1,25}\Z"))  # fmt: skip
def test_whatever_a_pause_is_written_as_it_is_seconds_or_none(header: str) -> None:
    seconds = answers.retry_after_s(header, datetime(2026, 1, 1, tzinfo=UTC))
    assert seconds is None or 0 <= seconds < math.inf


def test_a_length_of_five_thousand_digits_is_too_large(server: Server, service: Service) -> None:
    server.on("/thing", [Told(announced="9" * 5_000), GOOD])
    with pytest.raises(TooLarge) as raised:
        ask(service)
    assert is_one_line(raised.value)
    assert ask(service) == {"fine": True}


# --- words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Told(400, CONTROL.encode()), Refused),
        (Told(503, CONTROL.encode()), PolymarketError),
        (Told(302, b"", headers={"Location": "http://elsewhere/\x1b[31m"}), Refused),
        (Told(200, b"no JSON " + b"\xe2\x80\xae" * 300), MalformedPayload),
    ],
    ids=["refusal", "failure", "redirect", "malformed"],
)
def test_words_of_the_venue_forge_no_line_of_a_log_and_move_no_cursor(answer: Told, error: type[PolymarketError], server: Server, service: Service, caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    server.on("/thing", answer)
    with pytest.raises(error) as raised:
        ask(service)
    assert is_one_line(raised.value)
    assert all(record.getMessage().isprintable() for record in caplog.records)


def test_what_is_spelled_out_can_still_be_recognised() -> None:
    assert printable("a\x1b[2J\nb\u202e", 100) == r"a\x1b[2J\nb\u202e"
    assert printable("x" * 50, 10) == "x" * 10
    assert printable("Ärger ≤ 5 × 3 – 東京", 100) == "Ärger ≤ 5 × 3 – 東京"


@pytest.mark.parametrize("read", [frames.parse, parse.listing, parse.book, parse.trade], ids=["frame", "listing", "book", "trade"])  # fmt: skip
@pytest.mark.parametrize("what", RAW)
def test_every_parser_answers_what_is_no_json_in_the_same_way(read: Callable[[bytes], object], what: str) -> None:  # fmt: skip
    with pytest.raises(MalformedPayload) as raised:
        read(RAW[what])
    assert is_one_line(raised.value)
