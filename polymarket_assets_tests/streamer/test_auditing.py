"""What was heard is held against the venue's hashes and its REST side: wrong books are mended, frozen markets found, quiet ones left alone."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from polymarket_assets.settings import load
from polymarket_assets_tests.venue.server import Asked, Server, Told, serving, told
from simulator.books import book_hash
from streamer import auditing, silence
from streamer.auditing import Auditor
from streamer.books import Book
from streamer.entries import Heard, Listed
from streamer.recording import Recorder

US = 1_000_000
CONDITION = "0x" + "c" * 64
YES, NO = "11", "12"
MARKET = Listed("pm:m", CONDITION, (YES, NO), 5_000_000, False)


def whole(at_ms: int, bid: str = "0.48", ask: str = "0.5", **more: Any) -> dict[str, Any]:
    """The canonical book as REST gives it, truly hashed."""
    said = {
        "market": CONDITION, "asset_id": YES, "timestamp": str(at_ms), "hash": "",
        "bids": [{"price": bid, "size": "10"}], "asks": [{"price": ask, "size": "20"}],
        "min_order_size": "5", "tick_size": "0.01", "neg_risk": False, "last_trade_price": "", **more,
    }  # fmt: skip
    return {**said, "hash": book_hash(said)}


def changed(at_ms: int, book: dict[str, Any], price: str, size: str) -> dict[str, Any]:
    """The change of a bid after which the canonical book is this one."""
    level = {"asset_id": YES, "price": price, "size": size, "side": "BUY", "hash": book["hash"]}
    mirrored = {**level, "asset_id": NO, "price": f"{1 - float(price):.2f}", "side": "SELL", "hash": "x"}
    return {"event_type": "price_change", "market": CONDITION, "timestamp": str(at_ms), "price_changes": [level, mirrored]}  # fmt: skip


class Bench:
    """An auditor over a recorder, whose loop is the test."""

    def __init__(self, url: str) -> None:
        self.recorder = Recorder("s")
        self.recorder.know([MARKET])
        self.frozen: list[Book] = []
        self._handed: queue.Queue[Callable[[], None]] = queue.Queue()
        settings = load(polymarket_clob_url=url, rate_share=1.0)
        self.auditor = Auditor(
            settings, self.recorder, self.recorder.hear, self._handed.put, self.frozen.extend
        )  # type: ignore[arg-type]

    @property
    def book(self) -> Book:
        return self.recorder.books["pm:m"]

    def hear(self, at_us: int, message: dict[str, Any]) -> None:
        self.recorder.hear(Heard(at_us, 0, json.dumps(message).encode()))

    def tick(self, at_us: int, answers: int = 0) -> None:
        """A tick, and then so many results of the threads."""
        self.auditor.tick(at_us, lambda: ["pm:m"])
        for _ in range(answers):
            self.answer()

    def answer(self) -> None:
        """A result of the threads."""
        self._handed.get(timeout=10)()

    @property
    def kinds(self) -> list[tuple[str, int, int]]:
        rows = self.recorder.rows.arrow("book_changes").to_pylist()
        return [(row["kind"], row["connection"], row["epoch"]) for row in rows]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


@pytest.fixture
def bench(server: Server) -> Bench:
    return Bench(server.url)


def begin(bench: Bench, at_ms: int = 1_000_000) -> int:
    """A dump and a change, whose hashes are proved; returns the instant, in milliseconds."""
    bench.hear(at_ms * 1000, {"event_type": "book", **whole(at_ms)})
    after = whole(at_ms + 1000)
    bench.hear((at_ms + 1000) * 1000, changed(at_ms + 1000, after, "0.48", "10"))
    bench.tick((at_ms + 3000) * 1000, answers=1)
    # Something is said of the market, so that it is not asked about.
    bench.hear((at_ms + 12_000) * 1000, {"event_type": "book", **whole(at_ms + 12_000, asset_id=NO)})
    bench.tick((at_ms + 13_000) * 1000, answers=1)
    assert bench.auditor.account.checks == {"same": 2}
    return at_ms + 13_000


def go_wrong(server: Server, bench: Bench, now: int) -> None:
    """A change is lost; the next one shows it, and the book is asked for."""
    truth = whole(now + 6000, bid="0.47")
    server.on("/books", told([truth]))
    bench.hear((now + 6000) * 1000, changed(now + 6000, truth, "0.40", "1"))
    bench.tick((now + 12_000) * 1000, answers=1)
    bench.tick((now + 12_250) * 1000, answers=1)


def test_a_book_whose_hash_stopped_to_be_the_venues_is_asked_for_anew(server: Server, bench: Bench) -> None:
    go_wrong(server, bench, begin(bench))
    assert bench.auditor.account.checks == {"same": 2, "differs": 1}
    assert bench.auditor.account.reseeds == {"differs": 1}
    assert bench.book.bids == {470_000: 10_000_000}
    assert bench.kinds[-2:] == [("book", -1, 2), ("book", -1, 2)]


def test_a_book_that_stays_wrong_is_not_asked_for_again_at_once(server: Server, bench: Bench) -> None:
    now = begin(bench)
    go_wrong(server, bench, now)
    for second in range(30, 70, 10):
        at = now + 1000 * second
        bench.hear(at * 1000, changed(at, whole(at, bid="0.3"), "0.40", "1"))
        bench.tick((at + 2000) * 1000, answers=1)
        bench.tick((at + 2250) * 1000)
    assert bench.auditor.account.checks == {"same": 3, "differs": 4}
    assert server.counts() == {"/books": 1}


def test_a_crossed_book_is_given_a_moment_and_then_asked_for_anew(server: Server, bench: Bench) -> None:
    now = begin(bench)
    server.on("/books", told([whole(now + 9000)]))
    bench.hear((now + 1) * 1000, changed(now + 1, {"hash": ""}, "0.55", "3"))
    assert bench.book.is_crossed
    bench.tick((now + 1000) * 1000)
    bench.tick((now + 2000) * 1000)
    assert server.asked == []
    bench.tick((now + 3100) * 1000, answers=1)
    assert bench.auditor.account.reseeds == {"crossed": 1}
    assert not bench.book.is_crossed


def test_an_answer_older_than_what_was_heard_is_not_taken(server: Server, bench: Bench) -> None:
    now = begin(bench)
    bench.hear((now + 1) * 1000, changed(now + 1, {"hash": ""}, "0.55", "3"))
    server.on("/books", told([whole(now - 500)]))
    bench.tick((now + 1000) * 1000)
    for n in range(1 + auditing.STALE_TRIES):
        bench.tick((now + 3100 + n) * 1000, answers=1)
    bench.tick((now + 3200) * 1000)
    assert server.counts() == {"/books": 1 + auditing.STALE_TRIES}
    assert bench.auditor.account.reseeds == {}
    assert bench.book.is_crossed


def test_changes_that_a_book_asked_for_holds_already_are_not_applied_to_it(bench: Bench) -> None:
    now = 1_000_000
    bench.recorder.hear(Heard(now * 1000, -1, json.dumps({"event_type": "book", **whole(now)}).encode()))
    bench.hear((now + 5) * 1000, changed(now - 5, {"hash": ""}, "0.48", "0"))
    assert bench.book.bids == {480_000: 10_000_000}
    bench.hear((now + 6) * 1000, changed(now, {"hash": ""}, "0.47", "1"))
    assert bench.book.bids == {480_000: 10_000_000, 470_000: 1_000_000}


def test_a_market_that_moved_unheard_is_frozen(server: Server, bench: Bench) -> None:
    now = begin(bench)
    server.on("/midpoints", told({YES: "0.52"}))
    bench.tick((now + 20_000) * 1000, answers=2)
    assert bench.frozen == []
    bench.tick((now + 33_000) * 1000)
    assert bench.frozen == [bench.book]
    assert bench.auditor.account.frozen == 1


def test_a_market_that_is_heard_in_time_after_all_is_not_frozen(server: Server, bench: Bench) -> None:
    now = begin(bench)
    server.on("/midpoints", told({YES: "0.52"}))
    bench.tick((now + 20_000) * 1000, answers=2)
    bench.hear((now + 21_000) * 1000, {"event_type": "book", **whole(now + 21_000, bid="0.51", ask="0.53")})
    bench.tick((now + 33_000) * 1000)
    assert bench.frozen == []


@pytest.mark.parametrize("mid", ["0.49", None])
def test_a_quiet_market_is_left_in_peace_for_ever(server: Server, bench: Bench, mid: str | None) -> None:
    now = begin(bench)
    server.on("/midpoints", told({YES: mid} if mid else {}))
    for minute in range(10):
        bench.tick((now + 20_000 + 60_000 * minute) * 1000, answers=2)
        bench.tick((now + 35_000 + 60_000 * minute) * 1000, answers=2)
    assert bench.frozen == []
    assert server.counts() == {"/midpoints": 20, "/books": 20}


BID, DEEP_BID = {"price": "0.48", "size": "10"}, {"price": "0.3", "size": "1"}


@pytest.mark.parametrize(
    ("at_ms", "bids", "is_frozen"),
    [(5000, [BID, DEEP_BID], True), (5000, [BID], False), (-13_000, [BID, DEEP_BID], False)],
    ids=["changed since", "the same", "older than ours"],
)
def test_a_change_that_leaves_the_midpoint_is_seen_in_the_book(
    server: Server, bench: Bench, at_ms: int, bids: list[dict[str, str]], is_frozen: bool
) -> None:
    """A trade that takes a part of a level moves no midpoint, and is missed all the same."""
    now = begin(bench)
    server.on("/books", told([{**whole(now + at_ms), "bids": bids}]))
    bench.tick((now + 20_000) * 1000, answers=2)
    bench.tick((now + 33_000) * 1000)
    assert bench.frozen == ([bench.book] if is_frozen else [])


def test_every_silent_market_has_its_turn_to_be_compared(
    server: Server, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "MOST_COMPARED", 1)
    asked: list[str] = []

    def answer(request: Asked) -> Told:
        asked.extend(one["token_id"] for one in json.loads(request.body))
        return told([])

    server.on("/books", answer)
    markets = [Listed(f"pm:{n}", f"0x{n:064x}", (str(100 + n), str(200 + n))) for n in range(3)]
    bench.recorder.know(markets)
    for n, market in enumerate(markets):
        said = {**whole(1_000_000 + n), "event_type": "book", "hash": "", "market": market.condition_id, "asset_id": market.token_ids[0]}  # fmt: skip
        bench.hear((1_000_000 + n) * 1000, said)
    for round_ in range(4):
        bench.auditor.tick(
            (1_020_000 + 11_000 * round_) * 1000, lambda: [market.market_id for market in markets]
        )
        for _ in range(2):
            bench.answer()
    assert asked == ["100", "101", "102", "100"]
