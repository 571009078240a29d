"""When a connection was deaf: never less than it was, and not for ever for a token that has no book."""

from __future__ import annotations

import random

import pytest

from polymarket_assets.venue.errors import Unavailable
from polymarket_assets.venue.records import Book, BookFrame, Frame, LifecycleFrame
from streamer.connections import PING_EVERY_S, STABLE_S, Connection
from streamer.deafness import Deaf, Garble

US = 1_000_000
TOKENS = {"10": "pm:a", "11": "pm:a"}


class Wire:
    """The network's edge: what was sent on it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, tuple[str, ...]]] = []
        self.is_open = True
        self.broken = False

    def ping(self) -> None:
        self._send("ping")

    def subscribe(self, ids: object) -> None:
        self._send("subscribe", *ids)  # type: ignore[misc]

    def unsubscribe(self, ids: object) -> None:
        self._send("unsubscribe", *ids)  # type: ignore[misc]

    def close(self) -> None:
        self.is_open = False

    def _send(self, what: str, *ids: str) -> None:
        if self.broken:
            raise Unavailable("broken")
        if ids or what == "ping":
            self.sent.append((what, ids))


def book(token: str) -> Frame:
    return BookFrame(book=Book(condition_id="0x1", token_id=token, venue_at=None, hash="", bids=(), asks=()))


OTHER = LifecycleFrame(kind="new_market", condition_id=None, venue_at=None, payload="{}")


def connection(at: int = 0) -> Connection:
    made = Connection(3, now=at, now_us=at * US, dice=random.Random(1))
    made.want(TOKENS, at, at * US)
    return made


def opened(made: Connection, at: int) -> Wire:
    wire = Wire()
    made.opened(wire, made.tokens, at, at * US)  # type: ignore[arg-type]
    return wire


def hear(made: Connection, at: int, *frames: Frame) -> list[Deaf]:
    return made.heard(frames, at * US, at)


def test_a_new_connection_was_deaf_from_when_it_was_asked_for_to_its_last_book() -> None:
    made = connection()
    opened(made, 2)
    assert hear(made, 3, book("10"), OTHER) == []
    assert hear(made, 4, book("11")) == [Deaf(0, 4 * US, "connect")]
    assert hear(made, 5, book("11")) == []


def test_a_lost_connection_was_deaf_from_its_last_data() -> None:
    made = connection()
    wire = opened(made, 1)
    hear(made, 1, book("10"), book("11"))
    hear(made, 7, OTHER)
    assert made.good_us(8, 8 * US) == 8 * US
    assert made.lost("silent", 22, 22 * US) == []
    assert not wire.is_open
    assert made.good_us(23, 23 * US) == 7 * US, "a crash now would make a gap from there"
    opened(made, 24)
    assert hear(made, 25, book("10"), book("11")) == [Deaf(7 * US, 25 * US, "silent")]


def test_losing_it_again_before_the_books_came_keeps_the_first_cause_and_start() -> None:
    made = connection()
    opened(made, 1)
    hear(made, 1, book("10"), book("11"))
    made.lost("closed", 5, 5 * US)
    opened(made, 6)
    hear(made, 7, book("10"))
    made.lost("silent", 30, 30 * US)
    opened(made, 31)
    assert hear(made, 32, book("10"), book("11")) == [Deaf(1 * US, 32 * US, "closed")]


def tick(made: Connection, at: float) -> str | None:
    return made.tick(at, int(at * US), silence_s=15, first_book_s=30)


def test_a_token_that_gets_no_book_is_asked_for_again_twice_and_has_its_own_gap() -> None:
    made = connection()
    wire = opened(made, 1)
    hear(made, 2, book("10"))
    for at in range(3, 100):
        hear(made, at, OTHER)
        tick(made, at)
    assert [sent for sent in wire.sent if sent[0] != "ping"] == [
        ("unsubscribe", ("11",)),
        ("subscribe", ("11",)),
    ]
    assert made.deaf is None, "the others are heard"
    assert made.good_us(99, 99 * US) == 0
    assert hear(made, 100, book("11")) == [Deaf(0, 100 * US, "subscribe", "pm:a")]
    assert made.good_us(101, 101 * US) == 101 * US


def test_a_connection_does_not_wait_for_a_book_that_does_not_come_with_the_others() -> None:
    """A market that ended just now has no book: its socket hears all others, and its gap must not claim otherwise."""
    made = connection()
    made.want({**TOKENS, "20": "pm:b", "21": "pm:b"}, 0, 0)
    opened(made, 1)
    assert hear(made, 2, book("10"), book("11"), book("20")) == []
    tick(made, 4.5)
    assert hear(made, 4, OTHER) == [], "it may be on its way"
    assert hear(made, 5, book("10")) == [], "a later book of a market that has one"
    tick(made, 5.25)
    assert hear(made, 6, OTHER) == [Deaf(0, 2 * US, "connect")]
    assert hear(made, 9, book("21")) == [Deaf(0, 9 * US, "subscribe", "pm:b")]


@pytest.mark.parametrize(
    ("closed_at", "from_s"), [(31, 3), (34, 3), (40, 39)], ids=["at once", "while it catches up", "later"]
)
def test_what_piled_up_unread_does_not_count_as_heard_in_time(closed_at: int, from_s: int) -> None:
    """After half a minute over a full disk, what lay in the socket is stamped now; the venue had given us up long before."""
    made = connection()
    opened(made, 1)
    hear(made, 2, book("10"), book("11"))
    made.stood_still(3 * US, 30)
    hear(made, 30, OTHER)
    if closed_at == 40:
        hear(made, 39, OTHER)
    made.lost("closed", closed_at, closed_at * US)
    opened(made, closed_at + 1)
    gaps = hear(made, closed_at + 2, book("10"), book("11"))
    assert gaps == [Deaf(from_s * US, (closed_at + 2) * US, "closed")]


@pytest.mark.parametrize(("ends_at", "from_s"), [(31, 3), (40, None)], ids=["at once", "caught up"])
def test_what_piled_up_and_was_never_read_is_a_gap_of_a_session_that_ends(
    ends_at: int, from_s: int | None
) -> None:
    """Who is stopped a second after half a minute over a full disk has not read what lay in the socket."""
    made = connection()
    opened(made, 1)
    hear(made, 2, book("10"), book("11"))
    made.stood_still(3 * US, 30)
    hear(made, 30, OTHER)
    # A kill makes a gap from there.
    assert made.good_us(ends_at, ends_at * US) == (from_s or ends_at) * US
    assert made.ending(ends_at, ends_at * US) == (
        [Deaf(from_s * US, ends_at * US, "closed")] if from_s else []
    )


def test_a_market_has_one_gap_which_ends_with_the_last_of_its_tokens() -> None:
    made = connection()
    opened(made, 1)
    tick(made, 5)
    assert hear(made, 6, book("10")) == [Deaf(0, 6 * US, "connect")]
    assert hear(made, 8, book("11")) == [Deaf(0, 8 * US, "subscribe", "pm:a")]


@pytest.mark.parametrize("how", ["lost", "given up", "ended"])
def test_the_gap_of_a_token_without_a_book_ends_with_its_connection(how: str) -> None:
    made = connection()
    opened(made, 1)
    hear(made, 2, book("10"))
    hear(made, 30, OTHER)
    tick(made, 31)
    hear(made, 32, OTHER)
    ways = {
        "lost": lambda: made.lost("closed", 40, 40 * US),
        "given up": lambda: made.want({"10": "pm:a"}, 40, 40 * US)[0],
        "ended": lambda: made.ending(40, 40 * US),
    }
    assert Deaf(0, 40 * US, "subscribe", "pm:a") in ways[how]()


@pytest.mark.parametrize(("quiet_s", "given_up"), [(14.9, False), (15.0, True)])
def test_silence_is_no_readable_data(quiet_s: float, given_up: bool) -> None:
    made = connection()
    opened(made, 1)
    hear(made, 10, book("10"))
    assert (tick(made, 10 + quiet_s) is not None) is given_up


def lively(made: Connection, every_s: float, until: int) -> None:
    """Open since 0, all books there, and data this often."""
    opened(made, 0)
    hear(made, 0, book("10"), book("11"))
    for quarter in range(4 * until):
        at = quarter / 4
        if at % every_s == 0:
            made.heard([OTHER], int(at * US), at)
        tick(made, at)


@pytest.mark.parametrize(
    ("every_s", "silence_s", "given_up"),
    [(0.25, 14, False), (0.25, 15.5, True), (2, 30, False), (2, 45, True), (5, 90, False), (5, 105, True)],
)
def test_silence_is_judged_by_the_pace_before_it(every_s: float, silence_s: float, given_up: bool) -> None:
    made = connection()
    lively(made, every_s, 200)
    made.ponged(200 + silence_s)
    assert (tick(made, 200 - every_s + silence_s) is not None) is given_up


def test_a_quiet_connection_that_answers_is_left_in_peace_and_one_that_does_not_is_given_up() -> None:
    """Ten minutes of a quiet market are no fault, as long as somebody is there."""
    made = connection()
    lively(made, 60, 120)
    for at in range(120, 720):
        made.ponged(at - at % 10)
        assert tick(made, at) is None
    told = [at for at in range(720, 800) if tick(made, at) is not None]
    assert told[0] == 710 + 32


def test_a_market_that_froze_is_subscribed_again_and_its_gap_runs_until_its_book() -> None:
    made = connection()
    wire = opened(made, 0)
    hear(made, 1, book("10"), book("11"))
    assert made.listening() == {"pm:a"}
    made.doubt({"pm:a": 5 * US}, 30)
    assert wire.sent == [("unsubscribe", ("10", "11")), ("subscribe", ("10", "11"))]
    assert made.listening() == set()
    assert made.good_us(31, 31 * US) == 5 * US
    assert hear(made, 32, book("10")) == [Deaf(5 * US, 32 * US, "silent", "pm:a")]


def test_a_market_that_stays_frozen_is_stuck_and_its_gap_goes_on_with_another_connection() -> None:
    made, other = connection(), Connection(4, now=0, now_us=0, dice=random.Random(1))
    opened(made, 0)
    hear(made, 1, book("10"), book("11"))
    made.doubt({"pm:a": 5 * US}, 30)
    stuck = []
    for at in range(31, 100):
        hear(made, at, OTHER)
        tick(made, at)
        stuck += [(at, market) for market in made.stuck(at, 30)]
    assert stuck == [(90, "pm:a")], "asked twice, thirty seconds each, and told once"
    gaps, moved = made.want({}, 100, 100 * US, elsewhere=TOKENS)
    assert gaps == []
    other.want(TOKENS, 100, 100 * US)
    opened(other, 101)
    assert other.take_over(moved, 101, 101 * US) == []
    ended = hear(other, 102, book("11"), book("10"))
    assert Deaf(5 * US, 102 * US, "silent", "pm:a") in ended


def test_pings_are_sent_in_time() -> None:
    made = connection()
    wire = opened(made, 0)
    for quarter in range(4 * 25):
        made.last_data_at = quarter / 4
        tick(made, quarter / 4)
    assert wire.sent == [("ping", ())] * 2
    assert PING_EVERY_S == 10


def test_only_what_differs_is_subscribed() -> None:
    made = connection()
    wire = opened(made, 1)
    hear(made, 1, book("10"), book("11"))
    made.want({"11": "pm:a", "12": "pm:b"}, 2, 2 * US)
    made.sync(2, 2 * US)
    assert wire.sent == [("unsubscribe", ("10",)), ("subscribe", ("12",))]
    made.sync(3, 3 * US)
    assert len(wire.sent) == 2
    assert made.without_book == 1


def test_wanting_nothing_lets_the_connection_go_and_wanting_again_begins_anew() -> None:
    made = connection()
    wire = opened(made, 1)
    made.want({}, 2, 2 * US)
    assert (wire.is_open, made.deaf, made.is_due(3)) == (False, None, False)
    assert made.ending(4, 4 * US) == []
    made.want(TOKENS, 5, 5 * US)
    assert made.is_due(5)
    opened(made, 6)
    assert hear(made, 7, book("10"), book("11")) == [Deaf(5 * US, 7 * US, "connect")]


def test_only_lives_that_were_short_put_the_next_attempt_off() -> None:
    """A venue that greets and closes at once must not be met at full speed; a day's connection may be."""
    made = connection()
    for n in range(8):
        opened(made, 100 + n)
        made.lost("closed", 100 + n, 0)
    assert made.failures == 8
    opened(made, 200)
    made.lost("closed", 200 + STABLE_S, 0)
    assert made.failures == 1


def test_messages_that_cannot_be_read_are_one_gap_while_they_keep_coming() -> None:
    garble = Garble()
    assert garble.over(0) == []
    for at_us in (5 * US, 5_400_000, 6_100_000):
        garble.add(at_us)
        assert garble.over(at_us + 900_000) == []
    assert garble.over(7_100_000) == [Deaf(5 * US, 6_100_000, "unreadable")]
    assert garble.over(8 * US) == []


def test_messages_that_cannot_be_read_are_reported_though_they_never_stop() -> None:
    garble = Garble()
    for n in range(20):
        garble.add((10 + n) * US // 2)
    assert garble.over(15 * US) == [Deaf(5 * US, 29 * US // 2, "unreadable")]


def test_messages_that_could_not_be_read_are_reported_at_the_end() -> None:
    made = connection()
    opened(made, 1)
    hear(made, 2, book("10"), book("11"))
    made.garble.add(3 * US)
    assert made.ending(3, 3 * US) == [Deaf(3 * US, 3 * US, "unreadable")]
