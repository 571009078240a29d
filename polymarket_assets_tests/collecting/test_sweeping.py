"""A sweep takes what is due and served, and names what is missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from polymarket_assets.collecting import sweeping
from polymarket_assets.collecting.accounts import Account
from polymarket_assets.collecting.heartbeats import LONGEST_STEP_S
from polymarket_assets.collecting.sweeping import Listed
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.tiers import BY_NAME
from polymarket_assets.venue import parse
from polymarket_assets.venue.breaker import Breaker
from polymarket_assets.venue.clob import Clob as RealClob
from polymarket_assets.venue.errors import MalformedPayload, PolymarketError, Refused, Unavailable
from polymarket_assets.venue.http import Service
from polymarket_assets.venue.limits import Limits
from polymarket_assets.venue.records import Book
from polymarket_assets_tests.collecting.fakes import (
    HOUR,
    Clob,
    Time,
    book,
    list_markets,
    market_id,
    market_row,
    token,
)
from polymarket_assets_tests.venue.server import serving, told

SLOT = HOUR + timedelta(seconds=10)


def sweep(lake: Lake, clob: Clob, tier: str = "t4", cap: int = 1000) -> Account:
    listed = Listed(lake)
    listed.refresh(HOUR)
    return sweeping.sweep(lake, clob, BY_NAME[tier], SLOT, listed, cap=cap, run_id="run", clock=Time(SLOT).clock)  # fmt: skip


def test_a_missing_and_an_unreadable_book_are_named_and_spoil_nothing(lake: Lake) -> None:
    list_markets(lake, *(market_row(n) for n in range(3)))
    account = sweep(lake, Clob([book(0)], malformed=(f"book of {token(1)}: no bids",)))
    assert (account.status, account.markets, account.books, account.omitted) == ("taken", 3, 1, 2)
    assert account.reason is not None
    for name in (market_id(2), "no bids"):
        assert name in account.reason
    assert account.gone == (market_id(2),)
    assert account.unreadable == (f"book of {token(1)}: no bids",)
    assert reading.rows(lake, "snapshots").num_rows == 1


def test_a_book_with_an_impossible_price_does_not_refuse_the_others(lake: Lake) -> None:
    list_markets(lake, market_row(0), market_row(1))
    account = sweep(lake, Clob([book(0), book(1, last_trade_e6=10**12)]))
    assert (account.books, account.omitted) == (1, 1)
    assert token(1) in (account.reason or "")


def test_a_reason_stays_readable_whatever_goes_wrong(lake: Lake) -> None:
    list_markets(lake, *(market_row(n) for n in range(300)))
    account = sweep(lake, Clob())
    assert account.omitted == 300
    assert set(account.gone) == {market_id(n) for n in range(300)}
    assert len(account.reason or "") == sweeping.REASON_CHARACTERS


def other(n: int) -> str:
    return f"9{token(n)}"


def flipped(n: int, **changed: object) -> Book:
    """The book of a market's other token, as the venue has it."""
    return book(n, [(580_000, 7_000_000)], [(600_000, 5_000_000)], token_id=other(n), **changed)


@pytest.mark.parametrize(
    ("served", "account"),
    [
        (flipped(0), (1, ())),
        (book(0, [(580_000, 7_000_000)], [(600_000, 1)], token_id=other(0)), (1, (market_id(0),))),
        (book(0, [], [], token_id=other(0)), (1, (market_id(0),))),
        (book(0, [], [], token_id=other(0), venue_at=HOUR + timedelta(seconds=1)), (0, ())),
        (book(0, [], [], token_id=other(0), venue_at=None), (0, ())),
        (None, (0, ())),
    ],
    ids=["a mirror", "another size", "an empty book", "of a later instant", "of no instant", "not served"],
)
def test_the_other_token_s_book_is_compared_where_it_is_of_the_same_instant(lake: Lake, served: Book | None, account: tuple[int, tuple[str, ...]]) -> None:  # fmt: skip
    list_markets(lake, market_row(0))
    swept = sweep(lake, Clob([book(0), *([served] if served else [])]))
    assert (swept.mirrored, swept.mirror_differs) == account
    assert (swept.books, swept.omitted, swept.gone) == (1, 0, ())


def test_every_market_has_its_turn_to_be_compared(lake: Lake) -> None:
    list_markets(lake, *(market_row(n) for n in range(12)))
    listed, seen = Listed(lake), set[str]()
    listed.refresh(HOUR)
    for k in range(12):
        clob = Clob()
        at = SLOT + k * BY_NAME["t4"].every
        sweeping.sweep(lake, clob, BY_NAME["t4"], at, listed, cap=99, run_id="run", clock=Time(at).clock)
        asked = {named for named in clob.asked[0] if named.startswith("91")}
        assert len(asked) == sweeping.MIRRORS
        seen |= asked
    assert seen == {other(n) for n in range(12)}


def test_the_cap_keeps_the_largest_and_counts_the_rest(lake: Lake) -> None:
    list_markets(
        lake, market_row(1, volume_usd=None), market_row(2, volume_usd=5.0), market_row(3, volume_usd=9.0)
    )
    clob = Clob()
    account = sweep(lake, clob, cap=2)
    assert set(clob.asked[0]) == {named for n in (2, 3) for named in (token(n), other(n))}
    assert (account.markets, account.left_out) == (2, 1)


@pytest.mark.parametrize(
    ("changed", "tier"),
    [
        ({}, "t4"),
        ({"effective_close": SLOT + timedelta(hours=1)}, "t4"),
        ({"effective_close": SLOT + timedelta(hours=1, seconds=1)}, "t3"),
        ({"effective_close": HOUR + timedelta(hours=13)}, "t1"),
        ({"effective_close": HOUR - timedelta(hours=5)}, "t4"),
        ({"phase": "dead"}, "t0"),
        ({"phase": "closed"}, None),
    ],
)
def test_a_market_is_due_in_one_tier(lake: Lake, changed: dict[str, object], tier: str | None) -> None:
    list_markets(lake, market_row(1, **changed))
    due = [name for name in BY_NAME if sweep(lake, Clob(), name).markets]
    assert due == ([tier] if tier else [])


def test_a_window_follows_what_discovery_stores_meanwhile(lake: Lake) -> None:
    """Markets are listed, move and close while a window runs; a list read once would sample the past."""
    list_markets(lake, market_row(1), market_row(2))
    listed = Listed(lake)
    listed.refresh(HOUR)
    walked = HOUR - timedelta(minutes=2)
    list_markets(
        lake,
        market_row(2, phase="closed", received_at=walked),
        market_row(3, received_at=walked),
        market_row(1, volume_usd=7.0, received_at=walked),
        part="later",
    )

    def due(at: datetime) -> list[tuple[str, float]]:
        listed.refresh(at)
        rows = listed.due(BY_NAME["t4"], at, 10)[0]
        return sorted(zip(*(rows.column(c).to_pylist() for c in ("market_id", "volume_usd")), strict=True))

    assert due(HOUR + timedelta(seconds=50)) == [(market_id(1), 1001.0), (market_id(2), 1002.0)]
    assert due(HOUR + timedelta(seconds=60)) == [(market_id(1), 7.0), (market_id(3), 1003.0)]
    assert due(HOUR + timedelta(seconds=120)) == [(market_id(1), 7.0), (market_id(3), 1003.0)]


def test_a_sweep_answered_in_part_keeps_what_came(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 2)
    monkeypatch.setattr(sweeping, "MIRRORS", 0)
    list_markets(lake, *(market_row(n, volume_usd=float(n)) for n in range(6)))
    answers = iter([None, Unavailable("502"), None])

    def then() -> None:
        if (failure := next(answers)) is not None:
            raise failure

    clob = Clob([book(n) for n in range(6)], then=then)
    account = sweep(lake, clob)
    assert (account.status, account.books, account.omitted) == ("taken", 2, 4)
    assert (account.unanswered, account.unasked, account.gone) == (2, 2, ())
    assert account.reason == "2 markets unanswered, 2 not asked for; 502"
    assert len(clob.asked) == 2, "a venue that does not answer is left alone"
    assert set(reading.rows(lake, "orderbooks").column("market_id").to_pylist()) == {
        market_id(5),
        market_id(4),
    }


@pytest.mark.parametrize("failure", [MalformedPayload("answer", "[{", "malformed"), Refused("answered 400")], ids=["unreadable", "refused"])  # fmt: skip
def test_a_batch_that_is_refused_or_unreadable_spoils_no_other(lake: Lake, monkeypatch: pytest.MonkeyPatch, failure: PolymarketError) -> None:  # fmt: skip
    """One broken answer used to end the sweep: the books of all later batches were lost, and nobody was told how many."""
    clob = in_threes(lake, monkeypatch, [None, failure, None])
    account = sweep(lake, clob)
    assert (account.status, account.books, account.omitted, len(clob.asked)) == ("taken", 6, 3, 3)
    assert (account.unanswered, account.unasked, account.gone) == (3, 0, ())
    assert account.reason == f"3 markets unanswered, 0 not asked for; {failure}"


def test_an_address_that_is_blocked_is_not_asked_for_every_batch(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    blocked = Refused("answered 403: a web page")
    clob = in_threes(lake, monkeypatch, [blocked] * 5)
    account = sweep(lake, clob)
    assert (account.status, account.unanswered, account.unasked) == ("missed", 9, 6)
    assert (account.reason, account.latency_ms) == ("answered 403: a web page", None)
    assert len(clob.asked) == sweeping.MOST_FAILURES


def in_threes(lake: Lake, monkeypatch: pytest.MonkeyPatch, answers: Sequence[PolymarketError | None]) -> Clob:
    """A venue of three markets to each answer, asked in batches of three; some answers are failures."""
    monkeypatch.setattr(sweeping, "BATCH", 3)
    monkeypatch.setattr(sweeping, "MIRRORS", 0)
    list_markets(lake, *(market_row(n) for n in range(3 * len(answers))))
    left = iter(answers)

    def then() -> None:
        if (failure := next(left)) is not None:
            raise failure

    return Clob([book(n) for n in range(3 * len(answers))], then=then)


@pytest.mark.parametrize(
    ("waits_s", "answers_s", "status", "latency_ms"),
    [(0, 0, "taken", 0), (1.5, 0, "taken", 1_500), (40, 0, "late", 40_000), (0, 12, "taken", 0)],
    ids=["at once", "a little", "behind our own limits", "a slow answer"],
)
def test_a_slot_is_as_late_as_the_request_that_was_answered(lake: Lake, waits_s: float, answers_s: float, status: str, latency_ms: float) -> None:  # fmt: skip
    """Counted from the start of the sweep, minutes behind our own limits and repetitions were no lateness at all."""
    list_markets(lake, market_row(0))
    time = Time(SLOT)
    clob = Clob([book(0)], first=lambda: time.pass_(waits_s), then=lambda: time.pass_(answers_s), clock=time.clock)  # fmt: skip
    listed = Listed(lake)
    listed.refresh(HOUR)
    account = sweeping.sweep(lake, clob, BY_NAME["t4"], SLOT, listed, cap=9, run_id="run", clock=time.clock)
    assert (account.status, account.latency_ms) == (status, latency_ms)
    assert account.started_at == SLOT + timedelta(milliseconds=latency_ms)


@pytest.mark.parametrize(
    ("tier", "begun", "until"),
    [
        ("t4", timedelta(0), timedelta(seconds=15)),
        ("t4", timedelta(seconds=9), timedelta(seconds=15)),
        ("t2", timedelta(0), timedelta(seconds=60)),
        ("t0", timedelta(0), sweeping.SWEEP_WITHIN),
        ("t0", timedelta(minutes=30), timedelta(minutes=30) + sweeping.SWEEP_WITHIN),
    ],
)
def test_a_sweep_is_over_when_the_next_slot_is_due(lake: Lake, tier: str, begun: timedelta, until: timedelta) -> None:  # fmt: skip
    close = {"t4": timedelta(minutes=30), "t2": timedelta(hours=6), "t0": timedelta(days=9)}[tier]
    list_markets(lake, market_row(0, effective_close=HOUR + close))
    listed, clob = Listed(lake), Clob()
    listed.refresh(HOUR)
    sweeping.sweep(lake, clob, BY_NAME[tier], SLOT, listed, cap=9, run_id="run", clock=Time(SLOT + begun).clock)  # fmt: skip
    assert clob.until == [SLOT + until]


@pytest.mark.parametrize(("closed_s", "status", "requests"), [(60.0, "missed", 0), (2.2, "late", 1)])
def test_a_sweep_waits_for_a_closed_endpoint_as_long_as_its_slot_lasts(lake: Lake, closed_s: float, status: str, requests: int) -> None:  # fmt: skip
    """Through the real client: a sweep that waited for two minutes cost seven slots, and was called on time."""
    slot_at = datetime.now(UTC).replace(microsecond=0)
    row = market_row(0, received_at=slot_at - timedelta(minutes=5), effective_close=slot_at + timedelta(minutes=30))  # fmt: skip
    lake.publish_rows("markets", [row], part="0", at=slot_at - timedelta(minutes=5))
    listed, limits = Listed(lake), Limits(1.0)
    listed.refresh(slot_at)
    limits.throttled(("clob /books",), closed_s)
    with serving() as server:
        server.on("/books", told([]))
        clob = RealClob(Service("clob", server.url, limits, Breaker("clob")))
        account = sweeping.sweep(lake, clob, BY_NAME["t4"], slot_at, listed, cap=9, run_id="run", clock=lambda: datetime.now(UTC))  # fmt: skip
        clob.close()
    assert (account.status, account.requests, len(server.asked)) == (status, requests, requests)
    assert account.finished_at is not None
    assert account.finished_at - slot_at < BY_NAME["t4"].every
    if status == "missed":
        assert "clob /books was not asked: the limits leave no room" in (account.reason or "")
    else:
        assert account.latency_ms is not None
        assert account.latency_ms > 2_000
        assert account.waited_s > 1


def test_a_sweep_is_never_taken_for_a_run_that_hangs() -> None:
    assert sweeping.SWEEP_WITHIN.total_seconds() < LONGEST_STEP_S


def test_books_and_snapshots_of_a_slot_are_the_same_markets(lake: Lake) -> None:
    list_markets(lake, *(market_row(n) for n in range(4)))
    sweep(lake, Clob([book(n) for n in range(4)]))
    key = ["market_id", "slot_at", "received_at", "hash"]
    books, rows = (
        reading.rows(lake, table).select(key).sort_by("market_id") for table in ("orderbooks", "snapshots")
    )
    assert books.to_pylist() == rows.to_pylist()


def test_recorded_books_travel_to_their_tables(lake: Lake, recorded_dir: Path) -> None:
    """Real books of June 2026: five YES/NO pairs of one event, tick 0.001."""
    wire = json.loads((recorded_dir / "clob/books_post_fed_june_2026.json").read_text())
    books = [parse.book(row) for row in wire]
    list_markets(lake, *(market_row(n, token_ids=[b.token_id, "0"]) for n, b in enumerate(books)))
    account = sweep(lake, Clob(books))
    assert (account.books, account.omitted, account.reason) == (10, 0, None)
    kept = {row["hash"]: row for row in reading.rows(lake, "orderbooks").to_pylist()}
    for row in wire:
        sides = {
            side: [
                (round(float(level["price"]) * 1e6), round(float(level["size"]) * 1e6)) for level in row[side]
            ]
            for side in ("bids", "asks")
        }
        found = kept[row["hash"]]
        assert [(level["price_e6"], level["size_e6"]) for level in found["bids"]] == sorted(
            sides["bids"], reverse=True
        )
        assert [(level["price_e6"], level["size_e6"]) for level in found["asks"]] == sorted(sides["asks"])
    snapshots = reading.rows(lake, "snapshots").to_pylist()
    assert len(snapshots) == 10
    assert not any(row["is_crossed"] for row in snapshots)


def test_recorded_pairs_of_books_are_mirrors(lake: Lake, recorded_dir: Path) -> None:
    """PROTOCOL fact 20, on five real markets."""
    wire = json.loads((recorded_dir / "clob/books_post_fed_june_2026.json").read_text())
    books = [parse.book(row) for row in wire]
    pairs: dict[str, list[str]] = {}
    for one in books:
        pairs.setdefault(one.condition_id, []).append(one.token_id)
    list_markets(lake, *(market_row(n, token_ids=pair) for n, pair in enumerate(pairs.values())))
    account = sweep(lake, Clob(books))
    assert account.mirror_differs == ()
    assert account.mirrored == sum(
        len({one.venue_at for one in books if one.token_id in pair}) == 1 for pair in pairs.values()
    )
    assert account.mirrored > 0
