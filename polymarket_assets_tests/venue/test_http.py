"""The one way a request goes out, against a real server that misbehaves."""

from __future__ import annotations

import gzip
import json
import math
import random
import re
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import msgspec
import pytest
import stamina
import time_machine

from polymarket_assets.venue import answers
from polymarket_assets.venue.breaker import FAILURES, OPEN_S, Breaker
from polymarket_assets.venue.errors import (
    BreakerOpen,
    Gone,
    MalformedPayload,
    OutOfTime,
    PolymarketError,
    Refused,
    TooLarge,
    Unavailable,
)
from polymarket_assets.venue.http import (
    ATTEMPTS,
    LEAST_S,
    LONGEST_RETRY_AFTER_S,
    Answer,
    Call,
    Service,
    _Again,
)
from polymarket_assets.venue.limits import Limits
from polymarket_assets_tests.venue.server import PAGE, Server, Told, told

ANY = msgspec.json.Decoder(Any)
CALL = Call("/thing", ())
OK = told({"fine": True})


def ask(service: Service, call: Call = CALL) -> Answer[Any]:
    return service.ask(call, ANY)


def test_an_answer_is_decoded_and_counted(server: Server, service: Service) -> None:
    server.on("/thing", OK)
    answer = ask(service, Call("/thing", (), [("ids", "a"), ("ids", "b")]))
    assert (answer.value, answer.bytes) == ({"fine": True}, len(OK.body))
    assert server.asked[0].all("ids") == ["a", "b"]
    assert (service.traffic.requests, service.traffic.retries, service.traffic.bytes) == (1, 0, len(OK.body))


def test_every_request_says_who_asks_and_which_request_it_is(server: Server, service: Service) -> None:
    """The venue answers Python's own agent with 403; an id joins our log to a complaint of theirs."""
    server.on("/thing", OK)
    ask(service)
    ask(service)
    first, second = (asked.headers for asked in server.asked)
    assert re.fullmatch(r"polymarket-assets/\d+\.\d+\.\d+", first["User-Agent"])
    assert first["User-Agent"] == second["User-Agent"]
    assert re.fullmatch(r"[0-9a-f]{32}", first["X-Request-Id"])
    assert first["X-Request-Id"] != second["X-Request-Id"]


def test_a_body_makes_a_post(server: Server, service: Service) -> None:
    server.on("/thing", OK)
    ask(service, Call("/thing", (), json=b"[1]"))
    asked = server.asked[0]
    assert (asked.method, asked.body, asked.headers["Content-Type"]) == ("POST", b"[1]", "application/json")


BROKEN_OFF = Told(body=OK.body, announced=len(OK.body) + 10)
TRUNCATED_JSON = Told(body=b'{"fine": tr')
EMPTY = Told(body=b"")


@pytest.mark.parametrize(
    "failure",
    [told({}, 503), told({}, 500), told({}, 502), told({}, 408), told({}, 425), told({}, 429), Told(429, b"<html>1015</html>", "text/html"), BROKEN_OFF, TRUNCATED_JSON, EMPTY],
    ids=["503", "500", "502", "408", "425", "429", "1015 page", "body broken off", "JSON broken off", "no body"],
)  # fmt: skip
def test_what_may_go_better_is_asked_again(failure: Told, server: Server, service: Service) -> None:
    server.on("/thing", [failure, failure, OK])
    assert ask(service).value == {"fine": True}
    assert (service.traffic.requests, service.traffic.retries) == (3, 2)


def test_retries_are_logged_and_printed_nowhere(
    server: Server,
    service: Service,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The answer of a command is on standard output; a line of someone else's would spoil it."""
    server.on("/thing", [told({}, 503), OK])
    ask(service)
    assert "asking again in" in caplog.text
    assert "503" in caplog.text
    assert capfd.readouterr().out == ""


def test_a_request_that_failed_is_logged_with_the_id_it_was_sent_with(
    server: Server, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    server.on("/thing", [told({}, 503), OK])
    ask(service)
    ids = [asked.headers["X-Request-Id"] for asked in server.asked]
    warned = [record.getMessage() for record in caplog.records if record.name.endswith("venue.http")]
    assert ids[0] in "".join(warned)
    assert ids[1] not in "".join(warned)


def test_attempts_are_bounded(server: Server, service: Service) -> None:
    server.on("/thing", told({"error": "overloaded"}, 503))
    with pytest.raises(Unavailable, match=r"503.*overloaded"):
        ask(service)
    assert server.counts() == {"/thing": ATTEMPTS}


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (told({"error": "Invalid token id"}, 400), Refused, "400.*Invalid token id"),
        (told({"type": "validation error", "error": "offset is not allowed"}, 422), Refused, "offset is not"),
        (told({"error": "market not found"}, 404), Refused, "404"),
        (PAGE, Refused, "403: a web page.*edge of the venue blocks"),
        (told({}, 413), TooLarge, "413"),
        (Told(302, b"", headers={"Location": "https://elsewhere"}), Refused, "https://elsewhere.*check the address"),
        (Told(200, b"<html>welcome</html>", "text/html"), MalformedPayload, "a web page"),
        (Told(200, b'{"price": NaN}'), MalformedPayload, "malformed"),
        (Told(200, b"[" * 100_000), MalformedPayload, "recursion"),
        (Told(200, b'"\xff"'), MalformedPayload, "utf-8"),
    ],
)  # fmt: skip
def test_what_cannot_go_better_is_asked_once(
    answer: Told, error: type[PolymarketError], words: str, server: Server, service: Service
) -> None:
    """A repeated 400 is load on the venue and time lost to a slot."""
    server.on("/thing", answer)
    with pytest.raises(error, match=words) as raised:
        ask(service)
    assert type(raised.value) is error
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [404, 422])
def test_absence_is_an_answer_where_a_call_says_so(status: int, server: Server, service: Service) -> None:
    server.on("/thing", told({"error": "not found"}, status))
    with pytest.raises(Gone) as raised:
        ask(service, Call("/thing", (), gone=frozenset({404, 422})))
    assert (raised.value.status, json.loads(raised.value.said)) == (status, {"error": "not found"})


def test_a_redirect_is_not_followed(server: Server, service: Service) -> None:
    server.on("/thing", Told(301, b"", headers={"Location": f"{server.url}/other"}))
    with pytest.raises(Refused):
        ask(service)
    assert server.counts() == {"/thing": 1}


# --- bounds -----------------------------------------------------------------------------------------


def test_an_announced_answer_beyond_the_cap_is_not_read(server: Server, service: Service) -> None:
    server.on("/thing", Told(body=b"x", announced=answers.CAP_BYTES + 1))
    with pytest.raises(TooLarge, match="more than 10 MB"):
        ask(service)


def test_an_endless_answer_is_cut_at_the_cap(server: Server, service: Service) -> None:
    sent = 0

    def endless(send: Any) -> None:
        nonlocal sent
        while sent < 10**8:
            sent += send(b" " * 100_000)

    server.on("/thing", Told(sends=endless))
    with pytest.raises(TooLarge):
        ask(service, Call("/thing", (), cap=1_000_000))
    assert sent < 10**7


def test_a_bomb_is_measured_unpacked(server: Server, service: Service) -> None:
    """A kilobyte on the wire that unpacks to gigabytes would end the process."""
    packed = gzip.compress(b" " * 5_000_000)
    assert len(packed) < 10_000
    server.on("/thing", Told(body=packed, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(TooLarge):
        ask(service, Call("/thing", (), cap=1_000_000))


def test_bytes_are_those_of_the_wire(server: Server, service: Service) -> None:
    """The cost of running is paid on the wire."""
    packed = gzip.compress(json.dumps(["same"] * 1000).encode())
    server.on("/thing", Told(body=packed, headers={"Content-Encoding": "gzip"}))
    answer = ask(service)
    assert (answer.value, answer.bytes) == (["same"] * 1000, len(packed))


def chunked(*chunks: bytes, whole: bool = True) -> Told:
    """A body of unannounced length, in chunks; without its end where it is not whole."""
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return Told(
        sends=lambda send: send(framed + (b"0\r\n\r\n" if whole else b"")),
        headers={"Transfer-Encoding": "chunked", "Content-Encoding": "gzip"},
    )


def test_chunked_bodies_are_read_and_counted(server: Server, service: Service) -> None:
    packed = gzip.compress(b'{"fine": true}')
    server.on("/thing", chunked(packed[:7], packed[7:]))
    answer = ask(service)
    assert (answer.value, answer.bytes) == ({"fine": True}, len(packed))


def test_a_chunked_body_that_breaks_off_is_asked_again(server: Server, service: Service) -> None:
    packed = gzip.compress(b'{"fine": true}')
    server.on("/thing", [chunked(packed[:20], whole=False), chunked(packed)])
    assert ask(service).value == {"fine": True}
    assert service.traffic.retries == 1


def test_silence_ends_at_the_time_out(server: Server, service: Service) -> None:
    server.on("/thing", [Told(before=lambda: time.sleep(0.8)), OK])
    assert ask(service).value == {"fine": True}
    assert service.traffic.retries == 1


def test_an_answer_that_drips_is_given_up(
    server: Server, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte is in time, the answer never is."""
    monkeypatch.setattr(answers, "BODY_WITHIN_S", 0.3)

    def drips(send: Any) -> None:
        for _ in range(30):
            send(b" ")
            time.sleep(0.05)

    service.attempts = 1
    server.on("/thing", Told(sends=drips))
    began = time.monotonic()
    with pytest.raises(Unavailable, match="to answer"):
        ask(service)
    assert time.monotonic() - began < 1.0


def test_nobody_there_is_told_with_the_address() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    service = Service("data", f"http://127.0.0.1:{port}", Limits(1.0), Breaker("data"))
    with pytest.raises(Unavailable, match=f"data did not answer at http://127.0.0.1:{port}/thing"):
        ask(service)
    assert service.traffic.requests == ATTEMPTS


@pytest.mark.parametrize("url", ["gamma-api.polymarket.com", "ftp://gamma", "http://", "http://[bad"])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    service = Service("gamma", url, Limits(1.0), Breaker("gamma"))
    with pytest.raises(Refused, match="cannot be asked at"):
        ask(service)
    assert service.traffic.retries == 0


# --- waiting ----------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, None), ("", None), ("7", 7.0), ("0", 0.0), ("soon", None), ("-3", None), (format_datetime(NOW + timedelta(seconds=9), usegmt=True), 9.0), (format_datetime(NOW - timedelta(seconds=9), usegmt=True), 0.0)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert answers.retry_after_s(header, NOW) == seconds


def test_the_service_says_how_long_to_wait(server: Server, service: Service) -> None:
    server.on("/thing", [told({}, 429, headers={"Retry-After": "1"}), OK])
    with stamina.set_testing(False):
        began = time.monotonic()
        ask(service)
    assert 1.0 <= time.monotonic() - began < 3.0


def test_a_long_wait_is_left_to_the_caller(server: Server, service: Service) -> None:
    """A slot of fifteen seconds cannot wait for minutes inside a request."""
    server.on("/thing", told({}, 429, headers={"Retry-After": "600"}))
    with pytest.raises(Unavailable) as raised:
        ask(service)
    assert raised.value.retry_after_s == 600 > LONGEST_RETRY_AFTER_S
    assert len(server.asked) == 1


def test_waits_are_drawn_below_a_bound_that_doubles() -> None:
    """Processes that failed together must not come back together."""
    drawn = [[_Again(random.Random(seed), lambda: math.inf)(Unavailable("")) for seed in range(200)]]
    assert 0 <= min(drawn[0]) < 0.05
    assert 0.45 < max(drawn[0]) <= 0.5
    again = _Again(random.Random(1), lambda: math.inf)
    bounds = [0.5, 1, 2, 4, 8, 8]
    assert all(0 <= again(Unavailable("")) <= bound for bound in bounds)


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def test_a_request_does_not_outlast_the_time_of_its_caller(server: Server, service: Service) -> None:
    """A sweep that waits for thirty seconds costs the two slots after it."""
    service.timeouts = (10.0, 30.0)
    server.on("/thing", Told(before=lambda: time.sleep(4)))
    began = time.monotonic()
    with pytest.raises(Unavailable, match="did not answer"):
        service.ask(CALL, ANY, until=soon(1.3))
    assert time.monotonic() - began < 2.5
    assert service.traffic.requests == 1


def test_no_attempt_is_begun_that_would_come_too_late(server: Server, service: Service) -> None:
    server.on("/thing", told({}, 503, headers={"Retry-After": "2"}))
    with pytest.raises(Unavailable, match="503"):
        service.ask(CALL, ANY, until=soon(2.5))
    assert len(server.asked) == 1


@pytest.mark.parametrize(("left_s", "closed_s"), [(5.0, 60.0), (LEAST_S / 2, 0.0), (-3.0, 0.0)])
def test_a_turn_that_comes_too_late_is_told_at_once_and_held_against_nobody(server: Server, service: Service, left_s: float, closed_s: float) -> None:  # fmt: skip
    """Our own limits are no failure of the venue: the breaker would close it for everybody."""
    server.on("/thing", OK)
    service.limits.throttled(("clob",), closed_s)
    began = time.monotonic()
    for _ in range(FAILURES + 1):
        with pytest.raises(OutOfTime, match="was not asked"):
            service.ask(CALL, ANY, until=soon(left_s))
    assert time.monotonic() - began < 1.0
    assert (server.asked, service.traffic.retries, service.breaker.state) == ([], 0, "closed")


def test_an_answer_says_when_the_request_it_is_of_went_out(server: Server, service: Service) -> None:
    """Not when the caller came: repetitions and waits lie between."""
    server.on("/thing", [told({}, 503, headers={"Retry-After": "1"}), OK])
    with stamina.set_testing(False):
        came_at = datetime.now(UTC)
        assert ask(service).asked_at - came_at > timedelta(seconds=1)


# --- the breaker ------------------------------------------------------------------------------------


def failed(service: Service) -> None:
    with pytest.raises(Unavailable):
        ask(service)


def test_the_breaker_opens_after_failures_in_a_row_and_lets_one_attempt_through_later(
    server: Server, service: Service
) -> None:
    service.attempts = 1
    server.on("/thing", told({}, 503))
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(FAILURES):
            failed(service)
        with pytest.raises(BreakerOpen, match=r"left alone for 30 s more") as raised:
            ask(service)
        assert raised.value.retry_after_s == OPEN_S
        assert len(server.asked) == FAILURES

        clock.shift(OPEN_S - 1)
        with pytest.raises(BreakerOpen, match=r"for 1 s more"):
            ask(service)
        clock.shift(1)
        failed(service)  # the one attempt
        assert len(server.asked) == FAILURES + 1
        with pytest.raises(BreakerOpen):
            ask(service)

        clock.shift(OPEN_S)
        server.on("/thing", OK)
        assert ask(service).value == {"fine": True}
        assert service.breaker.state == "closed"


def test_an_open_breaker_is_not_retried(server: Server, service: Service) -> None:
    server.on("/thing", told({}, 503))
    failed(service)  # four attempts
    failed(service)  # the fifth opens it, the next is not made
    assert len(server.asked) == FAILURES
    assert service.breaker.state == "open"


def test_one_answer_between_keeps_the_breaker_closed(server: Server, service: Service) -> None:
    service.attempts = 1
    server.on("/thing", [*[told({}, 503)] * (FAILURES - 1), OK, *[told({}, 503)] * (FAILURES - 1), OK])
    for _ in range(FAILURES - 1):
        failed(service)
    ask(service)
    for _ in range(FAILURES - 1):
        failed(service)
    ask(service)


def test_refusals_are_answers_to_the_breaker(server: Server, service: Service) -> None:
    """A market that is gone, asked for ten times, must not stop the books of the others."""
    server.on("/thing", told({}, 404))
    for _ in range(2 * FAILURES):
        with pytest.raises(Refused):
            ask(service)
    assert service.breaker.state == "closed"
